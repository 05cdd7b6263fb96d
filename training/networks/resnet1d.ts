/**
 * The layer stack of the model family `resnet1d` (crazyleg/binancepredict, cleaned): a convolution of 3 minutes to 64 channels, 6 blocks of
 * [SiLU, dropout 0.2, convolution 3] twice around a shortcut, 128 channels from the fifth block on, the mean over time, dense n, dense n to n.
 *
 * Stride 1 throughout, so every block sees all 512 minutes. Where the channels double the shortcut is padded with channels of zeros, which takes no weights
 * (He et al. 2015, option A). No batch norm: neighbouring windows overlap, so a batch's statistics say little of the next.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { silu } from "../tensors/operators/activations.ts";
import { add } from "../tensors/operators/arithmetic.ts";
import { dropout } from "../tensors/operators/dropout.ts";
import { transpose } from "../tensors/operators/layout.ts";
import { mean } from "../tensors/operators/reductions.ts";
import { zeroPad } from "../tensors/operators/zero-pad.ts";
import { fixedSize } from "../tensors/shape.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, convolutionLayer, dense, samePadding } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

const KERNEL = 3;
const DROPOUT = 0.2;

/** Channels of each block. */
const BLOCKS: Readonly<Record<NetworkSize, readonly number[]>> = {
  small: [16, 16, 32],
  paper: [64, 64, 64, 64, 128, 128],
  large: [128, 128, 128, 128, 256, 256],
};

export const resnet1dOf: NetworkOf = ({ size, outputs }) => {
  const blocks = BLOCKS[size];
  return (graph, input) => {
    let value = alongTime(graph, transpose(graph, input, [0, 2, 1]), { name: "entry", channels: blocks[0] ?? 1 });
    for (const [index, channels] of blocks.entries()) value = graph.scope(`block${index + 1}`, () => block(graph, value, channels));
    const pooled = mean(graph, silu(graph, value), [2]);
    return answerLayer(graph, dense(graph, pooled, { name: "pooled", width: outputs }), outputs);
  };
};

function block(graph: GraphBuilder, x: Value, channels: number): Value {
  const first = alongTime(graph, dropout(graph, silu(graph, x), DROPOUT), { name: "convolution1", channels });
  const second = alongTime(graph, dropout(graph, silu(graph, first), DROPOUT), { name: "convolution2", channels });
  return add(graph, second, zeroPad(graph, x, { axis: 1, ...aroundTo(channels - fixedSize(x.shape[1])) }));
}

function alongTime(graph: GraphBuilder, x: Value, layer: { name: string; channels: number }): Value {
  return convolutionLayer(graph, x, { ...layer, kernel: [KERNEL], padding: [samePadding(KERNEL)] });
}

/** So many channels more, half on each side. */
function aroundTo(missing: number): { before: number; after: number } {
  const before = Math.floor(missing / 2);
  return { before, after: missing - before };
}
