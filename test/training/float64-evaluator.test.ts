/** The float64 evaluator against onnxruntime, operator by operator: a gradient checked with kernels that mean something else proves nothing. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { Graph, Node } from "../../training/onnx/model.ts";
import { evaluateGraph, type Float64Tensor } from "./float64-evaluator.ts";
import { type BothAnswers, type NodeInput, runBoth, runGraphInBoth, type SingleNode } from "./single-node.ts";

/** Of single precision, relative to the largest number that an output has. */
const TOLERANCE = 3e-6;

const random = new Random(11);

function normal(...shape: number[]): Float64Tensor {
  return { shape, data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(random.normal())) };
}

function positive(...shape: number[]): Float64Tensor {
  const { data } = normal(...shape);
  return { shape, data: data.map((x) => Math.fround(Math.abs(x) + 0.1)) };
}

function floats(shape: number[], ...data: number[]): Float64Tensor {
  return { shape, data: Float64Array.from(data) };
}

const int = (value: number) => ({ int: value });
const ints = (...values: number[]) => ({ ints: values });
const integers = (...values: number[]): NodeInput => ({ integers: values });
const keep = (keepdims: number) => ({ keepdims: int(keepdims) });

const CASES: SingleNode[] = [
  ...["Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Neg", "Relu", "Sigmoid"],
  ...["Sign", "Sin", "Softplus", "Tanh", "ThresholdedRelu", "com.microsoft:QuickGelu", "com.microsoft:Gelu"],
].map((operator): SingleNode => ({ operator, inputs: [normal(3, 5)] }));
CASES.push(
  { operator: "Elu", inputs: [normal(3, 5)], attributes: { alpha: { float: 0.5 } } },
  { operator: "LeakyRelu", inputs: [normal(3, 5)], attributes: { alpha: { float: 0.25 } } },
  { operator: "HardSigmoid", inputs: [normal(3, 5)], attributes: { alpha: { float: 0.75 }, beta: { float: 0.25 } } },
  { operator: "HardSigmoid", inputs: [floats([4], 0, 1e-30, -1e-30, 2)], attributes: { alpha: { float: 1e38 }, beta: { float: 0 } } },
  { operator: "Log", inputs: [positive(3, 5)] },
  { operator: "Sqrt", inputs: [positive(3, 5)] },
  { operator: "Reciprocal", inputs: [positive(3, 5)] },
  { operator: "IsNaN", inputs: [floats([2], Number.NaN, 1)], isCast: true },
  { operator: "Cast", inputs: [floats([4], -1.7, 0, 0.4, 2.9)], attributes: { to: int(7) }, isCast: true },
  { operator: "Cast", inputs: [floats([4], -1.7, 0, 0.4, 2.9)], attributes: { to: int(9) }, isCast: true },
  { operator: "Not", inputs: [{ truths: [0, 1], shape: [2] }], isCast: true },
  ...["Add", "Sub", "Mul", "Div", "Max", "Min"].map((operator): SingleNode => ({ operator, inputs: [normal(2, 1, 4), positive(3, 1)] })),
  { operator: "Sum", inputs: [normal(2, 3), normal(3), normal(2, 1)] },
  { operator: "Max", inputs: [normal(2, 3), normal(3), normal(2, 1)] },
  { operator: "Pow", inputs: [positive(2, 3), normal(3)] },
  ...["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"].map(
    (operator): SingleNode => ({ operator, inputs: [floats([3], 1, 2, 3), floats([1], 2)], isCast: true }),
  ),
  ...["And", "Or"].map(
    (operator): SingleNode => ({
      operator,
      inputs: [
        { truths: [0, 0, 1, 1], shape: [4] },
        { truths: [0, 1, 0, 1], shape: [4] },
      ],
      isCast: true,
    }),
  ),
  { operator: "Where", inputs: [{ truths: [0, 1, 1], shape: [3, 1] }, normal(3, 2), normal(2)] },
  { operator: "Clip", inputs: [normal(3, 5), floats([], -0.5), floats([], 0.5)] },
  { operator: "Clip", inputs: [normal(3, 5), null, floats([], 0.5)] },

  { operator: "MatMul", inputs: [normal(3, 4), normal(4, 2)] },
  { operator: "MatMul", inputs: [normal(2, 1, 3, 4), normal(5, 4, 2)] },
  { operator: "MatMul", inputs: [normal(4), normal(5, 4, 2)] },
  { operator: "MatMul", inputs: [normal(5, 3, 4), normal(4)] },
  {
    operator: "com.microsoft:FusedMatMul",
    inputs: [normal(2, 4, 3), normal(2, 5, 4)],
    attributes: { transA: int(1), transB: int(1), alpha: { float: 0.5 } },
  },
  { operator: "com.microsoft:FusedMatMul", inputs: [normal(2, 3, 4), normal(4, 5)] },
  { operator: "Gemm", inputs: [normal(3, 4), normal(4, 2), normal(2)] },
  { operator: "Gemm", inputs: [normal(3, 4), normal(4, 2), normal(3, 1)], attributes: { alpha: { float: 0.5 }, beta: { float: 2 } } },
  { operator: "Gemm", inputs: [normal(4, 3), normal(2, 4)], attributes: { transA: int(1), transB: int(1) } },

  { operator: "Reshape", inputs: [normal(2, 3, 4), integers(0, -1)] },
  { operator: "Flatten", inputs: [normal(2, 3, 4)], attributes: { axis: int(2) } },
  { operator: "Squeeze", inputs: [normal(1, 3, 1), integers(-1)] },
  { operator: "Squeeze", inputs: [normal(1, 3, 1)] },
  { operator: "Unsqueeze", inputs: [normal(2, 3), integers(0, -1)] },
  { operator: "Expand", inputs: [normal(3, 1), integers(2, 1, 4)] },
  { operator: "Tile", inputs: [normal(2, 3), integers(2, 3)] },
  { operator: "Transpose", inputs: [normal(2, 3, 4)], attributes: { perm: ints(2, 0, 1) } },
  { operator: "Transpose", inputs: [normal(2, 3, 4)] },
  { operator: "Slice", inputs: [normal(4, 5), integers(1), integers(4), integers(1)] },
  { operator: "Slice", inputs: [normal(4, 5), integers(-1, -2), integers(-1_000_000, 100), integers(0, -1), integers(-1, 1)] },
  { operator: "Slice", inputs: [normal(7, 5), integers(0, 4), integers(7, 0), integers(0, 1), integers(3, -2)] },
  { operator: "Concat", inputs: [normal(2, 1, 3), normal(2, 2, 3)], attributes: { axis: int(-2) } },
  { operator: "Split", inputs: [normal(2, 6), integers(1, 2, 3)], attributes: { axis: int(1) }, outputs: 3 },
  { operator: "Pad", inputs: [normal(2, 3), integers(1, 0, 0, 2)] },
  { operator: "Pad", inputs: [normal(4, 3), integers(-1, 1, 2, -1), floats([], 0.5)] },
  { operator: "Gather", inputs: [normal(4, 3, 2), { integers: [0, -1, 2, 0], shape: [2, 2] }], attributes: { axis: int(1) } },
  { operator: "GatherElements", inputs: [normal(4, 3), { integers: [0, -1, 2, 3], shape: [2, 2] }], attributes: { axis: int(0) } },
  { operator: "GatherND", inputs: [normal(4, 3, 2), { integers: [0, 2, -1, 1], shape: [2, 2] }] },
  {
    operator: "ScatterElements",
    inputs: [normal(4, 3), { integers: [0, -1, 2, 1], shape: [2, 2] }, normal(2, 2)],
    attributes: { axis: int(1) },
  },
  {
    operator: "ScatterElements",
    inputs: [normal(4, 3), { integers: [0, 0, 2, 0], shape: [2, 2] }, normal(2, 2)],
    attributes: { axis: int(0), reduction: { text: "add" } },
  },
  {
    operator: "ScatterND",
    inputs: [normal(4, 3), { integers: [3, 1, 3], shape: [3, 1] }, normal(3, 3)],
    attributes: { reduction: { text: "add" } },
  },
  {
    operator: "OneHot",
    inputs: [{ integers: [0, 2, -1, 1], shape: [2, 2] }, integers(3), floats([2], 0.5, 2)],
    attributes: { axis: int(1) },
  },
  { operator: "Trilu", inputs: [normal(2, 3, 4)] },
  { operator: "Trilu", inputs: [normal(2, 3, 4), { integers: [-1], shape: [] }], attributes: { upper: int(0) } },

  { operator: "ReduceSum", inputs: [normal(2, 3, 4), integers(0, -1)], attributes: keep(0) },
  { operator: "ReduceSum", inputs: [normal(2, 3, 4), integers(1)] },
  ...["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"].flatMap(
    (operator): SingleNode[] => [
      { operator, inputs: [normal(2, 3, 4)], attributes: { axes: ints(1, -1), ...keep(1) } },
      { operator, inputs: [normal(2, 3, 4)], attributes: { axes: ints(0), ...keep(0) } },
      { operator, inputs: [normal(2, 3)] },
    ],
  ),
  { operator: "ArgMax", inputs: [normal(4, 3)], attributes: { axis: int(1), ...keep(0) }, isCast: true },
  { operator: "CumSum", inputs: [normal(4, 3), { integers: [0], shape: [] }] },
  ...["Softmax", "LogSoftmax"].flatMap((operator): SingleNode[] => [
    { operator, inputs: [normal(2, 3, 4)], attributes: { axis: int(1) } },
    { operator, inputs: [floats([1, 3], 500, -500, 499)] },
  ]),
  { operator: "LayerNormalization", inputs: [normal(2, 3, 4), normal(4), normal(4)], outputs: 3 },
  {
    operator: "LayerNormalization",
    inputs: [normal(2, 3, 4), normal(3, 4)],
    attributes: { axis: int(1), epsilon: { float: 0.1 } },
    outputs: 2,
  },
);

