/**
 * The independent check of a book's top: the venue's own quote at the same sequence number.
 *
 * A venue sends quotes and depth on separate channels, and depth in batches, so a quote is usually here before the book reaches its
 * sequence. The last few quotes are kept, and compared when the book arrives at exactly one of their numbers, from either side.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { QuoteEvent } from "../core/market/event.ts";

/** Quotes kept: a 100 ms batch of the busiest recorded symbol holds some 60 quotes. */
const KEPT_QUOTES = 256;

/** A quote that the book's top was found not to equal, and what was made of it. */
export interface UnmatchedQuote {
  /** `passed-over`: of a moment that the book never showed, since a later quote agreed, or inside a batch. */
  readonly outcome: "passed-over" | "mismatch";
  /** Of those that carry no number, the quote's own; of others its number and top. */
  readonly quote: Pick<QuoteEvent, "sequence" | "bidTicks" | "bidLots" | "askTicks" | "askLots">;
  /** When it came; null where quotes are numbered: there the number says where it belongs. */
  readonly receivedAt: number | null;
  /** When a later quote agreed, or this one was given up. */
  readonly settledAt: number | null;
}

export class QuoteCheck {
  /** Hears of each quote that its own number's top doesn't equal; null while nobody wants to. */
  listener: ((unmatched: UnmatchedQuote) => void) | null = null;
  comparisons = 0;
  mismatches = 0;
  private readonly sequences = new Float64Array(KEPT_QUOTES).fill(-1);
  /** [KEPT_QUOTES x 4]: bid ticks, bid lots, ask ticks, ask lots. */
  private readonly tops = new Float64Array(KEPT_QUOTES * 4);
  private next = 0;

  /** A quote has come. @returns whether the book, already at its number, disagrees with it. */
  onQuote(quote: QuoteEvent, book: OrderBook, bookSequence: number | null): "agrees" | "disagrees" | "not-comparable" {
    if (quote.sequence === null || quote.bidLots === null || quote.askLots === null) return "not-comparable";
    // Sent twice: compared already, or not comparable then either.
    if (this.sequences.includes(quote.sequence)) return "not-comparable";
    const at = this.next;
    this.next = (at + 1) % KEPT_QUOTES;
    this.sequences[at] = quote.sequence;
    this.tops[at * 4] = quote.bidTicks;
    this.tops[at * 4 + 1] = quote.bidLots;
    this.tops[at * 4 + 2] = quote.askTicks;
    this.tops[at * 4 + 3] = quote.askLots;
    return bookSequence === quote.sequence ? this.compare(at, book) : "not-comparable";
  }

  /** The book has moved to `bookSequence`. */
  onBook(book: OrderBook, bookSequence: number): "agrees" | "disagrees" | "not-comparable" {
    for (let back = 1; back <= KEPT_QUOTES; back++) {
      const at = (this.next - back + KEPT_QUOTES) % KEPT_QUOTES;
      const sequence = this.sequences[at] as number;
      if (sequence === bookSequence) return this.compare(at, book);
      if (sequence < bookSequence) return "not-comparable";
    }
    return "not-comparable";
  }

  /** Quotes of another connection say nothing of this one's sequence. The counts go on. */
  reset(): void {
    this.sequences.fill(-1);
  }

  private compare(at: number, book: OrderBook): "agrees" | "disagrees" {
    this.comparisons++;
    const isEqual =
      book.bids.bestTicks === this.tops[at * 4] &&
      book.bids.bestLots === this.tops[at * 4 + 1] &&
      book.asks.bestTicks === this.tops[at * 4 + 2] &&
      book.asks.bestLots === this.tops[at * 4 + 3];
    if (isEqual) return "agrees";
    this.mismatches++;
    this.listener?.({ outcome: "mismatch", quote: this.quoteAt(at), receivedAt: null, settledAt: null });
    return "disagrees";
  }

  private quoteAt(at: number): UnmatchedQuote["quote"] {
    const [bidTicks = 0, bidLots = 0, askTicks = 0, askLots = 0] = this.tops.subarray(at * 4, at * 4 + 4);
    return { sequence: this.sequences[at] ?? null, bidTicks, bidLots, askTicks, askLots };
  }
}
