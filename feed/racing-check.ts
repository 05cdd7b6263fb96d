/**
 * The independent check of a book that nothing numbers: the venue's quote beside the book's tops of the last and the next moments.
 *
 * Quote and book come on separate channels and race each other, so a quote is looked for among the tops that the book has just shown, and, where it
 * isn't there, among those that it comes to show. A venue that sends its book in batches (Coinbase, 50 ms) shows quotes of moments inside one,
 * which no book ever equals: such a quote is passed over as soon as a later one agrees. What stays is a quote that no top has equalled in time, with
 * none after it that agreed: a mismatch. One alone may be of a moment inside a batch before a silence, and so may several close together (a large order's
 * trades, each with its quote); mismatches of several moments in a row are a book that is not the venue's.
 *
 * Sizes are compared where the quote gives them. Bounded: the ring of tops forgets the oldest; of more quotes than are kept the oldest stays with the
 * newest, so that what nothing equals is found at any rate.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { QuoteEvent } from "../core/market/event.ts";
import type { UnmatchedQuote } from "./quote-check.ts";

/** How far apart in receive time a quote and the top that it equals may be: some twenty times what recordings show. */
const RACE_MS = 2_000;
/** Tops and quotes remembered: the busiest recorded market whose quotes carry no numbers sends 71 quotes in that time, 45 of them in 50 ms. */
const KEPT_TOPS = 256;
const KEPT_QUOTES = 256;
/** Moments of mismatches in a row that break a book. */
const BREAKING_MOMENTS = 3;
/** Mismatches closer together than this are of one moment: ten batches of a venue that sends its book each 50 ms. */
const MOMENT_MS = 500;
const COLUMNS = 4;

export type RaceJudgement = "agrees" | "disagrees" | "undecided";

export class RacingCheck {
  /** Hears of each quote that nothing has equalled, when that is settled; null while nobody wants to. */
  listener: ((unmatched: UnmatchedQuote) => void) | null = null;
  /** Quotes that a top equalled. */
  agreements = 0;
  /** Quotes that no top equalled in time, nor any quote after them. */
  mismatches = 0;
  /** Quotes of moments that the book never showed, with one after them that agreed. */
  passedOver = 0;
  /** Moments of mismatches since the last agreement, and when the last of them began. */
  private moments = 0;
  private momentAt = Number.NEGATIVE_INFINITY;
  /** [KEPT_TOPS x COLUMNS] bid ticks, bid lots, ask ticks, ask lots; an empty side is NaN, which equals nothing. */
  private readonly tops = new Float64Array(KEPT_TOPS * COLUMNS);
  /** [KEPT_TOPS] until when (received) each top was shown; Infinity for the present one. */
  private readonly shownUntil = new Float64Array(KEPT_TOPS).fill(Number.NEGATIVE_INFINITY);
  private topAt = 0;
  /** Quotes that nothing has equalled yet, oldest first. */
  private waiting: { readonly quote: QuoteEvent; readonly receivedAt: number }[] = [];

  get comparisons(): number {
    return this.agreements + this.mismatches;
  }

  /** The book has changed. */
  onBook(book: OrderBook, receivedAt: number): RaceJudgement {
    if (!this.showsAnew(book, receivedAt)) return this.expire(receivedAt);
    for (let at = this.waiting.length - 1; at >= 0; at--) {
      const entry = this.waiting[at];
      if (entry === undefined || receivedAt - entry.receivedAt > RACE_MS) break;
      if (this.equals(this.topAt, entry.quote)) return this.agree({ passedOver: at, settled: at + 1, receivedAt });
    }
    return this.expire(receivedAt);
  }

  /** A quote has come. */
  onQuote(quote: QuoteEvent, receivedAt: number): RaceJudgement {
    for (let back = 0; back < KEPT_TOPS; back++) {
      const at = (this.topAt - back + KEPT_TOPS) % KEPT_TOPS;
      if ((this.shownUntil[at] as number) < receivedAt - RACE_MS) break;
      if (this.equals(at, quote)) {
        const { length } = this.waiting;
        return this.agree({ passedOver: length, settled: length, receivedAt });
      }
    }
    const judgement = this.expire(receivedAt);
    this.waiting.push({ quote: { ...quote }, receivedAt });
    if (this.waiting.length > KEPT_QUOTES) this.waiting.splice(1, 1);
    return judgement;
  }

  /** Another book, or another connection: what was shown and quoted before says nothing of it. The counts go on. */
  reset(): void {
    this.shownUntil.fill(Number.NEGATIVE_INFINITY);
    this.waiting = [];
    this.forgive();
  }

  /** @returns whether the top is another one than before. */
  private showsAnew(book: OrderBook, receivedAt: number): boolean {
    const bidTicks = book.bids.bestTicks ?? Number.NaN;
    const bidLots = book.bids.bestLots ?? Number.NaN;
    const askTicks = book.asks.bestTicks ?? Number.NaN;
    const askLots = book.asks.bestLots ?? Number.NaN;
    const { tops } = this;
    const last = this.topAt * COLUMNS;
    const isShown = this.shownUntil[this.topAt] === Number.POSITIVE_INFINITY;
    if (isShown && tops[last] === bidTicks && tops[last + 1] === bidLots && tops[last + 2] === askTicks && tops[last + 3] === askLots)
      return false;
    if (isShown) this.shownUntil[this.topAt] = receivedAt;
    this.topAt = (this.topAt + 1) % KEPT_TOPS;
    const next = this.topAt * COLUMNS;
    tops[next] = bidTicks;
    tops[next + 1] = bidLots;
    tops[next + 2] = askTicks;
    tops[next + 3] = askLots;
    this.shownUntil[this.topAt] = Number.POSITIVE_INFINITY;
    return true;
  }

  private equals(top: number, { bidTicks, bidLots, askTicks, askLots }: QuoteEvent): boolean {
    const { tops } = this;
    const at = top * COLUMNS;
    return (
      tops[at] === bidTicks &&
      tops[at + 2] === askTicks &&
      (bidLots === null || tops[at + 1] === bidLots) &&
      (askLots === null || tops[at + 3] === askLots)
    );
  }

  /** A quote agrees: `passedOver` waited before it, and the oldest `settled` wait no more. */
  private agree({ passedOver, settled, receivedAt }: { passedOver: number; settled: number; receivedAt: number }): RaceJudgement {
    this.agreements++;
    this.passedOver += passedOver;
    if (this.listener !== null)
      for (const passed of this.waiting.slice(0, passedOver)) this.listener({ outcome: "passed-over", ...passed, settledAt: receivedAt });
    if (settled > 0) this.waiting.splice(0, settled);
    this.forgive();
    return "agrees";
  }

  private forgive(): void {
    this.moments = 0;
    this.momentAt = Number.NEGATIVE_INFINITY;
  }

  private expire(receivedAt: number): RaceJudgement {
    let judgement: RaceJudgement = "undecided";
    for (let oldest = this.waiting[0]; oldest !== undefined && receivedAt - oldest.receivedAt > RACE_MS; oldest = this.waiting[0]) {
      this.waiting.shift();
      this.mismatches++;
      this.listener?.({ outcome: "mismatch", ...oldest, settledAt: receivedAt });
      if (oldest.receivedAt - this.momentAt >= MOMENT_MS) {
        this.moments++;
        this.momentAt = oldest.receivedAt;
      }
      if (this.moments >= BREAKING_MOMENTS) judgement = "disagrees";
    }
    return judgement;
  }
}
