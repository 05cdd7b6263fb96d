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
  /** When the venue made the book's last change, never after the market's clock; where it doesn't say, when it came by that clock. */
  readonly bookTime: number;
}

/** One column, told to a person. The documentation's table is made of these. */
export interface FeatureColumn {
  /** snake_case; the window last, e.g. "ofi_5s". */
  readonly name: string;
  readonly unit: string;
  readonly formula: string;
  /** The paper, or the convention, that it comes from. */
  readonly source: string;
}

/**
 * One feature (a few columns). Owns its state; `onBook` and `onTrade` are O(1), and `write`, once a second, loops over no more than the
 * window's seconds and the levels it speaks of.
 * A row is written only while both sides of the book are there and not crossed; columns never hold NaN or an infinity.
 */
export interface Feature {
  readonly columns: readonly FeatureColumn[];
  /** Market time that must pass after a reset before the columns mean what they say. */
  readonly warmupMs: number;
  /** The book has changed; also called once after each reset with the book as it then stands. */
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
  /** The same columns with their units, formulas and sources. */
  readonly descriptions: readonly FeatureColumn[];
  readonly warmupMs: number;
  /** 16 hex digits over id, revision and columns. A model refuses to load on another fingerprint. */
  readonly fingerprint: string;
  create(): readonly Feature[];
}

/** One row of the grid. A view into the pipeline: valid until the next row, and whoever wants to keep it copies it. */
export interface FeatureRow {
  /** Grid time on the market's clock, epoch ms. Strictly increasing for the life of a pipeline. */
  readonly featureTime: number;
  /** [columns] */
  readonly row: Float64Array;
  /** Best prices as of featureTime: what a forecast from this row starts at. */
  readonly bidTicks: number;
  readonly askTicks: number;
  /** Every window lies within this segment: the columns mean what they say. */
  readonly isWarm: boolean;
  /** Rows of one segment follow each other second by second, with no gap between; no label may span two. */
  readonly segment: number;
}
