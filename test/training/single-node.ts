/** A graph of a single node, run by onnxruntime in single precision and by the float64 evaluator. */

import { encodeModel } from "../../training/onnx/encode.ts";
import type { Attribute, Graph, TensorConstant, ValueDeclaration } from "../../training/onnx/model.ts";
import { OPSET } from "../../training/onnx/model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { evaluateGraph, type Float64Tensor } from "./float64-evaluator.ts";

/** Floats are fed; whole numbers (axes, sizes, indices) and truths are constants; null is an optional input left out. */
export type NodeInput =
  | Float64Tensor
  | { readonly integers: readonly number[]; readonly shape?: readonly number[] }
  | { readonly truths: readonly number[]; readonly shape: readonly number[] }
  | null;

export interface SingleNode {
  /** "Softmax" or "com.microsoft:FusedMatMul" */
  readonly operator: string;
  readonly inputs: readonly NodeInput[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** How many of its outputs are wanted; 1 unless told. */
  readonly outputs?: number;
  /** It answers in truths or whole numbers. */
  readonly isCast?: true;
}

const FLOAT = 1;

export interface BothAnswers {
  readonly native: readonly number[];
  readonly evaluated: readonly number[];
}

/** @returns for each output the numbers of both; that the shapes are equal is checked by onnxruntime. */
export function runBoth(node: SingleNode): Promise<BothAnswers[]> {
  const { graph, feeds, domains } = graphOf(node);
  return runGraphInBoth(graph, feeds, domains);
}

/** The same for a graph of several nodes; the shapes of its outputs are found. */
export async function runGraphInBoth(
  graph: Graph,
  feeds: Readonly<Record<string, Float64Tensor>>,
  domains: Readonly<Record<string, number>> = {},
): Promise<BothAnswers[]> {
  const evaluated = evaluateGraph(graph, feeds);
  const outputs = graph.outputs.map((output) => ({ ...output, shape: evaluated[output.name]?.shape ?? [] }));
  const session = await (await loadRuntime("node")).open(encodeModel({ graph: { ...graph, outputs }, opset: OPSET, domains }));
  const single = Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }] as const);
  const native = await session.run(Object.fromEntries(single));
  await session.release();
  return outputs.map(({ name }) => ({ native: [...(native[name] ?? [])], evaluated: [...(evaluated[name]?.data ?? [])] }));
}

function graphOf(node: SingleNode): { graph: Graph; feeds: Record<string, Float64Tensor>; domains: Record<string, number> } {
  const inputs: ValueDeclaration[] = [];
  const constants: TensorConstant[] = [];
  const feeds: Record<string, Float64Tensor> = {};
  for (const [index, input] of node.inputs.entries()) {
    const name = `x${index}`;
    if (input === null) continue;
    if ("data" in input) {
      inputs.push({ name, type: "float32", shape: input.shape });
      feeds[name] = input;
    } else constants.push(constantOf(name, input));
  }
  const colon = node.operator.indexOf(":");
  const domain = node.operator.slice(0, Math.max(colon, 0));
  const names = Array.from({ length: node.outputs ?? 1 }, (_, index) => `y${index}`);
  const casts = names.map((name) => {
    const to = { int: FLOAT };
    return { operator: "Cast", domain: "", inputs: [`raw_${name}`], outputs: [name], attributes: { to } };
  });
  const itself = {
    operator: node.operator.slice(colon + 1),
    domain,
    inputs: node.inputs.map((input, index) => (input === null ? "" : `x${index}`)),
    outputs: node.isCast ? names.map((name) => `raw_${name}`) : names,
    attributes: node.attributes ?? {},
  };
  const graph: Graph = {
    name: "node",
    nodes: node.isCast ? [itself, ...casts] : [itself],
    constants,
    inputs,
    outputs: names.map((name) => ({ name, type: "float32", shape: [] })),
  };
  return { graph, feeds, domains: domain === "" ? {} : { [domain]: 1 } };
}

function constantOf(name: string, input: Exclude<NodeInput, Float64Tensor | null>): TensorConstant {
  if ("truths" in input) return { name, type: "bool", shape: input.shape, data: Uint8Array.from(input.truths) };
  const data = BigInt64Array.from(input.integers.map(BigInt));
  return { name, type: "int64", shape: input.shape ?? [data.length], data };
}
