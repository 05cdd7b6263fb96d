/**
 * Runs a feature set on the market's clock: the one implementation that training, replay and the edge share.
 *
 * The clock is the largest venueTime seen (docs/decisions/0003). Before an event is applied to the book, `advance` writes the rows of all
 * grid times up to the event's own; afterwards `onBook` or `onTrade` hands it to the features. So a row holds what had been received by
 * then and nothing else, and the same events give the same bytes at any speed of replay.
 *
 * Invariants: featureTime strictly increases, through gaps and resyncs too, unless `restart` says that the clock was wrong; rows of one segment are one grid step apart; a column is
 * always finite. A grid time at which the book is one-sided or crossed has no row: everything is forgotten there and a new segment starts.
 * The grid is the whole seconds, or as much later as `phaseMs` says: such rows are what a market whose clock is late by that would write, each dated
 * by the true clock. The edge computes the whole seconds alone.
 * Refused: a time that is not a number, and a leap of the clock by more than an hour, so that no single frame can carry the clock away.
 */

import type { OrderBook } from "../book/order-book.ts";
import type { TradeEvent } from "../market/event.ts";
import { ContentHash } from "../math/hash.ts";
import { isTime, MS_PER_HOUR } from "../units/time.ts";
import { FEATURE_INTERVAL_MS, type Feature, type FeatureContext, type FeatureRow, type FeatureSet } from "./contract.ts";

/** Rows written in one go for a silence of the market. A longer silence is passed over, with a row at each end. */
const MAX_SILENT_ROWS = 60;
/** A venue that is silent for an hour, or says so, has to be asked anew: the caller stops, and starts on a fresh snapshot. */
const MAX_LEAP_MS = MS_PER_HOUR;

/**
 * What became of an event's time. `stopped`: no book yet, nothing was done. `clock-leap`: more than an hour ahead, and `bad-time`: not a
 * time at all; the clock stays where it is. Whether to believe such an event, and start anew at its time, is for the caller to judge.
 */
export type Advance = "advanced" | "stopped" | "clock-leap" | "bad-time";

