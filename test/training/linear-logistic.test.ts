/** The logistic line: answers known by hand, a plain descent as the other implementation, and data that have no answer. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { buildLinearGraph, type LinearAnswer } from "../../training/linear/linear-graph.ts";
import { answerLogistic, fitLogistic, LOGISTIC_LAMBDAS, remarksOn } from "../../training/linear/logistic.ts";
import { answerRidge, fitRidge } from "../../training/linear/ridge.ts";
import type { RowBlock } from "../../training/linear/rows.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";

function rowsOf(inputs: readonly (readonly number[])[], classes: readonly number[], weights?: readonly number[]): RowBlock {
  return {
    rows: inputs.length,
    columns: inputs[0]?.length ?? 0,
    outputs: 1,
    inputs: Float64Array.from(inputs.flat()),
    targets: Float64Array.from(classes),
    mask: new Uint8Array(inputs.length).fill(1),
    ...(weights === undefined ? {} : { weights: Float64Array.from(weights) }),
  };
}

/** Rows whose class depends on the inputs, with luck in it; columns lean on each other. */
function randomRows(seed: number, { rows, columns, classes }: { rows: number; columns: number; classes: number }): RowBlock {
  const random = new Random(seed);
  const inputs: number[][] = [];
  const actual: number[] = [];
  for (let row = 0; row < rows; row++) {
    const common = random.normal();
    const values = Array.from({ length: columns }, () => 0.8 * common + random.normal());
    const scores = Array.from({ length: classes }, (_, of) => (values[of % columns] ?? 0) + 2 * random.normal());
    inputs.push(values);
    actual.push(scores.indexOf(Math.max(...scores)));
  }
  return rowsOf(
    inputs,
    actual,
    Array.from({ length: rows }, () => 0.5 + random.uniform()),
  );
}

/** Gradient descent on the softmax of every class, in plain arrays. For two classes the penalty is halved, since two logits share one weight. */
function descend(rows: RowBlock, classes: number, lambda: number): { weights: number[][]; intercepts: number[] } {
  const weights = Array.from({ length: classes }, () => new Array<number>(rows.columns).fill(0));
  const intercepts = new Array<number>(classes).fill(0);
  const total = Array.from(rows.weights ?? new Float64Array(rows.rows).fill(1)).reduce((sum, weight) => sum + weight, 0);
  for (let step = 0; step < 6_000; step++) {
    const slopes = weights.map((of) => of.map((value) => lambda * value));
    const lean = new Array<number>(classes).fill(0);
    for (let row = 0; row < rows.rows; row++) {
      const x = Array.from({ length: rows.columns }, (_, column) => rows.inputs[row * rows.columns + column] ?? 0);
      const powers = weights.map((of, index) =>
        Math.exp(of.reduce((sum, weight, column) => sum + weight * (x[column] ?? 0), intercepts[index] ?? 0)),
      );
      const sum = powers.reduce((one, other) => one + other, 0);
      for (let of = 0; of < classes; of++) {
        const off = ((powers[of] ?? 0) / sum - (rows.targets[row] === of ? 1 : 0)) * ((rows.weights?.[row] ?? 1) / total);
        lean[of] = (lean[of] ?? 0) + off;
        for (const [column, value] of x.entries()) (slopes[of] as number[])[column] = (slopes[of]?.[column] ?? 0) + off * value;
      }
    }
    for (let of = 0; of < classes; of++) {
      intercepts[of] = (intercepts[of] ?? 0) - 0.5 * (lean[of] ?? 0);
      for (let column = 0; column < rows.columns; column++)
        (weights[of] as number[])[column] = (weights[of]?.[column] ?? 0) - 0.5 * (slopes[of]?.[column] ?? 0);
    }
  }
  return { weights, intercepts };
}

const one = (lambda: number): { lambdas: readonly number[] } => ({ lambdas: [lambda] });

