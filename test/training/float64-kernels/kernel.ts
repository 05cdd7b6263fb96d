/**
 * What a kernel of the float64 evaluator is, and the index arithmetic that kernels share. All element types lie in doubles: whole numbers are
 * exact up to 2^53, a truth is 0 or 1. Plain loops, one way to do a thing: these are what the fast kernels are compared with.
 */

import type { Attribute, Graph } from "../../../training/onnx/model.ts";

/** Row-major. */
export interface Float64Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface Call {
  readonly inputs: readonly (Float64Tensor | null)[];
  readonly attributes: Attributes;
  /** Runs a graph inside the graph; it sees the values around it. */
  readonly runBody: (body: Graph, inputs: readonly Float64Tensor[]) => Float64Tensor[];
}

/** @returns all outputs that the operator can have; the caller takes those it named. */
export type Kernel = (call: Call) => Float64Tensor[];
/** By operator; of another domain than ONNX's as "com.microsoft:FusedMatMul". */
export type Kernels = Readonly<Record<string, Kernel>>;

export class Attributes {
  private readonly attributes: Readonly<Record<string, Attribute>>;

  constructor(attributes: Readonly<Record<string, Attribute>>) {
    this.attributes = attributes;
  }

  int(name: string, otherwise: number): number {
    const attribute = this.attributes[name];
    return attribute !== undefined && "int" in attribute ? attribute.int : otherwise;
  }

  float(name: string, otherwise: number): number {
    const attribute = this.attributes[name];
    return attribute !== undefined && "float" in attribute ? attribute.float : otherwise;
  }

  text(name: string, otherwise: string): string {
    const attribute = this.attributes[name];
    return attribute !== undefined && "text" in attribute ? attribute.text : otherwise;
  }

  ints(name: string): readonly number[] | null {
    const attribute = this.attributes[name];
    return attribute !== undefined && "ints" in attribute ? Array.from(attribute.ints) : null;
  }

  graph(name: string): Graph {
    const attribute = this.attributes[name];
    if (attribute === undefined || !("graph" in attribute)) throw new Error(`no graph in ${name}`);
    return attribute.graph;
  }
}

/** The input at `index`, which the operator can't do without. */
export function needed(call: Call, index: number): Float64Tensor {
  const tensor = call.inputs[index];
  if (tensor === undefined || tensor === null) throw new Error(`no input ${index}`);
  return tensor;
}

/** An input of whole numbers (axes, sizes) as a list; null when left out. */
export function listAt(call: Call, index: number): number[] | null {
  const tensor = call.inputs[index] ?? null;
  return tensor === null ? null : [...tensor.data];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function zeros(shape: readonly number[]): Float64Tensor {
  return { shape, data: new Float64Array(sizeOf(shape)) };
}

/** How far apart in `data` neighbours along each axis lie. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  return strides;
}

/** Axes count from the end where they are negative. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/**
 * Reads `shape` in row-major order at these strides.
 * @returns for each element where it lies in the source: `start` plus the strides times its coordinates.
 */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let found = Int32Array.of(start);
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] as number;
    const next = new Int32Array(found.length * size);
    let index = 0;
    for (const offset of found) for (let step = 0; step < size; step++) next[index++] = offset + step * stride;
    found = next;
  }
  return found;
}

/** The elements of `tensor` at `at`, as a tensor of `shape`. */
export function pick(tensor: Float64Tensor, at: Int32Array, shape: readonly number[]): Float64Tensor {
  return { shape, data: Float64Array.from(at, (offset) => tensor.data[offset] as number) };
}

export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1);
    if (sizes.some((size) => size !== sizes[0])) throw new Error(`shapes that don't fit: ${JSON.stringify(shapes)}`);
    return sizes[0] ?? 1;
  });
}

/** `tensor` repeated so that it has `shape`. */
export function repeatTo(tensor: Float64Tensor, shape: readonly number[]): Float64Tensor {
  const missing = shape.length - tensor.shape.length;
  const strides = stridesOf(tensor.shape);
  const steps = shape.map((_, axis) => (axis < missing || tensor.shape[axis - missing] === 1 ? 0 : (strides[axis - missing] as number)));
  return pick(tensor, offsets(shape, steps), shape);
}

/** Applies `apply` to each line along `axis`: the numbers of one line go in, those of the result's line (of `length`) come out. */
export function alongAxis(
  tensor: Float64Tensor,
  line: { axis: number; length: number },
  apply: (numbers: number[]) => readonly number[],
): Float64Tensor {
  const axis = axisOf(line.axis, tensor.shape.length);
  const size = tensor.shape[axis] as number;
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const outer = sizeOf(tensor.shape.slice(0, axis));
  const result = zeros(tensor.shape.map((dimension, index) => (index === axis ? line.length : dimension)));
  for (let block = 0; block < outer; block++) {
    for (let lane = 0; lane < inner; lane++) {
      const numbers = Array.from({ length: size }, (_, step) => tensor.data[(block * size + step) * inner + lane] as number);
      for (const [step, number] of apply(numbers).entries()) result.data[(block * line.length + step) * inner + lane] = number;
    }
  }
  return result;
}
