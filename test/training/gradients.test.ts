/** Every gradient rule against central differences in float64: a wrong rule still lowers the loss a little, and so hides in training. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { OPSET } from "../../training/onnx/model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { emitReshape, emitSum } from "../../training/tensors/emit.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { maskedSquaredError } from "../../training/tensors/losses/masked-squared-error.ts";
import { sigmoid, silu, tanh } from "../../training/tensors/operators/activations.ts";
import { add, multiply, subtract } from "../../training/tensors/operators/arithmetic.ts";
import { linear } from "../../training/tensors/operators/linear.ts";
import { sizeOf } from "../../training/tensors/shape.ts";

const STEP = 1e-5;
/** Of central differences in float64: truncation of STEP² and rounding of 1e-16 / STEP. */
const TOLERANCE = 1e-7;

type Build = (graph: GraphBuilder, parameters: Value[]) => Value;

/** @returns analytic and numeric gradient of Σ weights·f(parameters) over all parameters. */
async function compare(shapes: readonly (readonly number[])[], build: Build): Promise<{ analytic: number[]; numeric: number[] }> {
  const random = new Random(3);
  const graph = new GraphBuilder({ precision: "float64" });
  const parameters = shapes.map((shape, index) => graph.parameter(`p${index}`, shape, { initialise: zeros, isDecayed: false }));
  const answer = build(graph, parameters);
  // Unequal weights on the outputs: a rule that is right only for equal gradients would pass otherwise.
  const weights = graph.constant(
    Array.from({ length: sizeOf(answer.shape) }, () => random.normal()),
    answer.shape as number[],
  );
  const weighted = multiply(graph, answer, weights);
  const axes = weighted.shape.map((_, axis) => axis);
  const loss = graph.differentiable(emitReshape(graph, emitSum(graph, weighted, axes), [1]), [weighted], (gradient) => [
    graph.emit("Expand", [gradient, graph.integers(weighted.shape as number[])], weighted.shape),
  ]);
  const flat = graph.unpackParameters("parameters");
  const gradients = differentiate(graph, loss, parameters).map((gradient) => emitReshape(graph, gradient, [sizeOf(gradient.shape)]));
  graph.output("gradient", graph.emit("Concat", gradients, [sizeOf(flat.shape)], { axis: { int: 0 } }));
  graph.output("loss", loss);
  const session = await (await loadRuntime("node")).open(encodeModel({ graph: graph.finish("check"), opset: OPSET }));
  const at = Float64Array.from({ length: sizeOf(flat.shape) }, () => random.normal());
  const run = (data: Float64Array) => session.run({ parameters: { shape: [data.length], data } });
  const analytic = Array.from((await run(at)).gradient ?? []);
  const numeric: number[] = [];
  for (let index = 0; index < at.length; index++) {
    const lossAt = async (shift: number): Promise<number> => {
      const moved = at.slice();
      moved[index] = (moved[index] as number) + shift;
      return (await run(moved)).loss?.[0] ?? Number.NaN;
    };
    numeric.push(((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP));
  }
  await session.release();
  return { analytic, numeric };
}

function expectClose({ analytic, numeric }: { analytic: number[]; numeric: number[] }): void {
  expect(analytic.length).toBe(numeric.length);
  const scale = Math.max(1, ...numeric.map(Math.abs));
  const worst = Math.max(...analytic.map((value, index) => Math.abs(value - (numeric[index] as number)) / scale));
  expect(worst).toBeLessThan(TOLERANCE);
  // A gradient of zeros would agree with a function that forgets its input.
  expect(Math.max(...numeric.map(Math.abs))).toBeGreaterThan(0.01);
}

const pick = (values: Value[], index: number): Value => values[index] as Value;

describe("gradient rules agree with central differences", () => {
  const rules: [string, readonly (readonly number[])[], Build][] = [
    [
      "add",
      [
        [3, 4],
        [3, 4],
      ],
      (graph, p) => add(graph, pick(p, 0), pick(p, 1)),
    ],
    ["add, a row repeated over rows", [[3, 4], [4]], (graph, p) => add(graph, pick(p, 0), pick(p, 1))],
    [
      "add, a column repeated over columns",
      [
        [3, 1],
        [3, 4],
      ],
      (graph, p) => add(graph, pick(p, 0), pick(p, 1)),
    ],
    ["subtract", [[3, 4], [4]], (graph, p) => subtract(graph, pick(p, 0), pick(p, 1))],
    [
      "multiply",
      [
        [3, 4],
        [3, 4],
      ],
      (graph, p) => multiply(graph, pick(p, 0), pick(p, 1)),
    ],
    [
      "multiply, repeated both ways",
      [
        [3, 1],
        [1, 4],
      ],
      (graph, p) => multiply(graph, pick(p, 0), pick(p, 1)),
    ],
    ["one value used twice", [[2, 3]], (graph, p) => multiply(graph, pick(p, 0), pick(p, 0))],
    ["one value used on two paths", [[2, 3]], (graph, p) => add(graph, tanh(graph, pick(p, 0)), sigmoid(graph, pick(p, 0)))],
    ["sigmoid", [[3, 4]], (graph, p) => sigmoid(graph, pick(p, 0))],
    ["tanh", [[3, 4]], (graph, p) => tanh(graph, pick(p, 0))],
    ["silu", [[3, 4]], (graph, p) => silu(graph, pick(p, 0))],
    ["linear", [[5, 3], [3, 2], [2]], (graph, p) => linear(graph, pick(p, 0), { weights: pick(p, 1), bias: pick(p, 2) })],
    [
      "two layers",
      [[5, 3], [3, 4], [4], [4, 2], [2]],
      (graph, p) => {
        const hidden = silu(graph, linear(graph, pick(p, 0), { weights: pick(p, 1), bias: pick(p, 2) }));
        return linear(graph, hidden, { weights: pick(p, 3), bias: pick(p, 4) });
      },
    ],
    [
      "masked squared error",
      [[4, 3]],
      (graph, p) =>
        maskedSquaredError(graph, pick(p, 0), {
          targets: graph.constant([1, -1, 0.5, 2, 0, 0, 3, 1, -2, 0, 0, 0], [4, 3]),
          mask: graph.constant([1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0], [4, 3]),
          cells: graph.constant([7], [1]),
        }),
    ],
  ];
  it.each(rules)("%s", async (_, shapes, build) => {
    expectClose(await compare(shapes, build));
  });
});

describe("what can't be differentiated is refused while building, not found in a loss that stands still", () => {
  it("a parameter that the loss does not depend on", () => {
    const graph = new GraphBuilder();
    const used = graph.parameter("used", [1], { initialise: zeros, isDecayed: false });
    const unused = graph.parameter("unused", [1], { initialise: zeros, isDecayed: false });
    expect(() => differentiate(graph, multiply(graph, used, used), [used, unused])).toThrow(/does not depend on unused/);
  });

  it("shapes that don't fit", () => {
    const graph = new GraphBuilder();
    const x = graph.input("x", ["batch", 4]);
    const weights = graph.parameter("w", [3, 2], { initialise: zeros, isDecayed: true });
    const bias = graph.parameter("b", [2], { initialise: zeros, isDecayed: false });
    expect(() => linear(graph, x, { weights, bias })).toThrow(/\[3, 2\] can't take \[batch, 4\]/);
    expect(() => add(graph, graph.input("a", [2, 3]), graph.input("c", [4, 3]))).toThrow(/can't be combined/);
  });
});
