/**
 * The features of one market on its own clock: when they start, how its events' times move them, when the clock itself was wrong.
 *
 * They start at the first change applied after a snapshot (its venueTime), so that where the snapshot was asked for makes no difference.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { FeatureSet } from "../core/features/contract.ts";
import { FeaturePipeline, type RowSink } from "../core/features/pipeline.ts";
import type { TradeEvent } from "../core/market/event.ts";
import { type ClockJudgement, MarketClock } from "./market-clock.ts";

export class MarketFeatures {
  readonly pipeline: FeaturePipeline;
  /** When (received) the newest row was written. */
  lastRowAt: number | null = null;
  private readonly clock = new MarketClock();
  private readonly book: OrderBook;
  private isStarted = false;

  constructor(book: OrderBook, featureSet: FeatureSet, onRow?: RowSink) {
    this.book = book;
    this.pipeline = new FeaturePipeline(featureSet, onRow === undefined ? {} : { onRow });
  }

  /** The market's own clock: the largest venueTime that could be believed. */
  get marketTime(): number | null {
    return this.clock.time;
  }

  /** Writes the rows that are due before an event is applied. */
  moveClock(venueTime: number, receivedAt: number): ClockJudgement {
    const judgement = this.clock.judge(venueTime, receivedAt);
    if (!this.isStarted) return judgement;
    const rows = this.pipeline.rowCount;
    if (judgement === "moved") this.pipeline.advance(venueTime);
    else if (judgement === "set-anew") this.pipeline.restart(venueTime, this.book);
    if (this.pipeline.rowCount > rows) this.lastRowAt = receivedAt;
    return judgement;
  }

  /** A change has been applied to the book. @param clock what `moveClock` said of its time. */
  onBook(venueTime: number, clock: ClockJudgement): void {
    if (this.isStarted) this.pipeline.onBook();
    else if (clock !== "held") this.start(venueTime);
  }

  onTrade(trade: TradeEvent): void {
    if (this.isStarted) this.pipeline.onTrade(trade);
  }

  /** The book is lost: no rows until the first change after the next snapshot. */
  stop(): void {
    this.isStarted = false;
    this.pipeline.stop();
  }

  private start(venueTime: number): void {
    const isClockWrong = (this.pipeline.marketTime ?? venueTime) > (this.clock.time ?? venueTime);
    if (isClockWrong) this.pipeline.restart(venueTime, this.book);
    else this.pipeline.start(venueTime, this.book);
    this.isStarted = true;
  }
}
