/** Every gradient rule against central differences in float64: a wrong rule still lowers the loss a little, and so hides in training. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { elu, gelu, hardSigmoid, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "../../training/tensors/operators/activations.ts";
import {
  absolute,
  add,
  divide,
  exponential,
  logarithm,
  multiply,
  negate,
  scale,
  shift,
  square,
  squareRoot,
  subtract,
} from "../../training/tensors/operators/arithmetic.ts";
import { attention } from "../../training/tensors/operators/attention.ts";
import { dropout } from "../../training/tensors/operators/dropout.ts";
import { gatherRows } from "../../training/tensors/operators/gather-rows.ts";
import { layerNormalisation } from "../../training/tensors/operators/layer-normalisation.ts";
import { concat, expand, reshape, slice, split, transpose } from "../../training/tensors/operators/layout.ts";
import { linear } from "../../training/tensors/operators/linear.ts";
import { matmul } from "../../training/tensors/operators/matmul.ts";
import { max, mean, sum } from "../../training/tensors/operators/reductions.ts";
import { logSoftmax, softmax } from "../../training/tensors/operators/softmax.ts";
import { zeroPad } from "../../training/tensors/operators/zero-pad.ts";
import { sizeOf } from "../../training/tensors/shape.ts";
import { above, allDistinct, awayFrom, checkRule, checkRules, type Draw } from "./gradient-check.ts";

const size = fc.integer({ min: 1, max: 4 });
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

/** A shape and one of its axes. */
const shapeAndAxis = shape.chain((sizes) => fc.tuple(fc.constant(sizes), fc.integer({ min: 0, max: sizes.length - 1 })));

type Binary = (graph: GraphBuilder, a: Value, b: Value) => Value;
type Unary = (graph: GraphBuilder, x: Value) => Value;

const pick = (values: Value[], index: number): Value => values[index] as Value;
/** Far from the kinks of all activations: at 0, and ±3 of the hard sigmoid. */
const awayFromKinks = awayFrom([0, 3, -3]);

