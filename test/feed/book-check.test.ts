/** What no sequence shows: a book that is wrong and goes on looking right. */

import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { QuoteEvent } from "../../core/market/event.ts";
import { BookCheck } from "../../feed/book-check.ts";

const NOW = Date.UTC(2026, 0, 5, 12);

function bookOf(bid: number, ask: number): OrderBook {
  const book = new OrderBook();
  book.bids.set(bid, 1);
  book.asks.set(ask, 1);
  return book;
}

function quoteOf(bid: number, ask: number, sequence: number | null = null): QuoteEvent {
  return { kind: "quote", symbol: "AAA", venueTime: null, sequence, bidTicks: bid, bidLots: 1, askTicks: ask, askLots: 1 };
}

/** A check whose book has this top at NOW, with the venue's quote saying the same. */
function racing(bid: number, ask: number): BookCheck {
  const check = new BookCheck();
  check.replaced(bookOf(bid, ask), NOW);
  check.onQuote(quoteOf(bid, ask), bookOf(bid, ask), { bookSequence: 1, receivedAt: NOW });
  return check;
}

describe("a book whose quotes carry no numbers", () => {
  it("is compared from the first quote on, with the top that it shows then", () => {
    const check = new BookCheck();
    check.replaced(bookOf(10, 12), NOW);
    check.onBook(bookOf(11, 12), 2, NOW + 10);
    expect(check.onQuote(quoteOf(11, 12), bookOf(11, 12), { bookSequence: 2, receivedAt: NOW + 20 })).toBe("whole");
    expect(check).toMatchObject({ comparisons: 1, mismatches: 0, passedOver: 0 });
  });

  it("is compared with tops to come, and not at any number", () => {
    const check = racing(10, 12);
    check.onQuote(quoteOf(11, 13), bookOf(10, 12), { bookSequence: 1, receivedAt: NOW + 10 });
    check.onQuote(quoteOf(11, 12), bookOf(10, 12), { bookSequence: 1, receivedAt: NOW + 20 });
    expect(check.onBook(bookOf(11, 12), 2, NOW + 30)).toBe("whole");
    expect(check).toMatchObject({ comparisons: 2, mismatches: 0, passedOver: 1 });
  });

  it("is broken by quotes of three moments that it never shows, whether a quote or a change brings it to light", () => {
    const broken = { broken: "quote-mismatch", detail: "the venue's quotes of the last seconds differ from the book's top" };
    for (const by of ["quote", "change"] as const) {
      const check = racing(10, 12);
      for (const after of [1_000, 2_000, 3_000])
        check.onQuote(quoteOf(9, 12), bookOf(10, 12), { bookSequence: 1, receivedAt: NOW + after });
      const found =
        by === "change"
          ? check.onBook(bookOf(10, 12), 2, NOW + 5_001)
          : check.onQuote(quoteOf(9, 12), bookOf(10, 12), { bookSequence: 1, receivedAt: NOW + 5_001 });
      expect(found).toEqual(broken);
      expect(check).toMatchObject({ comparisons: 4, mismatches: 3 });
    }
  });

  it("has the past of another book, or of another connection, not held against it", () => {
    for (const begin of ["replaced", "reset"] as const) {
      const check = racing(10, 12);
      for (const after of [1_000, 2_000, 3_000])
        check.onQuote(quoteOf(9, 12), bookOf(10, 12), { bookSequence: 1, receivedAt: NOW + after });
      if (begin === "reset") check.reset();
      else check.replaced(bookOf(20, 22), NOW + 3_500);
      expect(check.onBook(bookOf(20, 22), 2, NOW + 6_000)).toBe("whole");
      expect(check).toMatchObject({ comparisons: 1, mismatches: 0 });
      check.onQuote(quoteOf(20, 22), bookOf(20, 22), { bookSequence: 2, receivedAt: NOW + 6_100 });
      expect(check.comparisons).toBe(2);
    }
  });
});

