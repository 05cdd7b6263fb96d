/** Plain nodes, without gradient rules: what the rules and the optimisers are written in. */

import type { GraphBuilder, Value } from "./graph-builder.ts";
import { broadcast, type Dimension, isSameShape, repeatedAxes, type Shape, ShapeError, showShape } from "./shape.ts";

export function emitAdd(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.emit("Add", [a, b], broadcast(a.shape, b.shape));
}

export function emitSubtract(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.emit("Sub", [a, b], broadcast(a.shape, b.shape));
}

export function emitMultiply(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.emit("Mul", [a, b], broadcast(a.shape, b.shape));
}

export function emitDivide(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.emit("Div", [a, b], broadcast(a.shape, b.shape));
}

export function emitNegate(graph: GraphBuilder, value: Value): Value {
  return graph.emit("Neg", [value], value.shape);
}

/** @param shape one dimension may be "batch": it becomes what is left over. */
export function emitReshape(graph: GraphBuilder, value: Value, shape: Shape): Value {
  if (shape.filter((dimension) => dimension === "batch").length > 1) throw new ShapeError(`${showShape(shape)} has two open dimensions`);
  const sizes = shape.map((dimension) => (dimension === "batch" ? -1 : dimension));
  return graph.emit("Reshape", [value, graph.integers(sizes)], shape);
}

/** @param order for each axis of the result the axis of `value` it is. */
export function emitTranspose(graph: GraphBuilder, value: Value, order: readonly number[]): Value {
  const shape = order.map((axis) => dimensionAt(value, axis));
  return graph.emit("Transpose", [value], shape, { perm: { ints: order } });
}

/** Sum over `axes`, which stay as dimensions of 1. */
export function emitSum(graph: GraphBuilder, value: Value, axes: readonly number[]): Value {
  return graph.emit("ReduceSum", [value, graph.integers(axes)], keepAxes(value.shape, axes), { keepdims: { int: 1 } });
}

/** Mean over `axes`, which stay as dimensions of 1. */
export function emitMean(graph: GraphBuilder, value: Value, axes: readonly number[]): Value {
  return graph.emit("ReduceMean", [value], keepAxes(value.shape, axes), { axes: { ints: axes }, keepdims: { int: 1 } });
}

/** Elements [from, to) along `axis`. */
export function emitSlice(graph: GraphBuilder, value: Value, range: { axis: number; from: number; to: number }): Value {
  const { axis, from, to } = range;
  const shape = value.shape.map((dimension, index) => (index === axis ? to - from : dimension));
  return graph.emit("Slice", [value, graph.integers([from]), graph.integers([to]), graph.integers([axis])], shape);
}

export function emitConcat(graph: GraphBuilder, values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (first === undefined) throw new ShapeError("nothing to put together");
  if (values.length === 1) return first;
  const size = values.reduce((sum, value) => sum + Number(value.shape[axis]), 0);
  const shape = first.shape.map((dimension, index) => (index === axis ? size : dimension));
  return graph.emit("Concat", values, shape, { axis: { int: axis } });
}

/** Parts of these sizes along `axis`. */
export function emitSplit(graph: GraphBuilder, value: Value, options: { axis: number; sizes: readonly number[] }): Value[] {
  const { axis, sizes } = options;
  const shapes = sizes.map((size) => value.shape.map((dimension, index) => (index === axis ? size : dimension)));
  return graph.emitMany("Split", [value, graph.integers(sizes)], { shapes, attributes: { axis: { int: axis } } });
}

/** The product of two matrices, each transposed on demand. */
export function emitProduct(graph: GraphBuilder, a: Value, b: Value, options: { transposeA?: true; transposeB?: true } = {}): Value {
  const rows = a.shape[options.transposeA ? 1 : 0];
  const columns = b.shape[options.transposeB ? 0 : 1];
  if (rows === undefined || columns === undefined) throw new ShapeError("a product takes two matrices");
  return graph.emit("Gemm", [a, b], [rows, columns], {
    transA: { int: options.transposeA ? 1 : 0 },
    transB: { int: options.transposeB ? 1 : 0 },
  });
}

/** Sums a gradient over the axes along which `shape` was repeated, so that it has that shape again. */
export function emitUnbroadcast(graph: GraphBuilder, gradient: Value, shape: Shape): Value {
  if (isSameShape(gradient.shape, shape)) return gradient;
  const summed = emitSum(graph, gradient, repeatedAxes(shape, gradient.shape));
  return summed.shape.length === shape.length ? summed : emitReshape(graph, summed, shape);
}

function keepAxes(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
}

function dimensionAt(value: Value, axis: number): Dimension {
  const dimension = value.shape[axis];
  if (dimension === undefined) throw new ShapeError(`${showShape(value.shape)} has no axis ${axis}`);
  return dimension;
}
