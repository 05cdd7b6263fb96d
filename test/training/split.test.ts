/** What separates training from test: a row on both sides, or a label that reaches over, makes every score a lie. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { purgeFor, splitByTime } from "../../training/train/split.ts";

const HORIZON = 30_000;
const WARMUP = 31_000;
const PURGE = purgeFor([1_000, HORIZON], WARMUP);

/** Row times in any order, with gaps and with several markets on one clock. */
const rowTimes = fc
  .array(fc.record({ start: fc.integer({ min: 0, max: 5_000 }), rows: fc.integer({ min: 1_000, max: 1_500 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((stretches) =>
    Float64Array.from(stretches.flatMap(({ start, rows }) => Array.from({ length: rows }, (_, index) => (start + index) * 1_000))),
  );

describe("the split by time", () => {
  it("no training label and no training window touches a later part, whatever the order of the rows", () => {
    fc.assert(
      fc.property(rowTimes, fc.double({ min: 0.5, max: 0.7, noNaN: true }), (times, trainShare) => {
        const split = splitByTime(times, { trainShare, validationShare: 0.15, purgeMs: PURGE });
        const range = (rows: Uint32Array): { first: number; last: number } => ({
          first: Math.min(...Array.from(rows, (row) => times[row] as number)),
          last: Math.max(...Array.from(rows, (row) => times[row] as number)),
        });
        const train = range(split.train);
        const validation = range(split.validation);
        const test = range(split.test);
        // The label of t needs prices to t + HORIZON; the features of a later row look back WARMUP.
        expect(train.last + HORIZON).toBeLessThan(validation.first - WARMUP);
        expect(validation.last + HORIZON).toBeLessThan(test.first - WARMUP);
        expect(new Set([...split.train, ...split.validation, ...split.test]).size).toBe(
          split.train.length + split.validation.length + split.test.length,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("loses no more rows than the two purges hold", () => {
    const times = Float64Array.from({ length: 2_000 }, (_, index) => index * 1_000);
    const split = splitByTime(times, { trainShare: 0.7, validationShare: 0.15, purgeMs: PURGE });
    expect(times.length - split.train.length - split.validation.length - split.test.length).toBe((2 * PURGE) / 1_000);
    expect(split.testFrom).toBe(1_700_000);
  });

  it("with all rows in train and validation there is no test part, and none is made up", () => {
    const times = Float64Array.from({ length: 1_000 }, (_, index) => index * 1_000);
    const split = splitByTime(times, { trainShare: 0.8, validationShare: 0.2, purgeMs: PURGE });
    expect(split.test.length).toBe(0);
    expect(split.testFrom).toBeNull();
    expect(split.validation.length).toBe(200);
  });

  it.each([[0], [1], [100]])("%i rows are refused with what to do about it", (rows) => {
    const times = Float64Array.from({ length: rows }, (_, index) => index * 1_000);
    const attempt = () => splitByTime(times, { trainShare: 0.7, validationShare: 0.15, purgeMs: PURGE });
    expect(attempt).toThrow(CommandError);
    expect(attempt).toThrow(/record or simulate longer/);
  });
});
