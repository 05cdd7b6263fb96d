/** Plain nodes, without gradient rules: what the rules and the optimisers are written in. */

import type { GraphBuilder, Value } from "./graph-builder.ts";
import { broadcast, type Dimension, fixedSize, isSameShape, repeatedAxes, type Shape, ShapeError, showShape, sizeOf } from "./shape.ts";

export function emitAdd(graph: GraphBuilder, a: Value, b: Value): Value {
  return emitPairwise(graph, "Add", [a, b]);
}

export function emitSubtract(graph: GraphBuilder, a: Value, b: Value): Value {
  return emitPairwise(graph, "Sub", [a, b]);
}

export function emitMultiply(graph: GraphBuilder, a: Value, b: Value): Value {
  return emitPairwise(graph, "Mul", [a, b]);
}

export function emitDivide(graph: GraphBuilder, a: Value, b: Value): Value {
  return emitPairwise(graph, "Div", [a, b]);
}

/**
 * Trailing axes of 1 are left out of what broadcasts: with them onnxruntime goes through it element by element, at a tenth of the speed.
 */
function emitPairwise(graph: GraphBuilder, operator: "Add" | "Sub" | "Mul" | "Div", [a, b]: readonly [Value, Value]): Value {
  const shape = broadcast(a.shape, b.shape);
  const wide = shape.findLastIndex((size) => size !== 1) + 1;
  const spare = shape.length - wide;
  if (spare === 0 || wide === 0 || isSameShape(a.shape, b.shape)) return graph.emit(operator, [a, b], shape);
  const [first, second] = [a, b].map((value) =>
    emitReshape(graph, value, value.shape.slice(0, Math.max(0, value.shape.length - spare))),
  ) as [Value, Value];
  return emitReshape(graph, graph.emit(operator, [first, second], shape.slice(0, wide)), shape);
}

export function emitNegate(graph: GraphBuilder, value: Value): Value {
  return graph.emit("Neg", [value], value.shape);
}

export function emitSquare(graph: GraphBuilder, value: Value): Value {
  return emitMultiply(graph, value, value);
}

/** Times a fixed number; by 1 it is the value itself. */
export function emitScaled(graph: GraphBuilder, value: Value, factor: number): Value {
  return factor === 1 ? value : emitMultiply(graph, value, graph.scalar(factor));
}

/**
 * 1 where a value is above 0, else 0, in one node. Every normal number times 1e38 is above 1, at which HardSigmoid stops; of the denormal ones, which the
 * native runtime takes for 0, a fraction comes out.
 */
export function emitIsPositive(graph: GraphBuilder, value: Value): Value {
  return graph.emit("HardSigmoid", [value], value.shape, { alpha: { float: 1e38 }, beta: { float: 0 } });
}

/** @param shape one dimension may be "batch": it becomes what is left over. */
export function emitReshape(graph: GraphBuilder, value: Value, shape: Shape): Value {
  if (shape.filter((dimension) => dimension === "batch").length > 1) throw new ShapeError(`${showShape(shape)} has two open dimensions`);
  if (isSameShape(value.shape, shape)) return value;
  const sizes = shape.map((dimension) => (dimension === "batch" ? -1 : dimension));
  const reshaped = graph.emit("Reshape", [value, graph.integers(sizes)], shape);
  originsOf(graph).reshaped.set(reshaped.name, beforeReshape(graph, value));
  return reshaped;
}

/** The value that this one is in another shape: the outcome of a node of arithmetic, which onnxruntime fuses with the next one. */
export function beforeReshape(graph: GraphBuilder, value: Value): Value {
  return originsOf(graph).reshaped.get(value.name) ?? value;
}

/**
 * Where all sizes are known, axes that move together move as one and those of 1 not at all: onnxruntime doesn't see it, and takes ten times as long. What was
 * moved before is moved from where it was first.
 * @param order for each axis of the result the axis of `value` it is.
 */
export function emitTranspose(graph: GraphBuilder, value: Value, order: readonly number[]): Value {
  const before = originsOf(graph).moved.get(value.name);
  if (before !== undefined) {
    return emitTranspose(
      graph,
      before.from,
      order.map((axis) => before.order[axis] as number),
    );
  }
  const shape = order.map((axis) => dimensionAt(value, axis));
  if (value.shape.includes("batch")) return graph.emit("Transpose", [value], shape, { perm: { ints: order } });
  const blocks = movingTogether(value.shape, order);
  if (blocks.length < 2) return emitReshape(graph, value, shape);
  const inPlace = [...blocks].sort((one, other) => (one[0] as number) - (other[0] as number));
  const sizes = inPlace.map((block) => sizeOf(block.map((axis) => dimensionAt(value, axis))));
  const perm = blocks.map((block) => inPlace.indexOf(block));
  const moved = emitReshape(graph, emitMove(graph, emitReshape(graph, value, sizes), perm), shape);
  originsOf(graph).moved.set(moved.name, { from: value, order });
  return moved;
}

/**
 * Three axes in reverse are two moves: in one, onnxruntime takes ten times as long. Flatten between them does what Reshape would, but Reshape it looks through,
 * and makes one move of the two again.
 */
function emitMove(graph: GraphBuilder, value: Value, order: readonly number[]): Value {
  const sizes = value.shape.map(fixedSize);
  const [first, second, third] = sizes as [number, number, number];
  if (order.join() !== "2,1,0") {
    const shape = order.map((axis) => dimensionAt(value, axis));
    return graph.emit("Transpose", [value], shape, { perm: { ints: order } });
  }
  const flat = graph.emit("Flatten", [emitMove(graph, value, [0, 2, 1])], [first, third * second], { axis: { int: 1 } });
  return emitReshape(graph, emitMove(graph, flat, [1, 0]), [third, second, first]);
}

