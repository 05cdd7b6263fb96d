/** Losses prevented: a wrong level taken for the lag between two connections, and a lag taken for a wrong level. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { LastingDifference } from "../../feed/lasting-difference.ts";

type Levels = readonly (readonly [side: "bid" | "ask", ticks: number, lots: number])[];

function bookOf(levels: Levels): OrderBook {
  const book = new OrderBook();
  for (const [side, ticks, lots] of levels) book.side(side).set(ticks, lots);
  return book;
}

function judge(...looks: readonly (readonly [Levels, Levels])[]): boolean {
  const lasting = new LastingDifference();
  for (const [one, other] of looks) lasting.look(bookOf(one), bookOf(other));
  return lasting.isThere;
}

describe("a difference", () => {
  it("lasts where a level is in one book alone, on either side, or has another size all the while", () => {
    expect(judge([[["bid", 10, 5]], []], [[["bid", 10, 5]], []])).toBe(true);
    expect(judge([[], [["ask", 10, 5]]], [[], [["ask", 10, 5]]])).toBe(true);
    expect(judge([[["ask", 10, 5]], [["ask", 10, 6]]], [[["ask", 10, 5]], [["ask", 10, 6]]])).toBe(true);
  });

  it("doesn't where either size has moved, or the books have been equal at one look", () => {
    expect(judge([[["ask", 10, 5]], [["ask", 10, 6]]], [[["ask", 10, 4]], [["ask", 10, 6]]])).toBe(false);
    expect(judge([[["ask", 10, 5]], [["ask", 10, 6]]], [[["ask", 10, 5]], [["ask", 10, 7]]])).toBe(false);
    expect(judge([[["bid", 10, 5]], []], [[], []], [[["bid", 10, 5]], []])).toBe(false);
    expect(judge([[["bid", 10, 5]], []], [[["ask", 10, 5]], []])).toBe(false);
    expect(judge()).toBe(false);
  });

  it("lasts exactly where some level of a side has had the same two sizes, not equal, at every look", () => {
    const level = fc.tuple(fc.constantFrom("bid" as const, "ask" as const), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 }));
    const look = fc.tuple(fc.array(level, { maxLength: 6 }), fc.array(level, { maxLength: 6 }));
    const sizeIn = (levels: Levels, side: string, ticks: number) =>
      levels.findLast((each) => each[0] === side && each[1] === ticks)?.[2] ?? 0;
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 4 }), (looks) => {
        const places = ["bid", "ask"].flatMap((side) => [1, 2, 3, 4].map((ticks) => [side, ticks] as const));
        const lasts = places.some(([side, ticks]) => {
          const pairs = looks.map(([one, other]) => `${sizeIn(one, side, ticks)} ${sizeIn(other, side, ticks)}`);
          return new Set(pairs).size === 1 && !/^(\d) \1$/.test(pairs[0] ?? "");
        });
        expect(judge(...looks)).toBe(lasts);
      }),
    );
  });
});
