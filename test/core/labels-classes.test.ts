/** Classes of moves: a threshold or a direction that is off by one, and the classifier is taught the opposite of what it will be asked. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancedThreshold, CHANGE_DIRECTIONS, DIRECTIONS, directionOf, nextChanges } from "../../core/labels/classes.ts";

describe("the direction of a move", () => {
  it("is down, flat or up; the threshold itself is flat", () => {
    const labels = [-3, -1, -0.5, 0, 0.5, 1, 1.000_1].map((move) => DIRECTIONS[directionOf(move, 1)]);
    expect(labels).toEqual(["down", "flat", "flat", "flat", "flat", "flat", "up"]);
    expect([-0.1, 0, 0.1].map((move) => DIRECTIONS[directionOf(move, 0)])).toEqual(["down", "flat", "up"]);
  });

  it("of symmetric moves falls in three classes of one size", () => {
    const moves = Float64Array.from({ length: 3_001 }, (_, index) => index - 1_500);
    const threshold = balancedThreshold(moves) ?? Number.NaN;
    expect(threshold).toBe(500);
    const counts = [0, 0, 0];
    for (const move of moves) counts[directionOf(move, threshold)] = (counts[directionOf(move, threshold)] ?? 0) + 1;
    expect(counts).toEqual([1_000, 1_001, 1_000]);
  });

  it("of a market that mostly stands still has the threshold 0: flat is then what has not moved", () => {
    expect(balancedThreshold(Float64Array.of(0, 0, 0, 1, -2, 3))).toBe(0);
    expect(balancedThreshold(new Float64Array(0))).toBeNull();
  });
});

describe("the next change", () => {
  const told = (moves: number[], mask: number[], steps: number): (string | null)[] =>
    Array.from(nextChanges({ moves, mask }, steps), (label) => (label < 0 ? null : (CHANGE_DIRECTIONS[label] ?? "?")));

  it("worked by hand: the first move that is not 0, within so many steps, and none across a gap", () => {
    expect(told([0, 0, 2, 0, -1, 0], [1, 1, 1, 1, 1, 0], 30)).toEqual(["up", "up", "up", "down", "down", null]);
    expect(told([0, 0, 2, 0, -1, 0], [1, 1, 1, 1, 1, 0], 2)).toEqual([null, "up", "up", "down", "down", null]);
    // The second row ends a segment: what moves after it is another's.
    expect(told([0, 0, 5], [1, 0, 1], 30)).toEqual([null, null, "up"]);
  });

  it("is what a walk forward finds, for any market", () => {
    const market = fc.array(fc.tuple(fc.constantFrom(0, 0, 0, 1, -1), fc.constantFrom(1, 1, 1, 0)), { maxLength: 60 });
    fc.assert(
      fc.property(market, fc.integer({ min: 1, max: 8 }), (rows, steps) => {
        const moves = rows.map(([move]) => move);
        const mask = rows.map(([, known]) => known);
        const naive = rows.map((_, row) => {
          for (let at = row; at < rows.length && at < row + steps && mask[at] === 1; at++) {
            if (moves[at] !== 0) return (moves[at] ?? 0) > 0 ? "up" : "down";
          }
          return null;
        });
        expect(told(moves, mask, steps)).toEqual(naive);
      }),
    );
  });
});