/** By name, what a value was before it was moved by emitTranspose, or given another shape. */
interface Origins {
  readonly moved: Map<string, { readonly from: Value; readonly order: readonly number[] }>;
  readonly reshaped: Map<string, Value>;
}

const origins = new WeakMap<GraphBuilder, Origins>();

function originsOf(graph: GraphBuilder): Origins {
  const known = origins.get(graph) ?? { moved: new Map(), reshaped: new Map() };
  origins.set(graph, known);
  return known;
}

/** @param shape sizes of 1 are repeated; a "batch" is one in `value` too. */
export function emitExpand(graph: GraphBuilder, value: Value, shape: Shape): Value {
  if (isSameShape(value.shape, shape)) return value;
  // A size of 1 leaves what is there: so the open dimension needs no number.
  const sizes = shape.map((dimension) => (dimension === "batch" ? 1 : dimension));
  return graph.emit("Expand", [value, graph.integers(sizes)], shape);
}

/** Sum over `axes`, which stay as dimensions of 1. */
export function emitSum(graph: GraphBuilder, value: Value, axes: readonly number[]): Value {
  return graph.emit("ReduceSum", [value, graph.integers(axes)], keepAxes(value.shape, axes), { keepdims: { int: 1 } });
}

/** Sum of all elements, of shape []. */
export function emitTotal(graph: GraphBuilder, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  return graph.emit("ReduceSum", [value, graph.integers(axes)], [], { keepdims: { int: 0 } });
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

export interface ProductOptions {
  /** Of the last two axes. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** A fixed number that the product is multiplied by. */
  readonly scale?: number;
}

/**
 * Products of the matrices in the last two axes; the axes before them broadcast. While training a transposed factor is read as it lies, by an operator of
 * onnxruntime, which saves a copy; other graphs have ONNX's operators alone.
 */
export function emitBatchedProduct(graph: GraphBuilder, a: Value, b: Value, options: ProductOptions = {}): Value {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  const shape = shapeOfProduct(a, b, options);
  if (!transposeA && !transposeB && scale === 1) return graph.emit("MatMul", [a, b], shape);
  if (graph.isTraining) {
    const attributes = { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) }, alpha: { float: scale } };
    return graph.emit("com.microsoft:FusedMatMul", [a, b], shape, attributes);
  }
  const factors = [transposeA ? emitMatrixTranspose(graph, a) : a, transposeB ? emitMatrixTranspose(graph, b) : b];
  return emitScaled(graph, graph.emit("MatMul", factors, shape), scale);
}

function shapeOfProduct(a: Value, b: Value, { transposeA, transposeB }: ProductOptions): Shape {
  const rank = Math.min(a.shape.length, b.shape.length);
  const [first, second] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [rows, inner] = transposeA ? first.toReversed() : first;
  const [innerOfB, columns] = transposeB ? second.toReversed() : second;
  if (rank < 2 || rows === undefined || columns === undefined || inner !== innerOfB) {
    const [turnedA, turnedB] = [transposeA ? " transposed" : "", transposeB ? " transposed" : ""];
    throw new ShapeError(`${showShape(a.shape)}${turnedA} can't be multiplied by ${showShape(b.shape)}${turnedB}`);
  }
  return [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
}

function emitMatrixTranspose(graph: GraphBuilder, value: Value): Value {
  const last = value.shape.length - 1;
  return emitTranspose(
    graph,
    value,
    value.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis)),
  );
}

/** Sums of the columns of a matrix, [columns]: a product with a row of ones takes half the time of ReduceSum over the first axis. */
export function emitColumnSums(graph: GraphBuilder, matrix: Value): Value {
  const [rows, columns] = [fixedSize(matrix.shape[0]), fixedSize(matrix.shape[1])];
  return graph.emit("MatMul", [graph.filled(1, [rows]), matrix], [columns]);
}

/** Sums a gradient over the axes along which `shape` was repeated, so that it has that shape again. */
export function emitUnbroadcast(graph: GraphBuilder, gradient: Value, shape: Shape): Value {
  if (isSameShape(gradient.shape, shape)) return gradient;
  if (isTrailing(shape, gradient.shape)) return emitSumOfRows(graph, gradient, shape);
  const summed = emitSum(graph, gradient, repeatedAxes(shape, gradient.shape));
  return summed.shape.length === shape.length ? summed : emitReshape(graph, summed, shape);
}

/** Whether `part` was repeated over leading axes alone, as a bias is over rows. */
function isTrailing(part: Shape, full: Shape): boolean {
  const missing = full.length - part.length;
  return part.length > 0 && missing > 0 && part.every((dimension, axis) => dimension === full[axis + missing]);
}

function emitSumOfRows(graph: GraphBuilder, gradient: Value, shape: Shape): Value {
  const width = sizeOf(shape);
  return emitReshape(graph, emitColumnSums(graph, emitReshape(graph, gradient, [sizeOf(gradient.shape) / width, width])), shape);
}

/** The axes that hold more than one element in the order of the result, those that follow one another before and after in one block. */
function movingTogether(shape: Shape, order: readonly number[]): number[][] {
  const wide = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const blocks: number[][] = [];
  for (const axis of order.filter((one) => shape[one] !== 1)) {
    const block = blocks.at(-1);
    const last = block?.at(-1);
    if (block !== undefined && last !== undefined && wide[wide.indexOf(last) + 1] === axis) block.push(axis);
    else blocks.push([axis]);
  }
  return blocks;
}

function keepAxes(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
}

function dimensionAt(value: Value, axis: number): Dimension {
  const dimension = value.shape[axis];
  if (dimension === undefined) throw new ShapeError(`${showShape(value.shape)} has no axis ${axis}`);
  return dimension;
}
