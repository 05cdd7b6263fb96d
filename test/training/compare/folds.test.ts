/** Folds by time: no row of one part shares a price with a row of the next, and none is scored that was fitted. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../property-seed.ts";
import { CommandError } from "../../../training/command-error.ts";
import { datedFold, type Fold, walkForwardFolds } from "../../../training/compare/folds.ts";

const TIMES = Float64Array.from({ length: 1_000 }, (_, second) => 1_000 * second);

describe("a fold by dates", () => {
  it("fits what lies before, validates its last share, scores from the date on, and leaves the purge out twice", () => {
    const fold = datedFold(TIMES, { fitUntil: 600_000, testFrom: 600_000 }, { validationShare: 0.25, purgeMs: 20_000 });
    // A quarter of the 600 seconds validates: from 450 on, until 20 before the 600.
    expect(ends(fold.fit)).toEqual([0, 429]);
    expect(ends(fold.validation)).toEqual([450, 579]);
    expect(ends(fold.test)).toEqual([600, 999]);
  });

  it("leaves nothing more out where the dates lie farther apart than the purge", () => {
    const fold = datedFold(TIMES, { fitUntil: 600_000, testFrom: 700_000, testTo: 800_000 }, { validationShare: 0.25, purgeMs: 20_000 });
    expect(ends(fold.validation)).toEqual([450, 599]);
    expect(ends(fold.test)).toEqual([700, 799]);
  });

  it("refuses a test that begins before fitting ends, and parts of a handful of rows", () => {
    const settings = { validationShare: 0.25, purgeMs: 20_000 };
    expect(() => datedFold(TIMES, { fitUntil: 600_000, testFrom: 500_000 }, settings)).toThrow(CommandError);
    expect(() => datedFold(TIMES, { fitUntil: 60_000, testFrom: 60_000 }, settings)).toThrow(/only \d+ rows are left for fit|only 0/);
  });
});

describe("walk-forward folds", () => {
  const settings = { validationShare: 0.2, purgeMs: 5_000, folds: 4, firstShare: 0.5 } as const;

  it("score each row of the second half once, in order", () => {
    const folds = walkForwardFolds(TIMES, { ...settings, walk: "expanding" });
    expect(folds.map(({ test }) => ends(test))).toEqual([
      [500, 624],
      [625, 749],
      [750, 874],
      [875, 999],
    ]);
    expect(folds.map(({ fit }) => fit[0])).toEqual([0, 0, 0, 0]);
  });

  it("that roll fit as much as the first one did, the oldest let go", () => {
    const folds = walkForwardFolds(TIMES, { ...settings, walk: "rolling" });
    expect(folds.map(({ fit }) => fit[0])).toEqual([0, 125, 250, 375]);
  });

  it("never fit or validate within a purge of what they score, whatever the clock does", () => {
    const clock = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 400, maxLength: 600 });
    fc.assert(
      fc.property(
        clock,
        fc.integer({ min: 0, max: 60 }),
        fc.constantFrom("expanding" as const, "rolling" as const),
        (steps, purge, walk) => {
          let now = 0;
          const times = Float64Array.from(steps, (step) => (now += 1_000 * step));
          const folds = foldsOrNone(() => walkForwardFolds(times, { ...settings, walk, folds: 2, purgeMs: 1_000 * purge }));
          for (const { fit, validation, test } of folds) {
            const at = (row: number | undefined): number => times[row ?? -1] ?? Number.NaN;
            expect(at(fit.at(-1)) + 1_000 * purge).toBeLessThan(at(validation[0]));
            expect(at(validation.at(-1)) + 1_000 * purge).toBeLessThan(at(test[0]) + 1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

function foldsOrNone(make: () => Fold[]): Fold[] {
  try {
    return make();
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}

function ends(rows: Uint32Array): (number | undefined)[] {
  return [rows[0], rows.at(-1)];
}
