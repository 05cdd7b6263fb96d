/**
 * Convolution over one or two axes, as PyTorch means it (no flip): y[b, o, t] = bias[o] + Σ w[o, c, k] x[b, c, stride t + dilation k - before].
 *
 * With g the gradient of y: dw[o, c, k] = Σ g[b, o, t] x[b, c, …], one product for each place k of the kernel, on shifted cuts of whichever of x
 * and g has fewer channels; dx is a convolution of g with the kernel turned round, or ConvTranspose where the stride is not 1.
 * While training, windows that lie side by side (a stride as long as the kernel, or one window in all) become the channels of a kernel of 1: they are moved
 * together once, for all three products.
 * Along one axis of two with a kernel of (k, 1) the rows of x lie in line, so it runs as a dilated convolution over one axis: copies of whole rows.
 */

import { emitConcat, emitReshape, emitSum, emitTranspose } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape, sizeOf } from "../shape.ts";
import { reshape } from "./layout.ts";
import {
  emitEvery,
  emitPadding,
  outputSizes,
  reach,
  tapsOf,
  transposedAttributes,
  type WindowAxis,
  type WindowOptions,
  windowAttributes,
  windowAxes,
} from "./window.ts";

export interface ConvolutionLayer {
  /** [out, in, …kernel] */
  readonly weights: Value;
  /** [out], or null for none. */
  readonly bias: Value | null;
}

/**
 * @param x [batch, in, …sizes]
 * @returns [batch, out, …outputs]
 */
export function convolution(graph: GraphBuilder, x: Value, layer: ConvolutionLayer, options: WindowOptions = {}): Value {
  const { weights, bias } = layer;
  const [outputs, inputs, ...kernel] = weights.shape.map(fixedSize) as [number, number, ...number[]];
  if (x.shape[1] !== inputs || (bias !== null && bias.shape[0] !== outputs)) {
    const ofBias = bias === null ? "" : ` and ${showShape(bias.shape)}`;
    throw new ShapeError(`kernels of ${showShape(weights.shape)}${ofBias} can't take ${showShape(x.shape)}`);
  }
  const axes = windowAxes(x, kernel, options);
  const shape = [x.shape[0] ?? 0, outputs, ...outputSizes(axes)];
  if (!graph.isTraining || isPointwise(axes)) return plainConvolution(graph, x, { weights, bias, axes });
  if (areSideBySide(axes)) {
    const columns = inputs * sizeOf(kernel);
    const parts = { weights: reshape(graph, weights, [outputs, columns, 1]), bias, axes: [pointwise(sizeOf(outputSizes(axes)))] };
    return reshape(graph, plainConvolution(graph, patches(graph, x, axes), parts), shape);
  }
  if (!liesInLine(axes)) return plainConvolution(graph, x, { weights, bias, axes });
  const line = inLine(axes as [WindowAxis, WindowAxis]);
  const flat = reshape(graph, x, [x.shape[0] ?? 0, inputs, line.size]);
  const narrow = reshape(graph, weights, [outputs, inputs, line.kernel]);
  return reshape(graph, plainConvolution(graph, flat, { weights: narrow, bias, axes: [line] }), shape);
}

interface Convolution {
  readonly weights: Value;
  readonly bias: Value | null;
  readonly axes: readonly WindowAxis[];
}

function plainConvolution(graph: GraphBuilder, x: Value, { weights, bias, axes }: Convolution): Value {
  const shape = [x.shape[0] ?? 0, weights.shape[0] ?? 0, ...outputSizes(axes)];
  const y = graph.emit("Conv", bias === null ? [x, weights] : [x, weights, bias], shape, windowAttributes(axes));
  return graph.differentiable(y, bias === null ? [x, weights] : [x, weights, bias], (gradient) => {
    const step = { gradient, x, weights, axes };
    return [
      x.isDifferentiable ? inputGradient(graph, step) : null,
      weights.isDifferentiable ? weightGradient(graph, step) : null,
      ...(bias === null ? [] : [bias.isDifferentiable ? channelSums(graph, gradient) : null]),
    ];
  });
}

interface BackwardStep {
  readonly gradient: Value;
  readonly x: Value;
  readonly weights: Value;
  readonly axes: readonly WindowAxis[];
}

