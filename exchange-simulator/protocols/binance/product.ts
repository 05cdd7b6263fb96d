/**
 * In what Binance's three products differ: paths, weights, numbers, texts.
 *
 * Spot: github.com/binance/binance-spot-api-docs, web-socket-streams.md and rest-api.md (read 2026-11-21). Futures:
 * developers.binance.com/docs/derivatives, usds-margined-futures and coin-margined-futures, "Diff. Book Depth Streams", "Order Book", "Individual
 * Symbol Book Ticker Streams", and recorded COIN-M frames of 2024 (read 2026-11-27). USD-M's paths since 2026: …/websocket-market-streams/
 * Important-WebSocket-Change-Notice (read 2026-11-27); the real venue has taken its bare path out of service.
 */

import type { DecimalGrid } from "../../../core/units/decimal.ts";
import { formatSteps } from "../../../core/units/decimal.ts";
import { fixed8 } from "../../frame-text.ts";

export interface DepthLimits {
  /** Levels a side unless asked otherwise. */
  readonly usual: number;
  readonly largest: number;
  /** Where the venue takes only some; null where any number will do. */
  readonly allowed: readonly number[] | null;
  weightOf(limit: number): number;
}

export interface BinanceProduct {
  readonly venue: "binance-spot" | "binance-usd-m" | "binance-coin-m";
  /** e.g. "/api/v3" */
  readonly root: string;
  readonly isFutures: boolean;
  /** COIN-M alone names the pair beside the symbol. */
  readonly namesPair: boolean;
  readonly depth: DepthLimits;
  readonly infoWeight: number;
  readonly weightPerMinute: number;
  readonly streamsPerConnection: number;
  readonly messagesPerSecond: number;
  /**
   * Paths before `/stream` and `/ws` that have some of the streams alone: one that is asked for on the wrong path is taken and stays silent. The bare
   * path has all of them, at every product.
   */
  readonly routes: Readonly<Record<string, RegExp>>;
  /**
   * Update ids a level change. Spot counts each change of a symbol; futures draw from one counter for many, so that an event's first id isn't the
   * one behind the last event's: `pu` is the chain. Factor 4 leaves such holes.
   */
  readonly idsPerChange: 1 | 4;
  /** The text of whole steps of a grid. */
  text(steps: number, grid: DecimalGrid): string;
}

const FUTURES_DEPTH: DepthLimits = {
  usual: 500,
  largest: 1_000,
  allowed: [5, 10, 20, 50, 100, 500, 1_000],
  weightOf: (limit) => (limit <= 50 ? 2 : limit <= 100 ? 5 : limit <= 500 ? 10 : 20),
};

export const SPOT: BinanceProduct = {
  venue: "binance-spot",
  root: "/api/v3",
  isFutures: false,
  namesPair: false,
  depth: {
    usual: 100,
    largest: 5_000,
    allowed: null,
    weightOf: (limit) => (limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250),
  },
  infoWeight: 20,
  weightPerMinute: 6_000,
  streamsPerConnection: 1_024,
  messagesPerSecond: 5,
  routes: {},
  idsPerChange: 1,
  text: fixed8,
};

export const USD_M: BinanceProduct = {
  venue: "binance-usd-m",
  root: "/fapi/v1",
  isFutures: true,
  namesPair: false,
  depth: FUTURES_DEPTH,
  infoWeight: 1,
  weightPerMinute: 2_400,
  streamsPerConnection: 1_024,
  messagesPerSecond: 10,
  routes: { "/public": /@(?:depth|trade|bookTicker)/, "/market": /@(?:kline|aggTrade|markPrice)/ },
  idsPerChange: 4,
  text: formatSteps,
};

export const COIN_M: BinanceProduct = {
  ...USD_M,
  venue: "binance-coin-m",
  root: "/dapi/v1",
  namesPair: true,
  streamsPerConnection: 200,
  routes: {},
};

/** `BTCUSD_PERP` is a contract on the pair `BTCUSD`. */
export function pairOf(symbol: string): string {
  return symbol.split("_")[0] ?? symbol;
}
