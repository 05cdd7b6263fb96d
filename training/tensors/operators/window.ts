/**
 * What convolution and pooling share: a window that moves over the axes behind [batch, channels]. Sizes by the rule of ONNX and PyTorch:
 * outputs = ⌊(size + before + after - dilation (kernel - 1) - 1) / stride⌋ + 1.
 */

import type { Attribute } from "../../onnx/model.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, type Shape, ShapeError, showShape } from "../shape.ts";

/** One number for each axis that the window moves over. */
export interface WindowOptions {
  /** 1 unless told. */
  readonly stride?: readonly number[];
  /** Before and after; none unless told. */
  readonly padding?: readonly (readonly [number, number])[];
  /** 1 unless told. */
  readonly dilation?: readonly number[];
}

/** The window along one axis. */
export interface WindowAxis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly outputs: number;
}

/** Throws a ShapeError where the window has other axes than x or is larger than x with its padding. */
export function windowAxes(x: Value, kernel: readonly number[], options: WindowOptions): WindowAxis[] {
  const sizes = x.shape.slice(2);
  const { stride = kernel.map(() => 1), padding = kernel.map(() => [0, 0] as const), dilation = kernel.map(() => 1) } = options;
  const axes = [sizes, stride, padding, dilation];
  if (x.shape.length < 3 || axes.some((list) => list.length !== kernel.length)) {
    throw new ShapeError(`a window of ${showShape(kernel)} can't move over ${showShape(x.shape)}`);
  }
  return kernel.map((width, axis) => {
    const [before, after] = padding[axis] as readonly [number, number];
    const along = { size: fixedSize(sizes[axis]), kernel: width, stride: stride[axis] as number, dilation: dilation[axis] as number };
    const outputs = Math.floor((along.size + before + after - reach(along) - 1) / along.stride) + 1;
    if (outputs < 1) throw new ShapeError(`a window of ${showShape(kernel)} is larger than ${showShape(x.shape)}`);
    return { ...along, before, after, outputs };
  });
}

/** From the first to the last element that a window covers. */
export function reach(axis: { kernel: number; dilation: number }): number {
  return axis.dilation * (axis.kernel - 1);
}

export function outputSizes(axes: readonly WindowAxis[]): number[] {
  return axes.map((axis) => axis.outputs);
}

export function windowAttributes(axes: readonly WindowAxis[]): Record<"kernel_shape" | "strides" | "dilations" | "pads", Attribute> {
  return {
    kernel_shape: { ints: axes.map((axis) => axis.kernel) },
    strides: { ints: axes.map((axis) => axis.stride) },
    dilations: { ints: axes.map((axis) => axis.dilation) },
    pads: { ints: [...axes.map((axis) => axis.before), ...axes.map((axis) => axis.after)] },
  };
}

/** Attributes of the ConvTranspose that goes back from the outputs of a window to what it moved over. */
export function transposedAttributes(axes: readonly WindowAxis[]): Record<string, Attribute> {
  const left = axes.map((axis) => (axis.size + axis.before + axis.after - reach(axis) - 1) % axis.stride);
  return { ...windowAttributes(axes), output_padding: { ints: left } };
}

/** Zeros before and after, along the axes behind [batch, channels]; negative numbers cut off. */
export function emitPadding(graph: GraphBuilder, x: Value, sides: readonly (readonly [number, number])[]): Value {
  if (sides.every(([before, after]) => before === 0 && after === 0)) return x;
  const pads = graph.integers([0, 0, ...sides.map(([before]) => before), 0, 0, ...sides.map(([, after]) => after)]);
  const sizes = sides.map(([before, after], axis) => fixedSize(x.shape[axis + 2]) + before + after);
  return graph.emit("Pad", [x, pads], [...x.shape.slice(0, 2), ...sizes]);
}

/** Every `stride`-th element along each axis behind [batch, channels], `count` of them from `start`. */
export function emitEvery(graph: GraphBuilder, x: Value, picks: readonly { start: number; stride: number; count: number }[]): Value {
  const cut = picks.flatMap((pick, axis) =>
    pick.start === 0 && pick.stride === 1 && pick.count === x.shape[axis + 2] ? [] : [{ ...pick, axis: axis + 2 }],
  );
  if (cut.length === 0) return x;
  const ends = cut.map(({ start, stride, count }) => start + (count - 1) * stride + 1);
  const [from, to, along, steps] = [cut.map((one) => one.start), ends, cut.map((one) => one.axis), cut.map((one) => one.stride)];
  const shape: Shape = [...x.shape.slice(0, 2), ...picks.map((pick) => pick.count)];
  return graph.emit("Slice", [x, graph.integers(from), graph.integers(to), graph.integers(along), graph.integers(steps)], shape);
}

/** The place of every element within a window, row-major: [0, 0], [0, 1], … */
export function tapsOf(axes: readonly WindowAxis[]): number[][] {
  return axes.reduce<number[][]>(
    (taps, axis) => taps.flatMap((tap) => Array.from({ length: axis.kernel }, (_, place) => [...tap, place])),
    [[]],
  );
}
