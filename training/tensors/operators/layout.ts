/** Operators that move numbers and change none: join, cut, turn, repeat. */

import { emitConcat, emitExpand, emitReshape, emitSlice, emitSplit, emitTranspose, emitUnbroadcast } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { broadcast, type Dimension, fixedSize, isSameShape, type Shape, ShapeError, showShape } from "../shape.ts";

/** One after the other along `axis`. */
export function concat(graph: GraphBuilder, values: readonly Value[], axis: number): Value {
  const [first] = values;
  for (const { shape } of values) {
    const isFitting = first !== undefined && isSameShape(without(shape, axis), without(first.shape, axis));
    if (!isFitting || shape[axis] === undefined) {
      throw new ShapeError(`${values.map((value) => showShape(value.shape)).join(" and ")} can't be joined along axis ${axis}`);
    }
  }
  if (values.length === 1 && first !== undefined) return first;
  return graph.differentiable(emitConcat(graph, values, axis), values, (gradient) =>
    emitSplit(graph, gradient, { axis, sizes: values.map((value) => fixedSize(value.shape[axis])) }),
  );
}

/** Parts of these sizes along `axis`. */
export function split(graph: GraphBuilder, x: Value, options: { axis: number; sizes: readonly number[] }): Value[] {
  const { axis, sizes } = options;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (x.shape[axis] !== total) throw new ShapeError(`${showShape(x.shape)} can't be split into [${sizes.join(", ")}] along axis ${axis}`);
  if (sizes.length === 1) return [x];
  const parts = emitSplit(graph, x, options);
  return graph.differentiableMany(parts, [x], (gradients) => [
    emitConcat(
      graph,
      // A part that the loss does not depend on.
      gradients.map((gradient, index) => gradient ?? graph.filled(0, (parts[index] as Value).shape as readonly number[])),
      axis,
    ),
  ]);
}

/** Elements [from, to) along `axis`. */
export function slice(graph: GraphBuilder, x: Value, range: { axis: number; from: number; to: number }): Value {
  const { axis, from, to } = range;
  const size = x.shape[axis];
  if (typeof size !== "number" || !(from >= 0 && from < to && to <= size)) {
    throw new ShapeError(`${showShape(x.shape)} has no elements [${from}, ${to}) along axis ${axis}`);
  }
  if (from === 0 && to === size) return x;
  const before = x.shape.map((_, index) => (index === axis ? from : 0));
  const after = x.shape.map((_, index) => (index === axis ? size - to : 0));
  return graph.differentiable(emitSlice(graph, x, range), [x], (gradient) => [
    graph.emit("Pad", [gradient, graph.integers([...before, ...after])], x.shape),
  ]);
}

/** @param shape one dimension may be "batch": it becomes what is left over. */
export function reshape(graph: GraphBuilder, x: Value, shape: Shape): Value {
  const [sizes, wanted] = [fixedPart(x.shape), fixedPart(shape)];
  const isOpen = x.shape.includes("batch") || shape.includes("batch");
  if (isOpen ? x.shape.includes("batch") !== shape.includes("batch") || sizes !== wanted : sizes !== wanted) {
    throw new ShapeError(`${showShape(x.shape)} can't be reshaped to ${showShape(shape)}`);
  }
  if (isSameShape(x.shape, shape)) return x;
  return graph.differentiable(emitReshape(graph, x, shape), [x], (gradient) => [emitReshape(graph, gradient, x.shape)]);
}

/** @param order for each axis of the result the axis of `x` it is. */
export function transpose(graph: GraphBuilder, x: Value, order: readonly number[]): Value {
  if (order.length !== x.shape.length || x.shape.some((_, axis) => !order.includes(axis))) {
    throw new ShapeError(`[${order.join(", ")}] is no order of the axes of ${showShape(x.shape)}`);
  }
  const turned = emitTranspose(graph, x, order);
  // Where all axes but one hold a single element nothing moves.
  if (turned.name === x.name) return x;
  return graph.differentiable(turned, [x], (gradient) => [
    emitTranspose(
      graph,
      gradient,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ]);
}

/** Repeats `x` along its axes of size 1, and along new ones in front. */
export function expand(graph: GraphBuilder, x: Value, shape: Shape): Value {
  if (!isSameShape(broadcast(x.shape, shape), shape))
    throw new ShapeError(`${showShape(x.shape)} can't be repeated to ${showShape(shape)}`);
  if (isSameShape(x.shape, shape)) return x;
  return graph.differentiable(emitExpand(graph, x, shape), [x], (gradient) => [emitUnbroadcast(graph, gradient, x.shape)]);
}

function without(shape: Shape, axis: number): Dimension[] {
  return shape.filter((_, index) => index !== axis);
}

function fixedPart(shape: Shape): number {
  return shape.reduce<number>((product, dimension) => product * (dimension === "batch" ? 1 : dimension), 1);
}
