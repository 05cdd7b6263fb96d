/** Losses against numbers worked out by hand, and importances on data whose makers are known. */

import { describe, expect, it } from "vitest";
import { Random } from "../../../core/math/random.ts";
import type { Tree, TreeData, TreeEnsemble } from "../../../training/trees/contract.ts";
import { dataLoss } from "../../../training/trees/data-loss.ts";
import { permutationImportance, splitImportance } from "../../../training/trees/importance.ts";

const ROWS = { columns: 1, weights: null };

describe("the loss of rows", () => {
  it.each([
    [{ kind: "squared-error" } as const, [1, 2], [3, 2], 2],
    [{ kind: "absolute-error" } as const, [1, 2], [3, 1], 1.5],
    // Too low by 2 costs 0.9 each, too high by 1 costs 0.1 each.
    [{ kind: "quantile", level: 0.9 } as const, [1, 2], [3, 1], (0.9 * 2 + 0.1) / 2],
    [{ kind: "log-loss" } as const, [Math.log(3), Math.log(3)], [1, 0], (Math.log(4 / 3) + Math.log(4)) / 2],
    [{ kind: "log-loss" } as const, [1_000, -1_000], [0, 1], 1_000],
    [{ kind: "multiclass", classes: 2 } as const, [0, Math.log(3), 5, 5], [1, 0], (Math.log(4 / 3) + Math.log(2)) / 2],
  ])("by $kind is what its formula says: another measure would stop at another round", (objective, raw, targets, expected) => {
    const data = { ...ROWS, rows: 2, targets: Float32Array.from(targets) };
    expect(dataLoss(objective, Float32Array.from(raw), data)).toBeCloseTo(expected, 6);
  });

  it("weighs its rows, and is null without any", () => {
    const data = { ...ROWS, rows: 2, targets: Float32Array.of(1, 2), weights: Float32Array.of(3, 1) };
    expect(dataLoss({ kind: "squared-error" }, Float32Array.of(0, 0), data)).toBe((3 * 1 + 1 * 4) / 4);
    expect(dataLoss({ kind: "squared-error" }, new Float32Array(0), { ...ROWS, rows: 0, targets: new Float32Array(0) })).toBeNull();
    expect(() => dataLoss({ kind: "squared-error" }, new Float32Array(3), data)).toThrow(/3 answers for 2 rows/);
  });
});

/** sign(column 1) + 0.1 sign(column 2); column 0 is never asked for. */
const stump = (column: number, size: number, gain: number): Tree => ({
  output: 0,
  feature: Int32Array.of(column, -1, -1),
  threshold: Float32Array.of(0, 0, 0),
  isMissingLeft: Uint8Array.of(0, 0, 0),
  left: Int32Array.of(1, -1, -1),
  right: Int32Array.of(2, -1, -1),
  value: Float32Array.of(0, -size, size),
  gain: Float32Array.of(gain, 0, 0),
  cover: Float32Array.of(2, 1, 1),
});
const ensemble: TreeEnsemble = {
  objective: { kind: "squared-error" },
  columns: 3,
  outputs: 1,
  base: Float32Array.of(0),
  trees: [stump(1, 1, 5), stump(2, 0.1, 0.5), stump(1, 0, 0.25)],
};

function rowsOf(rows: number): TreeData {
  const random = new Random(7);
  const features = Float32Array.from({ length: 3 * rows }, () => random.normal());
  const targets = Float32Array.from({ length: rows }, (_, row) => Math.sign(features[3 * row + 1] as number));
  return { rows, columns: 3, features, targets, weights: null };
}

describe("importance", () => {
  it("by gain and by splits adds up each column's own", () => {
    expect(splitImportance(ensemble)).toEqual({ gain: Float64Array.of(0, 5.25, 0.5), splits: Uint32Array.of(0, 2, 1) });
  });

  it("by permutation is what the column's loss would be: a sign guessed wrong half of the time, by 2", () => {
    const { loss, rise, spread } = permutationImportance(ensemble, rowsOf(4_000), { seed: 1, repeats: 8 });
    expect(loss).toBeCloseTo(0.01, 6);
    expect(rise[0]).toBe(0);
    expect(spread?.[0]).toBe(0);
    expect(Math.abs((rise[1] as number) - 2)).toBeLessThan(0.1);
    // The answer's tenth has nothing to do with the target: dealing it changes nothing but by chance.
    expect(Math.abs(rise[2] as number)).toBeLessThan(0.01);
    expect(spread?.[1]).toBeGreaterThan(0);
    expect(spread?.[1]).toBeLessThan(0.1);
  });

  it("by permutation has the spread of a sample: of rises 4, 0, 0 and 0 it is 2, for which 3 is divided by, not 4", () => {
    // Two rows: a deal leaves the column as it is, or turns both signs, at 4 each.
    const data: TreeData = {
      rows: 2,
      columns: 3,
      features: Float32Array.of(0, 1, 0, 0, -1, 0),
      targets: Float32Array.of(1, -1),
      weights: null,
    };
    const { loss, rise, spread } = permutationImportance({ ...ensemble, trees: [stump(1, 1, 5)] }, data, { seed: 0, repeats: 4 });
    expect({ loss, rise: [...rise], spread: [...(spread ?? [])] }).toEqual({ loss: 0, rise: [0, 1, 0], spread: [0, 2, 0] });
  });

  it("by permutation is the same for the same seed, another for another, and leaves the rows as they were", () => {
    const data = rowsOf(100);
    const before = data.features.slice();
    const first = permutationImportance(ensemble, data, { seed: 3, repeats: 2 });
    expect(permutationImportance(ensemble, data, { seed: 3, repeats: 2 })).toEqual(first);
    expect(permutationImportance(ensemble, data, { seed: 4, repeats: 2 }).rise).not.toEqual(first.rise);
    expect(data.features).toEqual(before);
  });

  it("by permutation deals one column at a time: a column left dealt would be blamed on the next", () => {
    const data = rowsOf(500);
    const alone = permutationImportance({ ...ensemble, trees: [stump(2, 0.1, 1)] }, data, { seed: 3, repeats: 3 });
    const beside = permutationImportance({ ...ensemble, trees: [stump(2, 0.1, 1), stump(1, 2 ** -20, 1)] }, data, { seed: 3, repeats: 3 });
    expect(beside.rise[2]).toBeCloseTo(alone.rise[2] as number, 4);
    const { rise } = permutationImportance(ensemble, data, { seed: 3, repeats: 3 });
    expect(Math.abs(rise[2] as number)).toBeLessThan(0.05);
  });

  it("by permutation has no spread from one repeat, and none at all without rows", () => {
    expect(permutationImportance(ensemble, rowsOf(10), { seed: 1, repeats: 1 }).spread).toBeNull();
    expect(() => permutationImportance(ensemble, rowsOf(0), { seed: 1, repeats: 1 })).toThrow(/no rows/);
    expect(() => permutationImportance(ensemble, rowsOf(10), { seed: 1, repeats: 0 })).toThrow(/not 0/);
  });
});