function inputGradient(graph: GraphBuilder, step: BackwardStep): Value {
  const { gradient, x, weights, axes } = step;
  if (isPointwise(axes)) return pointwiseInputGradient(graph, step);
  // Padding beyond the kernel's reach would have to be cut off again, which Conv can't.
  const isTurnable = axes.every((axis) => axis.stride === 1 && Math.max(axis.before, axis.after) <= reach(axis));
  if (!isTurnable) return graph.emit("ConvTranspose", [gradient, weights], x.shape, transposedAttributes(axes));
  const backwards = axes.map((axis) => ({ ...axis, before: reach(axis) - axis.before, after: reach(axis) - axis.after }));
  return graph.emit("Conv", [gradient, turned(graph, weights, axes)], x.shape, windowAttributes(backwards));
}

/** [in, out, …kernel], the kernel reversed along each axis. */
function turned(graph: GraphBuilder, weights: Value, axes: readonly WindowAxis[]): Value {
  const swapped = emitTranspose(graph, weights, [1, 0, ...axes.map((_, axis) => axis + 2)]);
  const wide = axes.flatMap(({ kernel }, axis) => (kernel > 1 ? [axis + 2] : []));
  if (wide.length === 0) return swapped;
  const [last, beforeFirst] = [wide.map(() => -1), wide.map((axis) => -1 - fixedSize(swapped.shape[axis]))];
  const inputs = [swapped, graph.integers(last), graph.integers(beforeFirst), graph.integers(wide), graph.integers(last)];
  return graph.emit("Slice", inputs, swapped.shape);
}

function weightGradient(graph: GraphBuilder, step: BackwardStep): Value {
  const { gradient, x, weights, axes } = step;
  if (isPointwise(axes)) return emitReshape(graph, batchedOuter(graph, joinAxes(graph, gradient), joinAxes(graph, x)), weights.shape);
  const [outputs, inputs] = weights.shape.map(fixedSize) as [number, number];
  const cutsGradient = outputs < inputs && axes.every((axis) => axis.stride === 1);
  const products = cutsGradient ? tapsOfGradient(graph, step) : tapsOfInput(graph, step);
  const stacked = emitConcat(
    graph,
    products.map((product) => emitReshape(graph, product, [outputs, inputs, 1])),
    2,
  );
  return emitReshape(graph, stacked, weights.shape);
}

/** For each place of the kernel g with what of x lay under it: [out, in]. */
function tapsOfInput(graph: GraphBuilder, { gradient, x, axes }: BackwardStep): Value[] {
  const padded = emitPadding(
    graph,
    x,
    axes.map(({ before, after }) => [before, after]),
  );
  const flat = joinAxes(graph, gradient);
  return tapsOf(axes).map((tap) => {
    if (isUnmoved(axes, tap)) return batchedOuter(graph, flat, joinAxes(graph, x));
    const picks = axes.map(({ dilation, stride, outputs }, axis) => ({ start: dilation * (tap[axis] as number), stride, count: outputs }));
    return batchedOuter(graph, flat, joinAxes(graph, emitEvery(graph, padded, picks)));
  });
}

/** The same with g moved instead of x: for strides of 1. */
function tapsOfGradient(graph: GraphBuilder, { gradient, x, axes }: BackwardStep): Value[] {
  const sides = axes.map((axis): [number, number] => [reach(axis) - axis.before, reach(axis) - axis.after]);
  const padded = emitPadding(graph, gradient, sides);
  const flat = joinAxes(graph, x);
  return tapsOf(axes).map((tap) => {
    if (isUnmoved(axes, tap)) return batchedOuter(graph, joinAxes(graph, gradient), flat);
    const picks = axes.map((axis, index) => ({ start: reach(axis) - axis.dilation * (tap[index] as number), stride: 1, count: axis.size }));
    return batchedOuter(graph, joinAxes(graph, emitEvery(graph, padded, picks)), flat);
  });
}

/** Whether this place of the kernel meets x as it lies: no cut is needed. */
function isUnmoved(axes: readonly WindowAxis[], tap: readonly number[]): boolean {
  return axes.every(
    (axis, index) => axis.stride === 1 && axis.outputs === axis.size && axis.dilation * (tap[index] as number) === axis.before,
  );
}

