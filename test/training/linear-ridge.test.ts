/** The ridge line: closed forms by hand, a plain descent as the other implementation, and the columns that make least squares fail. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { answerLogistic, fitLogistic } from "../../training/linear/logistic.ts";
import { normalEquations } from "../../training/linear/normal-equations.ts";
import { answerRidge, fitRidge, type Ridge } from "../../training/linear/ridge.ts";
import type { RowBlock } from "../../training/linear/rows.ts";

/** Rows of one output. */
function rowsOf(inputs: readonly (readonly number[])[], targets: readonly number[], weights?: readonly number[]): RowBlock {
  return {
    rows: inputs.length,
    columns: inputs[0]?.length ?? 0,
    outputs: 1,
    inputs: Float64Array.from(inputs.flat()),
    targets: Float64Array.from(targets),
    mask: new Uint8Array(inputs.length).fill(1),
    ...(weights === undefined ? {} : { weights: Float64Array.from(weights) }),
  };
}

/** Random rows; each cell has a target with the given chance. */
function randomRows(seed: number, shape: { rows: number; columns: number; outputs: number; presence: number }): RowBlock {
  const random = new Random(seed);
  const { rows, columns, outputs, presence } = shape;
  const inputs = Float64Array.from({ length: rows * columns }, () => random.normal());
  const targets = Float64Array.from({ length: rows * outputs }, (_, cell) => {
    const row = Math.floor(cell / outputs);
    return 0.7 * (inputs[row * columns + ((cell % outputs) % columns)] as number) + random.normal();
  });
  const mask = Uint8Array.from({ length: rows * outputs }, () => Number(random.uniform() < presence));
  const weights = Float64Array.from({ length: rows }, () => random.integerBelow(4) / 2);
  return { rows, columns, outputs, inputs, targets, mask, weights };
}

/** The gradient of ½·Σ w·(y - x·β - a)² / Σ w + λ/2·‖β‖², row by row, the last place that of the intercept. */
function gradientOf(rows: RowBlock, output: number, line: { weights: ArrayLike<number>; intercept: number; lambda: number }): number[] {
  const gradient = new Array<number>(rows.columns + 1).fill(0);
  let total = 0;
  for (let row = 0; row < rows.rows; row++) {
    if (rows.mask[row * rows.outputs + output] === 0) continue;
    const weight = rows.weights?.[row] ?? 1;
    total += weight;
    let error = line.intercept - (rows.targets[row * rows.outputs + output] as number);
    for (let column = 0; column < rows.columns; column++)
      error += (line.weights[column] as number) * (rows.inputs[row * rows.columns + column] as number);
    for (let column = 0; column < rows.columns; column++)
      gradient[column] = (gradient[column] as number) + weight * error * (rows.inputs[row * rows.columns + column] as number);
    gradient[rows.columns] = (gradient[rows.columns] as number) + weight * error;
  }
  return gradient.map((value, at) => value / total + (at < rows.columns ? line.lambda * (line.weights[at] as number) : 0));
}

/** Gradient descent in small steps, until nothing moves. */
function descend(
  rows: RowBlock,
  output: number,
  { lambda, hasIntercept }: { lambda: number; hasIntercept: boolean },
): { weights: number[]; intercept: number } {
  let weights = new Array<number>(rows.columns).fill(0);
  let intercept = 0;
  for (let step = 0; step < 4_000; step++) {
    const gradient = gradientOf(rows, output, { weights, intercept, lambda });
    weights = weights.map((value, column) => value - 0.2 * (gradient[column] as number));
    if (hasIntercept) intercept -= 0.2 * (gradient[rows.columns] as number);
  }
  return { weights, intercept };
}

/** The line of one λ, whatever validation would say: the rows themselves choose between it and nothing. */
function lineOf(rows: RowBlock, lambda: number, hasIntercept: boolean): Ridge {
  return fitRidge(rows, rows, { lambdas: [lambda], hasIntercept });
}

const STRAIGHT = rowsOf([[1], [2], [3]], [2, 4, 6]);

