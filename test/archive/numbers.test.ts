/** Digits are moved, never computed with: a price that changes on the way in is a lie. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalText, millis, millisOf, millisOfSeconds } from "../../archive/import/decimal-text.ts";
import { SideInference } from "../../archive/import/side-inference.ts";
import type { MarketRecord } from "../../core/wire/market-events.ts";

describe("a decimal", () => {
  it.each([
    [94125.1, "94125.1"],
    [1e-7, "0.0000001"],
    ["1.795e-05", "0.00001795"],
    ["1.5E+3", "1500"],
    ["12.345e1", "123.45"],
    [1e21, "1000000000000000000000"],
    ["007.50", "007.50"],
  ])("%s is %s", (value, text) => {
    expect(decimalText(value)).toBe(text);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "", " 1", "1,5", "0x10", "1e", "1e400", null, {}, "1.", ".5"])(
    "%s is none",
    (value) => {
      expect(decimalText(value)).toBeNull();
    },
  );

  it("of any double is that double", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-20, max: 1e25, noNaN: true }), (value) => {
        const text = decimalText(value);
        expect(Number(text)).toBe(value);
      }),
    );
  });
});

describe("a time", () => {
  it("is cut to ms, whatever unit it came in", () => {
    expect(millisOfSeconds("1757015216.673878")).toBe(1757015216673);
    expect(millisOfSeconds("1757015216.9")).toBe(1757015216900);
    expect(millisOfSeconds("1757015216")).toBe(1757015216000);
    expect(millisOf("1585699205423999", "us")).toBe(1585699205423);
    expect(millisOf("1723161253937085768", "ns")).toBe(1723161253937);
    expect([millisOfSeconds("x"), millisOf("12", "us"), millis("1.5"), millis(null)]).toEqual([null, null, null, null]);
  });
});

describe("the taker's side, inferred", () => {
  const at = { venueTime: null, tradeId: null, sizeLots: 1, takerSide: null } as const;
  const trade = (receivedAt: number, priceTicks: number): MarketRecord => ({ kind: "trade", receivedAt, priceTicks, ...at });
  const book: MarketRecord = { kind: "snapshot", receivedAt: 0, venueTime: null, sequence: null, bids: [[100, 1]], asks: [[102, 1]] };

  function sidesOf(records: readonly MarketRecord[]): unknown[] {
    const sides = new SideInference();
    return records.map((record) => sides.take(record)).flatMap((record) => (record.kind === "trade" ? [record.takerSide] : []));
  }

  it("is the quote's, and at the mid the tick's", () => {
    expect(sidesOf([book, trade(1, 102), trade(2, 100), trade(3, 101), trade(4, 101), trade(5, 99)])).toEqual([
      "buy",
      "sell",
      "buy",
      "buy",
      "sell",
    ]);
  });

  it("is the tick's alone where the book is older than a silence: it may have moved anywhere", () => {
    expect(sidesOf([book, trade(2_000, 104), trade(2_001, 103)])).toEqual(["buy", "sell"]);
  });

  it("is nobody's before anything is known, and after a gap", () => {
    const gap: MarketRecord = { kind: "gap", receivedAt: 20, from: 10, to: 20, reason: "", detail: "" };
    expect(sidesOf([trade(1, 5), trade(2, 6), gap, trade(21, 7), trade(22, 6)])).toEqual([null, "buy", null, "sell"]);
  });

  it("never replaces a source's own", () => {
    const given: MarketRecord = { kind: "trade", receivedAt: 1, priceTicks: 100, ...at, takerSide: "buy" };
    expect(sidesOf([book, given])).toEqual(["buy"]);
  });
});
