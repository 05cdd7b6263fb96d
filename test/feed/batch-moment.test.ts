/**
 * A quote of a moment inside a batch equals nothing that a book ever shows: taken for a contradiction, three of them with a silence behind each empty a right
 * book. Taken for an excuse too easily, a wrong book stands.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { LevelBatch, QuoteEvent } from "../../core/market/event.ts";
import { BatchMoment } from "../../feed/batch-moment.ts";
import { BookCheck, type BookJudgement } from "../../feed/book-check.ts";

const NOW = 1_000_000;
type Levels = readonly (readonly [ticks: number, lots: number])[];

function batchOf(bids: Levels, asks: Levels = []): LevelBatch {
  const all = [...bids, ...asks];
  return {
    bidCount: bids.length,
    askCount: asks.length,
    priceTicks: Float64Array.from(all, ([ticks]) => ticks),
    sizeLots: Float64Array.from(all, ([, lots]) => lots),
  };
}

function bookOf(bids: Levels, asks: Levels = [[200, 1]]): OrderBook {
  const book = new OrderBook();
  book.apply(batchOf(bids, asks));
  return book;
}

function quoteOf(bidTicks: number, bidLots: number | null, askTicks = 200, askLots: number | null = 1): QuoteEvent {
  return { kind: "quote", symbol: "AAA", venueTime: null, sequence: null, bidTicks, bidLots, askTicks, askLots };
}

/** Whether a quote may be of a moment inside the batch that left this book. */
function mayHaveShown(book: OrderBook, named: readonly LevelBatch[], quote: QuoteEvent): boolean {
  const moment = new BatchMoment();
  for (const batch of named) moment.add(batch, NOW);
  return moment.mayHaveShown(book, quote);
}

