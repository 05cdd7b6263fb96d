/**
 * The families `autoencoder` and `conv-autoencoder`, and the encoder that `coded-mlp` and `coded-lstm` read through.
 *
 * Dense: 40L - 64 - 16 - 64 - 40L for a window of L rows, SiLU but for a code between -1 and 1 (tanh) and a linear end (quantitative notes, 1.4). Convolutional:
 * two convolutions over time that halve it, to 32 and 16 channels, then the code; back by doubling each step and convolving. No published sizes of it were
 * found; these give a code as long as the dense one's.
 *
 * The coded forecasters learn encoder and forecaster together, from the forecast's loss alone: nothing is frozen, and nothing pretrained is needed. The
 * encoder's parameters have the names that the autoencoder's have ("encoder.…"), and in `coded-mlp` the shapes too.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { silu, tanh } from "../tensors/operators/activations.ts";
import { concat, reshape, transpose } from "../tensors/operators/layout.ts";
import { fixedSize } from "../tensors/shape.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, convolutionLayer, dense, lstmLayer } from "./layers.ts";
import { timeFirst } from "./recurrent.ts";
import type { NetworkSize } from "./settings.ts";

interface CodeSizes {
  readonly hidden: number;
  readonly code: number;
}

const CODE_SIZES: Readonly<Record<NetworkSize, CodeSizes>> = {
  small: { hidden: 32, code: 8 },
  paper: { hidden: 64, code: 16 },
  large: { hidden: 256, code: 32 },
};

/** Of the two convolutions. */
const CHANNELS: Readonly<Record<NetworkSize, readonly [number, number]>> = { small: [16, 8], paper: [32, 16], large: [64, 32] };

export const autoencoderOf: NetworkOf = ({ size, window, columns, outputs }) => {
  return (graph, input) => {
    const code = encode(graph, reshape(graph, input, [input.shape[0] ?? "batch", window * columns]), CODE_SIZES[size]);
    const opened = silu(graph, dense(graph, code, { name: "decoder.hidden", width: CODE_SIZES[size].hidden }));
    return dense(graph, opened, { name: "decoder.output", width: outputs });
  };
};

export const convAutoencoderOf: NetworkOf = ({ size, window, columns, outputs }) => {
  const [outer, inner] = CHANNELS[size];
  const steps = window / 4;
  const { code } = CODE_SIZES[size];
  return (graph, input) => {
    const rows = input.shape[0] ?? "batch";
    let value = transpose(graph, input, [0, 2, 1]);
    for (const [index, channels] of [outer, inner].entries()) {
      const halving = { kernel: [4], stride: [2], padding: [[1, 1]] as const };
      value = silu(graph, convolutionLayer(graph, value, { name: `encoder.convolution${index + 1}`, channels, ...halving }));
    }
    value = tanh(graph, dense(graph, reshape(graph, value, [rows, inner * steps]), { name: "encoder.code", width: code }));
    value = silu(graph, dense(graph, value, { name: "decoder.hidden", width: inner * steps }));
    value = reshape(graph, value, [rows, inner, steps]);
    const keeping = { kernel: [3], padding: [[1, 1]] as const };
    value = silu(graph, convolutionLayer(graph, doubled(graph, value), { name: "decoder.convolution1", channels: outer, ...keeping }));
    value = convolutionLayer(graph, doubled(graph, value), { name: "decoder.convolution2", channels: columns, ...keeping });
    return reshape(graph, transpose(graph, value, [0, 2, 1]), [rows, outputs]);
  };
};

export const codedMlpOf: NetworkOf = ({ size, window, columns, outputs }) => {
  return (graph, input) => {
    const code = encode(graph, reshape(graph, input, [input.shape[0] ?? "batch", window * columns]), CODE_SIZES[size]);
    const hidden = silu(graph, dense(graph, code, { name: "hidden", width: CODE_SIZES[size].hidden }));
    return answerLayer(graph, hidden, outputs);
  };
};

/** A row's code is made of that row alone. */
export const codedLstmOf: NetworkOf = ({ size, outputs }) => {
  const { hidden } = CODE_SIZES[size];
  return (graph, input) => {
    const codes = timeFirst(graph, encode(graph, input, CODE_SIZES[size]));
    const last = lstmLayer(graph, codes, { name: "recurrent", hidden, direction: "forward", states: "last" });
    return answerLayer(graph, last, outputs);
  };
};

/** Over the last axis. */
function encode(graph: GraphBuilder, x: Value, { hidden, code }: CodeSizes): Value {
  const closed = silu(graph, dense(graph, x, { name: "encoder.hidden", width: hidden }));
  return tanh(graph, dense(graph, closed, { name: "encoder.code", width: code }));
}

/** Each step twice: [rows, channels, steps] to [rows, channels, 2 · steps]. */
function doubled(graph: GraphBuilder, x: Value): Value {
  const [rows = "batch", channels, steps] = x.shape;
  const single = reshape(graph, x, [rows, fixedSize(channels), fixedSize(steps), 1]);
  return reshape(graph, concat(graph, [single, single], 3), [rows, fixedSize(channels), 2 * fixedSize(steps)]);
}
