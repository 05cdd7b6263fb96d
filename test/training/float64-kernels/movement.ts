/** Operators that only move numbers: cut, join, turn, look up. */

import {
  axisOf,
  broadcastShape,
  type Call,
  type Float64Tensor,
  type Kernels,
  listAt,
  needed,
  offsets,
  pick,
  repeatTo,
  sizeOf,
  stridesOf,
  zeros,
} from "./kernel.ts";
import { transposed } from "./products.ts";

export const MOVEMENT: Kernels = {
  Reshape: (call) => {
    const { shape, data } = needed(call, 0);
    const wanted = [...needed(call, 1).data].map((size, axis) => (size === 0 ? (shape[axis] as number) : size));
    const known = sizeOf(wanted.filter((size) => size !== -1));
    return [
      checked(
        wanted.map((size) => (size === -1 ? data.length / known : size)),
        data,
      ),
    ];
  },
  Flatten: (call) => {
    const { shape, data } = needed(call, 0);
    const outer = sizeOf(shape.slice(0, call.attributes.int("axis", 1)));
    return [checked([outer, data.length / outer], data)];
  },
  Squeeze: (call) => {
    const { shape, data } = needed(call, 0);
    const axes = listAt(call, 1)?.map((axis) => axisOf(axis, shape.length)) ?? shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
    return [
      checked(
        shape.filter((_, axis) => !axes.includes(axis)),
        data,
      ),
    ];
  },
  Unsqueeze: (call) => {
    const { shape, data } = needed(call, 0);
    const listed = [...needed(call, 1).data];
    const axes = listed.map((axis) => axisOf(axis, shape.length + listed.length));
    const kept = [...shape];
    return [
      checked(
        Array.from({ length: shape.length + axes.length }, (_, axis) => (axes.includes(axis) ? 1 : (kept.shift() as number))),
        data,
      ),
    ];
  },
  Expand: (call) => {
    const tensor = needed(call, 0);
    return [repeatTo(tensor, broadcastShape([tensor.shape, [...needed(call, 1).data]]))];
  },
  Tile: (call) => {
    const tensor = needed(call, 0);
    const repeats = [...needed(call, 1).data];
    const strides = stridesOf(tensor.shape);
    const split = tensor.shape.flatMap((size, axis) => [repeats[axis] as number, size]);
    const at = offsets(
      split,
      strides.flatMap((stride) => [0, stride]),
    );
    return [
      pick(
        tensor,
        at,
        tensor.shape.map((size, axis) => size * (repeats[axis] as number)),
      ),
    ];
  },
  Transpose: (call) => {
    const tensor = needed(call, 0);
    return [transposed(tensor, call.attributes.ints("perm") ?? tensor.shape.map((_, axis) => tensor.shape.length - 1 - axis))];
  },
  Slice: (call) => [slice(call)],
  Concat: (call) => {
    const tensors = call.inputs.map((_, index) => needed(call, index));
    const rank = tensors[0]?.shape.length ?? 0;
    const axis = axisOf(call.attributes.int("axis", 0), rank);
    return [joined(tensors, axis)];
  },
  Split: (call) => {
    const tensor = needed(call, 0);
    const axis = axisOf(call.attributes.int("axis", 0), tensor.shape.length);
    const sizes = listAt(call, 1);
    if (sizes === null) throw new Error("a Split without sizes is not evaluated");
    if (sizes.reduce((sum, size) => sum + size, 0) !== tensor.shape[axis]) throw new Error(`[${tensor.shape}] into parts of ${sizes}`);
    let from = 0;
    return sizes.map((size) => {
      const shape = tensor.shape.map((dimension, index) => (index === axis ? size : dimension));
      const strides = stridesOf(tensor.shape);
      const part = pick(tensor, offsets(shape, strides, from * (strides[axis] as number)), shape);
      from += size;
      return part;
    });
  },
  Pad: (call) => [pad(call)],
  Gather: (call) => {
    const tensor = needed(call, 0);
    const indices = needed(call, 1);
    const axis = axisOf(call.attributes.int("axis", 0), tensor.shape.length);
    const size = tensor.shape[axis] as number;
    const inner = sizeOf(tensor.shape.slice(axis + 1));
    const outer = sizeOf(tensor.shape.slice(0, axis));
    const at: number[] = [];
    for (let block = 0; block < outer; block++) {
      for (const index of indices.data)
        for (let lane = 0; lane < inner; lane++) at.push((block * size + axisOf(index, size)) * inner + lane);
    }
    return [pick(tensor, Int32Array.from(at), [...tensor.shape.slice(0, axis), ...indices.shape, ...tensor.shape.slice(axis + 1)])];
  },
  GatherElements: (call) => {
    const tensor = needed(call, 0);
    const indices = needed(call, 1);
    return [pick(tensor, elementsAt(tensor, indices, call), indices.shape)];
  },
  ScatterElements: (call) => {
    const { shape, data } = needed(call, 0);
    const updates = needed(call, 2).data;
    const at = elementsAt({ shape, data }, needed(call, 1), call);
    return [scattered({ shape, data }, at, { updates, reduction: call.attributes.text("reduction", "none") })];
  },
  GatherND: (call) => {
    const tensor = needed(call, 0);
    const indices = needed(call, 1);
    const depth = indices.shape.at(-1) as number;
    return [pick(tensor, blocksAt(tensor, indices), [...indices.shape.slice(0, -1), ...tensor.shape.slice(depth)])];
  },
  ScatterND: (call) => {
    const tensor = needed(call, 0);
    const updates = needed(call, 2).data;
    return [scattered(tensor, blocksAt(tensor, needed(call, 1)), { updates, reduction: call.attributes.text("reduction", "none") })];
  },
  OneHot: (call) => {
    const indices = needed(call, 0);
    const depth = needed(call, 1).data[0] as number;
    const [off, on] = needed(call, 2).data as unknown as [number, number];
    const rank = indices.shape.length + 1;
    const axis = axisOf(call.attributes.int("axis", -1), rank);
    const parts = Array.from({ length: depth }, (_, column) => ({
      shape: [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)],
      data: indices.data.map((index) => (axisOf(index, depth) === column ? on : off)),
    }));
    return [joined(parts, axis)];
  },
  Shape: (call) => {
    const { shape } = needed(call, 0);
    return [{ shape: [shape.length], data: Float64Array.from(shape) }];
  },
  ConstantOfShape: (call) => [zeros([...needed(call, 0).data])],
  Trilu: (call) => {
    const { shape, data } = needed(call, 0);
    const shift = call.inputs[1]?.data[0] ?? 0;
    const isUpper = call.attributes.int("upper", 1) === 1;
    const [rows, columns] = shape.slice(-2) as [number, number];
    return [
      {
        shape,
        data: data.map((x, index) => {
          const distance = (index % columns) - (Math.floor(index / columns) % rows);
          return (isUpper ? distance >= shift : distance <= shift) ? x : 0;
        }),
      },
    ];
  },
};

