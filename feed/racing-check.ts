/**
 * The independent check of a book that nothing numbers: the venue's quote beside the book's tops of the last and the next moments (race.ts says
 * which of them decide what). Sizes are compared where the quote gives them.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch, QuoteEvent } from "../core/market/event.ts";
import { BatchMoment } from "./batch-moment.ts";
import type { UnmatchedQuote } from "./quote-check.ts";
import { KEPT_MOMENTS, Race, type RaceJudgement } from "./race.ts";

export type { RaceJudgement } from "./race.ts";

const COLUMNS = 4;

export class RacingCheck {
  /** Hears of each quote that nothing has equalled, when that is settled; null while nobody wants to. */
  listener: ((unmatched: UnmatchedQuote) => void) | null = null;
  /** [KEPT_MOMENTS x COLUMNS] bid ticks, bid lots, ask ticks, ask lots; an empty side is NaN, which equals nothing. */
  private readonly tops = new Float64Array(KEPT_MOMENTS * COLUMNS);
  private readonly batch = new BatchMoment();
  private readonly race = new Race<QuoteEvent>({
    equals: (place, quote) => this.equals(place, quote),
    copy: (quote) => ({ ...quote }),
    onUnmatched: ({ claim, ...settled }) => this.listener?.({ ...settled, quote: claim }),
  });

  /** Quotes that a top equalled. */
  get agreements(): number {
    return this.race.agreements;
  }

  /** Quotes that no top equalled in time, nor any quote after them, and of no moment inside a batch. */
  get mismatches(): number {
    return this.race.mismatches;
  }

  /** Quotes of moments that the book never showed: one after them agreed, or a batch may have had that moment in it. */
  get passedOver(): number {
    return this.race.passedOver;
  }

  get comparisons(): number {
    return this.race.comparisons;
  }

  /** The book has changed. */
  onBook(book: OrderBook, receivedAt: number): RaceJudgement {
    return this.showsAnew(book, receivedAt) ? this.race.shown(receivedAt) : this.race.expire(receivedAt);
  }

  /** What `onBook` was told of was made of these levels. */
  onBatch(book: OrderBook, changed: LevelBatch, receivedAt: number): void {
    if (!this.race.hasWaiting) return;
    this.batch.add(changed, receivedAt);
    this.race.batched((quote) => this.batch.mayHaveShown(book, quote));
  }

  /** A quote has come. */
  onQuote(quote: QuoteEvent, receivedAt: number): RaceJudgement {
    return this.race.claimed(quote, receivedAt);
  }

  /** Another book, or another connection: what was shown and quoted before says nothing of it. The counts go on. */
  reset(): void {
    this.race.reset();
  }

  /** @returns whether the top is another one than before. */
  private showsAnew(book: OrderBook, receivedAt: number): boolean {
    const bidTicks = book.bids.bestTicks ?? Number.NaN;
    const bidLots = book.bids.bestLots ?? Number.NaN;
    const askTicks = book.asks.bestTicks ?? Number.NaN;
    const askLots = book.asks.bestLots ?? Number.NaN;
    const { tops } = this;
    const present = this.race.presentPlace;
    const last = (present ?? 0) * COLUMNS;
    const isSame = tops[last] === bidTicks && tops[last + 1] === bidLots && tops[last + 2] === askTicks && tops[last + 3] === askLots;
    if (present !== null && isSame) return false;
    const next = this.race.nextPlace(receivedAt) * COLUMNS;
    tops[next] = bidTicks;
    tops[next + 1] = bidLots;
    tops[next + 2] = askTicks;
    tops[next + 3] = askLots;
    return true;
  }

  private equals(place: number, { bidTicks, bidLots, askTicks, askLots }: QuoteEvent): boolean {
    const { tops } = this;
    const at = place * COLUMNS;
    return (
      tops[at] === bidTicks &&
      tops[at + 2] === askTicks &&
      (bidLots === null || tops[at + 1] === bidLots) &&
      (askLots === null || tops[at + 3] === askLots)
    );
  }
}
