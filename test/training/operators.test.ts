/**
 * What operators compute, as they are served: the gradient check holds a rule to its own forward pass, and a wrong forward pass has a right gradient too.
 * Expected numbers are PyTorch 2.13's in float64 (torch.nn.functional of the same name), or reckoned by hand.
 */

import { describe, expect, it } from "vitest";
import { encodeModel } from "../../training/onnx/encode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { limitNorms, normLimitsOf } from "../../training/tensors/max-norm.ts";
import { elu, gelu, hardSigmoid, leakyRelu, relu, silu, softplus } from "../../training/tensors/operators/activations.ts";
import { add } from "../../training/tensors/operators/arithmetic.ts";
import { attention } from "../../training/tensors/operators/attention.ts";
import { convolution } from "../../training/tensors/operators/convolution.ts";
import { dropout } from "../../training/tensors/operators/dropout.ts";
import { gatherRows } from "../../training/tensors/operators/gather-rows.ts";
import { layerNormalisation } from "../../training/tensors/operators/layer-normalisation.ts";
import { concat, expand, reshape, slice, split, transpose } from "../../training/tensors/operators/layout.ts";
import { linear } from "../../training/tensors/operators/linear.ts";
import { matmul } from "../../training/tensors/operators/matmul.ts";
import { sinusoidalPositions } from "../../training/tensors/operators/positions.ts";
import { max, mean, sum } from "../../training/tensors/operators/reductions.ts";
import { logSoftmax, softmax } from "../../training/tensors/operators/softmax.ts";

type Fed = readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];

/** Runs a served graph whose inputs have an open first axis. */
async function served(
  fed: Fed,
  build: (graph: GraphBuilder, inputs: Value[]) => Value,
  weights: Record<string, number[]> = {},
): Promise<number[]> {
  const graph = new GraphBuilder({ weights: new Map(Object.entries(weights).map(([name, data]) => [name, Float32Array.from(data)])) });
  const inputs = fed.map(({ shape }, index) => graph.input(`x${index}`, ["batch", ...shape.slice(1)]));
  graph.output("y", build(graph, inputs));
  return run(graph, fed, "y");
}

async function run(graph: GraphBuilder, fed: Fed, output: string): Promise<number[]> {
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("test")));
  const feeds = fed.map(({ shape, data }, index) => [`x${index}`, { shape, data: Float32Array.from(data) }] as const);
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return [...(outputs[output] ?? [])];
}

function expectNear(numbers: readonly number[], expected: readonly number[]): void {
  expect(numbers.length).toBe(expected.length);
  for (const [index, number] of expected.entries()) expect(numbers[index]).toBeCloseTo(number, 5);
}

const first = (values: Value[]): Value => values[0] as Value;
const one = (...data: number[]): Fed => [{ shape: [data.length], data }];

describe("activations are the field's", () => {
  const activations: [string, (graph: GraphBuilder, x: Value) => Value, number[]][] = [
    ["relu", relu, [0, 0, 0, 0, 0.5, 2, 5]],
    ["leaky relu", (graph, x) => leakyRelu(graph, x, 0.2), [-0.8, -0.2, -0.05, 0, 0.5, 2, 5]],
    ["elu", elu, [-0.9816843611, -0.6321205588, -0.2211992169, 0, 0.5, 2, 5]],
    ["gelu", gelu, [-0.0001266849673, -0.1586552539, -0.1003234186, 0, 0.3457312306, 1.954499736, 4.999998567]],
    ["silu", silu, [-0.07194483985, -0.2689414214, -0.1094558748, 0, 0.3112296656, 1.761594156, 4.966535745]],
    ["softplus", softplus, [0.01814992792, 0.3132616875, 0.5759394199, Math.LN2, 0.9740769842, 2.126928011, 5.006715348]],
    ["hard sigmoid", hardSigmoid, [0, 0.3333333333, 0.4583333333, 0.5, 0.5833333333, 0.8333333333, 1]],
  ];
  it.each(activations)("%s", async (_, activation, expected) => {
    const x = one(-4, -1, -0.25, 0, 0.5, 2, 5);
    expectNear(await served(x, (graph, inputs) => activation(graph, first(inputs))), expected);
  });

  it("a relu passes the gradient on above 0 alone, however small the number: a slope near 0 or 1 would bend training unseen", async () => {
    const slopes = await slopesOf(relu, [-1, -1e-37, 0, 2e-38, 1e-20, 1, 1e30]);
    expect(slopes).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });

  it("a leaky relu likewise", async () => {
    const slopes = await slopesOf((graph, x) => leakyRelu(graph, x, 0.25), [-1e30, -1e-37, 0, 2e-38, 1e-20, 1e30]);
    expect(slopes).toEqual([0.25, 0.25, 0.25, 1, 1, 1]);
  });
});