describe("a logistic line of two classes", () => {
  it("has the weight at which penalty and slope are even: λw = 1/(1 + e^w) for x = ±1", () => {
    // λ = 1/(1 + e) makes w = 1.
    const rows = rowsOf([[1], [-1]], [1, 0]);
    const fit = fitLogistic(rows, rows, { classes: 2, ...one(1 / (1 + Math.E)) });
    expect(fit.weights[0]).toBeCloseTo(1, 6);
    expect(fit.intercepts[0]).toBeCloseTo(0, 10);
    expect(fit.path[0]?.trainLoss).toBeCloseTo(Math.log(1 + 1 / Math.E), 7);
    expect(answerLogistic(fit, rows)[0]).toBeCloseTo(1 / (1 + 1 / Math.E), 6);
  });

  it("answers the share of the class where columns say nothing, however large the penalty: intercepts are free", () => {
    const rows = rowsOf([[0], [0], [0], [0]], [1, 0, 0, 0]);
    for (const lambda of [1e-5, 1, 1e6])
      expect(fitLogistic(rows, rows, { classes: 2, ...one(lambda) }).intercepts[0]).toBeCloseTo(Math.log(1 / 3), 6);
  });

  it("is where a plain descent on both classes' logits ends", () => {
    const rows = randomRows(1, { rows: 80, columns: 3, classes: 2 });
    const fit = fitLogistic(rows, rows, { classes: 2, ...one(0.05) });
    // Two logits of weights ±w/2 have half the squared length of one of w.
    const naive = descend(rows, 2, 0.1);
    for (let column = 0; column < 3; column++)
      expect(fit.weights[column]).toBeCloseTo((naive.weights[1]?.[column] ?? 0) - (naive.weights[0]?.[column] ?? 0), 5);
    expect(fit.intercepts[0]).toBeCloseTo((naive.intercepts[1] ?? 0) - (naive.intercepts[0] ?? 0), 5);
  });
});

describe("a logistic line of more classes", () => {
  it("is where a plain descent ends", () => {
    const rows = randomRows(2, { rows: 90, columns: 3, classes: 4 });
    const fit = fitLogistic(rows, rows, { classes: 4, ...one(0.02) });
    const naive = descend(rows, 4, 0.02);
    expect([...fit.weights]).toEqual(naive.weights.flat().map((value) => expect.closeTo(value, 5)));
    expect([...fit.intercepts]).toEqual(naive.intercepts.map((value) => expect.closeTo(value, 5)));
  });

  it("answers probabilities that add up to one, and the shares of the classes where columns say nothing", () => {
    const rows = rowsOf([[0], [0], [0], [0]], [0, 1, 2, 2]);
    const fit = fitLogistic(rows, rows, { classes: 3 });
    expect([...answerLogistic(fit, rows).subarray(0, 3)]).toEqual([
      expect.closeTo(1 / 4, 6),
      expect.closeTo(1 / 4, 6),
      expect.closeTo(1 / 2, 6),
    ]);
  });
});

