/** Prices as text. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGrid } from "../../core/units/decimal.ts";
import { forecastPriceText, levelView, midText } from "../../workers/api/prices.ts";

const CENT = { decimals: 2, mantissa: 1 };
const HALF = { decimals: 1, mantissa: 5 };

describe("levels", () => {
  it("are written on the market's own grid, trailing zeros kept", () => {
    expect(levelView(5_000_010, 1_000, { tick: CENT, lot: { decimals: 5, mantissa: 1 } })).toEqual({
      price: "50000.10",
      size: "0.01000",
      priceTicks: 5_000_010,
      sizeLots: 1_000,
    });
  });
});

describe("the mid", () => {
  it("is exact at half a tick, on grids of one and of five", () => {
    expect(midText(10_000, 10_001, CENT)).toBe("100.005");
    expect(midText(3, 4, HALF)).toBe("1.75");
  });

  it("is null unless both sides are there: an empty side lends no price to the other", () => {
    expect([midText(null, 1, CENT), midText(1, null, CENT), midText(null, null, CENT)]).toEqual([null, null, null]);
  });

  it("doubled is the sum of its sides, on any grid", () => {
    const tick = fc.record({ decimals: fc.integer({ min: 0, max: 8 }), mantissa: fc.constantFrom(1, 5, 25) });
    const ticks = fc.integer({ min: 0, max: 1_000_000_000 });
    fc.assert(
      fc.property(ticks, ticks, tick, (bid, ask, grid) => {
        const digits = (midText(bid, ask, grid) ?? "").replace(".", "");
        expect(BigInt(digits) * 2n).toBe(BigInt(bid + ask) * BigInt(grid.mantissa) * 10n);
      }),
    );
  });
});

describe("a forecast price", () => {
  it("on the grid is the price itself with four more digits", () => {
    const tick = parseGrid("0.01000000");
    if (tick === null) throw new Error("0.01 is a grid");
    expect(forecastPriceText(6_000_001, tick)).toBe("60000.010000");
    expect(forecastPriceText(7, HALF)).toBe("3.50000");
  });

  it("that is no number is a bug, never a text", () => {
    for (const ticks of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => forecastPriceText(ticks, CENT)).toThrow(RangeError);
  });
});
