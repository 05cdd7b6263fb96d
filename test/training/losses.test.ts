/** The losses: what they are worth and how they pull, with weights, at the edges of the numbers, and in parts of a batch. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import type { Loss } from "../../training/tensors/losses/contract.ts";
import { LOSS_IDS, type LossSettings, lossOf } from "../../training/tensors/losses/registry.ts";
import { checkRules } from "./gradient-check.ts";

interface Given {
  readonly answer: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  /** Of the whole batch; the sum of `weights` unless told. */
  readonly total?: number;
}

async function lossAndSlopes(loss: Loss, given: Given): Promise<{ loss: number; slopes: number[] }> {
  const graph = new GraphBuilder();
  const answer = graph.parameter("answer", shapeOf(given.answer), { initialise: zeros, isDecayed: false });
  const total = given.total ?? given.weights.flat().reduce((sum, weight) => sum + weight, 0);
  const value = loss.build(graph, answer, {
    targets: constantOf(graph, given.targets),
    weights: constantOf(graph, given.weights),
    total: graph.constant([total], [1]),
  });
  const { shape } = graph.unpackParameters("parameters");
  graph.output("slopes", differentiate(graph, value, [answer])[0] as Value);
  graph.output("loss", value);
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("loss")));
  const outputs = await session.run({ parameters: { shape: shape as number[], data: Float32Array.from(given.answer.flat()) } });
  await session.release();
  return { loss: outputs.loss?.[0] ?? Number.NaN, slopes: [...(outputs.slopes ?? [])] };
}

function shapeOf(rows: readonly (readonly number[])[]): number[] {
  return [rows.length, rows[0]?.length ?? 0];
}

function constantOf(graph: GraphBuilder, rows: readonly (readonly number[])[]): Value {
  return graph.constant(rows.flat(), shapeOf(rows));
}

const answer = [
  [0.5, -1.5],
  [2, 0.25],
  [-3, 1],
];
const targets = [
  [0, -1],
  [2.5, 1.25],
  [1, 0],
];
const probabilities = [
  [0, 1],
  [1, 0.25],
  [1, 0],
];
const weights = [
  [1, 2],
  [0, 1],
  [0.5, 1],
];
const classes: Given = {
  answer: [
    [1, 2, -1],
    [0.5, 0, 0.25],
    [3, -2, 1],
  ],
  targets: [
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, 1],
  ],
  weights: [[1], [3], [0.5]],
};

/** Of each loss its settings, an example and what PyTorch 2.13 makes of it in float64 (sums of weighted parts over the sum of weights). */
const EXAMPLES: [LossSettings, Given, number, number[]][] = [
  [
    { id: "squared" },
    { answer, targets, weights },
    1.954545454545,
    [0.1818181818, -0.3636363636, 0, -0.3636363636, -0.7272727273, 0.3636363636],
  ],
  [{ id: "absolute" }, { answer, targets, weights }, 1, [0.1818181818, -0.3636363636, 0, -0.1818181818, -0.09090909091, 0.1818181818]],
  [
    { id: "huber", delta: 1 },
    { answer, targets, weights },
    0.568181818182,
    [0.09090909091, -0.1818181818, 0, -0.1818181818, -0.09090909091, 0.1818181818],
  ],
  [
    { id: "cross-entropy" },
    classes,
    0.894099797078,
    [
      0.05766588008, -0.06547010829, 0.007804228213, -0.3871806989, 0.1695168084, 0.2176638905, 0.09728895501, 0.0006555278224,
      -0.09794448283,
    ],
  ],
  [
    { id: "binary-cross-entropy" },
    { answer, targets: probabilities, weights },
    1.450526967878,
    [0.1131744239, -0.2972998095, 0, 0.0567593638, -0.08659764789, 0.1329197416],
  ],
  [
    { id: "quantile", levels: [0.1, 0.9] },
    { answer, targets, weights },
    0.463636363636,
    [0.1636363636, -0.3272727273, 0, -0.1636363636, -0.009090909091, 0.01818181818],
  ],
];

it("each loss of the registry has an example", () => {
  expect(EXAMPLES.map(([{ id }]) => id).toSorted()).toEqual(LOSS_IDS.toSorted());
});

