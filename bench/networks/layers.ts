/** Layers with their parameters, as the networks of the race are made of. Names and order of the parameters are those of bench/peers/bench_networks.py. */

import type { GraphBuilder, Value } from "../../training/tensors/graph-builder.ts";
import { type Initialiser, zeros } from "../../training/tensors/initialisers.ts";
import { convolution } from "../../training/tensors/operators/convolution.ts";
import { layerNormalisation } from "../../training/tensors/operators/layer-normalisation.ts";
import { reshape } from "../../training/tensors/operators/layout.ts";
import { linear } from "../../training/tensors/operators/linear.ts";
import { lstm } from "../../training/tensors/operators/lstm.ts";
import type { WindowOptions } from "../../training/tensors/operators/window.ts";
import { fixedSize, sizeOf } from "../../training/tensors/shape.ts";

/** Uniform on ±1/√fanIn, as PyTorch starts all of these layers. */
export function uniformOf(fanIn: number): Initialiser {
  const bound = 1 / Math.sqrt(fanIn);
  return (shape, random) => Float32Array.from({ length: sizeOf(shape) }, () => (random() * 2 - 1) * bound);
}

export const ones: Initialiser = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** @param x [rows, inputs] or [rows, steps, inputs]. @returns the same with `width` for the inputs. */
export function linearLayer(graph: GraphBuilder, x: Value, { name, width }: { name: string; width: number }): Value {
  const inputs = fixedSize(x.shape[x.shape.length - 1]);
  const initialise = uniformOf(inputs);
  return graph.scope(name, () => {
    const weights = graph.parameter("weights", [inputs, width], { initialise, isDecayed: true });
    const bias = graph.parameter("bias", [width], { initialise, isDecayed: true });
    if (x.shape.length === 2) return linear(graph, x, { weights, bias });
    const rows = reshape(graph, x, [sizeOf(x.shape) / inputs, inputs]);
    return reshape(graph, linear(graph, rows, { weights, bias }), [...x.shape.slice(0, -1), width]);
  });
}

export interface ConvolutionOptions extends WindowOptions {
  readonly name: string;
  readonly channels: number;
  readonly kernel: readonly number[];
  readonly isBiased: boolean;
}

/** @param x [batch, channels, …sizes] */
export function convolutionLayer(graph: GraphBuilder, x: Value, options: ConvolutionOptions): Value {
  const { name, channels, kernel, isBiased } = options;
  const inputs = fixedSize(x.shape[1]);
  const initialise = uniformOf(inputs * sizeOf(kernel));
  return graph.scope(name, () => {
    const weights = graph.parameter("weights", [channels, inputs, ...kernel], { initialise, isDecayed: true });
    const bias = isBiased ? graph.parameter("bias", [channels], { initialise, isDecayed: true }) : null;
    return convolution(graph, x, { weights, bias }, options);
  });
}

/** @param x [steps, batch, inputs]. @returns the hidden state after the last step, [batch, hidden]. */
export function lastOfLstm(graph: GraphBuilder, x: Value, { name, hidden }: { name: string; hidden: number }): Value {
  const initialise = uniformOf(hidden);
  return graph.scope(name, () => {
    const weights = graph.parameter("weights", [fixedSize(x.shape[2]), 4 * hidden], { initialise, isDecayed: true });
    const recurrence = graph.parameter("recurrence", [hidden, 4 * hidden], { initialise, isDecayed: true });
    const bias = graph.parameter("bias", [4 * hidden], { initialise, isDecayed: true });
    return lstm(graph, x, { weights, recurrence, bias }, { direction: "forward", states: "last" });
  });
}

/** Over the last axis. */
export function layerNormLayer(graph: GraphBuilder, x: Value, name: string): Value {
  const width = fixedSize(x.shape[x.shape.length - 1]);
  return graph.scope(name, () => {
    const gain = graph.parameter("gain", [width], { initialise: ones, isDecayed: true });
    const bias = graph.parameter("bias", [width], { initialise: zeros, isDecayed: true });
    return layerNormalisation(graph, x, { gain, bias });
  });
}