function checked(shape: readonly number[], data: Float64Array): Float64Tensor {
  if (sizeOf(shape) !== data.length) throw new Error(`${data.length} numbers can't have the shape [${shape}]`);
  return { shape, data };
}

function slice(call: Call): Float64Tensor {
  const tensor = needed(call, 0);
  const starts = [...needed(call, 1).data];
  const ends = [...needed(call, 2).data];
  const axes = listAt(call, 3) ?? starts.map((_, axis) => axis);
  const steps = listAt(call, 4) ?? starts.map(() => 1);
  const shape = [...tensor.shape];
  const strides = stridesOf(tensor.shape);
  let from = 0;
  for (const [index, listed] of axes.entries()) {
    const axis = axisOf(listed, tensor.shape.length);
    const size = tensor.shape[axis] as number;
    const step = steps[index] as number;
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
    const start = Math.min(Math.max(axisOf(starts[index] as number, size), Math.max(lowest, 0)), highest);
    const end = Math.min(Math.max(axisOf(ends[index] as number, size), lowest), highest);
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    from += start * (strides[axis] as number);
    strides[axis] = (strides[axis] as number) * step;
  }
  return pick(tensor, offsets(shape, strides, from), shape);
}

export function joined(tensors: readonly Float64Tensor[], axis: number): Float64Tensor {
  const [first] = tensors;
  if (first === undefined) throw new Error("nothing to join");
  const sizes = tensors.map((tensor) => tensor.shape[axis] as number);
  const result = zeros(first.shape.map((size, index) => (index === axis ? sizes.reduce((sum, part) => sum + part, 0) : size)));
  const strides = stridesOf(result.shape);
  let from = 0;
  for (const tensor of tensors) {
    const at = offsets(tensor.shape, strides, from * (strides[axis] as number));
    for (const [index, offset] of at.entries()) result.data[offset] = tensor.data[index] as number;
    from += tensor.shape[axis] as number;
  }
  return result;
}