describe("a ridge line", () => {
  it("is Σxy / (Σx² + λn): another scale of λ would make every published λ mean something else", () => {
    expect(lineOf(STRAIGHT, 14 / 3, false).weights[0]).toBeCloseTo(1, 14);
    expect(lineOf(STRAIGHT, 0, false).weights[0]).toBeCloseTo(2, 14);
  });

  it("with an intercept is covariance / (variance + λ) about the means, and the intercept isn't shrunk", () => {
    const { weights, intercepts } = lineOf(STRAIGHT, 1 / 3, true);
    expect(weights[0]).toBeCloseTo(4 / 3, 14);
    expect(intercepts[0]).toBeCloseTo(4 / 3, 14);
    // However large the penalty, the mean stays: shrunk too, a market with drift would be forecast at half of it.
    expect(answerRidge(lineOf(STRAIGHT, 1e9, true), STRAIGHT)).toEqual(Float32Array.of(4, 4, 4));
  });

  it("is where a plain descent ends, with weights, absent targets and several outputs", () => {
    const rows = randomRows(3, { rows: 60, columns: 4, outputs: 3, presence: 0.7 });
    for (const hasIntercept of [false, true]) {
      const fit = lineOf(rows, 0.05, hasIntercept);
      for (let output = 0; output < 3; output++) {
        const naive = descend(rows, output, { lambda: 0.05, hasIntercept });
        expect([...fit.weights.subarray(output * 4, output * 4 + 4)]).toEqual(naive.weights.map((value) => expect.closeTo(value, 10)));
        expect(fit.intercepts[output]).toBeCloseTo(naive.intercept, 10);
      }
    }
  });

  it("has no gradient left, for any rows and λ", () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1_000),
          rows: fc.integer({ min: 1, max: 40 }),
          columns: fc.integer({ min: 1, max: 6 }),
          outputs: fc.integer({ min: 1, max: 4 }),
        }),
        fc.constantFrom(0.001, 0.1, 10),
        fc.boolean(),
        ({ seed, ...shape }, lambda, hasIntercept) => {
          const rows = randomRows(seed, { ...shape, presence: 0.6 });
          const fit = lineOf(rows, lambda, hasIntercept);
          for (let output = 0; output < shape.outputs; output++) {
            if (fit.lambdas[output] === null) continue;
            const weights = fit.weights.subarray(output * shape.columns, (output + 1) * shape.columns);
            const gradient = gradientOf(rows, output, { weights, intercept: fit.intercepts[output] as number, lambda });
            for (const value of hasIntercept ? gradient : gradient.slice(0, -1)) expect(Math.abs(value)).toBeLessThan(1e-10);
          }
        },
      ),
    );
  });

  it("of many outputs is that of each alone, bit for bit, though they share sums until their rows part", () => {
    const rows: RowBlock = { ...randomRows(5, { rows: 101, columns: 5, outputs: 4, presence: 1 }), weights: new Float64Array(101).fill(1) };
    // Two pairs that part at row 50, one of which parts again at row 90.
    const mask = rows.mask.map((_, cell) => {
      const [row, output] = [Math.floor(cell / 4), cell % 4];
      return Number(!(row === 50 && output >= 2) && !(row === 90 && output === 1));
    });
    const together = fitRidge({ ...rows, mask }, { ...rows, mask });
    for (let output = 0; output < 4; output++) {
      const only = (values: RowBlock["targets"] | Uint8Array): Float64Array =>
        Float64Array.from({ length: 101 }, (_, row) => values[row * 4 + output] as number);
      const alone: RowBlock = { ...rows, outputs: 1, targets: only(rows.targets), mask: Uint8Array.from(only(mask)) };
      expect(together.weights.slice(output * 5, output * 5 + 5)).toEqual(fitRidge(alone, alone).weights);
    }
    expect(normalEquations({ ...rows, mask }, { hasIntercept: false }).map(({ members }) => members)).toEqual([[0], [1], [2, 3]]);
  });

  it("counts a row of weight 2 as two rows, and one of weight 0 as none", () => {
    const once = rowsOf(
      [
        [1, 0],
        [0.5, 2],
        [-1, 1],
        [3, 3],
      ],
      [1, 2, 3, 4],
      [2, 1, 1, 0],
    );
    const twice = rowsOf(
      [
        [1, 0],
        [1, 0],
        [0.5, 2],
        [-1, 1],
      ],
      [1, 1, 2, 3],
    );
    for (const hasIntercept of [false, true]) {
      const [one, other] = [lineOf(once, 0.1, hasIntercept), lineOf(twice, 0.1, hasIntercept)];
      expect([...one.weights, ...one.intercepts]).toEqual(
        [...other.weights, ...other.intercepts].map((value) => expect.closeTo(value, 12)),
      );
    }
  });

  it("is the same bytes from rows in memory and from blocks of them: a fit from disk would be another model", () => {
    const rows = randomRows(8, { rows: 50, columns: 3, outputs: 2, presence: 0.8 });
    const block = (from: number, to: number): RowBlock => ({
      ...rows,
      rows: to - from,
      inputs: rows.inputs.subarray(from * 3, to * 3),
      targets: rows.targets.subarray(from * 2, to * 2),
      mask: rows.mask.subarray(from * 2, to * 2),
      ...(rows.weights === undefined ? {} : { weights: rows.weights.subarray(from, to) }),
    });
    const blocks = [block(0, 7), block(7, 8), block(8, 8), block(8, 50)];
    for (const hasIntercept of [false, true])
      expect(fitRidge(blocks, blocks, { hasIntercept })).toEqual(fitRidge(rows, rows, { hasIntercept }));
  });
});

