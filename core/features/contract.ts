/**
 * What a feature is: a small state machine fed by the market's events, read on a fixed grid of the market's own clock.
 *
 * One implementation serves training and the edge. The clock is the market's: the largest venueTime among the events
 * received so far (docs/decisions/0003). A row for grid time T is written when the first event at or after T arrives, before that event
 * is applied, so it holds exactly what had been received by then, and the same frames give the same bytes at any speed.
 */

import type { OrderBook } from "../book/order-book.ts";
import type { TradeEvent } from "../market/event.ts";

/** The grid on which feature rows are written. */
export const FEATURE_INTERVAL_MS = 1_000;

export interface FeatureContext {
  /** The book after the change was applied. */
  readonly book: OrderBook;
}

/**
 * One feature (a few columns). Owns its state; every method is O(1) per event.
 * A row is written only while both sides of the book are there; columns never hold NaN or an infinity.
 */
export interface Feature {
  readonly columns: readonly string[];
  /** Market time that must pass after a reset before the columns mean what they say. */
  readonly warmupMs: number;
  /** The book has changed. */
  onBook(context: FeatureContext): void;
  onTrade(trade: TradeEvent): void;
  /** The grid moves to `time`: read the columns as of now into out[offset, offset + columns.length), then turn windows over. */
  write(context: FeatureContext, time: number, out: Float64Array, offset: number): void;
  /** Forget everything: called at each gap and when the book is built anew at market time `time`. */
  reset(time: number): void;
}

/** A versioned list of features; `fingerprint` changes whenever columns, order or meaning do. */
export interface FeatureSet {
  readonly id: string;
  readonly columns: readonly string[];
  readonly warmupMs: number;
  /** 16 hex digits over id, revision and columns. A model refuses to load on another fingerprint. */
  readonly fingerprint: string;
  create(): readonly Feature[];
}