/** Called for each row; `row` is a view that the next row overwrites. */
export type RowSink = (row: FeatureRow) => void;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class FeaturePipeline {
  readonly featureSet: FeatureSet;
  private readonly features: readonly Feature[];
  private readonly onRow: RowSink | null;
  private readonly current: Writable<FeatureRow>;
  private readonly phaseMs: number;
  private readonly digest = new ContentHash();
  /** Null while stopped. */
  private context: Writable<FeatureContext> | null = null;
  private clock = Number.NEGATIVE_INFINITY;
  private nextTime = Number.NEGATIVE_INFINITY;
  private resetTime = Number.NEGATIVE_INFINITY;
  private hasRow = false;
  private written = 0;

  /** @param options.phaseMs how long after each whole second its row is due, below the interval; 0 unless told. */
  constructor(featureSet: FeatureSet, options: { onRow?: RowSink; phaseMs?: number } = {}) {
    const { phaseMs = 0 } = options;
    if (!(Number.isSafeInteger(phaseMs) && phaseMs >= 0 && phaseMs < FEATURE_INTERVAL_MS)) throw new RangeError(`a phase of ${phaseMs} ms`);
    this.phaseMs = phaseMs;
    this.featureSet = featureSet;
    this.features = featureSet.create();
    this.onRow = options.onRow ?? null;
    const row = new Float64Array(featureSet.columns.length);
    this.current = { featureTime: Number.NEGATIVE_INFINITY, row, bidTicks: 0, askTicks: 0, isWarm: false, segment: 0 };
  }

  /** The row of the last grid time, a view until the next one; null when that time had none, or none has come since the start. */
  get latest(): FeatureRow | null {
    return this.hasRow ? this.current : null;
  }

  /** The market's clock: the largest venueTime accepted; null before the first. */
  get marketTime(): number | null {
    return this.clock === Number.NEGATIVE_INFINITY ? null : this.clock;
  }

  /** Rows written since the pipeline was made. */
  get rowCount(): number {
    return this.written;
  }

  /** 16 hex digits over all rows written, every bit of them, with their times and prices. */
  get rowsHash(): string {
    return this.digest.digest();
  }

  /**
   * The book has just been built (again): forget what was before. The first row is that of the next grid time, and warmth is counted
   * from here. A `marketTime` behind the clock leaves the clock where it is.
   * @returns "bad-time", and stays stopped, when `marketTime` is no time.
   */
  start(marketTime: number, book: OrderBook): "started" | "bad-time" {
    this.stop();
    if (!isTime(marketTime)) return "bad-time";
    this.clock = Math.max(this.clock, marketTime);
    this.context = { book, bookTime: this.clock };
    this.nextTime =
      Math.floor((this.clock - this.phaseMs) / FEATURE_INTERVAL_MS) * FEATURE_INTERVAL_MS + FEATURE_INTERVAL_MS + this.phaseMs;
    this.forget(this.context, this.clock);
    return "started";
  }

  /** The clock itself was wrong: start over at `marketTime`, which may lie before rows already written. A segment of its own. */
  restart(marketTime: number, book: OrderBook): "started" | "bad-time" {
    this.clock = Number.NEGATIVE_INFINITY;
    return this.start(marketTime, book);
  }

  /** The book can't be trusted any more: no rows until the next start. */
  stop(): void {
    this.context = null;
    this.hasRow = false;
  }

  /** Moves the clock to the time of an event that is about to be applied, writing the rows that fall due. Call it before applying. */
  advance(venueTime: number): Advance {
    const context = this.context;
    if (context === null) return "stopped";
    if (venueTime <= this.clock) return "advanced";
    if (!isTime(venueTime)) return "bad-time";
    if (venueTime - this.clock > MAX_LEAP_MS) return "clock-leap";
    this.clock = venueTime;
    if (venueTime < this.nextTime) return "advanced";
    const due = Math.floor((venueTime - this.nextTime) / FEATURE_INTERVAL_MS) + 1;
    if (due > MAX_SILENT_ROWS) this.passOver(context, due);
    else for (let count = 0; count < due; count++) this.step(context, true);
    return "advanced";
  }

  /** The book given to `start` has changed. @param venueTime when, by the venue. */
  onBook(venueTime: number): void {
    if (this.context === null) return;
    this.context.bookTime = isTime(venueTime) ? Math.min(venueTime, this.clock) : this.clock;
    for (const feature of this.features) feature.onBook(this.context);
  }

  onTrade(trade: TradeEvent): void {
    if (this.context === null) return;
    for (const feature of this.features) feature.onTrade(trade);
  }

  /**
   * A long silence: nothing happened in it, so turning the windows over for as long as they remember leaves them as all its seconds would.
   * Written are the first row, which tells of the time before the silence, and the last, which starts a segment: those between are missing.
   */
  private passOver(context: FeatureContext, due: number): void {
    const turns = Math.min(due - 1, Math.ceil(this.featureSet.warmupMs / FEATURE_INTERVAL_MS) + 1);
    this.step(context, true);
    this.nextTime += (due - 1 - turns) * FEATURE_INTERVAL_MS;
    this.current.segment++;
    for (let count = 1; count < turns; count++) this.step(context, false);
    this.step(context, true);
  }

  /** One grid time: the row, where there can be one, and the windows turned over. */
  private step(context: FeatureContext, isEmitted: boolean): void {
    const time = this.nextTime;
    this.nextTime += FEATURE_INTERVAL_MS;
    const bid = context.book.bids.bestTicks;
    const ask = context.book.asks.bestTicks;
    // Below one tick a price has no logarithm: such a book is refused like a one-sided one.
    if (bid === null || ask === null || bid > ask || bid <= 0) {
      this.forget(context, time);
      return;
    }
    this.fill(context, time);
    if (!isEmitted) return;
    this.current.featureTime = time;
    this.current.bidTicks = bid;
    this.current.askTicks = ask;
    this.current.isWarm = time - this.resetTime >= this.featureSet.warmupMs;
    this.emit();
  }

  private fill(context: FeatureContext, time: number): void {
    const row = this.current.row;
    let offset = 0;
    for (const feature of this.features) {
      feature.write(context, time, row, offset);
      offset += feature.columns.length;
    }
    for (let column = 0; column < row.length; column++) {
      // Adding zero makes -0 and 0 one: they are the same number, and would be different bytes.
      const value = (row[column] as number) + 0;
      if (!Number.isFinite(value)) throw new Error(`feature column ${this.featureSet.columns[column]} is ${value} at ${time}`);
      row[column] = value;
    }
  }

  private emit(): void {
    const { featureTime, row, bidTicks, askTicks } = this.current;
    this.digest.integer(featureTime).integer(bidTicks).integer(askTicks);
    for (const value of row) this.digest.float(value);
    this.hasRow = true;
    this.written++;
    this.onRow?.(this.current);
  }

  /** Every feature starts over at `time`, from the book as it stands. */
  private forget(context: FeatureContext, time: number): void {
    this.hasRow = false;
    this.resetTime = time;
    this.current.segment++;
    for (const feature of this.features) {
      feature.reset(time);
      feature.onBook(context);
    }
  }
}
