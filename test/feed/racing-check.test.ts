/** An unnumbered book has one proof, its top beside the venue's quotes: a proof that fails a right book empties it for nothing, one that never fails proves nothing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { QuoteEvent } from "../../core/market/event.ts";
import { type RaceJudgement, RacingCheck } from "../../feed/racing-check.ts";

/** Bid ticks, bid lots, ask ticks, ask lots; null for an empty side. */
type Top = readonly [bid: number | null, bidLots: number, ask: number | null, askLots: number];

const A: Top = [100, 1, 102, 1];
const B: Top = [101, 1, 102, 1];
const C: Top = [101, 2, 103, 1];
const D: Top = [99, 3, 103, 4];
const NEVER: Top = [50, 1, 51, 1];

function bookOf([bid, bidLots, ask, askLots]: Top): OrderBook {
  const book = new OrderBook();
  if (bid !== null) book.bids.set(bid, bidLots);
  if (ask !== null) book.asks.set(ask, askLots);
  return book;
}

function quoteOf([bid, bidLots, ask, askLots]: Top, sizes: "sizes" | "no-sizes" = "sizes"): QuoteEvent {
  if (bid === null || ask === null) throw new Error("a quote has both sides");
  const lots = sizes === "sizes" ? { bidLots, askLots } : { bidLots: null, askLots: null };
  return { kind: "quote", symbol: "AAA", venueTime: null, sequence: null, bidTicks: bid, askTicks: ask, ...lots };
}

/** A check that has seen a book with this top since 0. */
function showing(top: Top): RacingCheck {
  const check = new RacingCheck();
  check.onBook(bookOf(top), 0);
  return check;
}

const counts = ({ agreements, mismatches, passedOver }: RacingCheck): number[] => [agreements, mismatches, passedOver];

describe("a quote of the book's own top", () => {
  it("agrees with what is shown, however long it has been", () => {
    const check = showing(A);
    expect(check.onQuote(quoteOf(A), 3_600_000)).toBe("agrees");
    expect(counts(check)).toEqual([1, 0, 0]);
    expect(check.comparisons).toBe(1);
  });

  it("agrees with what was shown until two seconds ago, and with nothing older: a book that has moved on is not proved by its past", () => {
    for (const [at, judgement] of [
      [3_000, "agrees"],
      [3_001, "undecided"],
    ] as const) {
      const check = showing(A);
      check.onBook(bookOf(B), 1_000);
      expect(check.onQuote(quoteOf(A), at)).toBe(judgement);
    }
  });

  it("agrees with what comes to be shown within two seconds, and with nothing that comes later, whether or not anything else came between", () => {
    for (const [at, judgement, mismatches] of [
      [3_000, "agrees", 0],
      [3_001, "undecided", 1],
    ] as const) {
      const check = showing(A);
      expect(check.onQuote(quoteOf(B), 1_000)).toBe("undecided");
      expect(check.onBook(bookOf(B), at)).toBe(judgement);
      expect(check.mismatches).toBe(mismatches);
      expect(check.comparisons).toBe(1);
    }
  });

  it("is told from the next by each of its four numbers", () => {
    const near: Top[] = [
      [99, 1, 102, 1],
      [100, 2, 102, 1],
      [100, 1, 103, 1],
      [100, 1, 102, 2],
    ];
    for (const top of near) {
      expect(showing(A).onQuote(quoteOf(top), 10)).toBe("undecided");
      const check = showing(C);
      check.onQuote(quoteOf(top), 10);
      expect(check.onBook(bookOf(A), 20)).toBe("undecided");
      expect(check.onBook(bookOf(top), 30)).toBe("agrees");
    }
  });

  it("is compared by price alone where the venue gives no sizes", () => {
    expect(showing(A).onQuote(quoteOf([100, 9, 102, 9], "no-sizes"), 10)).toBe("agrees");
    expect(showing(A).onQuote(quoteOf([101, 1, 102, 1], "no-sizes"), 10)).toBe("undecided");
    const oneSize = { ...quoteOf(A), bidLots: null };
    expect(showing(A).onQuote(oneSize, 10)).toBe("agrees");
    expect(showing([100, 1, 102, 7]).onQuote(oneSize, 10)).toBe("undecided");
  });

  it("is not equalled by a book with an empty side", () => {
    const check = showing([100, 1, null, 0]);
    expect(check.onQuote(quoteOf(A), 10)).toBe("undecided");
    expect(check.onBook(bookOf([null, 0, 102, 1]), 20)).toBe("undecided");
    expect(check.onBook(bookOf(A), 30)).toBe("agrees");
  });

  it("is kept by value: decoders fill the same event again", () => {
    const check = showing(A);
    const event = quoteOf(B);
    check.onQuote(event, 10);
    Object.assign(event, quoteOf(D));
    expect(check.onBook(bookOf(B), 20)).toBe("agrees");
  });
});

