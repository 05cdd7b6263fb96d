/** Plain nodes, without gradient rules: what the rules and the optimisers are written in. */

import type { GraphBuilder, Value } from "./graph-builder.ts";
import { broadcast, isSameShape, repeatedAxes, type Shape } from "./shape.ts";

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

export function emitReshape(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  return graph.emit("Reshape", [value, graph.integers(shape)], shape);
}

/** Sum over `axes`, which stay as dimensions of 1. */
export function emitSum(graph: GraphBuilder, value: Value, axes: readonly number[]): Value {
  const shape = value.shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  return graph.emit("ReduceSum", [value, graph.integers(axes)], shape, { keepdims: { int: 1 } });
}

/** The product of two matrices, each transposed on demand. */
export function emitProduct(graph: GraphBuilder, a: Value, b: Value, options: { transposeA?: true; transposeB?: true } = {}): Value {
  const rows = a.shape[options.transposeA ? 1 : 0];
  const columns = b.shape[options.transposeB ? 0 : 1];
  if (rows === undefined || columns === undefined) throw new TypeError("a product takes two matrices");
  return graph.emit("Gemm", [a, b], [rows, columns], {
    transA: { int: options.transposeA ? 1 : 0 },
    transB: { int: options.transposeB ? 1 : 0 },
  });
}

/** Sums a gradient over the axes along which `shape` was repeated, so that it has that shape again. */
export function emitUnbroadcast(graph: GraphBuilder, gradient: Value, shape: Shape): Value {
  if (isSameShape(gradient.shape, shape)) return gradient;
  const summed = emitSum(graph, gradient, repeatedAxes(shape, gradient.shape));
  return summed.shape.length === shape.length ? summed : emitReshape(graph, summed, shape as readonly number[]);
}