describe("gradient rules agree with central differences", () => {
  const binary: [string, Binary, Draw?][] = [
    ["add", add],
    ["subtract", subtract],
    ["multiply", multiply],
    ["divide", divide, above(0.5)],
  ];
  it.each(binary)("%s, each repeated along some axes", (_, operator, draw) =>
    checkRules(shapePair, (shapes) => ({ shapes, build: (graph, p) => operator(graph, pick(p, 0), pick(p, 1)), ...(draw && { draw }) })),
  );

  const unary: [string, Unary, Draw?][] = [
    ["negate", negate],
    ["scale", (graph, x) => scale(graph, x, 2.5)],
    ["shift", (graph, x) => shift(graph, x, 2.5)],
    ["square", square],
    ["square root", squareRoot, above(0.3)],
    ["exponential", exponential],
    ["logarithm", logarithm, above(0.3)],
    ["absolute", absolute, awayFromKinks],
    ["sigmoid", sigmoid],
    ["tanh", tanh],
    ["silu", silu],
    ["relu", (graph, x) => add(graph, relu(graph, x), scale(graph, x, 0.5)), awayFromKinks],
    ["leaky relu", (graph, x) => leakyRelu(graph, x, 0.2), awayFromKinks],
    ["elu", elu, awayFromKinks],
    ["gelu", gelu],
    ["softplus", softplus],
    ["hard sigmoid", (graph, x) => add(graph, hardSigmoid(graph, scale(graph, x, 2)), x), awayFrom([1.5, -1.5])],
    ["one value used twice", (graph, x) => multiply(graph, x, x)],
    ["one value used on two paths", (graph, x) => add(graph, tanh(graph, x), sigmoid(graph, x))],
  ];
  it.each(unary)("%s", (_, operator, draw) =>
    checkRules(shape, (drawn) => ({ shapes: [drawn], build: (graph, p) => operator(graph, pick(p, 0)), ...(draw && { draw }) })),
  );

  const linearSizes = fc.tuple(fc.array(size, { minLength: 1, maxLength: 3 }), size, size, fc.boolean());
  it("linear over the last of any number of axes, with a bias and without", () =>
    checkRules(linearSizes, ([before, inputs, outputs, hasBias]) => ({
      shapes: [[...before, inputs], [inputs, outputs], ...(hasBias ? [[outputs]] : [])],
      build: (graph, [x, weights, bias]) => linear(graph, x as Value, { weights: weights as Value, ...(bias !== undefined && { bias }) }),
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

  /** Axes in front: equal, repeated on one side, missing on one side. */
  const batches = fc.constantFrom<[number[], number[]]>([[], []], [[3], [3]], [[2, 3], []], [[], [2, 3]], [[2, 1], [3]], [[1], [2, 3]]);
  const productSizes = fc.record({ batches, m: size, k: size, n: size, transposeA: fc.boolean(), transposeB: fc.boolean() });
  it.each([1, 0.25])("matmul, batched, repeated and transposed, times %s", (factor) =>
    checkRules(
      productSizes,
      ({ batches: [first, second], m, k, n, transposeA, transposeB }) => ({
        shapes: [
          [...first, ...(transposeA ? [k, m] : [m, k])],
          [...second, ...(transposeB ? [n, k] : [k, n])],
        ],
        build: (graph, p) => matmul(graph, pick(p, 0), pick(p, 1), { transposeA, transposeB, scale: factor }),
      }),
      30,
    ),
  );

  const reductions: [string, typeof sum, Draw?][] = [
    ["sum", sum],
    ["mean", mean],
    ["max", max, allDistinct],
  ];
  const reduced = shape.chain((sizes) => fc.tuple(fc.constant(sizes), fc.subarray([...sizes.keys()], { minLength: 1 }), fc.boolean()));
  it.each(reductions)("%s over some axes", (_, operator, draw) =>
    checkRules(reduced, ([sizes, axes, keepsAxes]) => ({
      shapes: [sizes],
      build: (graph, p) => operator(graph, pick(p, 0), axes, keepsAxes ? { keepsAxes } : {}),
      ...(draw && { draw }),
    })),
  );

  it("concat", () =>
    checkRules(fc.tuple(shapeAndAxis, fc.array(size, { minLength: 1, maxLength: 3 })), ([[sizes, axis], parts]) => ({
      shapes: parts.map((part) => sizes.with(axis, part)),
      build: (graph, p) => concat(graph, p, axis),
    })));

  it("split, some parts of which nothing depends on", () =>
    checkRules(fc.tuple(shapeAndAxis, fc.array(size, { minLength: 2, maxLength: 3 })), ([[sizes, axis], parts]) => ({
      shapes: [
        sizes.with(
          axis,
          parts.reduce((total, part) => total + part, 0),
        ),
      ],
      build: (graph, p) => split(graph, pick(p, 0), { axis, sizes: parts }).slice(1),
    })));

  const sliced = fc.tuple(shapeAndAxis, fc.integer({ min: 0, max: 2 }), size, fc.integer({ min: 0, max: 2 }));
  it("slice", () =>
    checkRules(sliced, ([[sizes, axis], before, length, after]) => ({
      shapes: [sizes.with(axis, before + length + after)],
      build: (graph, p) => slice(graph, pick(p, 0), { axis, from: before, to: before + length }),
    })));

  const padded = fc.tuple(shapeAndAxis, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }));
  it("padding with zeros", () =>
    checkRules(padded, ([[sizes, axis], before, after]) => ({
      shapes: [sizes],
      build: (graph, p) => zeroPad(graph, pick(p, 0), { axis, before, after }),
    })));

  it("reshape", () =>
    checkRules(shape, (sizes) => ({
      shapes: [sizes],
      // Squared, since an answer that keeps the order would not show numbers that are mixed up.
      build: (graph, p) => square(graph, reshape(graph, pick(p, 0), [1, sizeOf(sizes)])),
    })));

  const ordered = shape.chain((sizes) => {
    const axes = [...sizes.keys()];
    return fc.tuple(fc.constant(sizes), fc.shuffledSubarray(axes, { minLength: axes.length, maxLength: axes.length }));
  });
  it("transpose", () =>
    checkRules(ordered, ([sizes, order]) => ({ shapes: [sizes], build: (graph, p) => transpose(graph, pick(p, 0), order) })));

  it("expand", () =>
    checkRules(fc.tuple(reduced, size), ([[sizes, axes], front]) => ({
      shapes: [sizes.map((one, axis) => (axes.includes(axis) ? 1 : one))],
      build: (graph, p) => expand(graph, pick(p, 0), [front, ...sizes]),
    })));

  const alongAxis: [string, typeof softmax][] = [
    ["softmax", softmax],
    ["log-softmax", logSoftmax],
  ];
  const wideAxis = fc.tuple(shapeAndAxis, fc.integer({ min: 2, max: 5 }));
  it.each(alongAxis)("%s along an axis", (_, operator) =>
    checkRules(wideAxis, ([[sizes, axis], width]) => ({
      shapes: [sizes.with(axis, width)],
      build: (graph, p) => operator(graph, pick(p, 0), axis),
    })),
  );

  it("layer normalisation", () =>
    checkRules(fc.tuple(fc.array(size, { minLength: 1, maxLength: 3 }), fc.integer({ min: 4, max: 6 })), ([before, width]) => ({
      shapes: [[...before, width], [width], [width]],
      build: (graph, p) => layerNormalisation(graph, pick(p, 0), { gain: pick(p, 1), bias: pick(p, 2) }),
      draw: allDistinct,
    })));

  it("dropout", () =>
    checkRules(fc.tuple(size, fc.constantFrom(0.1, 0.5, 0.9)), ([rows, rate]) => ({
      shapes: [[rows, 20]],
      build: (graph, p) => dropout(graph, pick(p, 0), rate),
      differsWhenServed: true,
    })));

  const lookups = fc.tuple(size, size).chain(([rows, width]) => {
    const row = fc.integer({ min: 0, max: rows - 1 });
    return fc.tuple(fc.constant([rows, width]), fc.array(row, { minLength: 6, maxLength: 6 }), fc.boolean());
  });
  it("rows of a table, some looked up several times", () =>
    checkRules(lookups, ([table, indices, isFloat]) => ({
      shapes: [table],
      build: (graph, p) => gatherRows(graph, pick(p, 0), isFloat ? graph.constant(indices, [2, 3]) : graph.integers(indices)),
    })));

  const attentionSizes = fc.record({
    rows: fc.integer({ min: 1, max: 2 }),
    heads: fc.integer({ min: 1, max: 2 }),
    size,
    isCausal: fc.boolean(),
  });
  it("attention", () =>
    checkRules(attentionSizes, ({ rows, heads, size: head, isCausal }) => ({
      shapes: [4, 5, 5].map((steps) => [rows, isCausal ? 4 : steps, heads * head]),
      build: (graph, p) => attention(graph, { queries: pick(p, 0), keys: pick(p, 1), values: pick(p, 2) }, { heads, isCausal }),
    })));

  it("self-attention of one value, with dropout of its weights", () =>
    checkRule(
      {
        shapes: [[2, 4, 6]],
        build: (graph, [x]) => {
          const value = x as Value;
          return attention(graph, { queries: value, keys: value, values: value }, { heads: 3, dropout: 0.3 });
        },
        differsWhenServed: true,
      },
      5,
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
