/**
 * The served file of a linear model: one Gemm, and behind it what turns its sums into the answer. As with networks, the normaliser stays outside
 * (models/): the graph takes normalised rows. Weights become float32, as everything that is served.
 */

import { encodeModel } from "../onnx/encode.ts";
import { type Node, OPSET, type TensorConstant } from "../onnx/model.ts";
import { softmaxOfGroups } from "../onnx/softmax-of-groups.ts";

export interface LinearGraphOptions {
  readonly inputName: string;
  readonly outputName: string;
  /** [outputs, columns], what `fitRidge` and `fitLogistic` answer. */
  readonly weights: ArrayLike<number>;
  /** [outputs]; null: all 0. */
  readonly intercepts: ArrayLike<number> | null;
  readonly columns: number;
  readonly answer: LinearAnswer;
}

export type LinearAnswer =
  /** What one unit of each output is, [outputs], in basis points; null: the sums as they are. */
  | { readonly kind: "ridge"; readonly outputScale: ArrayLike<number> | null }
  /** Two classes, one logit: the probability of class 1. */
  | { readonly kind: "sigmoid" }
  /** The probability of each class; of several questions, how many classes each has. */
  | { readonly kind: "softmax"; readonly sizes?: readonly number[] };

/** Input ["batch", columns], output ["batch", outputs], float32. @returns the bytes of the .onnx file. Throws when sizes disagree. */
export function buildLinearGraph(options: LinearGraphOptions): Uint8Array {
  const { inputName, outputName, columns, answer, intercepts } = options;
  const outputs = options.weights.length / columns;
  if (!Number.isInteger(outputs) || outputs < 1) throw new RangeError(`${options.weights.length} weights for ${columns} columns`);
  if (intercepts !== null && intercepts.length !== outputs) throw new RangeError(`${intercepts.length} intercepts for ${outputs} outputs`);
  if (answer.kind === "sigmoid" && outputs !== 1)
    throw new RangeError(`a sigmoid of ${outputs} logits: more than two classes take softmax`);
  const constants: TensorConstant[] = [
    constant("weights", options.weights, [outputs, columns]),
    constant("intercepts", intercepts ?? new Float32Array(outputs), [outputs]),
  ];
  const gemm = node("Gemm", [inputName, "weights", "intercepts"], "sums", { transB: { int: 1 } });
  const grouped = answer.kind === "softmax" && answer.sizes !== undefined ? softmaxOfGroups("sums", outputName, answer.sizes) : null;
  const nodes = [gemm, ...(grouped === null ? [answerNode(answer, outputName)] : grouped.nodes)];
  constants.push(...(grouped?.constants ?? []));
  if (answer.kind === "ridge" && answer.outputScale !== null) constants.push(constant("scale", answer.outputScale, [outputs]));
  return encodeModel({
    graph: {
      name: "linear",
      nodes,
      constants,
      inputs: [{ name: inputName, type: "float32", shape: ["batch", columns] }],
      outputs: [{ name: outputName, type: "float32", shape: ["batch", outputs] }],
    },
    opset: OPSET,
  });
}

function answerNode(answer: LinearAnswer, outputName: string): Node {
  if (answer.kind === "sigmoid") return node("Sigmoid", ["sums"], outputName);
  if (answer.kind === "softmax") return node("Softmax", ["sums"], outputName, { axis: { int: 1 } });
  return answer.outputScale === null ? node("Identity", ["sums"], outputName) : node("Mul", ["sums", "scale"], outputName);
}

function node(operator: string, inputs: readonly string[], output: string, attributes: Node["attributes"] = {}): Node {
  return { operator, domain: "", inputs, outputs: [output], attributes };
}

function constant(name: string, numbers: ArrayLike<number>, shape: readonly number[]): TensorConstant {
  return { name, type: "float32", shape, data: Float32Array.from(numbers) };
}