async function slopesOf(activation: (graph: GraphBuilder, x: Value) => Value, at: number[]): Promise<number[]> {
  const graph = new GraphBuilder();
  const x = graph.parameter("x", [at.length], { initialise: zeros, isDecayed: false });
  const total = sum(graph, activation(graph, x), [0], { keepsAxes: true });
  graph.unpackParameters("x0");
  graph.output("slopes", differentiate(graph, total, [x])[0] as Value);
  return run(graph, one(...at), "slopes");
}

describe("served graphs take any number of rows", () => {
  const x: Fed = [{ shape: [3, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }];
  const parameter = (graph: GraphBuilder, name: string, shape: number[]): Value =>
    graph.parameter(name, shape, { initialise: zeros, isDecayed: false });
  const cases: [string, (graph: GraphBuilder, x: Value) => Value, number[]][] = [
    [
      "linear over the last of three axes",
      (graph, value) => linear(graph, value, { weights: parameter(graph, "w", [2, 1]), bias: parameter(graph, "b", [1]) }),
      [5.5, 11.5, 17.5, 23.5, 29.5, 35.5],
    ],
    [
      "flattened, then linear",
      (graph, value) =>
        linear(graph, reshape(graph, value, ["batch", 4]), { weights: parameter(graph, "w4", [4, 1]), bias: parameter(graph, "b", [1]) }),
      [10.5, 26.5, 42.5],
    ],
    [
      "a product with itself, transposed",
      (graph, value) => matmul(graph, value, value, { transposeB: true, scale: 0.5 }),
      [2.5, 5.5, 5.5, 12.5, 30.5, 41.5, 41.5, 56.5, 90.5, 109.5, 109.5, 132.5],
    ],
    ["a sum over steps", (graph, value) => sum(graph, value, [1]), [4, 6, 12, 14, 20, 22]],
    ["a mean over all but rows", (graph, value) => mean(graph, value, [1, 2]), [2.5, 6.5, 10.5]],
    ["a maximum", (graph, value) => max(graph, value, [2], { keepsAxes: true }), [2, 4, 6, 8, 10, 12]],
    ["the last step", (graph, value) => slice(graph, value, { axis: 1, from: 1, to: 2 }), [3, 4, 7, 8, 11, 12]],
    [
      "halves, put together the other way",
      (graph, value) => concat(graph, split(graph, value, { axis: 2, sizes: [1, 1] }).toReversed(), 2),
      [2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11],
    ],
    ["columns first", (graph, value) => transpose(graph, value, [0, 2, 1]), [1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12]],
    [
      "repeated over a new axis",
      (graph, value) => expand(graph, mean(graph, value, [2], { keepsAxes: true }), ["batch", 2, 2]),
      [1.5, 1.5, 3.5, 3.5, 5.5, 5.5, 7.5, 7.5, 9.5, 9.5, 11.5, 11.5],
    ],
    [
      "softmax over steps",
      (graph, value) => softmax(graph, value, 1),
      Array.from({ length: 3 }, () => [0.119202922, 0.119202922, 0.880797078, 0.880797078]).flat(),
    ],
    [
      "its logarithm",
      (graph, value) => logSoftmax(graph, value, 2),
      Array.from({ length: 6 }, () => [-1.3132616875, -0.3132616875]).flat(),
    ],
    [
      "rows of a table",
      (graph, value) => gatherRows(graph, parameter(graph, "table", [13, 1]), value),
      [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24],
    ],
    ["no dropout", (graph, value) => dropout(graph, value, 0.5), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ];
  const weights = { w: [1, 2], w4: [1, 1, 1, 1], b: [0.5], table: Array.from({ length: 13 }, (_, row) => 2 * row) };
  it.each(cases)("%s", async (_, build, expected) => {
    expectNear(await served(x, (graph, inputs) => build(graph, first(inputs)), weights), expected);
  });

  const sequence = Array.from({ length: 12 }, (_, index) => (index + 1) / 5 - 1);
  const perStep = (of: (x: number) => number) => ({ shape: [1, 3, 4], data: sequence.map(of) });
  it.each([
    [
      false,
      [
        0.1930239304, 0.3457006137, 0.1497329143, 0.09912445352, 0.3455549368, 0.2988032462, 0.421941798, 0.2185742933, 0.4151748046,
        0.238502552, 0.6310561681, 0.3255138178,
      ],
    ],
    [
      true,
      [
        -0.0291995223, 0.3623577545, 0.6967067093, 0.921060994, 0.5411625478, 0.6719800671, 0.6967067093, 0.4936854933, 0.4151748046,
        0.238502552, 0.6310561681, 0.3255138178,
      ],
    ],
  ])("attention of two heads, causal: %s", async (isCausal, expected) => {
    const fed = [perStep((x) => x), perStep((x) => Math.sin(3 * x)), perStep((x) => Math.cos(2 * x))];
    const answer = await served(fed, (graph, inputs) => {
      const [queries, keys, values] = inputs as [Value, Value, Value];
      return attention(graph, { queries, keys, values }, { heads: 2, isCausal });
    });
    expectNear(answer, expected);
  });

  it("layer normalisation", async () => {
    const answer = await served(
      [perStep((x) => x)],
      (graph, inputs) =>
        layerNormalisation(graph, first(inputs), { gain: parameter(graph, "gain", [4]), bias: parameter(graph, "bias", [4]) }),
      { gain: [1, 2, 0.5, -1], bias: [0, 1, 0, 0.5] },
    );
    const row = [-1.341506643, 0.1056622383, 0.2235844404, -0.8415066425];
    expectNear(answer, [...row, ...row, ...row]);
  });

  it("sinusoidal positions", async () => {
    // Added to nothing, one row: the constant as it is.
    const nothing = { shape: [1, 100, 6], data: new Array<number>(600).fill(0) };
    const table = await served([nothing], (graph, inputs) => add(graph, first(inputs), sinusoidalPositions(graph, 100, 6)));
    const rows = [0, 1, 7, 99].flatMap((step) => table.slice(6 * step, 6 * step + 6));
    expectNear(
      rows,
      [
        0, 1, 0, 1, 0, 1, 0.8414709848, 0.5403023059, 0.04639922346, 0.998922976, 0.002154433023, 0.9999976792, 0.6569865987, 0.7539022543,
        0.3192246506, 0.9476790714, 0.01508047117, 0.9998862832, -0.9992068342, 0.03982088039, -0.9931380626, -0.1169478026, 0.2116755438,
        0.9773399942,
      ],
    );
  });
});

describe("dropout while training", () => {
  it("keeps what noise is at or above the rate for, and makes it larger", async () => {
    const graph = new GraphBuilder();
    const x = graph.parameter("x", [4], { initialise: zeros, isDecayed: false });
    graph.output("y", dropout(graph, x, 0.75));
    graph.unpackParameters("x0");
    graph.unpackNoise("x1");
    const fed = [...one(1, 2, 3, 4), ...one(0, 0.7499, 0.7501, 0.9999)];
    expect(await run(graph, fed, "y")).toEqual([0, 0, 12, 16]);
  });
});

describe("max-norm", () => {
  it("scales back what is beyond its limit, and touches nothing else", () => {
    const graph = new GraphBuilder();
    const declare = (name: string, size: number, maxNorm?: number) =>
      graph.parameter(name, [size], { initialise: zeros, isDecayed: true, ...(maxNorm !== undefined && { maxNorm }) });
    declare("free", 1);
    declare("long", 2, 10);
    declare("short", 2, 10);
    const flat = Float32Array.of(99, 30, -40, 3, 4);
    limitNorms(flat, normLimitsOf(graph.parameters));
    expect([...flat]).toEqual([99, 6, -8, 3, 4]);
  });
});

describe("a shape that doesn't fit is refused while building, with the layer's name and the shapes", () => {
  const refusals: [string, RegExp, (graph: GraphBuilder, x: Value) => unknown][] = [
    ["linear", /\[3, 2\] can't take \[batch, 5, 4\]/, (graph, x) => linear(graph, x, { weights: graph.constant(new Array(6), [3, 2]) })],
    [
      "a bias",
      /a bias of \[3\] for 2 outputs/,
      (graph, x) => linear(graph, x, { weights: graph.filled(0, [4, 2]), bias: graph.filled(0, [3]) }),
    ],
    [
      "matmul",
      /\[batch, 5, 4\] can't be multiplied by \[4, 3\] transposed/,
      (graph, x) => matmul(graph, x, graph.filled(0, [4, 3]), { transposeB: true }),
    ],
    ["sum", /\[batch, 5, 4\] can't be reduced over the axes \[3\]/, (graph, x) => sum(graph, x, [3])],
    [
      "concat",
      /\[batch, 5, 4\] and \[2, 5, 4\] can't be joined along axis 2/,
      (graph, x) => concat(graph, [x, graph.filled(0, [2, 5, 4])], 2),
    ],
    ["split", /\[batch, 5, 4\] can't be split into \[1, 2\] along axis 2/, (graph, x) => split(graph, x, { axis: 2, sizes: [1, 2] })],
    ["slice", /no elements \[3, 6\) along axis 1/, (graph, x) => slice(graph, x, { axis: 1, from: 3, to: 6 })],
    ["reshape", /\[batch, 5, 4\] can't be reshaped to \[batch, 21\]/, (graph, x) => reshape(graph, x, ["batch", 21])],
    ["transpose", /\[0, 1, 1\] is no order/, (graph, x) => transpose(graph, x, [0, 1, 1])],
    ["expand", /\[batch, 5, 4\] can't be repeated to \[batch, 5, 1\]/, (graph, x) => expand(graph, x, ["batch", 5, 1])],
    ["softmax", /has no axis 3/, (graph, x) => softmax(graph, x, 3)],
    [
      "layer normalisation",
      /\[5\] can't normalise rows of \[batch, 5, 4\]/,
      (graph, x) => layerNormalisation(graph, x, { gain: graph.filled(1, [5]), bias: graph.filled(0, [4]) }),
    ],
    ["rows of a table", /two axes, not \[batch, 5, 4\]/, (graph, x) => gatherRows(graph, x, graph.integers([0]))],
    [
      "attention",
      /no attention of 3 heads over \[batch, 5, 4\]/,
      (graph, x) => attention(graph, { queries: x, keys: x, values: x }, { heads: 3 }),
    ],
  ];
  it.each(refusals)("%s", (_, message, build) => {
    const graph = new GraphBuilder({ weights: new Map() });
    const x = graph.input("x", ["batch", 5, 4]);
    expect(() => graph.scope("block1", () => build(graph, x))).toThrow(message);
    expect(() => graph.scope("block1", () => build(graph, x))).toThrow(/^block1: /);
  });

  it("what passes its input on unchanged: its gradient would count twice", () => {
    const graph = new GraphBuilder();
    const x = graph.parameter("x", [2], { initialise: zeros, isDecayed: false });
    expect(() => graph.differentiable(x, [x], (gradient) => [gradient])).toThrow(/an input and an output/);
  });
});

describe("a graph that trains wastes no time", () => {
  it("a node that no output depends on is left out with what it alone reads: it would run at each step", () => {
    const graph = new GraphBuilder();
    const x = graph.input("x", [2]);
    graph.emit("Neg", [graph.constant([1, 2], [2])], [2]);
    graph.output("y", graph.emit("Abs", [x], [2]));
    const { nodes, constants } = graph.finish("test");
    expect(nodes.map(({ operator }) => operator)).toEqual(["Abs", "Identity"]);
    expect(constants).toEqual([]);
  });

  it("an activation is the only reader of the convolution before it, so that both run as one", () => {
    const graph = new GraphBuilder();
    const x = graph.input("x", [1, 1, 4, 3]);
    const weights = graph.parameter("weights", [2, 1, 2, 1], { initialise: zeros, isDecayed: false });
    graph.output("y", leakyRelu(graph, convolution(graph, x, { weights, bias: null }), 0.01));
    const { nodes } = graph.finish("test");
    const made = nodes.find(({ operator }) => operator === "Conv")?.outputs[0] ?? "";
    expect(nodes.filter(({ inputs }) => inputs.includes(made)).map(({ operator }) => operator)).toEqual(["LeakyRelu"]);
  });

  it("three axes in reverse are what they were", async () => {
    const graph = new GraphBuilder();
    const x = graph.input("x0", [2, 3, 2]);
    graph.output("y", transpose(graph, transpose(graph, x, [2, 0, 1]), [0, 2, 1]));
    const numbers = await run(graph, [{ shape: [2, 3, 2], data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }], "y");
    expect(numbers).toEqual([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  });
});
