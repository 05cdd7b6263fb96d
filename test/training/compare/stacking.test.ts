/** Weights of a stack: what is known of them beforehand, and by a naive search. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../property-seed.ts";
import { stackedWeights } from "../../../training/compare/combine/stacking.ts";

describe("stacked weights", () => {
  it("are all of the one member that is right, but for the pull to equal shares", () => {
    const moves = Float64Array.of(1, -1, 2, -2, 1, -1);
    const noise = Float64Array.of(1, 1, -1, -1, 1, 1).map((value) => 0.01 * value);
    const [right = 0, wrong = 0] = stackedWeights([moves, noise], moves);
    expect(right).toBeGreaterThan(0.97);
    expect(right + wrong).toBeLessThanOrEqual(1 + 1e-12);
  });

  it("never come to more than 1, however wild validation was: a scale is not learnt from it", () => {
    const forecast = Float64Array.of(1, -1, 2, -2);
    const moves = forecast.map((move) => 3 * move);
    expect([...stackedWeights([forecast, forecast], moves)].map((weight) => weight.toFixed(6))).toEqual(["0.500000", "0.500000"]);
  });

  it("are 0 for a member that says the opposite, not a bet against it", () => {
    const moves = Float64Array.of(1, -1, 2, -2);
    const [right = 0, opposite = 1] = stackedWeights([moves, moves.map((move) => -move)], moves);
    expect(opposite).toBe(0);
    expect(right).toBeGreaterThan(0.9);
  });

  it("cost no more than any weights of a fine grid", () => {
    const rows = fc.array(
      fc.tuple(
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
      ),
      {
        minLength: 5,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(rows, (drawn) => {
        const [one, other, moves] = [0, 1, 2].map((at) => Float64Array.from(drawn, (row) => row[at] as number)) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const [first = 0, second = 0] = stackedWeights([one, other], moves);
        const best = costOf([one, other], moves, [first, second]);
        for (let a = 0; a <= 20; a++) {
          for (let b = 0; a + b <= 20; b++) expect(best).toBeLessThanOrEqual(costOf([one, other], moves, [a / 20, b / 20]) + 1e-6);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** As the header of stacking.ts has it. */
function costOf([one, other]: readonly [Float64Array, Float64Array], moves: Float64Array, [a, b]: readonly [number, number]): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const errors = mean([...moves].map((move, row) => (move - a * (one[row] as number) - b * (other[row] as number)) ** 2));
  const size = mean([...one].map((value, row) => ((value + (other[row] as number)) / 2) ** 2));
  return errors + 0.1 * size * ((a - 0.5) ** 2 + (b - 0.5) ** 2);
}