describe("a quote of a moment inside a batch", () => {
  it("is passed over when a later one agrees on arrival, and counted as that", () => {
    const check = showing(A);
    check.onQuote(quoteOf(NEVER), 10);
    check.onQuote(quoteOf(NEVER), 20);
    expect(check.onQuote(quoteOf(A), 30)).toBe("agrees");
    expect(counts(check)).toEqual([1, 0, 2]);
  });

  it("is passed over when the book comes to show a later one, and those after that go on waiting", () => {
    const check = showing(A);
    check.onQuote(quoteOf(NEVER), 10);
    check.onQuote(quoteOf(B), 20);
    check.onQuote(quoteOf(C), 30);
    expect(check.onBook(bookOf(B), 40)).toBe("agrees");
    expect(counts(check)).toEqual([1, 0, 1]);
    expect(check.onBook(bookOf(C), 50)).toBe("agrees");
    expect(counts(check)).toEqual([2, 0, 1]);
    check.onBook(bookOf(D), 10_000);
    expect(counts(check)).toEqual([2, 0, 1]);
  });

  it("is a mismatch when two seconds pass with none after it that agrees", () => {
    const check = showing(A);
    check.onQuote(quoteOf(NEVER), 1_000);
    check.onBook(bookOf(A), 3_000);
    expect(check.mismatches).toBe(0);
    check.onBook(bookOf(A), 3_001);
    expect(counts(check)).toEqual([0, 1, 0]);
  });

  it("breaks no book before a silence, however many there were: five trades of one order are one moment", () => {
    const check = showing(A);
    for (let at = 1_000; at < 1_005; at++) check.onQuote(quoteOf(NEVER), at);
    expect(check.onBook(bookOf(B), 10_000)).toBe("undecided");
    expect(counts(check)).toEqual([0, 5, 0]);
  });
});

