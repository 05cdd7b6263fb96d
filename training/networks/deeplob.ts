/**
 * The layer stack of the model family `deeplob` (Zhang, Zohren, Roberts 2019, figure 3; batch norm and tanh in the second block as its ports have them), input
 * [rows, 100, 40] as an image of one channel.
 *
 * Three blocks of 32 channels: a convolution across the columns (price with size; the two sides of a level; all ten levels) and two over four steps of time,
 * padded so that the hundred steps stay. An inception module of 64 channels each: 3 steps, 5 steps, and the largest of 3. The LSTM of 64 reads the
 * 192 channels over time. Each convolution is followed by its activation and batch norm.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { leakyRelu, tanh } from "../tensors/operators/activations.ts";
import { concat, reshape, transpose } from "../tensors/operators/layout.ts";
import { maximumPooling } from "../tensors/operators/pooling.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, type ConvolutionOptions, convolutionLayer, lstmLayer, samePadding } from "./layers.ts";
import { batchNormalised } from "./normalisation.ts";
import type { NetworkSize } from "./settings.ts";

interface Sizes {
  readonly channels: number;
  readonly inception: number;
  readonly hidden: number;
}

const SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { channels: 8, inception: 16, hidden: 16 },
  paper: { channels: 32, inception: 64, hidden: 64 },
  large: { channels: 64, inception: 128, hidden: 128 },
};

/** Of the paper. */
const LEAK = 0.01;
/** Price and size beside each other; then ask and bid of a level. */
const PAIRS = 2;
const LEVELS = 10;
const TIME_KERNEL = 4;

type Activation = (graph: GraphBuilder, x: Value) => Value;

export const deeplobOf: NetworkOf = ({ size, window, columns, outputs }) => {
  const { channels, inception, hidden } = SIZES[size];
  return (graph, input) => {
    const rows = input.shape[0] ?? "batch";
    let value = reshape(graph, input, [rows, 1, window, columns]);
    const blocks = [
      { kernel: PAIRS, stride: PAIRS, activation: leaky },
      { kernel: PAIRS, stride: PAIRS, activation: tanh },
      { kernel: LEVELS, stride: 1, activation: leaky },
    ];
    for (const [index, block] of blocks.entries())
      value = graph.scope(`block${index + 1}`, () => convolutionBlock(graph, value, { ...block, channels }));
    const read = graph.scope("inception", () => inceptionModule(graph, value, inception));
    const steps = transpose(graph, reshape(graph, read, [rows, 3 * inception, window]), [2, 0, 1]);
    const last = lstmLayer(graph, steps, { name: "recurrent", hidden, direction: "forward", states: "last" });
    return answerLayer(graph, last, outputs);
  };
};

function convolutionBlock(
  graph: GraphBuilder,
  x: Value,
  block: { kernel: number; stride: number; channels: number; activation: Activation },
): Value {
  const { kernel, stride, channels, activation } = block;
  const across = convolved(graph, x, { name: "across", channels, kernel: [1, kernel], stride: [1, stride] }, activation);
  const first = convolved(graph, across, { name: "time1", channels, ...overTime(TIME_KERNEL) }, activation);
  return convolved(graph, first, { name: "time2", channels, ...overTime(TIME_KERNEL) }, activation);
}

function inceptionModule(graph: GraphBuilder, x: Value, channels: number): Value {
  const single = (name: string, from: Value): Value => convolved(graph, from, { name, channels, kernel: [1, 1] }, leaky);
  const three = convolved(graph, single("three.in", x), { name: "three.out", channels, ...overTime(3) }, leaky);
  const five = convolved(graph, single("five.in", x), { name: "five.out", channels, ...overTime(5) }, leaky);
  const largest = single("pooled", maximumPooling(graph, x, overTime(3)));
  return concat(graph, [three, five, largest], 1);
}

function convolved(graph: GraphBuilder, x: Value, layer: ConvolutionOptions, activation: Activation): Value {
  return batchNormalised(graph, activation(graph, convolutionLayer(graph, x, layer)), `${layer.name}.norm`);
}

function overTime(kernel: number): Pick<ConvolutionOptions, "kernel" | "padding"> {
  return { kernel: [kernel, 1], padding: [samePadding(kernel), [0, 0]] };
}

function leaky(graph: GraphBuilder, x: Value): Value {
  return leakyRelu(graph, x, LEAK);
}
