/**
 * The book at the end of each interval of receive time, from the records.
 *
 * Only a book or a gap moves it on, since trades and quotes don't vouch for a book and a gap is told where it ends. No sample is made where the book isn't known:
 * before the first snapshot, in a gap, and after a longer silence than a day of intervals.
 */

import { OrderBook } from "../../core/book/order-book.ts";
import type { EventLevel, MarketRecord } from "../../core/wire/market-events.ts";
import { levelBatch } from "../level-batch.ts";

/** A book unheard of for as many intervals is no longer vouched for; also the bound on samples of one record. */
const MAX_SILENT_INTERVALS = 1_440;

export interface BookSample {
  /** End of the interval. */
  readonly time: number;
  readonly bids: readonly EventLevel[];
  readonly asks: readonly EventLevel[];
}

export class BookSampler {
  private readonly book = new OrderBook();
  private readonly intervalMs: number;
  private readonly levels: number;
  private isKnown = false;
  private lastAt: number | null = null;

  constructor({ intervalMs, levels }: { intervalMs: number; levels: number }) {
    this.intervalMs = intervalMs;
    this.levels = levels;
  }

  /** @returns the samples that lie before what this record says. */
  take(record: MarketRecord): BookSample[] {
    if (record.kind !== "snapshot" && record.kind !== "depth" && record.kind !== "gap") return [];
    const until = record.kind === "gap" ? Math.min(record.from, record.receivedAt) : record.receivedAt;
    const samples = this.samplesTo(until);
    this.lastAt = Math.max(this.lastAt ?? record.receivedAt, record.receivedAt);
    // An open gap: nothing more is known until the next snapshot.
    if (record.kind === "gap") this.isKnown = this.isKnown && record.to !== null;
    else {
      if (record.kind === "snapshot") this.book.clear();
      this.isKnown = this.isKnown || record.kind === "snapshot";
      this.book.apply(levelBatch(record));
    }
    return samples;
  }

  private samplesTo(until: number): BookSample[] {
    const { intervalMs, lastAt } = this;
    if (!this.isKnown || lastAt === null) return [];
    const samples: BookSample[] = [];
    let time = (Math.floor(lastAt / intervalMs) + 1) * intervalMs;
    for (; time <= until && samples.length < MAX_SILENT_INTERVALS; time += intervalMs) {
      samples.push({ time, bids: this.top("bid"), asks: this.top("ask") });
    }
    return samples;
  }

  private top(side: "bid" | "ask"): EventLevel[] {
    const ladder = this.book.side(side);
    const count = Math.min(this.levels, ladder.levelCount);
    return Array.from({ length: count }, (_, depth): EventLevel => [ladder.ticksAt(depth), ladder.lotsAt(depth)]);
  }
}