/** Σ over the batch of a[b] c[b]ᵀ, for [batch, rows, length] and [batch, columns, length]. */
function batchedOuter(graph: GraphBuilder, a: Value, c: Value): Value {
  const shape = [a.shape[0] ?? 0, a.shape[1] ?? 0, c.shape[1] ?? 0];
  const products = graph.emit("com.microsoft:FusedMatMul", [a, c], shape, { transB: { int: 1 } });
  return emitSum(graph, products, [0]);
}

function areSideBySide(axes: readonly WindowAxis[]): boolean {
  return axes.every(({ size, kernel, stride, dilation, before, after, outputs }) => {
    const isWhole = before === 0 && after === 0 && dilation === 1 && size === outputs * kernel;
    return isWhole && (stride === kernel || outputs === 1);
  });
}

function isPointwise(axes: readonly WindowAxis[]): boolean {
  return axes.every(({ kernel, stride, before, after }) => kernel === 1 && stride === 1 && before + after === 0);
}

function pointwise(size: number): WindowAxis {
  return { size, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, outputs: size };
}

function pointwiseInputGradient(graph: GraphBuilder, { gradient, x, weights }: BackwardStep): Value {
  const matrix = emitReshape(graph, weights, weights.shape.slice(0, 2));
  const flat = joinAxes(graph, gradient);
  const shape = [flat.shape[0] ?? 0, weights.shape[1] ?? 0, flat.shape[2] ?? 0];
  return emitReshape(graph, graph.emit("MatMul", [emitTranspose(graph, matrix, [1, 0]), flat], shape), x.shape);
}

/** [batch, channels x …kernel, outputs]: the elements of each window, moved together. */
function patches(graph: GraphBuilder, x: Value, axes: readonly WindowAxis[]): Value {
  const [batch, channels] = x.shape.map(fixedSize) as [number, number];
  const kernel = axes.map((axis) => axis.kernel);
  const outputs = outputSizes(axes);
  const cut = emitReshape(graph, x, [batch, channels, ...axes.flatMap((axis) => [axis.outputs, axis.kernel])]);
  const order = [0, 1, ...axes.map((_, axis) => 2 * axis + 3), ...axes.map((_, axis) => 2 * axis + 2)];
  const moved = emitReshape(graph, emitTranspose(graph, cut, order), [batch, channels * sizeOf(kernel), sizeOf(outputs)]);
  return graph.differentiable(moved, [x], (gradient) => {
    const apart = emitReshape(graph, gradient, [batch, channels, ...kernel, ...outputs]);
    const back = [0, 1, ...axes.flatMap((_, axis) => [2 + axes.length + axis, 2 + axis])];
    return [emitReshape(graph, emitTranspose(graph, apart, back), x.shape)];
  });
}

/** [batch, channels, all the rest] */
function joinAxes(graph: GraphBuilder, value: Value): Value {
  const [batch, channels, ...sizes] = value.shape.map(fixedSize) as [number, number, ...number[]];
  return sizes.length === 1 ? value : emitReshape(graph, value, [batch, channels, sizeOf(sizes)]);
}

/** Over sizes, then batch: in one go it takes twice the time. */
function channelSums(graph: GraphBuilder, gradient: Value): Value {
  const perRow = emitSum(graph, joinAxes(graph, gradient), [2]);
  return emitReshape(graph, emitSum(graph, perRow, [0]), [gradient.shape[1] ?? 0]);
}

/** A kernel of (k, 1) that moves by 1 and has no padding at its sides. */
function liesInLine(axes: readonly WindowAxis[]): boolean {
  const [down, across] = axes;
  if (down === undefined || across === undefined || axes.length !== 2) return false;
  return down.stride === 1 && down.kernel > 1 && across.kernel === 1 && across.stride === 1 && across.before + across.after === 0;
}

/** The one axis that both are, laid out in memory. */
function inLine([down, across]: [WindowAxis, WindowAxis]): WindowAxis {
  const width = across.size;
  return {
    size: down.size * width,
    kernel: down.kernel,
    stride: 1,
    dilation: down.dilation * width,
    before: down.before * width,
    after: down.after * width,
    outputs: down.outputs * width,
  };
}
