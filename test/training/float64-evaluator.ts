/**
 * Evaluates an ONNX graph in double precision, by kernels written plainly. onnxruntime's own have no float64 for Conv, Erf, FusedMatMul or LSTM on a
 * CPU, and central differences of single precision tell nothing: so rules are checked with these, and these with onnxruntime (float64-evaluator.test.ts).
 *
 * Another operator is one entry of the kernels: float64-kernels/.
 */

import type { Graph, Node } from "../../training/onnx/model.ts";
import { ELEMENTWISE } from "./float64-kernels/elementwise.ts";
import { Attributes, type Float64Tensor, type Kernels } from "./float64-kernels/kernel.ts";
import { MOVEMENT } from "./float64-kernels/movement.ts";
import { PRODUCTS } from "./float64-kernels/products.ts";
import { REDUCTIONS } from "./float64-kernels/reductions.ts";
import { SCAN } from "./float64-kernels/scan.ts";
import { WINDOWS } from "./float64-kernels/windows.ts";

export type { Float64Tensor } from "./float64-kernels/kernel.ts";

const KERNELS: Kernels = { ...ELEMENTWISE, ...MOVEMENT, ...PRODUCTS, ...REDUCTIONS, ...SCAN, ...WINDOWS };

type Lookup = (name: string) => Float64Tensor | undefined;

/** @returns every output of the graph, by name. Throws where an input lacks or an operator is not known. */
export function evaluateGraph(graph: Graph, inputs: Readonly<Record<string, Float64Tensor>>): Record<string, Float64Tensor> {
  const given = graph.inputs.map(({ name }) => {
    const tensor = inputs[name];
    if (tensor === undefined) throw new Error(`no input ${name}`);
    return tensor;
  });
  const outputs = run(graph, given, () => undefined);
  return Object.fromEntries(graph.outputs.map(({ name }, index) => [name, outputs[index] as Float64Tensor]));
}

function run(graph: Graph, inputs: readonly Float64Tensor[], around: Lookup): Float64Tensor[] {
  const known = new Map<string, Float64Tensor>();
  const lookup: Lookup = (name) => known.get(name) ?? around(name);
  for (const { name, shape, data } of graph.constants)
    known.set(name, { shape, data: Float64Array.from(data as ArrayLike<number>, Number) });
  for (const [index, { name }] of graph.inputs.entries()) known.set(name, inputs[index] as Float64Tensor);
  for (const node of graph.nodes) {
    const outputs = runNode(node, lookup);
    for (const [index, name] of node.outputs.entries()) {
      if (name === "") continue;
      const tensor = outputs[index];
      if (tensor === undefined) throw new Error(`${node.operator} gives no output ${index}`);
      known.set(name, tensor);
    }
  }
  return graph.outputs.map(({ name }) => valueNamed(name, lookup));
}

function runNode(node: Node, lookup: Lookup): Float64Tensor[] {
  const operator = node.domain === "" ? node.operator : `${node.domain}:${node.operator}`;
  const kernel = KERNELS[operator];
  if (kernel === undefined) throw new Error(`no float64 kernel for ${operator}`);
  return kernel({
    inputs: node.inputs.map((name) => (name === "" ? null : valueNamed(name, lookup))),
    attributes: new Attributes(node.attributes),
    runBody: (body, inputs) => run(body, inputs, lookup),
  });
}

function valueNamed(name: string, lookup: Lookup): Float64Tensor {
  const tensor = lookup(name);
  if (tensor === undefined) throw new Error(`nothing is named ${name}`);
  return tensor;
}