describe("the path of penalties", () => {
  const train = randomRows(3, { rows: 300, columns: 5, classes: 3 });
  const validation = randomRows(4, { rows: 200, columns: 5, classes: 3 });

  it("ends at each λ where a fit of that λ alone does: a warm start that doesn't let go would be another model", () => {
    const path = fitLogistic(train, validation, { classes: 3 });
    for (const lambda of [0.1, 0.00001]) {
      const alone = fitLogistic(train, validation, { classes: 3, ...one(lambda) }).path[0];
      const point = path.path.find((at) => at.lambda === lambda);
      expect(point?.trainLoss).toBeCloseTo(alone?.trainLoss ?? Number.NaN, 9);
      expect(point?.outcome).toBe("converged");
    }
    expect(path.path.map(({ lambda }) => lambda)).toEqual(LOGISTIC_LAMBDAS);
    // Given in any order, it goes from the largest down.
    expect(fitLogistic(train, validation, { classes: 3, lambdas: LOGISTIC_LAMBDAS.toReversed() })).toEqual(path);
  });

  it("takes the λ of least validation loss; with no validation rows, the strongest", () => {
    const { path, lambda } = fitLogistic(train, validation, { classes: 3 });
    const least = path.toSorted((at, other) => (at.validationLoss ?? 0) - (other.validationLoss ?? 0))[0];
    expect(lambda).toBe(least?.lambda);
    expect(lambda).toBeLessThan(1);
    expect(fitLogistic(train, [], { classes: 3 })).toMatchObject({
      lambda: 1,
      path: expect.arrayContaining([expect.objectContaining({ validationLoss: null })]),
    });
  });

  it("is the same bytes twice, and from blocks as from memory", () => {
    const half = (from: number, to: number): RowBlock => ({
      ...train,
      rows: to - from,
      inputs: train.inputs.subarray(from * 5, to * 5),
      targets: train.targets.subarray(from, to),
      mask: train.mask.subarray(from, to),
      weights: train.weights?.subarray(from, to) ?? new Float64Array(to - from),
    });
    expect(fitLogistic([half(0, 99), half(99, 300)], validation, { classes: 3 })).toEqual(fitLogistic(train, validation, { classes: 3 }));
  });

  it("takes few steps where rows weigh differently: by a bound of other rows, of other classes or with a penalty on the intercept it would take more, up to all", () => {
    const inputsOf = ({ inputs }: RowBlock): RowBlock["inputs"] =>
      // Nearly all weight is on rows whose columns are far from zero, each of another size.
      inputs.map((value, cell) => (cell < 6 * 100 ? (value + 3) * ([0.001, 0.01, 0.1, 1, 10, 100][cell % 6] ?? 1) : value));
    const weights = Float64Array.from({ length: 200 }, (_, row) => (row < 100 ? 1 : 1e-4));
    const steps = [2, 4].map((classes) => {
      const rows = randomRows(6, { rows: 200, columns: 6, classes });
      return fitLogistic({ ...rows, inputs: inputsOf(rows), weights }, [], { classes, ...one(0.1) }).path[0]?.iterations;
    });
    expect(steps).toEqual([7, 14]);
  });

  it("copies of a column and more columns than rows have an answer, and it is reached", () => {
    const random = new Random(9);
    const inputs = Array.from({ length: 12 }, () => {
      const values = Array.from({ length: 20 }, () => random.normal());
      return [...values, ...values, 1];
    });
    const rows = rowsOf(
      inputs,
      inputs.map((_, row) => row % 2),
    );
    const fit = fitLogistic(rows, rows, { classes: 2 });
    for (const { outcome } of fit.path) expect(outcome).not.toBe("iteration-limit");
    for (let column = 0; column < 20; column++) expect(fit.weights[column]).toBeCloseTo(fit.weights[column + 20] ?? Number.NaN, 3);
  });
});

describe("classes that a plane parts", () => {
  it("give finite weights, and the fit says so: without a penalty they'd grow for ever", () => {
    const rows = rowsOf([[1], [2], [-1], [-3]], [1, 1, 0, 0]);
    for (const classes of [2, 3]) {
      const all =
        classes === 2
          ? rows
          : rowsOf(
              [
                [1, 0],
                [2, 0],
                [-1, 0],
                [-3, 0],
                [0, 9],
              ],
              [1, 1, 0, 0, 2],
            );
      const fit = fitLogistic(all, all, { classes });
      expect(fit.isSeparated).toBe(true);
      expect(fit.weights.every(Number.isFinite)).toBe(true);
      for (const { outcome } of fit.path) expect(outcome).not.toBe("iteration-limit");
      expect(remarksOn(fit).join()).toMatch(/a plane parts the classes of the training rows wholly/);
    }
    // Equal shares of three classes that nothing tells apart are no parting.
    const alike = rowsOf([[0], [0], [0]], [0, 1, 2]);
    expect(fitLogistic(alike, alike, { classes: 3 }).isSeparated).toBe(false);
    const mixed = rowsOf([[1], [2], [-1], [1.5]], [1, 1, 0, 0]);
    expect(remarksOn(fitLogistic(mixed, mixed, { classes: 2 }))).toEqual([]);
    expect(() => fitLogistic(rows, rows, { classes: 2, ...one(0) })).toThrow("a logistic line's penalty is above 0, not 0");
  });
});

