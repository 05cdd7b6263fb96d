/**
 * The graph that is served: the same forward pass as in training, with the weights as constants and any number of rows, and behind it the head that
 * turns the network's own units into those of the manifest.
 */

import { encodeModel } from "../onnx/encode.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import type { Network, ParameterSlot } from "./training-step.ts";

export interface ServedGraphOptions {
  /** Of one row's input: [columns], or [window, columns]. */
  readonly shape: readonly number[];
  readonly inputName: string;
  readonly outputName: string;
  readonly head: (graph: GraphBuilder, answer: Value) => Value;
  /** Parameters, and running statistics where the network has any. */
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** @returns the bytes of the .onnx file. Throws when the weights don't fit the network. */
export function buildServedGraph(network: Network, options: ServedGraphOptions): Uint8Array {
  const graph = new GraphBuilder({ weights: options.weights });
  const answer = network(graph, graph.input(options.inputName, ["batch", ...options.shape]));
  graph.output(options.outputName, options.head(graph, answer));
  return encodeModel(graph.model("served"));
}

/** Cuts the flat vector of training into named tensors. */
export function weightsFrom(parameters: Float32Array, slots: readonly ParameterSlot[]): Map<string, Float32Array> {
  return new Map(slots.map(({ name, offset, size }) => [name, parameters.slice(offset, offset + size)]));
}
