/**
 * What no sequence shows: a book that is unbroken by number and yet can't be the venue's. It is crossed, or its top is not what the venue's own
 * quote says (at the same number where quotes are numbered, at the same moment where they aren't), or numbered quotes have left it behind, or
 * its best levels are not those that the venue itself lists, or its top has left the levels that the snapshot covered and no quote confirms it.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch, QuoteEvent, TopLevelsEvent } from "../core/market/event.ts";
import type { ResyncReason } from "../exchanges/contract.ts";
import { QuoteCheck, type UnmatchedQuote } from "./quote-check.ts";
import { QuoteLead } from "./quote-lead.ts";
import type { RaceJudgement } from "./race.ts";
import { RacingCheck } from "./racing-check.ts";
import { TopLevelsCheck } from "./top-levels-check.ts";

/** How long a top outside the snapshot's window is believed without a venue's quote that says the same. */
const UNCONFIRMED_WINDOW_MS = 10_000;

export type BookJudgement = "whole" | { readonly broken: ResyncReason | "stale"; readonly detail: string };

export class BookCheck {
  private readonly numbered = new QuoteCheck();
  private readonly racing = new RacingCheck();
  private readonly lead = new QuoteLead();
  private readonly levels = new TopLevelsCheck();
  /** Whether the venue's quotes have shown to carry no numbers. */
  private isRacing = false;
  /** The last time at which the top was what the venue's quote says, or lay inside the snapshot's window. */
  private topConfirmedAt = 0;
  /** When a quote last agreed with the book, or the book was built; null before. */
  agreedAt: number | null = null;

  get confirmedAt(): number {
    return this.topConfirmedAt;
  }

  /** Quotes that have come while there was a book. */
  quotes = 0;

  /** Hears of each quote that the book's top didn't equal, once that is certain; null while nobody wants to. */
  set listener(listener: ((unmatched: UnmatchedQuote) => void) | null) {
    this.numbered.listener = listener;
    this.racing.listener = listener;
  }

  get comparisons(): number {
    return this.numbered.comparisons + this.racing.comparisons;
  }

  get mismatches(): number {
    return this.numbered.mismatches + this.racing.mismatches;
  }

  /** Quotes of moments that the book never showed: neither compared nor mismatched. */
  get passedOver(): number {
    return this.racing.passedOver;
  }

  /** Whether the venue's quotes carry numbers, as far as they have shown. */
  get isNumbered(): boolean {
    return !this.isRacing;
  }

  /** Of the venue's own best levels; null where it lists none. */
  get topLevels(): TopLevelsCheck["counts"] {
    return this.levels.counts;
  }

  /** The book was replaced by what a snapshot said at `at`. */
  replaced(book: OrderBook, at: number): void {
    this.topConfirmedAt = at;
    this.agreedAt = at;
    this.lead.reset();
    this.racing.reset();
    this.racing.onBook(book, at);
    this.levels.reset();
    this.levels.onBook(book, null, at);
  }

  /** Quotes of another connection say nothing of this one's. The counts go on. */
  reset(): void {
    this.numbered.reset();
    this.lead.reset();
    this.racing.reset();
    this.levels.reset();
  }

  /** The book has moved to `sequence`. */
  onBook(book: OrderBook, sequence: number, receivedAt: number): BookJudgement {
    if (book.state === "crossed") {
      const detail = `best bid ${book.bids.bestTicks} above best ask ${book.asks.bestTicks} ticks`;
      return { broken: "crossed-book", detail };
    }
    const agreement = this.isRacing ? this.racing.onBook(book, receivedAt) : this.numbered.onBook(book, sequence);
    if (agreement === "disagrees") return this.mismatch(sequence);
    if (agreement === "agrees") this.agreedAt = receivedAt;
    this.lead.onBook(sequence);
    const isInWindow = !book.bids.isWindowExhausted && !book.asks.isWindowExhausted;
    if (isInWindow || agreement === "agrees") this.topConfirmedAt = receivedAt;
    if (receivedAt - this.topConfirmedAt <= UNCONFIRMED_WINDOW_MS) return "whole";
    const detail = "the best price has left the levels that the snapshot covered, and no quote confirms it";
    return { broken: "window-exhausted", detail };
  }

  /** A quote has come while the book stands at `bookSequence`. */
  onQuote(quote: QuoteEvent, book: OrderBook, at: { bookSequence: number | null; receivedAt: number }): BookJudgement {
    this.quotes++;
    if (quote.sequence === null && !this.isRacing) {
      this.isRacing = true;
      this.racing.onBook(book, at.receivedAt);
    }
    const agreement = this.isRacing ? this.racing.onQuote(quote, at.receivedAt) : this.numbered.onQuote(quote, book, at.bookSequence);
    if (agreement === "disagrees") return this.mismatch(quote.sequence);
    if (agreement === "agrees") {
      this.topConfirmedAt = at.receivedAt;
      this.agreedAt = at.receivedAt;
    }
    if (quote.sequence === null || at.bookSequence === null) return "whole";
    if (!this.lead.onQuote(quote.sequence, at.bookSequence, at.receivedAt)) return "whole";
    return { broken: "stale", detail: `the venue's quotes are at ${quote.sequence}, and the book has stayed at ${at.bookSequence}` };
  }

  /** The book has changed, behind its top too. @param changed the levels that were set; null when they are not known. */
  onLevels(book: OrderBook, changed: LevelBatch | null, receivedAt: number): BookJudgement {
    if (this.isRacing && changed !== null) this.racing.onBatch(book, changed, receivedAt);
    return judgementOfLevels(this.levels.onBook(book, changed, receivedAt));
  }

  /** The venue has listed its best levels. */
  onTopLevels(event: TopLevelsEvent, book: OrderBook, receivedAt: number): BookJudgement {
    return judgementOfLevels(this.levels.onTopLevels(event, book, receivedAt));
  }

  private mismatch(sequence: number | null): BookJudgement {
    const where = this.isRacing || sequence === null ? "of the last seconds" : `at ${sequence}`;
    return { broken: "quote-mismatch", detail: `the venue's quotes ${where} differ from the book's top` };
  }
}

function judgementOfLevels(judgement: RaceJudgement): BookJudgement {
  if (judgement !== "disagrees") return "whole";
  return { broken: "levels-mismatch", detail: "the venue's own best levels of the last seconds differ from the book's" };
}
