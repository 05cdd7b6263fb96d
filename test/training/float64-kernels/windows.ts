/** Convolution and pooling, by the definitions: for every output, every place of the kernel. */

import { type Call, type Float64Tensor, type Kernels, needed, sizeOf, stridesOf, zeros } from "./kernel.ts";

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const WINDOWS: Kernels = {
  Conv: (call) => {
    const x = needed(call, 0);
    const weights = needed(call, 1);
    const window = windowOf(call, weights.shape.slice(2));
    const [outputs, inputs] = weights.shape as [number, number];
    if (call.attributes.int("group", 1) !== 1) throw new Error("groups are not evaluated");
    const bias = call.inputs[2]?.data ?? new Float64Array(outputs);
    const y = zeros([x.shape[0] as number, outputs, ...outputSizes(x.shape.slice(2), window)]);
    eachPair(x.shape.slice(2), y.shape.slice(2), window, (from, to, place) => {
      for (let batch = 0; batch < (x.shape[0] as number); batch++) {
        for (let output = 0; output < outputs; output++) {
          for (let input = 0; input < inputs; input++) {
            const factor = weights.data[(output * inputs + input) * sizeOf(window.kernel) + place] as number;
            add(y, [batch, output], to, factor * at(x, [batch, input], from));
          }
        }
      }
    });
    return [{ shape: y.shape, data: y.data.map((sum, index) => sum + (bias[channelOf(y, index)] as number)) }];
  },

  ConvTranspose: (call) => {
    const g = needed(call, 0);
    const weights = needed(call, 1);
    const window = windowOf(call, weights.shape.slice(2));
    const [inputs, outputs] = weights.shape as [number, number];
    const more = call.attributes.ints("output_padding") ?? window.kernel.map(() => 0);
    const sizes = window.kernel.map((kernel, axis) => {
      const covered =
        (window.strides[axis] as number) * ((g.shape[axis + 2] as number) - 1) + (window.dilations[axis] as number) * (kernel - 1) + 1;
      return covered + (more[axis] as number) - (window.before[axis] as number) - (window.after[axis] as number);
    });
    const y = zeros([g.shape[0] as number, outputs, ...sizes]);
    eachPair(sizes, g.shape.slice(2), window, (to, from, place) => {
      for (let batch = 0; batch < (g.shape[0] as number); batch++) {
        for (let output = 0; output < outputs; output++) {
          for (let input = 0; input < inputs; input++) {
            const factor = weights.data[(input * outputs + output) * sizeOf(window.kernel) + place] as number;
            add(y, [batch, output], to, factor * at(g, [batch, input], from));
          }
        }
      }
    });
    return [y];
  },

  /** Its second output: where in x the first of the largest lies. */
  MaxPool: (call) => {
    const x = needed(call, 0);
    const window = windowOf(call, []);
    const [batch, channels] = x.shape as [number, number];
    const y = zeros([batch, channels, ...outputSizes(x.shape.slice(2), window)]);
    y.data.fill(Number.NEGATIVE_INFINITY);
    const found = zeros(y.shape);
    eachPair(x.shape.slice(2), y.shape.slice(2), window, (from, to) => {
      for (let plane = 0; plane < batch * channels; plane++) {
        const place = plane * sizeOf(y.shape.slice(2)) + to;
        const source = plane * sizeOf(x.shape.slice(2)) + from;
        if ((x.data[source] as number) <= (y.data[place] as number)) continue;
        y.data[place] = x.data[source] as number;
        found.data[place] = source;
      }
    });
    return [y, found];
  },

  AveragePool: (call) => {
    const x = needed(call, 0);
    const window = windowOf(call, []);
    if (call.attributes.int("count_include_pad", 0) !== 1) throw new Error("only an AveragePool that counts its padding is evaluated");
    const [batch, channels] = x.shape as [number, number];
    const y = zeros([batch, channels, ...outputSizes(x.shape.slice(2), window)]);
    eachPair(x.shape.slice(2), y.shape.slice(2), window, (from, to) => {
      for (let plane = 0; plane < batch * channels; plane++) {
        const source = x.data[plane * sizeOf(x.shape.slice(2)) + from] as number;
        add(y, [0, plane], to, source / sizeOf(window.kernel));
      }
    });
    return [y];
  },
};

function windowOf(call: Call, kernel: readonly number[]): Window {
  const { attributes } = call;
  const size = attributes.ints("kernel_shape") ?? kernel;
  const ones = size.map(() => 1);
  const pads = attributes.ints("pads") ?? [...size, ...size].map(() => 0);
  if (attributes.int("ceil_mode", 0) !== 0 || attributes.text("auto_pad", "NOTSET") !== "NOTSET")
    throw new Error("only explicit padding is evaluated");
  return {
    kernel: size,
    strides: attributes.ints("strides") ?? ones,
    dilations: attributes.ints("dilations") ?? ones,
    before: pads.slice(0, size.length),
    after: pads.slice(size.length),
  };
}

function outputSizes(sizes: readonly number[], window: Window): number[] {
  return sizes.map((size, axis) => {
    const covered = (window.dilations[axis] as number) * ((window.kernel[axis] as number) - 1) + 1;
    const padded = size + (window.before[axis] as number) + (window.after[axis] as number);
    return Math.floor((padded - covered) / (window.strides[axis] as number)) + 1;
  });
}

/** Calls `visit` for each element that lies under each place of the kernel at each output; places in the order of memory. */
function eachPair(
  sizes: readonly number[],
  outputs: readonly number[],
  window: Window,
  visit: (element: number, output: number, place: number) => void,
): void {
  const strides = stridesOf(sizes);
  for (let output = 0; output < sizeOf(outputs); output++) {
    for (let place = 0; place < sizeOf(window.kernel); place++) {
      const coordinates = sizes.map((_, axis) => {
        const start = coordinate(output, outputs, axis) * (window.strides[axis] as number) - (window.before[axis] as number);
        return start + coordinate(place, window.kernel, axis) * (window.dilations[axis] as number);
      });
      if (coordinates.some((index, axis) => index < 0 || index >= (sizes[axis] as number))) continue;
      visit(
        coordinates.reduce((sum, index, axis) => sum + index * (strides[axis] as number), 0),
        output,
        place,
      );
    }
  }
}

function coordinate(index: number, shape: readonly number[], axis: number): number {
  return Math.floor(index / sizeOf(shape.slice(axis + 1))) % (shape[axis] as number);
}

function placeIn({ shape }: Float64Tensor, [batch, channel]: readonly [number, number], element: number): number {
  return (batch * (shape[1] as number) + channel) * sizeOf(shape.slice(2)) + element;
}

function at(tensor: Float64Tensor, plane: readonly [number, number], element: number): number {
  return tensor.data[placeIn(tensor, plane, element)] as number;
}

function add(tensor: Float64Tensor, plane: readonly [number, number], element: number, number: number): void {
  const place = placeIn(tensor, plane, element);
  tensor.data[place] = (tensor.data[place] as number) + number;
}

function channelOf({ shape }: Float64Tensor, index: number): number {
  return Math.floor(index / sizeOf(shape.slice(2))) % (shape[1] as number);
}