describe("a book that is not the venue's", () => {
  /** Quotes that nothing equals, `apart` ms from each other, until the book is found broken. @returns how many it took. */
  function quotesUntilFound(check: RacingCheck, apart: number, limit: number): number | null {
    for (let count = 1; count <= limit; count++) if (check.onQuote(quoteOf(NEVER), count * apart) === "disagrees") return count;
    return null;
  }

  it("is found by the third mismatch in a row, of three moments", () => {
    const check = showing(A);
    expect(quotesUntilFound(check, 3_000, 10)).toBe(4);
    expect(counts(check)).toEqual([0, 3, 0]);
  });

  it("is found by the book's own changes too, when the quotes have ended", () => {
    const check = showing(A);
    for (const at of [1_000, 2_000, 3_000]) check.onQuote(quoteOf(NEVER), at);
    expect(check.onBook(bookOf(B), 5_000)).toBe("undecided");
    expect(check.onBook(bookOf(B), 5_001)).toBe("disagrees");
  });

  it("is found by mismatches half a second apart, and not by any closer: those may all be of one batch", () => {
    for (const [apart, judgement] of [
      [500, "disagrees"],
      [499, "undecided"],
    ] as const) {
      const check = showing(A);
      for (const count of [0, 1, 2]) check.onQuote(quoteOf(NEVER), 1_000 + count * apart);
      expect(check.onBook(bookOf(A), 10_000)).toBe(judgement);
      expect(check.mismatches).toBe(3);
    }
  });

  it("has its moments counted anew from the last agreement on", () => {
    const check = showing(A);
    check.onQuote(quoteOf(NEVER), 1_000);
    check.onQuote(quoteOf(B), 1_100);
    for (const at of [1_200, 1_700, 2_200]) check.onQuote(quoteOf(NEVER), at);
    check.onBook(bookOf(A), 3_001);
    expect(check.onBook(bookOf(B), 3_050)).toBe("agrees");
    expect(counts(check)).toEqual([1, 1, 0]);
    expect(check.onBook(bookOf(B), 4_200)).toBe("undecided");
    expect(check.onBook(bookOf(B), 4_201)).toBe("disagrees");
  });

  it("is not found by two, with one that agrees between", () => {
    const check = showing(A);
    for (const at of [1_000, 4_000]) check.onQuote(quoteOf(NEVER), at);
    check.onBook(bookOf(A), 6_500);
    expect(check.mismatches).toBe(2);
    check.onQuote(quoteOf(A), 7_000);
    for (const at of [8_000, 11_000]) expect(check.onQuote(quoteOf(NEVER), at)).toBe("undecided");
    expect(check.onBook(bookOf(A), 13_001)).toBe("undecided");
    expect(check.mismatches).toBe(4);
  });

  it.each([1, 4, 20, 40, 100, 700, 2_500, 30_000])(
    "is found when a quote comes each %i ms: a busy market's wrong book must not outrun the check",
    (apart) => {
      const found = quotesUntilFound(showing(A), apart, 100_000);
      // Three moments of at least half a second apart, each given two seconds; with every quote kept they would be waited for together.
      expect(found).not.toBeNull();
      expect(found).toBeLessThanOrEqual(4 + Math.ceil(6_500 / apart));
    },
  );

  it("is another one after a reset: neither its tops nor its quotes nor its mismatches count against the next, the totals stay", () => {
    const check = showing(A);
    for (const at of [1_000, 4_000, 7_000]) check.onQuote(quoteOf(NEVER), at);
    expect(check.mismatches).toBe(2);
    check.onQuote(quoteOf(B), 7_100);
    check.reset();
    expect(check.onQuote(quoteOf(A), 7_200)).toBe("undecided");
    check.reset();
    expect(check.onBook(bookOf(A), 7_300)).toBe("undecided");
    expect(check.onBook(bookOf(B), 7_400)).toBe("undecided");
    expect(check.onQuote(quoteOf(NEVER), 8_000)).toBe("undecided");
    expect(check.onBook(bookOf(B), 10_001)).toBe("undecided");
    expect(counts(check)).toEqual([0, 3, 0]);
  });
});

describe("the check's memory", () => {
  it("finds the right top among two hundred of the last two seconds", () => {
    const check = new RacingCheck();
    for (let count = 0; count < 250; count++) check.onBook(bookOf([1_000 + count, 1, 2_000, 1]), count);
    expect(check.onQuote(quoteOf([1_000, 1, 2_000, 1]), 250)).toBe("agrees");
    expect(check.onQuote(quoteOf([1_248, 1, 2_000, 1]), 250)).toBe("agrees");
    expect(check.onQuote(quoteOf([1_249, 1, 2_000, 1]), 250)).toBe("agrees");
  });

  it("is of 256 tops, the newest", () => {
    for (const [back, judgement] of [
      [255, "agrees"],
      [256, "undecided"],
    ] as const) {
      const check = new RacingCheck();
      for (let count = 0; count < 300; count++) check.onBook(bookOf([1_000 + count, 1, 2_000, 1]), count);
      expect(check.onQuote(quoteOf([1_299 - back, 1, 2_000, 1]), 300)).toBe(judgement);
    }
  });

  it("is not used up by changes below the top", () => {
    const check = showing(A);
    for (let count = 1; count <= 400; count++) check.onBook(bookOf(B), count);
    expect(check.onQuote(quoteOf(A), 500)).toBe("agrees");
  });

  it("finds the top that a burst of quotes ran ahead of", () => {
    const check = showing(A);
    for (let count = 0; count < 200; count++) check.onQuote(quoteOf([1_000 + count, 1, 2_000, 1]), count);
    expect(check.onBook(bookOf([1_010, 1, 2_000, 1]), 300)).toBe("agrees");
    expect(counts(check)).toEqual([1, 0, 10]);
  });

  it("is of 256 quotes, the newest and the oldest of all, which tells when nothing has agreed for too long", () => {
    for (const [kept, judgement] of [
      [0, "agrees"],
      [44, "undecided"],
      [45, "agrees"],
      [299, "agrees"],
    ] as const) {
      const check = showing(A);
      for (let count = 0; count < 300; count++) check.onQuote(quoteOf([1_000 + count, 1, 2_000, 1]), count);
      expect(check.onBook(bookOf([1_000 + kept, 1, 2_000, 1]), 300)).toBe(judgement);
    }
  });
});

