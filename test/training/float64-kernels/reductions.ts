/** Sums, means and maxima over axes, and what is made of them: softmax, layer normalisation. */

import { alongAxis, axisOf, type Call, type Float64Tensor, type Kernel, type Kernels, listAt, needed, repeatTo, sizeOf } from "./kernel.ts";
import { transposed } from "./products.ts";

export const REDUCTIONS: Kernels = {
  ReduceSum: reduced(sum),
  ReduceMean: reduced((numbers) => sum(numbers) / numbers.length),
  ReduceMax: reduced((numbers) => Math.max(...numbers)),
  ReduceMin: reduced((numbers) => Math.min(...numbers)),
  ReduceL1: reduced((numbers) => sum(numbers.map(Math.abs))),
  ReduceL2: reduced((numbers) => Math.sqrt(sum(numbers.map((x) => x * x)))),
  ReduceSumSquare: reduced((numbers) => sum(numbers.map((x) => x * x))),
  ReduceLogSumExp: reduced(logSumExp),
  ArgMax: (call) => {
    const tensor = needed(call, 0);
    const axis = axisOf(call.attributes.int("axis", 0), tensor.shape.length);
    const found = alongAxis(tensor, { axis, length: 1 }, (numbers) => [numbers.indexOf(Math.max(...numbers))]);
    return [call.attributes.int("keepdims", 1) === 1 ? found : without(found, [axis])];
  },
  CumSum: (call) => {
    const tensor = needed(call, 0);
    const axis = axisOf(needed(call, 1).data[0] as number, tensor.shape.length);
    if (call.attributes.int("exclusive", 0) + call.attributes.int("reverse", 0) > 0) throw new Error("only a plain CumSum is evaluated");
    let sofar = 0;
    return [
      alongAxis(tensor, { axis, length: tensor.shape[axis] as number }, (numbers) => {
        sofar = 0;
        return numbers.map((x) => {
          sofar += x;
          return sofar;
        });
      }),
    ];
  },
  Softmax: (call) => [softmaxLike(call, (x, total) => Math.exp(x - total))],
  LogSoftmax: (call) => [softmaxLike(call, (x, total) => x - total)],
  /** Of a batch it gives back what the node found there, for a momentum of 0. */
  BatchNormalization: (call) => {
    const [x, scale, shift] = [needed(call, 0), needed(call, 1).data, needed(call, 2).data];
    const { attributes } = call;
    const isTraining = attributes.int("training_mode", 0) === 1;
    if (isTraining && attributes.float("momentum", 0.9) !== 0) throw new Error("running statistics are not evaluated");
    const epsilon = attributes.float("epsilon", 1e-5);
    const channels = x.shape[1] as number;
    const inner = sizeOf(x.shape.slice(2));
    const channelOf = (index: number): number => Math.floor(index / inner) % channels;
    const found = Array.from({ length: channels }, (_, channel) => {
      const numbers = [...x.data].filter((_, index) => channelOf(index) === channel);
      const mean = sum(numbers) / numbers.length;
      return { mean, variance: sum(numbers.map((number) => (number - mean) * (number - mean))) / numbers.length };
    });
    const means = isTraining ? Float64Array.from(found, ({ mean }) => mean) : needed(call, 3).data;
    const variances = isTraining ? Float64Array.from(found, ({ variance }) => variance) : needed(call, 4).data;
    const data = x.data.map((number, index) => {
      const channel = channelOf(index);
      const score = (number - (means[channel] as number)) / Math.sqrt((variances[channel] as number) + epsilon);
      return score * (scale[channel] as number) + (shift[channel] as number);
    });
    return [
      { shape: x.shape, data },
      { shape: [channels], data: means },
      { shape: [channels], data: variances },
    ];
  },
  LayerNormalization: (call) => {
    const x = needed(call, 0);
    const axis = axisOf(call.attributes.int("axis", -1), x.shape.length);
    const inner = sizeOf(x.shape.slice(axis));
    const epsilon = call.attributes.float("epsilon", 1e-5);
    const rows = { shape: [x.data.length / inner, inner], data: x.data };
    const scale = repeatTo(needed(call, 1), x.shape.slice(axis)).data;
    const bias = call.inputs[2] ? repeatTo(call.inputs[2], x.shape.slice(axis)).data : new Float64Array(inner);
    const one = { axis: 1, length: 1 };
    const mean = alongAxis(rows, one, (numbers) => [sum(numbers) / inner]).data;
    const inverse = alongAxis(rows, one, (numbers) => {
      const middle = sum(numbers) / inner;
      return [1 / Math.sqrt(sum(numbers.map((number) => (number - middle) * (number - middle))) / inner + epsilon)];
    }).data;
    const data = x.data.map((number, index) => {
      const row = Math.floor(index / inner);
      const column = index % inner;
      return (number - (mean[row] as number)) * (inverse[row] as number) * (scale[column] as number) + (bias[column] as number);
    });
    const shape = x.shape.map((size, index) => (index < axis ? size : 1));
    return [
      { shape: x.shape, data },
      { shape, data: mean },
      { shape, data: inverse },
    ];
  },
};

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function logSumExp(numbers: readonly number[]): number {
  const highest = Math.max(...numbers);
  return highest + Math.log(sum(numbers.map((x) => Math.exp(x - highest))));
}

/** The axes are an input of ReduceSum, and an attribute of the others (as of opset 17). */
function reduced(apply: (numbers: number[]) => number): Kernel {
  return (call) => {
    const tensor = needed(call, 0);
    const rank = tensor.shape.length;
    const axes = (listAt(call, 1) ?? call.attributes.ints("axes") ?? tensor.shape.map((_, axis) => axis)).map((axis) => axisOf(axis, rank));
    const kept = tensor.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const turned = transposed(tensor, [...kept, ...axes]);
    const lines = {
      shape: [sizeOf(kept.map((axis) => tensor.shape[axis] as number)), sizeOf(axes.map((axis) => tensor.shape[axis] as number))],
      data: turned.data,
    };
    const { data } = alongAxis(lines, { axis: 1, length: 1 }, (numbers) => [apply(numbers)]);
    const result = { shape: tensor.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)), data };
    return [call.attributes.int("keepdims", 1) === 1 ? result : without(result, axes)];
  };
}

function without(tensor: Float64Tensor, axes: readonly number[]): Float64Tensor {
  return { shape: tensor.shape.filter((_, axis) => !axes.includes(axis)), data: tensor.data };
}

function softmaxLike(call: Call, apply: (x: number, total: number) => number): Float64Tensor {
  const tensor = needed(call, 0);
  const axis = axisOf(call.attributes.int("axis", -1), tensor.shape.length);
  return alongAxis(tensor, { axis, length: tensor.shape[axis] as number }, (numbers) => {
    const total = logSumExp(numbers);
    return numbers.map((x) => apply(x, total));
  });
}
