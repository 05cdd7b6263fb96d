/**
 * The graph that is served: the same forward pass as in training, with the weights as constants and any number of rows. The network
 * answers in units of each target's own scale; the last node turns that into basis points.
 */

import { encodeModel } from "../onnx/encode.ts";
import { OPSET } from "../onnx/model.ts";
import { emitMultiply } from "./emit.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Network, ParameterSlot } from "./training-step.ts";

export interface ServedGraphOptions {
  readonly columns: number;
  readonly inputName: string;
  readonly outputName: string;
  /** [outputs] what one unit of each output is, in basis points. */
  readonly outputScale: readonly number[];
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** @returns the bytes of the .onnx file. Throws when the weights don't fit the network. */
export function buildServedGraph(network: Network, options: ServedGraphOptions): Uint8Array {
  const graph = new GraphBuilder({ weights: options.weights });
  const answer = network(graph, graph.input(options.inputName, ["batch", options.columns]));
  const scale = graph.constant(options.outputScale, [options.outputScale.length]);
  graph.output(options.outputName, emitMultiply(graph, answer, scale));
  return encodeModel({ graph: graph.finish("served"), opset: OPSET });
}

/** Cuts the flat vector of training into named tensors. */
export function weightsFrom(parameters: Float32Array, slots: readonly ParameterSlot[]): Map<string, Float32Array> {
  return new Map(slots.map(({ name, offset, size }) => [name, parameters.slice(offset, offset + size)]));
}
