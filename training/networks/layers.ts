/**
 * Layers with their parameters: what the networks are stacked of. A layer's name is the scope of its parameters, so that a file's weights and a shape error
 * say where they belong. Matrices decay; biases, gains and what is kept within a norm don't.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { fanInUniform, type Initialiser, uniform, zeros } from "../tensors/initialisers.ts";
import { convolution } from "../tensors/operators/convolution.ts";
import { gru } from "../tensors/operators/gru.ts";
import { linear } from "../tensors/operators/linear.ts";
import { lstm } from "../tensors/operators/lstm.ts";
import type { RecurrentOptions } from "../tensors/operators/recurrent.ts";
import type { WindowOptions } from "../tensors/operators/window.ts";
import { fixedSize } from "../tensors/shape.ts";

export interface DenseOptions {
  readonly name: string;
  readonly width: number;
  readonly initialise?: Initialiser;
}

/** Over the last axis. */
export function dense(graph: GraphBuilder, x: Value, { name, width, initialise = fanInUniform }: DenseOptions): Value {
  return graph.scope(name, () => {
    const weights = graph.parameter("weights", [fixedSize(x.shape.at(-1)), width], { initialise, isDecayed: true });
    const bias = graph.parameter("bias", [width], { initialise: zeros, isDecayed: false });
    return linear(graph, x, { weights, bias });
  });
}

/** The last layer of a forecaster: it starts at zero, so that training starts from "no move", or from classes of equal chance. */
export function answerLayer(graph: GraphBuilder, x: Value, outputs: number): Value {
  return dense(graph, x, { name: "output", width: outputs, initialise: zeros });
}

export interface RecurrentLayerOptions extends RecurrentOptions {
  readonly name: string;
  readonly hidden: number;
}

/** @param x [steps, batch, inputs]. Weights begin as PyTorch's do: uniform on ±1/√hidden. */
export function lstmLayer(graph: GraphBuilder, x: Value, { name, hidden, ...options }: RecurrentLayerOptions): Value {
  return graph.scope(name, () => lstm(graph, x, recurrentParameters(graph, x, { hidden, gates: 4 }), options));
}

/** @param x [steps, batch, inputs]. */
export function gruLayer(graph: GraphBuilder, x: Value, { name, hidden, ...options }: RecurrentLayerOptions): Value {
  return graph.scope(name, () => {
    const layer = recurrentParameters(graph, x, { hidden, gates: 3 });
    const candidateBias = graph.parameter("candidate_bias", [hidden], { initialise: uniform(1 / Math.sqrt(hidden)), isDecayed: false });
    return gru(graph, x, { ...layer, candidateBias }, options);
  });
}

function recurrentParameters(
  graph: GraphBuilder,
  x: Value,
  { hidden, gates }: { hidden: number; gates: number },
): { weights: Value; recurrence: Value; bias: Value } {
  const initialise = uniform(1 / Math.sqrt(hidden));
  return {
    weights: graph.parameter("weights", [fixedSize(x.shape[2]), gates * hidden], { initialise, isDecayed: true }),
    recurrence: graph.parameter("recurrence", [hidden, gates * hidden], { initialise, isDecayed: true }),
    bias: graph.parameter("bias", [gates * hidden], { initialise, isDecayed: false }),
  };
}

export interface ConvolutionOptions extends WindowOptions {
  readonly name: string;
  readonly channels: number;
  readonly kernel: readonly number[];
}

/** @param x [batch, channels, …sizes]. Weights begin as PyTorch's do. */
export function convolutionLayer(graph: GraphBuilder, x: Value, { name, channels, kernel, ...window }: ConvolutionOptions): Value {
  return graph.scope(name, () => {
    const inputs = fixedSize(x.shape[1]);
    const fanIn = kernel.reduce((product, size) => product * size, inputs);
    const weights = graph.parameter("weights", [channels, inputs, ...kernel], {
      initialise: uniform(1 / Math.sqrt(fanIn)),
      isDecayed: true,
    });
    const bias = graph.parameter("bias", [channels], { initialise: zeros, isDecayed: false });
    return convolution(graph, x, { weights, bias }, window);
  });
}

/** Padding that keeps an axis as long as it is under a kernel of this size; of an even kernel the longer side is behind, as in Keras and PyTorch. */
export function samePadding(kernel: number): [number, number] {
  return [Math.floor((kernel - 1) / 2), Math.ceil((kernel - 1) / 2)];
}