/** Also by negative numbers, which cut. */
function pad(call: Call): Float64Tensor {
  const tensor = needed(call, 0);
  const pads = [...needed(call, 1).data];
  const fill = call.inputs[2]?.data[0] ?? 0;
  const mode = call.attributes.text("mode", "constant");
  if (mode !== "constant") throw new Error(`Pad by ${mode} is not evaluated`);
  const rank = tensor.shape.length;
  const before = tensor.shape.map((_, axis) => pads[axis] as number);
  const shape = tensor.shape.map((size, axis) => size + (before[axis] as number) + (pads[axis + rank] as number));
  const strides = stridesOf(tensor.shape);
  const coordinates = shape.map((size, axis) =>
    offsets(
      shape,
      shape.map((_, other) => (other === axis ? 1 : 0)),
    ).map((at) => (size > 0 ? at : 0)),
  );
  const data = new Float64Array(sizeOf(shape)).map((_, index) => {
    let offset = 0;
    for (let axis = 0; axis < rank; axis++) {
      const at = (coordinates[axis]?.[index] as number) - (before[axis] as number);
      if (at < 0 || at >= (tensor.shape[axis] as number)) return fill;
      offset += at * (strides[axis] as number);
    }
    return tensor.data[offset] as number;
  });
  return { shape, data };
}

/** Where GatherElements and ScatterElements look: each index replaces the coordinate along the axis. */
function elementsAt(tensor: Float64Tensor, indices: Float64Tensor, call: Call): Int32Array {
  const axis = axisOf(call.attributes.int("axis", 0), tensor.shape.length);
  const strides = stridesOf(tensor.shape);
  const stride = strides[axis] as number;
  const others = offsets(
    indices.shape,
    strides.map((step, index) => (index === axis ? 0 : step)),
  );
  return others.map((offset, index) => offset + axisOf(indices.data[index] as number, tensor.shape[axis] as number) * stride);
}

/** Where GatherND and ScatterND look: the last axis of `indices` holds the first coordinates of a block. */
function blocksAt(tensor: Float64Tensor, indices: Float64Tensor): Int32Array {
  const depth = indices.shape.at(-1) as number;
  const strides = stridesOf(tensor.shape);
  const inner = sizeOf(tensor.shape.slice(depth));
  const at: number[] = [];
  for (let index = 0; index < indices.data.length; index += depth) {
    let start = 0;
    for (let axis = 0; axis < depth; axis++) {
      start += axisOf(indices.data[index + axis] as number, tensor.shape[axis] as number) * (strides[axis] as number);
    }
    for (let lane = 0; lane < inner; lane++) at.push(start + lane);
  }
  return Int32Array.from(at);
}

function scattered(tensor: Float64Tensor, at: Int32Array, options: { updates: Float64Array; reduction: string }): Float64Tensor {
  const { updates, reduction } = options;
  if (reduction !== "none" && reduction !== "add") throw new Error(`scattering by ${reduction} is not evaluated`);
  const data = tensor.data.slice();
  for (const [index, offset] of at.entries()) {
    data[offset] = (updates[index] as number) + (reduction === "add" ? (data[offset] as number) : 0);
  }
  return { shape: tensor.shape, data };
}
