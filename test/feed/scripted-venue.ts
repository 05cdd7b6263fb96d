/** Hand-written Binance frames for one small market, with their sequence numbers kept right unless a test wants them wrong. */

import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";

export const START = Date.UTC(2026, 0, 5, 12, 0, 10);

export function instrument(symbol: string): Instrument {
  const tick = parseGrid("0.01");
  const lot = parseGrid("0.001");
  if (tick === null || lot === null) throw new Error("the grids of the scripted venue are broken");
  return { venue: "binance-spot", symbol, tick, lot };
}

export function scriptedFeed(symbols: readonly string[] = ["AAAUSDT"], snapshotLevels = 20): FeedReducer {
  return new FeedReducer({ adapter: binanceSpot, featureSet: featureSetV1, instruments: symbols.map(instrument), snapshotLevels });
}

export function marketOf(feed: FeedReducer, symbol = "AAAUSDT"): MarketTracker {
  const market = feed.markets.get(symbol);
  if (market === undefined) throw new Error(`the feed has no ${symbol}`);
  return market;
}

type Levels = readonly (readonly [price: string, size: string])[];

export interface DepthOptions {
  readonly symbol?: string;
  readonly from: number;
  readonly to?: number;
  readonly time: number;
  readonly bids?: Levels;
  readonly asks?: Levels;
}

export function depthFrame({ symbol = "AAAUSDT", from, to = from, time, bids = [], asks = [] }: DepthOptions): string {
  const stream = `${symbol.toLowerCase()}@depth@100ms`;
  return JSON.stringify({ stream, data: { e: "depthUpdate", E: time, s: symbol, U: from, u: to, b: bids, a: asks } });
}

export function quoteFrame(
  sequence: number,
  top: { bid: readonly [string, string]; ask: readonly [string, string] },
  symbol = "AAAUSDT",
): string {
  const { bid, ask } = top;
  return JSON.stringify({
    stream: `${symbol.toLowerCase()}@bookTicker`,
    data: { u: sequence, s: symbol, b: bid[0], B: bid[1], a: ask[0], A: ask[1] },
  });
}

export function tradeFrame(id: number, time: number): string {
  const data = { e: "trade", E: time, s: "AAAUSDT", t: id, p: "10.00", q: "1.000", T: time, m: false, M: true };
  return JSON.stringify({ stream: "aaausdt@trade", data });
}

export function snapshotBody(lastSequence: number, bids: Levels = [["10.00", "1.000"]], asks: Levels = [["10.02", "1.000"]]): string {
  return JSON.stringify({ lastUpdateId: lastSequence, bids, asks });
}

/** Opens the connection and builds the book: it stands at sequence 101, at START + 200. */
export function synchronise(feed: FeedReducer, symbol = "AAAUSDT", at = START): void {
  feed.connectionOpened(at);
  feed.frame(depthFrame({ symbol, from: 100, to: 101, time: at, bids: [["9.99", "2.000"]] }), at + 100);
  feed.snapshot(symbol, snapshotBody(100), at + 200);
}

/** A change of nothing each second from the `first` to the `last` after START; that of second n is of sequence 101 + n, so a book that stands at 100 + first goes on. */
export function passSeconds(feed: FeedReducer, first: number, last: number): void {
  for (let second = first; second <= last; second++) {
    const time = START + second * 1_000;
    feed.frame(depthFrame({ from: 101 + second, time }), time);
  }
}