function nameOf(node: SingleNode, index: number): [string, SingleNode] {
  return [`${index}: ${node.operator} ${JSON.stringify(node.attributes ?? {})}`, node];
}

function expectSame({ native, evaluated }: BothAnswers): void {
  expect(native.length).toBe(evaluated.length);
  const scale = Math.max(1, ...evaluated.map(Math.abs));
  for (const [index, number] of evaluated.entries()) expect(Math.abs((native[index] as number) - number) / scale).toBeLessThan(TOLERANCE);
}

describe("the evaluator means by each operator what onnxruntime means", () => {
  it.each(CASES.map(nameOf))("%s", async (_, node) => {
    for (const answer of await runBoth(node)) expectSame(answer);
  });

  it.each([
    ["forwards", {}],
    ["over axis 1, backwards in and out", { scan_input_axes: ints(1), scan_input_directions: ints(1), scan_output_directions: ints(1) }],
    ["stacked along the last axis", { scan_output_axes: ints(-1) }],
  ])("Scan %s, with a value from around it", async (_, attributes) => {
    const node = (operator: string, inputs: string[], outputs: string[]): Node => ({
      operator,
      domain: "",
      inputs,
      outputs,
      attributes: {},
    });
    const declare = (name: string) => ({ name, type: "float32" as const, shape: [3] });
    const body: Graph = {
      name: "body",
      nodes: [node("Mul", ["state", "factor"], ["kept"]), node("Add", ["kept", "step"], ["next"]), node("Tanh", ["next"], ["made"])],
      constants: [],
      inputs: [declare("state"), declare("step")],
      outputs: [declare("next"), declare("made")],
    };
    const scanned = { name: "sequence", type: "float32" as const, shape: "scan_input_axes" in attributes ? [3, 4] : [4, 3] };
    const scan = node("Scan", ["start", "sequence"], ["last", "all"]);
    const graph: Graph = {
      name: "scan",
      nodes: [{ ...scan, attributes: { body: { graph: body }, num_scan_inputs: int(1), ...attributes } }],
      constants: [],
      inputs: [declare("start"), declare("factor"), scanned],
      outputs: ["last", "all"].map((name) => ({ name, type: "float32", shape: [] })),
    };
    const answers = await runGraphInBoth(graph, { start: normal(3), factor: normal(3), sequence: normal(...scanned.shape) });
    expect(answers.map(({ evaluated }) => evaluated.length)).toEqual([3, 12]);
    for (const answer of answers) expectSame(answer);
  });
});

describe("the evaluator is exact", () => {
  it("erf to fifteen digits (Abramowitz and Stegun, table 7.1)", () => {
    const graph: Graph = {
      name: "erf",
      nodes: [{ operator: "Erf", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} }],
      constants: [],
      inputs: [{ name: "x", type: "float64", shape: [4] }],
      outputs: [{ name: "y", type: "float64", shape: [4] }],
    };
    const { y } = evaluateGraph(graph, { x: floats([4], 0.5, 1, -2, 7) });
    const expected = [0.520499877813047, 0.842700792949715, -0.995322265018953, 1];
    for (const [index, number] of expected.entries()) expect(y?.data[index]).toBeCloseTo(number, 14);
  });

  it("and refuses what it doesn't know, by name", () => {
    const nodes = [{ operator: "Einsum", domain: "", inputs: [], outputs: ["y"], attributes: {} }];
    expect(() => evaluateGraph({ name: "g", nodes, constants: [], inputs: [], outputs: [] }, {})).toThrow(/Einsum/);
  });
});
