/** Moves in bps and in ticks: mixed up, an error of a tenth of a tick would be taken for one of ten. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bpsOfTicks, moveBps, ticksOfMove } from "../../core/math/bps.ts";

describe("a move", () => {
  it("of a price of 40,000 ticks is four ticks a bps", () => {
    expect(ticksOfMove(1, 40_000)).toBe(4);
    expect(ticksOfMove(-2.5, 40_000)).toBe(-10);
    expect(bpsOfTicks(10, 40_000)).toBe(2.5);
    expect(ticksOfMove(moveBps(40_000, 40_003), 40_000)).toBeCloseTo(3, 10);
  });

  it("in bps, told in ticks and back, is the same move", () => {
    fc.assert(
      fc.property(fc.double({ min: -500, max: 500, noNaN: true }), fc.integer({ min: 1, max: 2 ** 40 }), (move, price) => {
        expect(bpsOfTicks(ticksOfMove(move, price), price)).toBeCloseTo(move, 9);
      }),
    );
  });
});
