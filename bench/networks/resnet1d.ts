/** A residual network with batch norm over [160 channels, 512 steps]: one convolution of 7 taps, three blocks of 5 and 3, one of 3 to 128 channels, the mean over time. */

import type { GraphBuilder, Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { relu } from "../../training/tensors/operators/activations.ts";
import { add } from "../../training/tensors/operators/arithmetic.ts";
import { batchNormalisation } from "../../training/tensors/operators/batch-normalisation.ts";
import { mean } from "../../training/tensors/operators/reductions.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { convolutionLayer, linearLayer, ones } from "./layers.ts";

/** Takes [batch, channels, steps]. */
export const resnet1d: Network = (graph, input) => {
  let x = relu(graph, normalisedConvolution(graph, input, { name: "stem", channels: 64, taps: 7 }));
  for (const name of ["block1", "block2", "block3"]) {
    x = graph.scope(name, () => {
      const first = relu(graph, normalisedConvolution(graph, x, { name: "first", channels: 64, taps: 5 }));
      return relu(graph, add(graph, x, normalisedConvolution(graph, first, { name: "second", channels: 64, taps: 3 })));
    });
  }
  x = relu(graph, normalisedConvolution(graph, x, { name: "last", channels: 128, taps: 3 }));
  return linearLayer(graph, mean(graph, x, [2]), { name: "output", width: 3 });
};

function normalisedConvolution(graph: GraphBuilder, x: Value, options: { name: string; channels: number; taps: number }): Value {
  const { name, channels, taps } = options;
  const side = (taps - 1) / 2;
  const y = convolutionLayer(graph, x, { name, channels, kernel: [taps], padding: [[side, side]], isBiased: false });
  return graph.scope(name, () => {
    const scale = graph.parameter("scale", [channels], { initialise: ones, isDecayed: true });
    const shift = graph.parameter("shift", [channels], { initialise: zeros, isDecayed: true });
    return batchNormalisation(graph, y, { scale, shift });
  });
}
