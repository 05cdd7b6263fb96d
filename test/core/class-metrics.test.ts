/** Scores of classes by hand, and by what they have to be: a score that flatters a class would choose the wrong model. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { blockIntervals } from "../../core/metrics/block-interval.ts";
import { brierScore } from "../../core/metrics/brier.ts";
import { accuracyOf, confusionCounts } from "../../core/metrics/confusion.ts";
import { logLoss } from "../../core/metrics/log-loss.ts";
import { macroF1 } from "../../core/metrics/macro-f1.ts";
import { matthewsCorrelation } from "../../core/metrics/mcc.ts";
import { r2Interval } from "../../core/metrics/r2-interval.ts";

// Of class 0: two said rightly, one as 1. Of 1: one rightly, one as 2. Of 2: one rightly.
const BY_HAND = { actual: [0, 0, 0, 1, 1, 2], predicted: [0, 0, 1, 1, 2, 2] };
const classRows = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 60 });

describe("of classes", () => {
  it("counts, accuracy, macro-F1 and Matthews' correlation by hand", () => {
    const counts = confusionCounts(BY_HAND, 3);
    expect([...counts]).toEqual([2, 1, 0, 0, 1, 1, 0, 0, 1]);
    expect(accuracyOf(counts, 3)).toBeCloseTo(4 / 6, 15);
    // F1: 2·2/(3+2), 2·1/(2+2), 2·1/(1+2).
    expect(macroF1(counts, 3)).toBeCloseTo((4 / 5 + 1 / 2 + 2 / 3) / 3, 15);
    // came 3 2 1, said 2 2 2: (4·6 - 12) / √((36 - 12)(36 - 14)).
    expect(matthewsCorrelation(counts, 3)).toBeCloseTo(12 / Math.sqrt(24 * 22), 15);
  });

  it("of two classes Matthews' own formula: (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))", () => {
    // TN 5, FP 2, FN 1, TP 4.
    expect(matthewsCorrelation([5, 2, 1, 4], 2)).toBeCloseTo((4 * 5 - 2 * 1) / Math.sqrt(6 * 5 * 7 * 6), 15);
  });

  it("whoever says one class always has no correlation, however common it is: accuracy would praise it", () => {
    const counts = confusionCounts({ actual: [0, 0, 0, 0, 1], predicted: [0, 0, 0, 0, 0] }, 2);
    expect(accuracyOf(counts, 2)).toBe(0.8);
    expect(matthewsCorrelation(counts, 2)).toBe(0);
    // F1 of the class that was never said is 0, and counts.
    expect(macroF1(counts, 2)).toBeCloseTo(8 / 9 / 2, 15);
    expect(matthewsCorrelation(confusionCounts({ actual: [1, 1], predicted: [0, 1] }, 2), 2)).toBeNull();
    expect(macroF1(confusionCounts({ actual: [1, 1], predicted: [1, 1] }, 3), 3)).toBe(1);
    expect([accuracyOf([0, 0, 0, 0], 2), macroF1([0, 0, 0, 0], 2), matthewsCorrelation([0, 0, 0, 0], 2)]).toEqual([null, null, null]);
  });

  it("names of classes don't matter, and all right is 1", () => {
    fc.assert(
      fc.property(classRows, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (pairs, names) => {
        const counts = confusionCounts({ actual: pairs.map(([came]) => came), predicted: pairs.map(([, said]) => said) }, 3);
        const renamed = confusionCounts(
          { actual: pairs.map(([came]) => names[came] as number), predicted: pairs.map(([, said]) => names[said] as number) },
          3,
        );
        expect(macroF1(renamed, 3)).toBeCloseTo(macroF1(counts, 3) as number, 12);
        expect(matthewsCorrelation(renamed, 3) ?? 9).toBeCloseTo(matthewsCorrelation(counts, 3) ?? 9, 12);
        const right = confusionCounts({ actual: pairs.map(([came]) => came), predicted: pairs.map(([came]) => came) }, 3);
        expect(macroF1(right, 3)).toBe(1);
        expect(matthewsCorrelation(right, 3) ?? 1).toBeCloseTo(1, 12);
      }),
    );
  });

  it("refuses classes that are none, and lists of different lengths", () => {
    expect(() => confusionCounts({ actual: [0], predicted: [3] }, 3)).toThrow(RangeError);
    expect(() => confusionCounts({ actual: [-1], predicted: [0] }, 3)).toThrow(RangeError);
    expect(() => confusionCounts({ actual: [0, 1], predicted: [0] }, 3)).toThrow(RangeError);
    expect(() => logLoss([0.5], [0], 2)).toThrow(RangeError);
  });
});

describe("of probabilities", () => {
  it("log-loss and Brier's score by hand", () => {
    const probabilities = Float64Array.of(0.5, 0.25, 0.25, 0.1, 0.8, 0.1);
    expect(logLoss(probabilities, [0, 2], 3)).toBeCloseTo((Math.log(2) + Math.log(10)) / 2, 12);
    // .25 + .0625 + .0625, and .01 + .64 + .81.
    expect(brierScore(probabilities, [0, 2], 3)).toBeCloseTo((0.375 + 1.46) / 2, 15);
    expect([logLoss([], [], 3), brierScore(new Float64Array(), [], 3)]).toEqual([null, null]);
  });

  it("a probability of 0 for what came is dear, and not infinite: one such row would hide all others", () => {
    expect(logLoss([1, 0], [1], 2)).toBeCloseTo(15 * Math.log(10), 6);
    expect(brierScore(Float64Array.of(1, 0), [1], 2)).toBe(2);
  });
});

describe("intervals by blocks", () => {
  it("of R² are those of r2-interval: the same draws of the same blocks", () => {
    const random = new Random(3);
    const actual = Float64Array.from({ length: 500 }, () => random.normal());
    const predicted = actual.map((move) => 0.5 * move + 0.3 * random.normal());
    const options = (): { uniform: () => number; blockRows: number; resamples: number } => {
      const own = new Random(8);
      return { uniform: () => own.uniform(), blockRows: 30, resamples: 200 };
    };
    const expected = r2Interval({ actual, predicted }, options());
    const add = (row: number, out: Float64Array): void => {
      const [move = 0, forecast = 0] = [actual[row], predicted[row]];
      out.set([(move - forecast) * (move - forecast), move * move]);
    };
    const { r2 } = blockIntervals({ rows: 500, width: 2, add }, { r2: ([model = 0, naive = 0]) => 1 - model / naive }, options());
    expect(r2?.low).toBeCloseTo(expected?.low as number, 9);
    expect(r2?.high).toBeCloseTo(expected?.high as number, 9);
  });

  it("of nothing are none", () => {
    const sums = { rows: 0, width: 1, add: () => undefined };
    expect(blockIntervals(sums, { mean: () => 1 }, { uniform: () => 0, blockRows: 1 })).toEqual({ mean: null });
    const silent = { rows: 3, width: 1, add: () => undefined };
    expect(blockIntervals(silent, { mean: () => null }, { uniform: () => 0, blockRows: 1 })).toEqual({ mean: null });
    expect(() => blockIntervals(silent, { mean: () => 1 }, { uniform: () => 0, blockRows: 0 })).toThrow(RangeError);
  });
});
