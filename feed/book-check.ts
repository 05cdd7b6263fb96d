/**
 * What no sequence shows: a book that is unbroken by number and yet can't be the venue's. It is crossed, or its top is not what the venue's own
 * quote says at the same number, or its top has left the levels that the snapshot covered and no quote confirms it.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { QuoteEvent } from "../core/market/event.ts";
import type { ResyncReason } from "../exchanges/contract.ts";
import { QuoteCheck } from "./quote-check.ts";

/** How long a top outside the snapshot's window is believed without a venue's quote that says the same. */
const UNCONFIRMED_WINDOW_MS = 10_000;

export type BookJudgement = "whole" | { readonly broken: ResyncReason; readonly detail: string };

export class BookCheck {
  readonly quotes = new QuoteCheck();
  /** The last time at which the top was what the venue's quote says, or lay inside the snapshot's window. */
  private topConfirmedAt = 0;

  get confirmedAt(): number {
    return this.topConfirmedAt;
  }

  /** The book was replaced by what a snapshot said at `at`. */
  replaced(at: number): void {
    this.topConfirmedAt = at;
  }

  /** The book has moved to `sequence`. */
  onBook(book: OrderBook, sequence: number, receivedAt: number): BookJudgement {
    if (book.state === "crossed") {
      const detail = `best bid ${book.bids.bestTicks} above best ask ${book.asks.bestTicks} ticks`;
      return { broken: "crossed-book", detail };
    }
    const agreement = this.quotes.onBook(book, sequence);
    if (agreement === "disagrees") return mismatchAt(sequence);
    const isInWindow = !book.bids.isWindowExhausted && !book.asks.isWindowExhausted;
    if (isInWindow || agreement === "agrees") this.topConfirmedAt = receivedAt;
    if (receivedAt - this.topConfirmedAt <= UNCONFIRMED_WINDOW_MS) return "whole";
    const detail = "the best price has left the levels that the snapshot covered, and no quote confirms it";
    return { broken: "window-exhausted", detail };
  }

  /** A quote has come while the book stands at `bookSequence`. */
  onQuote(quote: QuoteEvent, book: OrderBook, at: { bookSequence: number | null; receivedAt: number }): BookJudgement {
    const agreement = this.quotes.onQuote(quote, book, at.bookSequence);
    if (agreement === "disagrees") return mismatchAt(quote.sequence);
    if (agreement === "agrees") this.topConfirmedAt = at.receivedAt;
    return "whole";
  }
}

function mismatchAt(sequence: number | null): BookJudgement {
  return { broken: "quote-mismatch", detail: `the venue's quote at ${sequence} differs from the book's top` };
}