describe("rows that are seen through windows", () => {
  it("are their newest row: read from the table's beginning, each target would be taught with another row's inputs", () => {
    // Windows that end with the table's rows 2, 3 and 5.
    const table = Float64Array.of(9, 9, 1, 2, 9, 3);
    const seen: RowBlock = { ...STRAIGHT, inputs: table, windows: { ends: Uint32Array.of(2, 3, 5) } };
    const fit = lineOf(seen, 0, false);
    expect(fit.weights[0]).toBeCloseTo(2, 14);
    expect([...answerRidge(fit, seen)]).toEqual([2, 4, 6].map((value) => expect.closeTo(value, 6)));
    const classes = { ...seen, targets: Float64Array.of(0, 1, 1) };
    const line = fitLogistic(classes, classes, { classes: 2 });
    const plain = { ...classes, inputs: Float64Array.of(1, 2, 3) };
    const { windows: _, ...rows } = plain;
    expect(line).toEqual(fitLogistic(rows, rows, { classes: 2 }));
    expect(answerLogistic(line, classes)).toEqual(answerLogistic(line, rows));
  });
});

describe("columns that least squares alone can't have", () => {
  const random = new Random(2);
  const x = Array.from({ length: 30 }, () => random.normal());
  const y = x.map((value) => 3 * value + 0.1 * random.normal());

  it("a constant one gets no weight beside an intercept", () => {
    const { weights } = lineOf(
      rowsOf(
        x.map((value) => [value, 7]),
        y,
      ),
      1e-4,
      true,
    );
    expect(weights[0]).toBeCloseTo(3, 1);
    expect(weights[1]).toBe(0);
  });

  it("copies share the weight of one", () => {
    const { weights } = lineOf(
      rowsOf(
        x.map((value) => [value, value]),
        y,
      ),
      1e-6,
      false,
    );
    expect(weights[0]).toBeCloseTo(1.5, 1);
    expect(weights[1]).toBeCloseTo(weights[0] ?? 0, 6);
  });

  it("more of them than rows: X(XᵀX)… is solved by the penalty alone", () => {
    // Two rows at right angles, of lengths 5 and 13: w = Σ yᵢ·xᵢ / (|xᵢ|² + λn).
    const { weights } = lineOf(
      rowsOf(
        [
          [3, 4, 0, 0],
          [0, 0, 5, 12],
        ],
        [1, 2],
      ),
      0.5,
      false,
    );
    expect([...weights]).toEqual([3 / 26, 4 / 26, 10 / 170, 24 / 170].map((value) => expect.closeTo(value, 14)));
  });

  it("one far from zero that hardly moves keeps its digits: a price of 100,000 that moves by cents", () => {
    const rows = rowsOf(
      x.map((value) => [1e5 + 0.01 * value]),
      x.map((value) => 1e5 + value),
    );
    const { weights, intercepts } = lineOf(rows, 0, true);
    expect(weights[0]).toBeCloseTo(100, 4);
    expect(intercepts[0]).toBeCloseTo(1e5 - 100 * 1e5, 0);
  });

  it("a penalty of nothing is left out where they repeat each other, and refused where it was the only one", () => {
    const rows = rowsOf(
      x.map((value) => [value, value]),
      y,
    );
    expect(fitRidge(rows, rows, { lambdas: [0, 0.1] }).path.map(({ lambda }) => lambda)).toEqual([0.1]);
    expect(() => fitRidge(rows, rows, { lambdas: [0] })).toThrow(/none of the penalties 0 can be solved: columns repeat each other/);
  });
});

