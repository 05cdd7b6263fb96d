/** Sums, means and maxima over axes, which then are gone, or stay as sizes of 1. */

import { ELEMENT_CODES } from "../../onnx/model.ts";
import { emitDivide, emitExpand, emitMultiply, emitReshape, emitScaled, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, type Shape, ShapeError, showShape } from "../shape.ts";

export interface ReductionOptions {
  /** The axes stay, of size 1, so that the result broadcasts against what it was made of. */
  readonly keepsAxes?: true;
}

export function sum(graph: GraphBuilder, x: Value, axes: readonly number[], options: ReductionOptions = {}): Value {
  const { kept, shape } = reducedShapes(x, axes, options);
  const total = graph.emit("ReduceSum", [x, graph.integers(axes)], shape, keepdims(options));
  return graph.differentiable(total, [x], (gradient) => [emitExpand(graph, emitReshape(graph, gradient, kept), x.shape)]);
}

export function mean(graph: GraphBuilder, x: Value, axes: readonly number[], options: ReductionOptions = {}): Value {
  const { kept, shape } = reducedShapes(x, axes, options);
  const average = graph.emit("ReduceMean", [x], shape, { axes: { ints: axes }, ...keepdims(options) });
  return graph.differentiable(average, [x], (gradient) => {
    const count = axes.reduce((product, axis) => product * fixedSize(x.shape[axis]), 1);
    return [emitExpand(graph, emitScaled(graph, emitReshape(graph, gradient, kept), 1 / count), x.shape)];
  });
}

/** The gradient goes to the largest element; where several are, each gets an equal part. */
export function max(graph: GraphBuilder, x: Value, axes: readonly number[], options: ReductionOptions = {}): Value {
  const { kept, shape } = reducedShapes(x, axes, options);
  const highest = graph.emit("ReduceMax", [x], shape, { axes: { ints: axes }, ...keepdims(options) });
  return graph.differentiable(highest, [x], (gradient) => {
    const highestKept = emitReshape(graph, highest, kept);
    const isHighest = graph.emitAs("bool", "Equal", { inputs: [x, highestKept], shape: x.shape });
    const chosen = graph.emit("Cast", [isHighest], x.shape, { to: { int: ELEMENT_CODES[graph.precision] } });
    const share = emitDivide(graph, emitReshape(graph, gradient, kept), emitSum(graph, chosen, axes));
    return [emitMultiply(graph, chosen, share)];
  });
}

function reducedShapes(x: Value, axes: readonly number[], options: ReductionOptions): { kept: Shape; shape: Shape } {
  if (axes.length === 0 || axes.some((axis) => x.shape[axis] === undefined) || new Set(axes).size < axes.length) {
    throw new ShapeError(`${showShape(x.shape)} can't be reduced over the axes [${axes.join(", ")}]`);
  }
  const kept = x.shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  return { kept, shape: options.keepsAxes ? kept : x.shape.filter((_, axis) => !axes.includes(axis)) };
}

function keepdims(options: ReductionOptions): { keepdims: { int: number } } {
  return { keepdims: { int: options.keepsAxes ? 1 : 0 } };
}
