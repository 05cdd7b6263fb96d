/**
 * The features of one market on its own clock: when they start, how its events' times move them, when the clock itself was wrong.
 *
 * They start at the first change applied after a snapshot (its venueTime), so that where the snapshot was asked for makes no difference. Several sets run side by side, each
 * told the same at the same time, so that their rows are of the same grid times.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { FeatureSet } from "../core/features/contract.ts";
import { FeaturePipeline, type RowSink } from "../core/features/pipeline.ts";
import type { TradeEvent } from "../core/market/event.ts";
import { type ClockJudgement, MarketClock } from "./market-clock.ts";
import { RowWindow } from "./row-window.ts";

/** A set at work, and its newest rows. */
export interface ComputedSet {
  readonly pipeline: FeaturePipeline;
  readonly window: RowWindow;
}

export class MarketFeatures {
  /** Of the first set: what a minute's row stores. */
  readonly pipeline: FeaturePipeline;
  /** In the order in which they were named. */
  readonly sets: readonly ComputedSet[];
  /** When (received) the newest row was written. */
  lastRowAt: number | null = null;
  private readonly clock = new MarketClock();
  private readonly book: OrderBook;
  private isStarted = false;

  /** @param featureSets at least one. @param options.onRow hears of the first one's rows. @param options.phaseMs of all rows; whole seconds unless told. */
  constructor(
    book: OrderBook,
    featureSets: readonly FeatureSet[],
    { onRow = () => {}, phaseMs = 0 }: { onRow?: RowSink; phaseMs?: number } = {},
  ) {
    this.book = book;
    this.sets = featureSets.map((featureSet, index) => computed(featureSet, { onRow: index === 0 ? onRow : () => {}, phaseMs }));
    const [first] = this.sets;
    if (first === undefined) throw new RangeError("a market needs a feature set");
    this.pipeline = first.pipeline;
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
    if (judgement === "moved") for (const { pipeline } of this.sets) pipeline.advance(venueTime);
    else if (judgement === "set-anew") for (const { pipeline } of this.sets) pipeline.restart(venueTime, this.book);
    if (this.pipeline.rowCount > rows) this.lastRowAt = receivedAt;
    return judgement;
  }

  /** A change has been applied to the book. @param clock what `moveClock` said of its time. */
  onBook(venueTime: number, clock: ClockJudgement): void {
    if (this.isStarted) for (const { pipeline } of this.sets) pipeline.onBook(venueTime);
    else if (clock !== "held") this.start(venueTime);
  }

  onTrade(trade: TradeEvent): void {
    if (this.isStarted) for (const { pipeline } of this.sets) pipeline.onTrade(trade);
  }

  /** The book is lost: no rows until the first change after the next snapshot. */
  stop(): void {
    this.isStarted = false;
    for (const { pipeline, window } of this.sets) {
      pipeline.stop();
      window.clear();
    }
  }

  private start(venueTime: number): void {
    const isClockWrong = (this.pipeline.marketTime ?? venueTime) > (this.clock.time ?? venueTime);
    for (const { pipeline } of this.sets) {
      if (isClockWrong) pipeline.restart(venueTime, this.book);
      else pipeline.start(venueTime, this.book);
    }
    this.isStarted = true;
  }
}

function computed(featureSet: FeatureSet, { onRow, phaseMs }: { onRow: RowSink; phaseMs: number }): ComputedSet {
  const window = new RowWindow(featureSet.columns.length);
  const pipeline = new FeaturePipeline(featureSet, {
    phaseMs,
    onRow: (row) => {
      window.push(row);
      onRow(row);
    },
  });
  return { pipeline, window };
}