describe("what no classes can be learnt from is refused, with what to do", () => {
  it("one class only, a class without rows, no rows at all, one row", () => {
    const only = rowsOf([[1], [2]], [1, 1]);
    expect(() => fitLogistic(only, only, { classes: 2 })).toThrow("all training rows are of class 1: there is nothing to tell apart");
    const two = rowsOf([[1], [2]], [0, 2]);
    expect(() => fitLogistic(two, two, { classes: 3 })).toThrow("no training row is of class 1 of 3");
    // Rows without weight are none.
    const weightless = rowsOf([[1], [2], [3]], [0, 1, 2], [1, 2, 0]);
    expect(() => fitLogistic(weightless, two, { classes: 3 })).toThrow("no training row is of class 2 of 3");
    expect(() => fitLogistic({ ...two, mask: new Uint8Array(2) }, two, { classes: 3 })).toThrow("no training row has a class");
    expect(() => fitLogistic([], two, { classes: 2 })).toThrow("there are no rows");
    expect(() => fitLogistic(rowsOf([[1]], [0]), two, { classes: 2 })).toThrow("all training rows are of class 0");
  });

  it("classes that are none, inputs that are no numbers, in training or validation rows", () => {
    const good = rowsOf([[1], [2]], [0, 1]);
    for (const wrong of [0.5, -1, 2]) {
      expect(() => fitLogistic(rowsOf([[1], [2]], [0, wrong]), good, { classes: 2 })).toThrow(`row 1 has the class ${wrong}`);
      expect(() => fitLogistic(good, rowsOf([[1], [2]], [0, wrong]), { classes: 2 })).toThrow(`row 1 has the class ${wrong}`);
    }
    expect(() => fitLogistic(rowsOf([[1], [Number.NaN]], [0, 1]), good, { classes: 2 })).toThrow("column 0 of row 1 is NaN");
    expect(() => fitLogistic(good, good, { classes: 1 })).toThrow("a logistic line tells 2 classes apart or more, not 1");
  });
});

describe("the served graph answers as the fit does, in both runtimes", () => {
  const rows = randomRows(5, { rows: 50, columns: 4, classes: 3 });
  const input = { shape: [50, 4], data: Float32Array.from(rows.inputs) };

  async function answersOf(weights: Float64Array, intercepts: Float64Array | null, answer: LinearAnswer): Promise<number[][]> {
    const model = buildLinearGraph({ inputName: "features", outputName: "answer", weights, intercepts, columns: 4, answer });
    const answers: number[][] = [];
    for (const name of ["node", "wasm"] as const) {
      const session = await (await loadRuntime(name)).open(model);
      answers.push([...((await session.run({ features: input })).answer ?? [])]);
      await session.release();
    }
    return answers;
  }

  it("ridge, in basis points", async () => {
    const targets: RowBlock = {
      ...rows,
      outputs: 2,
      targets: Float64Array.from({ length: 100 }, (_, cell) => (rows.inputs[cell] ?? 0) + 3),
      mask: new Uint8Array(100).fill(1),
    };
    const fit = fitRidge(targets, targets, { hasIntercept: true });
    const expected = answerRidge(fit, targets);
    for (const answer of await answersOf(fit.weights, fit.intercepts, { kind: "ridge", outputScale: [2, 0.5] }))
      expect(answer).toEqual([...expected].map((value, cell) => expect.closeTo(value * (cell % 2 === 0 ? 2 : 0.5), 5)));
    for (const answer of await answersOf(fit.weights, fit.intercepts, { kind: "ridge", outputScale: null }))
      expect(answer).toEqual([...expected].map((value) => expect.closeTo(value, 5)));
  });

  it("softmax and sigmoid", async () => {
    const fit = fitLogistic(rows, rows, { classes: 3 });
    for (const answer of await answersOf(fit.weights, fit.intercepts, { kind: "softmax" }))
      expect(answer).toEqual([...answerLogistic(fit, rows)].map((value) => expect.closeTo(value, 6)));
    const up: RowBlock = { ...rows, targets: rows.targets.map((value) => Math.min(value, 1)) };
    const binary = fitLogistic(up, up, { classes: 2 });
    for (const answer of await answersOf(binary.weights, binary.intercepts, { kind: "sigmoid" }))
      expect(answer).toEqual([...answerLogistic(binary, up)].map((value) => expect.closeTo(value, 6)));
  });

  it("isn't made of weights that don't fit", () => {
    const options = { inputName: "features", outputName: "answer", columns: 4, intercepts: null };
    expect(() => buildLinearGraph({ ...options, weights: new Float64Array(6), answer: { kind: "softmax" } })).toThrow(
      "6 weights for 4 columns",
    );
    expect(() => buildLinearGraph({ ...options, weights: new Float64Array(8), answer: { kind: "sigmoid" } })).toThrow(
      "a sigmoid of 2 logits",
    );
    expect(() => buildLinearGraph({ ...options, weights: new Float64Array(8), intercepts: [1], answer: { kind: "softmax" } })).toThrow(
      "1 intercepts for 2",
    );
  });
});
