/** Every gradient rule against central differences in float64: a wrong rule still lowers the loss a little, and so hides in training. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { maskedSquaredError } from "../../training/tensors/losses/masked-squared-error.ts";
import { sigmoid, silu, tanh } from "../../training/tensors/operators/activations.ts";
import { add, multiply, subtract } from "../../training/tensors/operators/arithmetic.ts";
import { linear } from "../../training/tensors/operators/linear.ts";
import { checkRule, checkRules } from "./gradient-check.ts";

const size = fc.integer({ min: 1, max: 5 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });
/** Two shapes that broadcast: some sizes of each are 1, and leading axes are missing. */
const shapePair = shape.chain((full) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
      fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
      fc.integer({ min: 0, max: full.length - 1 }),
      fc.boolean(),
    )
    .map(([ofFirst, ofSecond, missing, isFirstShort]) => {
      const first = full.map((one, axis) => (ofFirst[axis] ? 1 : one));
      const second = full.map((one, axis) => (ofSecond[axis] ? 1 : one));
      return isFirstShort ? [first.slice(missing), second] : [first, second.slice(missing)];
    }),
);

type Binary = (graph: GraphBuilder, a: Value, b: Value) => Value;
type Unary = (graph: GraphBuilder, x: Value) => Value;

const pick = (values: Value[], index: number): Value => values[index] as Value;

describe("gradient rules agree with central differences", () => {
  const binary: [string, Binary][] = [
    ["add", add],
    ["subtract", subtract],
    ["multiply", multiply],
  ];
  it.each(binary)("%s, each repeated along some axes", (_, operator) =>
    checkRules(shapePair, (shapes) => ({ shapes, build: (graph, p) => operator(graph, pick(p, 0), pick(p, 1)) })),
  );

  const unary: [string, Unary][] = [
    ["sigmoid", sigmoid],
    ["tanh", tanh],
    ["silu", silu],
    ["one value used twice", (graph, x) => multiply(graph, x, x)],
    ["one value used on two paths", (graph, x) => add(graph, tanh(graph, x), sigmoid(graph, x))],
  ];
  it.each(unary)("%s", (_, operator) =>
    checkRules(shape, (drawn) => ({ shapes: [drawn], build: (graph, p) => operator(graph, pick(p, 0)) })),
  );

  it("linear", () =>
    checkRules(fc.tuple(size, size, size), ([rows, inputs, outputs]) => ({
      shapes: [[rows, inputs], [inputs, outputs], [outputs]],
      build: (graph, p) => linear(graph, pick(p, 0), { weights: pick(p, 1), bias: pick(p, 2) }),
    })));

  it("two layers", () =>
    checkRule(
      {
        shapes: [[5, 3], [3, 4], [4], [4, 2], [2]],
        build: (graph, p) => {
          const hidden = silu(graph, linear(graph, pick(p, 0), { weights: pick(p, 1), bias: pick(p, 2) }));
          return linear(graph, hidden, { weights: pick(p, 3), bias: pick(p, 4) });
        },
      },
      3,
    ));

  it("masked squared error", () =>
    checkRule(
      {
        shapes: [[4, 3]],
        build: (graph, p) =>
          maskedSquaredError(graph, pick(p, 0), {
            targets: graph.constant([1, -1, 0.5, 2, 0, 0, 3, 1, -2, 0, 0, 0], [4, 3]),
            mask: graph.constant([1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0], [4, 3]),
            cells: graph.constant([7], [1]),
          }),
      },
      3,
    ));
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