describe.each(EXAMPLES)("$id", (settings, example, value, pulls) => {
  const loss = lossOf(settings);
  const outputs = shapeOf(example.answer)[1] as number;

  it("is named as it is asked for", () => expect(loss.id).toBe(settings.id));

  it("is worth what PyTorch's is, and pulls as hard", async () => {
    const found = await lossAndSlopes(loss, example);
    expect(found.loss).toBeCloseTo(value, 5);
    for (const [index, pull] of pulls.entries()) expect(found.slopes[index]).toBeCloseTo(pull, 6);
  });

  it("its gradient agrees with central differences", () =>
    checkRules(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 1000 })), ([rows, seed]) => {
      const truth = drawTruth(loss, { rows, outputs, seed });
      return {
        shapes: [[rows, outputs]],
        build: (graph, [parameter]) => {
          const total = truth.weights.flat().reduce((sum, weight) => sum + weight, 0);
          return loss.build(graph, parameter as Value, {
            targets: constantOf(graph, truth.targets),
            weights: constantOf(graph, truth.weights),
            total: graph.constant([total], [1]),
          });
        },
        // A difference of a multiple of 0.5 is at a kink: answers lie between.
        draw: (random, count) => Array.from({ length: count }, () => random.integerBelow(9) - 4 + 0.05 + 0.4 * random.uniform()),
      };
    }));

  it("a row without weight pulls nothing, whatever its answer", async () => {
    const [first, ...others] = example.answer;
    const wild = { ...example, answer: [first?.map(() => 1e6) ?? [], ...others], weights: example.weights.with(0, weightsOf(0)) };
    const { slopes, loss: worth } = await lossAndSlopes(loss, wild);
    expect(slopes.slice(0, outputs).every((slope) => slope === 0)).toBe(true);
    const without = { answer: others, targets: example.targets.slice(1), weights: example.weights.slice(1) };
    expect(worth).toBeCloseTo((await lossAndSlopes(loss, without)).loss, 5);
  });

  it("parts of a batch add up to the batch, as several workers need", async () => {
    const total = example.weights.flat().reduce((sum, weight) => sum + weight, 0);
    const part = (from: number, to: number) => {
      const [answers, told, weighed] = [example.answer, example.targets, example.weights].map((rows) => rows.slice(from, to));
      return lossAndSlopes(loss, { answer: answers ?? [], targets: told ?? [], weights: weighed ?? [], total });
    };
    const [one, two] = [await part(0, 1), await part(1, 3)];
    expect(one.loss + two.loss).toBeCloseTo(value, 5);
    for (const [index, slope] of [...one.slopes, ...two.slopes].entries()) expect(slope).toBeCloseTo(pulls[index] as number, 6);
  });

  it("an answer far off makes no NaN and no infinite pull", async () => {
    for (const size of [1e4, -1e4, 1e8, -1e8, 88.8, -104]) {
      const far = example.answer.map((row, index) => row.map((_, column) => (column === index % outputs ? size : -size)));
      const found = await lossAndSlopes(loss, { ...example, answer: far });
      expect(Number.isFinite(found.loss)).toBe(true);
      expect(found.slopes.every(Number.isFinite)).toBe(true);
    }
  });

  it("refuses shapes that don't fit", () => {
    const graph = new GraphBuilder();
    const input = (name: string, width: number) => graph.input(name, [3, width]);
    const truth = { targets: input("targets", outputs + 1), weights: input("weights", 1), total: graph.constant([1], [1]) };
    expect(() => loss.build(graph, input("answer", outputs), truth)).toThrow(/an answer of \[3, \d\] with targets of/);
  });

  function weightsOf(weight: number): number[] {
    return Array.from({ length: loss.weightsPer === "row" ? 1 : outputs }, () => weight);
  }
});

describe("settings out of their range are refused", () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a delta of %s", (delta) => {
    expect(() => lossOf({ id: "huber", delta })).toThrow(/above 0/);
  });

  it.each([0, 1, Number.NaN])("a level of %s", (level) => {
    expect(() => lossOf({ id: "quantile", levels: [0.5, level] })).toThrow(/between 0 and 1/);
  });

  it("levels for other outputs than there are", () => {
    const graph = new GraphBuilder();
    const cells = graph.input("cells", [2, 3]);
    const truth = { targets: cells, weights: cells, total: graph.constant([1], [1]) };
    expect(() => lossOf({ id: "quantile", levels: [0.5] }).build(graph, cells, truth)).toThrow(/1 levels for 3 outputs/);
  });
});

/** Weights of which some are 0, and targets at multiples of 0.5, or classes where a row has one weight. */
function drawTruth(loss: Loss, size: { rows: number; outputs: number; seed: number }): Pick<Given, "targets" | "weights"> {
  const random = new Random(size.seed);
  const rows = Array.from({ length: size.rows }, (_, row) => row);
  const width = loss.weightsPer === "row" ? 1 : size.outputs;
  return {
    // The first row always counts: a batch without any weight has no loss.
    weights: rows.map((row) => Array.from({ length: width }, () => (row === 0 ? 1 : random.integerBelow(3)))),
    targets: rows.map(() => {
      const chosen = random.integerBelow(size.outputs);
      return Array.from({ length: size.outputs }, (_, output) =>
        loss.weightsPer === "row" ? Number(output === chosen) : 0.5 * (random.integerBelow(5) - 2),
      );
    }),
  };
}