describe("the path of penalties", () => {
  it("validation rows choose, output by output, and the path shows what they said", () => {
    // Trained on slope 1 for both; validated on slope 1/2 and 1/4: 1 / (1 + λ) fits with λ 1 and 3.
    const make = (slopes: readonly number[]): RowBlock => ({
      ...rowsOf([[1], [-1]], [0, 0]),
      outputs: 2,
      targets: Float64Array.of(...slopes, ...slopes.map((slope) => -slope)),
      mask: new Uint8Array(4).fill(1),
    });
    const ridge = fitRidge(make([1, 1]), make([1 / 2, 1 / 4]), { lambdas: [0, 1, 3] });
    expect(ridge.lambdas).toEqual([1, 3]);
    expect([...ridge.weights]).toEqual([expect.closeTo(1 / 2, 15), 1 / 4]);
    expect(ridge.path).toEqual([
      { lambda: 0, validationErrors: [1 / 4, 9 / 16] },
      { lambda: 1, validationErrors: [expect.closeTo(0, 15), expect.closeTo(1 / 16, 15)] },
      { lambda: 3, validationErrors: [1 / 16, 0] },
    ]);
  });

  it("counts validation rows by their weights: a row of weight 3 outvotes one of another mind", () => {
    const train = rowsOf([[1], [-1]], [1, -1]);
    const chosenBy = (weights: readonly number[]): readonly (number | null)[] =>
      fitRidge(train, rowsOf([[1], [1]], [1, 0.2], weights), { lambdas: [0, 4] }).lambdas;
    // Slope 1 and slope 1/5 each fit one of the rows.
    expect(chosenBy([3, 1])).toEqual([0]);
    expect(chosenBy([1, 3])).toEqual([4]);
  });

  it("no line is better than a wrong one: where none beats the constant, the weights are 0", () => {
    const turned = rowsOf([[1], [-1]], [-1, 1]);
    expect(fitRidge(rowsOf([[1], [-1]], [1, -1]), turned)).toMatchObject({ lambdas: [null], weights: Float64Array.of(0) });
    const withDrift = fitRidge(rowsOf([[1], [-1]], [6, 4]), rowsOf([[1], [-1]], [4, 6]), { hasIntercept: true });
    expect(withDrift).toMatchObject({ lambdas: [null], weights: Float64Array.of(0), intercepts: Float64Array.of(5) });
  });
});

describe("what no line can be fitted to is refused, with the place", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])("an input of %s", (value) => {
    expect(() =>
      fitRidge(
        rowsOf(
          [
            [1, 2],
            [3, value],
          ],
          [1, 2],
        ),
        STRAIGHT,
      ),
    ).toThrow(`column 1 of row 1 is ${value}`);
  });

  it("a target that is no number; but not where there is none", () => {
    const rows = rowsOf([[1], [2], [3]], [2, Number.NaN, 6]);
    expect(() => fitRidge(rows, STRAIGHT)).toThrow("target 0 of row 1 is NaN");
    expect(fitRidge({ ...rows, mask: Uint8Array.of(1, 0, 1) }, STRAIGHT, { lambdas: [0] }).weights[0]).toBeCloseTo(2, 14);
  });

  it("weights below 0, penalties below 0, no rows, other columns", () => {
    expect(() => fitRidge(rowsOf([[1]], [1], [-1]), STRAIGHT)).toThrow("row 0 has the weight -1");
    expect(() => fitRidge(STRAIGHT, STRAIGHT, { lambdas: [-1] })).toThrow("a penalty is 0 or more, not -1");
    expect(() => fitRidge([], STRAIGHT)).toThrow("there are no rows");
    expect(() => fitRidge(STRAIGHT, rowsOf([[1, 2]], [1]))).toThrow("validation rows of 2 columns");
  });
});