describe("a book that has just been replaced", () => {
  it("is compared with its own top before it has changed", () => {
    const check = racing(10, 12);
    check.replaced(bookOf(20, 22), NOW + 100);
    check.onQuote(quoteOf(20, 22), bookOf(20, 22), { bookSequence: 1, receivedAt: NOW + 200 });
    expect(check).toMatchObject({ comparisons: 2, mismatches: 0 });
  });
});

describe("a book whose quotes are numbered", () => {
  it("is compared at equal numbers alone, and broken by the first that differs", () => {
    const check = new BookCheck();
    check.replaced(bookOf(10, 12), NOW);
    expect(check.onQuote(quoteOf(10, 13, 4), bookOf(10, 12), { bookSequence: 3, receivedAt: NOW })).toBe("whole");
    expect(check.onQuote(quoteOf(10, 12, 5), bookOf(10, 12), { bookSequence: 4, receivedAt: NOW })).toBe("whole");
    expect(check.onBook(bookOf(10, 12), 5, NOW + 1)).toBe("whole");
    expect(check).toMatchObject({ comparisons: 1, mismatches: 0, passedOver: 0 });
    const detail = "the venue's quotes at 6 differ from the book's top";
    expect(check.onQuote(quoteOf(10, 13, 6), bookOf(10, 12), { bookSequence: 6, receivedAt: NOW })).toEqual({
      broken: "quote-mismatch",
      detail,
    });
  });
});

describe("a crossed book", () => {
  it("is broken, whatever quotes say; a locked one is a market", () => {
    expect(racing(10, 12).onBook(bookOf(13, 12), 2, NOW)).toEqual({
      broken: "crossed-book",
      detail: "best bid 13 above best ask 12 ticks",
    });
    expect(racing(10, 12).onBook(bookOf(12, 12), 2, NOW)).toBe("whole");
  });
});

describe("a top outside the levels that the snapshot covered", () => {
  function outside(bid: number, ask: number): OrderBook {
    const book = bookOf(bid, ask);
    book.bids.markCompleteTo(bid + 5);
    return book;
  }

  it("is believed for ten seconds without a quote that says the same", () => {
    const check = racing(10, 12);
    expect(check.onBook(outside(8, 12), 2, NOW + 10_000)).toBe("whole");
    expect(check.onBook(outside(8, 12), 3, NOW + 10_001)).toMatchObject({ broken: "window-exhausted" });
  });

  it("is believed on while quotes say the same, on their arrival or before it", () => {
    const check = racing(10, 12);
    check.onBook(outside(8, 12), 2, NOW + 9_000);
    check.onQuote(quoteOf(8, 12), outside(8, 12), { bookSequence: 2, receivedAt: NOW + 9_500 });
    expect(check.confirmedAt).toBe(NOW + 9_500);
    check.onQuote(quoteOf(7, 12), outside(8, 12), { bookSequence: 2, receivedAt: NOW + 17_000 });
    expect(check.confirmedAt).toBe(NOW + 9_500);
    check.onBook(outside(7, 12), 3, NOW + 17_500);
    expect(check.confirmedAt).toBe(NOW + 17_500);
    expect(check.onBook(outside(7, 12), 4, NOW + 27_500)).toBe("whole");
    expect(check.onBook(outside(7, 12), 5, NOW + 27_501)).toMatchObject({ broken: "window-exhausted" });
  });

  it("is believed for ten seconds from the snapshot on, however old the one before was", () => {
    const check = racing(10, 12);
    check.replaced(outside(8, 12), NOW + 60_000);
    expect(check.confirmedAt).toBe(NOW + 60_000);
    expect(check.onBook(outside(8, 12), 2, NOW + 70_000)).toBe("whole");
  });

  it("counts on the ask's side as on the bid's", () => {
    const check = racing(10, 12);
    const book = bookOf(10, 15);
    book.asks.markCompleteTo(11);
    expect(check.onBook(book, 2, NOW + 10_001)).toMatchObject({ broken: "window-exhausted" });
  });
});
