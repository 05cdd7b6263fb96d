/** Products of matrices. */

import {
  broadcastShape,
  type Call,
  type Float64Tensor,
  type Kernels,
  needed,
  offsets,
  pick,
  repeatTo,
  sizeOf,
  stridesOf,
} from "./kernel.ts";

export const PRODUCTS: Kernels = {
  MatMul: (call) => [product(needed(call, 0), needed(call, 1))],

  "com.microsoft:FusedMatMul": (call) => {
    const { attributes } = call;
    if (attributes.int("transBatchA", 0) + attributes.int("transBatchB", 0) > 0) throw new Error("transposed batches are not evaluated");
    const result = product(turned(call, 0, "transA"), turned(call, 1, "transB"));
    const alpha = attributes.float("alpha", 1);
    return [{ shape: result.shape, data: result.data.map((x) => x * alpha) }];
  },

  Gemm: (call) => {
    const result = product(turned(call, 0, "transA"), turned(call, 1, "transB"));
    const alpha = call.attributes.float("alpha", 1);
    const beta = call.attributes.float("beta", 1);
    const added = call.inputs[2] ?? null;
    const bias = added === null ? null : repeatTo(added, result.shape).data;
    return [{ shape: result.shape, data: result.data.map((x, index) => alpha * x + (bias === null ? 0 : beta * (bias[index] as number))) }];
  },
};

/** Batched, the axes before the last two broadcast; a vector is a row on the left and a column on the right. */
export function product(left: Float64Tensor, right: Float64Tensor): Float64Tensor {
  const a = left.shape.length === 1 ? { ...left, shape: [1, ...left.shape] } : left;
  const b = right.shape.length === 1 ? { ...right, shape: [...right.shape, 1] } : right;
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const [innerOfB, columns] = b.shape.slice(-2) as [number, number];
  if (inner !== innerOfB) throw new Error(`a product of [${left.shape}] and [${right.shape}]`);
  const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const matricesOfA = repeatTo(a, [...batch, rows, inner]).data;
  const matricesOfB = repeatTo(b, [...batch, inner, columns]).data;
  const result = new Float64Array(sizeOf(batch) * rows * columns);
  for (let index = 0; index < result.length; index++) {
    const column = index % columns;
    const row = Math.floor(index / columns);
    const matrix = Math.floor(row / rows);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += (matricesOfA[row * inner + k] as number) * (matricesOfB[(matrix * inner + k) * columns + column] as number);
    }
    result[index] = sum;
  }
  const shape = [...batch, ...(left.shape.length === 1 ? [] : [rows]), ...(right.shape.length === 1 ? [] : [columns])];
  return { shape, data: result };
}

function turned(call: Call, index: number, attribute: string): Float64Tensor {
  const tensor = needed(call, index);
  if (call.attributes.int(attribute, 0) === 0) return tensor;
  const rank = tensor.shape.length;
  const order = tensor.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return transposed(tensor, order);
}

export function transposed(tensor: Float64Tensor, order: readonly number[]): Float64Tensor {
  const strides = stridesOf(tensor.shape);
  const shape = order.map((axis) => tensor.shape[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  return pick(tensor, offsets(shape, steps), shape);
}
