/**
 * The events that a decoder hands out, allocated once and filled again for each frame.
 *
 * An event is valid until the next call of its decoder (exchanges/contract.ts); whoever keeps one copies it. Levels grow by doubling up
 * to a bound, past which a message is refused rather than held.
 */

import type { DepthEvent, KlineEvent, LevelBatch, QuoteEvent, SnapshotEvent, TradeEvent } from "../../core/market/event.ts";
import type { Decoded } from "../contract.ts";

/** Levels one message may carry, both sides together: twice the venue's largest snapshot (5,000 a side). */
export const MAX_LEVELS_PER_MESSAGE = 20_000;
const INITIAL_LEVELS = 256;

/** The levels of one message, growing to a bound. */
export class LevelBuffer {
  /** Levels it never holds more than. */
  readonly most: number;
  readonly batch: LevelBatch = {
    bidCount: 0,
    askCount: 0,
    priceTicks: new Float64Array(INITIAL_LEVELS),
    sizeLots: new Float64Array(INITIAL_LEVELS),
  };

  constructor(most: number = MAX_LEVELS_PER_MESSAGE) {
    this.most = most;
  }

  get capacity(): number {
    return this.batch.priceTicks.length;
  }

  /** Doubles the room, keeping what is there. @returns false at the bound. */
  grow(): boolean {
    const { batch, capacity } = this;
    if (capacity >= this.most) return false;
    const larger = Math.min(capacity * 2, this.most);
    batch.priceTicks = copyTo(larger, batch.priceTicks);
    batch.sizeLots = copyTo(larger, batch.sizeLots);
    return true;
  }
}

function copyTo(length: number, source: Float64Array): Float64Array {
  const copy = new Float64Array(length);
  copy.set(source);
  return copy;
}

/** One of each event, and the answers that wrap them. */
export class EventBuffers {
  readonly levels: LevelBuffer;
  readonly depth: DepthEvent;
  readonly snapshot: SnapshotEvent;
  readonly trade: TradeEvent = { kind: "trade", symbol: "", venueTime: 0, tradeId: 0, priceTicks: 0, sizeLots: 0, takerSide: "buy" };
  readonly quote: QuoteEvent = {
    kind: "quote",
    symbol: "",
    venueTime: null,
    sequence: null,
    bidTicks: 0,
    bidLots: 0,
    askTicks: 0,
    askLots: 0,
  };
  readonly depthDecoded: Decoded;
  readonly snapshotDecoded: Decoded;
  readonly tradeDecoded: Decoded = { kind: "event", event: this.trade };
  readonly quoteDecoded: Decoded = { kind: "event", event: this.quote };

  /** @param mostLevels of one message, for a venue whose snapshots are larger than most. */
  constructor(mostLevels: number = MAX_LEVELS_PER_MESSAGE) {
    this.levels = new LevelBuffer(mostLevels);
    const levels = this.levels.batch;
    this.depth = { kind: "depth", symbol: "", venueTime: 0, firstSequence: 0, lastSequence: 0, previousSequence: null, levels };
    this.snapshot = { kind: "snapshot", symbol: "", venueTime: null, lastSequence: 0, levels };
    this.depthDecoded = { kind: "event", event: this.depth };
    this.snapshotDecoded = { kind: "event", event: this.snapshot };
  }

  /** Klines come once in two seconds: a fresh object each costs nothing that matters. */
  klineDecoded(event: KlineEvent): Decoded {
    return { kind: "event", event };
  }
}