describe("against a reference of plain lists", () => {
  const side = fc.integer({ min: 0, max: 2 });
  const top = fc.tuple(side, side, side, side).map(([bid, bidLots, ask, askLots]): Top => [100 + bid, 1 + bidLots, 103 + ask, 1 + askLots]);
  const emptied = fc.oneof(
    { weight: 9, arbitrary: top },
    { weight: 1, arbitrary: top.map(([, , ask, lots]): Top => [null, 0, ask, lots]) },
  );
  const step = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 2_500 })),
    input: fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("book" as const), top: emptied }) },
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("quote" as const), top, sizes: fc.constantFrom("sizes" as const, "no-sizes" as const) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const) }) },
    ),
  });

  it("says the same of every input", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const check = new RacingCheck();
        const reference = new PlainCheck();
        let at = 1_000_000;
        for (const { wait, input } of steps) {
          at += wait;
          if (input.kind === "reset") {
            check.reset();
            reference.reset();
          } else if (input.kind === "book") {
            expect(check.onBook(bookOf(input.top), at)).toBe(reference.onBook(input.top, at));
          } else {
            const quote = quoteOf(input.top, input.sizes);
            expect(check.onQuote(quote, at)).toBe(reference.onQuote(quote, at));
          }
          expect(counts(check)).toEqual([reference.agreements, reference.mismatches, reference.passedOver]);
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

describe("a model venue that batches its book and quotes each change of its top", () => {
  /** Each batch is some changes of the top, some ms apart; the book is sent as they end. */
  const change = fc.record({
    afterMs: fc.integer({ min: 0, max: 12 }),
    bid: fc.integer({ min: 90, max: 99 }),
    bidLots: fc.integer({ min: 1, max: 3 }),
    ask: fc.integer({ min: 100, max: 109 }),
    askLots: fc.integer({ min: 1, max: 3 }),
  });
  const batches = fc.array(
    fc.record({ quietMs: fc.integer({ min: 0, max: 4_000 }), changes: fc.array(change, { minLength: 1, maxLength: 6 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  /** How much later (or, below 0, earlier) than the book a quote of the same moment comes: the channel's own, and what varies. */
  const lag = fc.integer({ min: -900, max: 900 });
  const jitters = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 20 });

  it("never shows a mismatch to a right book, wherever in a batch its quotes are of and whichever channel is ahead", () => {
    fc.assert(
      fc.property(batches, lag, jitters, (played, lagMs, jitterMs) => {
        const check = new RacingCheck();
        for (const { book, quote, at } of streamOf(played, lagMs, jitterMs)) {
          if (book !== null) expect(check.onBook(bookOf(book), at)).not.toBe("disagrees");
          if (quote !== null) expect(check.onQuote(quoteOf(quote), at)).not.toBe("disagrees");
        }
        // Nothing is left that would become one.
        const last = played.at(-1)?.changes.at(-1);
        if (last !== undefined) check.onBook(bookOf([last.bid, last.bidLots, last.ask, last.askLots]), 1e9);
        expect(check.mismatches).toBe(0);
        expect(check.agreements).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it("finds a book that has missed one removal at its top within ten seconds of quotes, at any rate of them, and no right one", () => {
    const everyMs = fc.constantFrom(3, 10, 45, 120, 500, 1_500, 6_000);
    fc.assert(
      fc.property(everyMs, lag, fc.integer({ min: 1, max: 50 }), fc.integer(), (apart, lagMs, missedAfter, seed) => {
        const check = new RacingCheck();
        const limit = missedAfter + 10 + Math.ceil(10_000 / apart);
        const events: { top: Top; kind: "book" | "quote"; at: number; isWrong: boolean }[] = [];
        for (let count = 0; count < limit; count++) {
          const moment = 1_000_000 + count * apart;
          const walk = Math.abs((seed + count * 7_919) % 5);
          const isWrong = count >= missedAfter;
          // The bid at 98 that the venue took away stays in our book, above all of its bids.
          const right: Top = isWrong ? [90 + walk, 1 + (count % 3), 100 + (count % 4), 1] : [98, 1, 100 + walk, 1];
          events.push({ top: isWrong ? [98, 1, right[2], right[3]] : right, kind: "book", at: moment, isWrong });
          events.push({ top: right, kind: "quote", at: moment + lagMs, isWrong });
        }
        events.sort((one, other) => one.at - other.at);
        let isFound = false;
        for (const { top, kind, at, isWrong } of events) {
          const judgement: RaceJudgement = kind === "book" ? check.onBook(bookOf(top), at) : check.onQuote(quoteOf(top), at);
          if (judgement === "disagrees") isFound = true;
          if (isFound) expect(isWrong).toBe(true);
          if (isFound) break;
        }
        expect(isFound).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

interface Batch {
  readonly quietMs: number;
  readonly changes: readonly { afterMs: number; bid: number; bidLots: number; ask: number; askLots: number }[];
}

/** What comes of the batches on the two channels, in order of receipt. Each channel keeps its order. */
function streamOf(
  batches: readonly Batch[],
  lagMs: number,
  jitterMs: readonly number[],
): { at: number; book: Top | null; quote: Top | null }[] {
  const received: { at: number; book: Top | null; quote: Top | null }[] = [];
  let moment = 1_000_000;
  let lastQuoteAt = 0;
  let count = 0;
  for (const { quietMs, changes } of batches) {
    moment += quietMs;
    let top: Top = [0, 0, 0, 0];
    for (const { afterMs, bid, bidLots, ask, askLots } of changes) {
      moment += afterMs;
      top = [bid, bidLots, ask, askLots];
      lastQuoteAt = Math.max(lastQuoteAt, moment + lagMs + (jitterMs[count++ % jitterMs.length] ?? 0));
      received.push({ at: lastQuoteAt, book: null, quote: top });
    }
    received.push({ at: moment, book: top, quote: null });
  }
  return received.sort((one, other) => one.at - other.at);
}

/** What the header of feed/racing-check.ts says, with everything kept. */
class PlainCheck {
  agreements = 0;
  mismatches = 0;
  passedOver = 0;
  private shown: { top: Top; until: number | null }[] = [];
  private waiting: { quote: QuoteEvent; at: number }[] = [];
  private mismatchedAt: number[] = [];

  onBook(top: Top, at: number): RaceJudgement {
    const present = this.shown.at(-1);
    const isSame = present !== undefined && top.every((value, index) => value === present.top[index]) && top[0] !== null && top[2] !== null;
    if (isSame) return this.lateOnes(at);
    if (present !== undefined) present.until = at;
    this.shown.push({ top, until: null });
    const newest = this.waiting.findLastIndex((entry) => at - entry.at <= 2_000 && isQuoteOf(entry.quote, top));
    if (newest < 0) return this.lateOnes(at);
    this.passedOver += newest;
    this.waiting = this.waiting.slice(newest + 1);
    return this.agreed();
  }

  onQuote(quote: QuoteEvent, at: number): RaceJudgement {
    if (this.shown.some(({ top, until }) => (until === null || at - until <= 2_000) && isQuoteOf(quote, top))) {
      this.passedOver += this.waiting.length;
      this.waiting = [];
      return this.agreed();
    }
    const judgement = this.lateOnes(at);
    this.waiting.push({ quote, at });
    return judgement;
  }

  reset(): void {
    this.shown = [];
    this.waiting = [];
    this.mismatchedAt = [];
  }

  private agreed(): RaceJudgement {
    this.agreements++;
    this.mismatchedAt = [];
    return "agrees";
  }

  private lateOnes(at: number): RaceJudgement {
    const late = this.waiting.filter((entry) => at - entry.at > 2_000);
    this.waiting = this.waiting.filter((entry) => at - entry.at <= 2_000);
    this.mismatches += late.length;
    this.mismatchedAt.push(...late.map((entry) => entry.at));
    return late.length > 0 && momentsOf(this.mismatchedAt) >= 3 ? "disagrees" : "undecided";
  }
}

function isQuoteOf(quote: QuoteEvent, [bid, bidLots, ask, askLots]: Top): boolean {
  const hasSizes = (quote.bidLots === null || quote.bidLots === bidLots) && (quote.askLots === null || quote.askLots === askLots);
  return quote.bidTicks === bid && quote.askTicks === ask && hasSizes;
}

/** Times that are less than half a second after the first of a moment are of that moment. */
function momentsOf(times: readonly number[]): number {
  let moments = 0;
  let first = Number.NEGATIVE_INFINITY;
  for (const time of times) {
    if (time - first < 500) continue;
    first = time;
    moments++;
  }
  return moments;
}
