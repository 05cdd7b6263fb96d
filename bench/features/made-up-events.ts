/** Book changes and trades of the generative market, written down once, so that what is timed is the features and not the market. */

import type { LevelBatch, TradeEvent } from "../../core/market/event.ts";
import { GenerativeMarket, type MarketSink } from "../../core/simulation/generative-market.ts";
import type { RestingBook } from "../../core/simulation/resting-book.ts";
import type { Side, TakerSide } from "../../core/units/side.ts";

/** One event, as a decoder hands it on. */
export type MadeUpEvent = { readonly kind: "book"; readonly venueTime: number; readonly levels: LevelBatch } | TradeEvent;

export interface MadeUpMarket {
  readonly startTime: number;
  /** The book before the first event. */
  readonly start: LevelBatch;
  /** In order of time; the trades of a taker come before the change that they made. */
  readonly events: readonly MadeUpEvent[];
}

/** A whole second: the grid's first row is a full second away. */
const START_TIME = 1_700_000_000_000;

/** @param seconds of market, with some 170 events in each. */
export function makeUpMarket(seconds: number, seed: number): MadeUpMarket {
  const market = new GenerativeMarket({ preset: "large-tick", seed });
  const start = wholeBook(market.book);
  const log = new EventLog();
  market.advance(seconds * 1_000, log);
  return { startTime: START_TIME, start, events: log.events };
}

class EventLog implements MarketSink {
  readonly events: MadeUpEvent[] = [];
  private venueTime = 0;
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();

  begin(timeMs: number): void {
    this.venueTime = START_TIME + timeMs;
  }

  level(side: Side, priceTicks: number, units: number): void {
    (side === "bid" ? this.bids : this.asks).set(priceTicks, units);
  }

  trade(takerSide: TakerSide, priceTicks: number, units: number): void {
    const { venueTime } = this;
    this.events.push({ kind: "trade", symbol: "MADEUP", venueTime, tradeId: this.events.length, priceTicks, sizeLots: units, takerSide });
  }

  end(): void {
    const { bids, asks, venueTime } = this;
    if (bids.size + asks.size > 0) this.events.push({ kind: "book", venueTime, levels: batchOf([...bids], [...asks]) });
    bids.clear();
    asks.clear();
  }
}

function wholeBook(book: RestingBook): LevelBatch {
  const between = (from: number, to: number): [number, number][] =>
    Array.from({ length: to - from + 1 }, (_, at): [number, number] => [from + at, book.sizeAt(from + at)]).filter(
      ([, units]) => units > 0,
    );
  return batchOf(between(book.lowestBidTicks, book.bestBidTicks), between(book.bestAskTicks, book.highestAskTicks));
}

function batchOf(bids: readonly (readonly [number, number])[], asks: readonly (readonly [number, number])[]): LevelBatch {
  const levels = [...bids, ...asks];
  return {
    bidCount: bids.length,
    askCount: asks.length,
    priceTicks: Float64Array.from(levels, ([ticks]) => ticks),
    sizeLots: Float64Array.from(levels, ([, lots]) => lots),
  };
}