describe("a quote may be of a moment inside a batch", () => {
  const book = bookOf([
    [100, 5],
    [99, 4],
    [98, 3],
  ]);

  it("where its price was named, whatever its size was then", () => {
    expect(mayHaveShown(book, [batchOf([[100, 5]])], quoteOf(100, 1))).toBe(true);
    expect(mayHaveShown(book, [batchOf([[101, 0]])], quoteOf(101, 7))).toBe(true);
  });

  it("where all before it were named, and it is held with that size", () => {
    const named = batchOf([[100, 5]]);
    expect(mayHaveShown(book, [named], quoteOf(99, 4))).toBe(true);
    expect(mayHaveShown(book, [named], quoteOf(99, null))).toBe(true);
    expect(mayHaveShown(book, [named], quoteOf(99, 2))).toBe(false);
  });

  it("and not where a level before it was left as it is: that one is ours alone", () => {
    expect(mayHaveShown(book, [batchOf([[99, 4]])], quoteOf(99, 1))).toBe(false);
    expect(mayHaveShown(book, [batchOf([[100, 5]])], quoteOf(98, 3))).toBe(false);
  });

  it("nor at a price that nobody has named and we don't hold: the level was lost", () => {
    expect(mayHaveShown(book, [batchOf([[100, 5]])], quoteOf(101, 1))).toBe(false);
    expect(mayHaveShown(book, [batchOf([[102, 0]])], quoteOf(101, null))).toBe(false);
  });

  it("only with both of its sides", () => {
    expect(mayHaveShown(book, [batchOf([[100, 5]], [[199, 0]])], quoteOf(100, 1, 199, 9))).toBe(true);
    expect(mayHaveShown(book, [batchOf([[100, 5]], [[199, 0]])], quoteOf(100, 1, 198, 9))).toBe(false);
    expect(mayHaveShown(book, [batchOf([[100, 5]], [[199, 0]])], quoteOf(99, 9, 199, 9))).toBe(false);
  });

  it("that a venue cut into two messages of one time, and not where those are of two times", () => {
    const halves = [batchOf([[100, 5]]), batchOf([[99, 4]])];
    expect(mayHaveShown(book, halves, quoteOf(98, 3))).toBe(true);
    const moment = new BatchMoment();
    for (const [later, half] of halves.entries()) moment.add(half, NOW + later);
    expect(moment.mayHaveShown(book, quoteOf(98, 3))).toBe(false);
  });

  it("of 256 prices a side, and not at the 257th: what isn't remembered excuses nothing", () => {
    const many = Array.from({ length: 257 }, (_, index) => [10_000 - index, 0] as const);
    expect(mayHaveShown(book, [batchOf(many)], quoteOf(10_000 - 255, 1))).toBe(true);
    expect(mayHaveShown(book, [batchOf(many)], quoteOf(10_000 - 256, 1))).toBe(false);
  });

  it("exactly when some sizes of the named prices make it the top", () => {
    const lots = fc.integer({ min: 0, max: 2 });
    const sizes = fc.array(lots, { minLength: 5, maxLength: 5 });
    const isNamed = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(sizes, isNamed, fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 }), (held, named, at, quoted) => {
        const ours = bookOf(held.map((size, index) => [100 + index, size] as const));
        const batch = batchOf(held.flatMap((size, index) => (named[index] === true ? [[100 + index, size] as const] : [])));
        expect(mayHaveShown(ours, [batch], quoteOf(100 + at, quoted))).toBe(canBeTop(held, named, { at, quoted }));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Of each of five sizes in one number. */
const PLACE = [1, 4, 16, 64, 256] as const;

/** Tries every choice of sizes 0 to 3 at the named prices. Five prices, best last. */
function canBeTop(held: readonly number[], named: readonly boolean[], { at, quoted }: { at: number; quoted: number }): boolean {
  for (let choice = 0; choice < 4 * 4 * 4 * 4 * 4; choice++) {
    const sizes = held.map((size, index) => (named[index] === true ? Math.floor(choice / (PLACE[index] ?? 1)) % 4 : size));
    const best = sizes.findLastIndex((size) => size > 0);
    if (best === at && sizes[best] === quoted) return true;
  }
  return false;
}

describe("a venue whose every quote is of a moment inside a batch, with a silence behind", () => {
  const batchesOf = (min: number, max: number) => {
    const change = fc.tuple(fc.integer({ min, max }), fc.integer({ min: 0, max: 3 }));
    const quietMs = fc.integer({ min: 2_100, max: 9_000 });
    return fc.array(fc.record({ quietMs, changes: fc.array(change, { minLength: 1, maxLength: 6 }) }), { minLength: 5, maxLength: 40 });
  };

  it("breaks no right book, and has no mismatch counted against it", () => {
    fc.assert(
      fc.property(batchesOf(97, 103), (played) => {
        const venue = new BatchedVenue();
        for (const { quietMs, changes } of played) expect(venue.play(quietMs, changes)).not.toContain("broken");
        expect(venue.check.mismatches).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("breaks a book that keeps a best bid which the venue has taken away, by its third quote", () => {
    fc.assert(
      fc.property(batchesOf(90, 99), (played) => {
        const venue = new BatchedVenue();
        venue.lose(100);
        const told = played.slice(0, 5).map(({ quietMs, changes }) => venue.play(quietMs, changes));
        expect(told.slice(0, 4)).toContain("broken");
      }),
      { numRuns: 500 },
    );
  });
});

/** Bids of its own beside those that we hold; the bid at 1 and the ask at 200 never change. */
class BatchedVenue {
  readonly check = new BookCheck();
  private readonly ours = bookOf([
    [100, 1],
    [1, 1],
  ]);
  private readonly venues = bookOf([
    [100, 1],
    [1, 1],
  ]);
  private now = NOW;

  constructor() {
    this.check.replaced(this.ours, this.now);
    this.check.onQuote(quoteOf(100, 1), this.ours, { bookSequence: 1, receivedAt: this.now });
  }

  /** The venue's level goes, and we aren't told. */
  lose(ticks: number): void {
    this.venues.bids.set(ticks, 0);
  }

  /** Quotes the top behind the first change, and tells all changes 50 ms later. */
  play(quietMs: number, changes: Levels): "broken" | "whole" {
    this.now += quietMs;
    const [first] = changes;
    if (first !== undefined) this.venues.bids.set(...first);
    const quote = quoteOf(this.venues.bids.bestTicks ?? 0, this.venues.bids.bestLots);
    const judged: BookJudgement[] = [this.check.onQuote(quote, this.ours, { bookSequence: 1, receivedAt: this.now })];
    this.now += 50;
    for (const level of changes) this.venues.bids.set(...level);
    const named = [...new Set(changes.map(([ticks]) => ticks))].map((ticks) => [ticks, this.venues.bids.lotsAtPrice(ticks)] as const);
    this.ours.apply(batchOf(named));
    judged.push(this.check.onBook(this.ours, 2, this.now), this.check.onLevels(this.ours, batchOf(named), this.now));
    return judged.every((judgement) => judgement === "whole") ? "whole" : "broken";
  }
}
