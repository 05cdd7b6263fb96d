/**
 * DeepLOB (Zhang, Zohren, Roberts 2019) as the paper has it: LeakyReLU 0.01 and no batch norm. Padding of the four-row kernels is one row before and two
 * after, as "same" means in TensorFlow and PyTorch.
 */

import type { GraphBuilder, Value } from "../../training/tensors/graph-builder.ts";
import { leakyRelu } from "../../training/tensors/operators/activations.ts";
import { concat, reshape, transpose } from "../../training/tensors/operators/layout.ts";
import { maximumPooling } from "../../training/tensors/operators/pooling.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { convolutionLayer, lastOfLstm, linearLayer } from "./layers.ts";

const SLOPE = 0.01;

/** Takes [batch, rows, levels]. */
export const deeplob: Network = (graph, input) => {
  const [batch, rows, levels] = input.shape as [number, number, number];
  let x = reshape(graph, input, [batch, 1, rows, levels]);
  x = graph.scope("block1", () => bookBlock(graph, x, [1, 2]));
  x = graph.scope("block2", () => bookBlock(graph, x, [1, 2]));
  x = graph.scope("block3", () => bookBlock(graph, x, [1, levels / 4]));
  const line = reshape(graph, x, [batch, 32, rows]);
  const narrow = graph.scope("narrow", () => branch(graph, line, 3));
  const wide = graph.scope("wide", () => branch(graph, line, 5));
  const pool = maximumPooling(graph, line, { kernel: [3], padding: [[1, 1]] });
  const pooled = activated(graph, convolutionLayer(graph, pool, { name: "pooled", channels: 64, kernel: [1], isBiased: true }));
  const features = concat(graph, [narrow, wide, pooled], 1);
  const last = lastOfLstm(graph, transpose(graph, features, [2, 0, 1]), { name: "lstm", hidden: 64 });
  return linearLayer(graph, last, { name: "output", width: 3 });
};

/** A kernel of its own width across the levels, then two of four rows along time. */
function bookBlock(graph: GraphBuilder, x: Value, across: readonly [number, number]): Value {
  const common = { channels: 32, isBiased: true };
  const along = {
    ...common,
    kernel: [4, 1],
    padding: [
      [1, 2],
      [0, 0],
    ] as const,
  };
  const first = activated(graph, convolutionLayer(graph, x, { ...common, name: "across", kernel: across, stride: across }));
  const second = activated(graph, convolutionLayer(graph, first, { ...along, name: "along1" }));
  return activated(graph, convolutionLayer(graph, second, { ...along, name: "along2" }));
}

function branch(graph: GraphBuilder, x: Value, rows: number): Value {
  const common = { channels: 64, isBiased: true };
  const point = activated(graph, convolutionLayer(graph, x, { ...common, name: "point", kernel: [1] }));
  const side = (rows - 1) / 2;
  return activated(graph, convolutionLayer(graph, point, { ...common, name: "along", kernel: [rows], padding: [[side, side]] }));
}

function activated(graph: GraphBuilder, x: Value): Value {
  return leakyRelu(graph, x, SLOPE);
}
