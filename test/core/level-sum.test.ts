/** A book's sum of levels stands for its content while two connections are compared: one that drifts from the levels lets a wrong book pass, or breaks a right one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { LevelBatch } from "../../core/market/event.ts";

type Levels = readonly (readonly [ticks: number, lots: number])[];

function batchOf(bids: Levels, asks: Levels): LevelBatch {
  const all = [...bids, ...asks];
  return {
    bidCount: bids.length,
    askCount: asks.length,
    priceTicks: Float64Array.from(all, ([ticks]) => ticks),
    sizeLots: Float64Array.from(all, ([, lots]) => lots),
  };
}

function bookOf(bids: Levels, asks: Levels = []): OrderBook {
  const book = new OrderBook();
  book.apply(batchOf(bids, asks));
  return book;
}

describe("the sum of a book's levels", () => {
  it("tells a bid from an ask, a price from a size, and a size from the next, also beyond 32 bits", () => {
    const books = [
      bookOf([]),
      bookOf([[3, 5]]),
      bookOf([[5, 3]]),
      bookOf([], [[3, 5]]),
      bookOf([[3, 6]]),
      bookOf([[3, 5 + 2 ** 32]]),
      bookOf([[3 + 2 ** 32, 5]]),
      bookOf([
        [3, 5],
        [5, 3],
      ]),
      bookOf([
        [3, 3],
        [5, 5],
      ]),
    ];
    expect(new Set(books.map((book) => book.levelSum)).size).toBe(books.length);
  });

  it("is the same whatever order led there", () => {
    expect(
      bookOf(
        [
          [3, 5],
          [9, 1],
        ],
        [[12, 4]],
      ).levelSum,
    ).toBe(
      bookOf(
        [
          [9, 1],
          [3, 5],
        ],
        [[12, 4]],
      ).levelSum,
    );
  });

  const level = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }));
  const levels = fc.array(level, { maxLength: 5 });
  const step = fc.record({ kind: fc.constantFrom("apply", "apply", "apply", "replace", "copy", "clear"), bids: levels, asks: levels });

  it("carried along is that of the levels that are there, and equal exactly where the whole books' hashes are", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const [one, other] = [new OrderBook(), new OrderBook()];
        expect(one.levelSum).toBe(other.levelSum);
        for (const [at, { kind, bids, asks }] of steps.entries()) {
          const book = at % 2 === 0 ? one : other;
          const batch = batchOf(
            bids,
            asks.map(([ticks, lots]) => [ticks + 10, lots] as const),
          );
          if (kind === "apply") book.apply(batch);
          else if (kind === "replace") book.replace(batch, []);
          else if (kind === "copy") book.copyFrom(book === one ? other : one);
          else book.clear();
          const anew = new OrderBook();
          anew.copyFrom(book);
          expect(book.levelSum).toBe(anew.levelSum);
          expect(one.levelSum === other.levelSum).toBe(one.contentHash() === other.contentHash());
        }
      }),
      { numRuns: 500 },
    );
  });

  it("begins anew after it was ended: what came between is in it", () => {
    const book = bookOf([[3, 5]]);
    expect(book.levelSum).not.toBe(0);
    book.endSum();
    book.apply(
      batchOf(
        [
          [3, 0],
          [4, 1],
        ],
        [],
      ),
    );
    expect(book.levelSum).toBe(bookOf([[4, 1]]).levelSum);
  });
});
