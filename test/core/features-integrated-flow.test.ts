/** Integrated order flow: with another component, or the sign turned over, buying would be read as selling. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitIntegratedFlow, integratedFlow } from "../../core/features/fitted/integrated-flow.ts";
import { Random } from "../../core/math/random.ts";
import { largestEigen } from "../../core/math/symmetric-eigen.ts";

describe("the largest eigenvalue", () => {
  it("of [[2, 1], [1, 2]] is 3, along the diagonal; of a diagonal matrix its largest entry, also where that is below zero", () => {
    const { value, vector } = largestEigen(Float64Array.of(2, 1, 1, 2), 2) ?? {};
    expect(value).toBeCloseTo(3, 14);
    expect([...(vector ?? [])]).toEqual([expect.closeTo(Math.SQRT1_2, 14), expect.closeTo(Math.SQRT1_2, 14)]);
    expect(largestEigen(Float64Array.of(-5, 0, 0, 0, -1, 0, 0, 0, -2), 3)).toEqual({ value: -1, vector: Float64Array.of(0, 1, 0) });
    expect(largestEigen(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2)).toBeNull();
  });

  it("satisfies A·v = λ·v, and no direction is stretched by more", () => {
    const entry = fc.double({ min: -10, max: 10, noNaN: true });
    const square = fc.integer({ min: 1, max: 10 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        entries: fc.array(entry, { minLength: size * size, maxLength: size * size }),
        tried: fc.array(entry, { minLength: size, maxLength: size }),
      }),
    );
    fc.assert(
      fc.property(square, ({ size, entries, tried }) => {
        const at = (row: number, column: number): number => entries[Math.min(row, column) * size + Math.max(row, column)] ?? 0;
        const matrix = Float64Array.from(entries, (_, index) => at(Math.floor(index / size), index % size));
        const times = (vector: ArrayLike<number>): number[] =>
          Array.from({ length: size }, (_, row) =>
            Array.from({ length: size }, (_, column) => at(row, column) * (vector[column] ?? 0)).reduce((a, b) => a + b, 0),
          );
        const dot = (left: ArrayLike<number>, right: ArrayLike<number>): number =>
          Array.from(left, (value, index) => value * (right[index] ?? 0)).reduce((a, b) => a + b, 0);
        const { value, vector } = largestEigen(matrix, size) ?? { value: Number.NaN, vector: [] };
        expect(dot(vector, vector)).toBeCloseTo(1, 10);
        for (const [index, stretched] of times(vector).entries()) expect(stretched).toBeCloseTo(value * (vector[index] ?? 0), 8);
        expect(dot(tried, times(tried))).toBeLessThanOrEqual(value * dot(tried, tried) + 1e-8);
      }),
    );
  });
});

describe("integrated flow", () => {
  // Means (1, 2); less them ±(3, 6) and ±(2, -1): a variance of 90 / 3 along (1, 2), of 10 / 3 across.
  const flows = [-2, -4, 4, 8, -1, 3, 3, 1];

  it("worked by hand: weights 1/3 and 2/3 along (1, 2), which has nine tenths of the variance", () => {
    const fitted = fitIntegratedFlow({ flows, levels: 2 });
    expect(fitted?.weights).toEqual([expect.closeTo(1 / 3, 12), expect.closeTo(2 / 3, 12)]);
    expect(fitted?.explainedShare).toBeCloseTo(0.9, 12);
    // Of the row itself, not less the means.
    expect(fitted && integratedFlow(fitted, [3, -6])).toBeCloseTo(-3, 12);
  });

  it("buying at all levels is a positive flow, whichever side the rows were full of", () => {
    const fitted = fitIntegratedFlow({ flows: flows.map((flow) => -flow), levels: 2 });
    expect(fitted?.weights).toEqual([expect.closeTo(1 / 3, 12), expect.closeTo(2 / 3, 12)]);
  });

  it("a level that goes against the others has a weight below zero, and the sizes still add up to 1", () => {
    const fitted = fitIntegratedFlow({ flows: [3, -1, 6, -2, 9, -3], levels: 2 });
    expect(fitted?.weights).toEqual([expect.closeTo(3 / 4, 12), expect.closeTo(-1 / 4, 12)]);
    expect(fitted?.explainedShare).toBeCloseTo(1, 12);
  });

  it("finds the one force behind ten levels in their noise", () => {
    const random = new Random(5);
    const loads = [1, 2, 3, 4, 5, 6, 5, 4, 3, 2];
    const rows = Array.from({ length: 20_000 }, () => {
      const force = random.normal();
      return loads.map((load) => load * force + random.normal());
    }).flat();
    const fitted = fitIntegratedFlow({ flows: rows, levels: 10 });
    expect(fitted?.weights).toEqual(loads.map((load) => expect.closeTo(load / 35, 2)));
    // 145 of force, and ten of noise, of which one lies along it.
    expect(fitted?.explainedShare).toBeCloseTo(146 / 155, 2);
  });

  it("has nothing to say of one row, of rows all alike, or of a flow that is no number", () => {
    expect(fitIntegratedFlow({ flows: [1, 2], levels: 2 })).toBeNull();
    expect(fitIntegratedFlow({ flows: [1, 2, 1, 2, 1, 2], levels: 2 })).toBeNull();
    // A mean of these is not quite one of them.
    expect(fitIntegratedFlow({ flows: Array.from({ length: 14 }, (_, at) => (at % 2 === 0 ? 0.1 : 0.7)), levels: 2 })).toBeNull();
    expect(fitIntegratedFlow({ flows: [1, 2, Number.NaN, 4], levels: 2 })).toBeNull();
    expect(() => fitIntegratedFlow({ flows: [1, 2, 3], levels: 2 })).toThrow(/rows of 2/);
  });
});
