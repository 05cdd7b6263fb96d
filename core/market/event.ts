/**
 * The normalised market event: what every venue's frames become.
 *
 * Events are views into buffers that their decoder owns: they are valid until the next call of that decoder,
 * and whoever wants to keep one copies it. That is what makes a level update free of allocation.
 */

import type { TakerSide } from "../units/side.ts";

/** Price levels of one message: bids first, then asks. Sizes are absolute; 0 removes the level. */
export interface LevelBatch {
  bidCount: number;
  askCount: number;
  /** [capacity] bids in [0, bidCount), asks in [bidCount, bidCount + askCount). */
  priceTicks: Float64Array;
  /** [capacity] beside priceTicks. */
  sizeLots: Float64Array;
}

/**
 * Changes since the last message of this book. The sequence numbers are the venue's own; of a venue that has none, the decoder's count of
 * this book's messages since its snapshot.
 */
export interface DepthEvent {
  kind: "depth";
  symbol: string;
  /** Epoch ms by the venue's clock. */
  venueTime: number;
  firstSequence: number;
  lastSequence: number;
  /** The last sequence of the message before, where the venue names it (Binance futures `pu`); null elsewhere. */
  previousSequence: number | null;
  levels: LevelBatch;
}

/** The whole book down to the venue's limit; replaces what was there. */
export interface SnapshotEvent {
  kind: "snapshot";
  symbol: string;
  /** Null where the venue does not say when it was taken (Binance spot). */
  venueTime: number | null;
  lastSequence: number;
  levels: LevelBatch;
}

export interface TradeEvent {
  kind: "trade";
  symbol: string;
  venueTime: number;
  /** The venue's own; where that is text, 52 bits of it. */
  tradeId: number;
  priceTicks: number;
  sizeLots: number;
  takerSide: TakerSide;
}

/** The venue's own best bid and ask: the L1 quote, and the independent check of the book's top. */
export interface QuoteEvent {
  kind: "quote";
  symbol: string;
  /** Null where the venue's message carries no time (Binance spot). */
  venueTime: number | null;
  /** Null where the quote carries no number of the book's. */
  sequence: number | null;
  bidTicks: number;
  /** Null where the venue's message says no sizes. */
  bidLots: number | null;
  askTicks: number;
  askLots: number | null;
}

/** The venue's own best levels, all of them at once: a check of the book, which it never changes. */
export interface TopLevelsEvent {
  kind: "top-levels";
  symbol: string;
  venueTime: number;
  /** Levels a side that the venue says at most: a side with fewer has no more. */
  depth: number;
  /** Best first. */
  levels: LevelBatch;
}

/** One bar of a venue's own candles. Prices in ticks, volumes in lots. */
export interface KlineEvent {
  kind: "kline";
  symbol: string;
  venueTime: number;
  openTime: number;
  closeTime: number;
  openTicks: number;
  highTicks: number;
  lowTicks: number;
  closeTicks: number;
  volumeLots: number;
  takerBuyLots: number;
  trades: number;
  isClosed: boolean;
}

/** What the venue says of the instrument itself while it is traded. It changes no book, and says no time that anything is judged by. */
export interface InstrumentEvent {
  kind: "instrument";
  symbol: string;
  /** The venue's own word, e.g. "Open" or "Settled"; null where this message doesn't say. */
  venueState: string | null;
  /** A tick or a lot is named that is not the one which prices and sizes are read on. */
  hasOtherGrids: boolean;
}

export type MarketEvent = DepthEvent | SnapshotEvent | TradeEvent | QuoteEvent | TopLevelsEvent | KlineEvent | InstrumentEvent;
