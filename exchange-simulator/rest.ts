/**
 * The REST side of the simulator: Binance spot's market data requests, its errors, and its request weights.
 *
 * rest-api.md and errors.md of github.com/binance/binance-spot-api-docs, read 2026-11-21. Of kline intervals only 1m is there. Where the venue would
 * have a book and the source has none (a recording without a snapshot), the answer is 503 with code -1001: what isn't known isn't invented.
 */

import { fixed8, klineRow, type MarketGrids } from "./frame-text.ts";
import type { Bar } from "./minute-bars.ts";
import type { MarketSource } from "./source.ts";

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly weight: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The symbol whose depth this body is. */
  readonly depthOf?: string;
}

const SYMBOL = /^[A-Z0-9\-_.]{1,20}$/;
const INTEGER = /^[0-9]{1,20}$/;
const DEPTH_LIMIT = 100;
const LARGEST_DEPTH_LIMIT = 5_000;
const KLINE_LIMIT = 500;
const LARGEST_KLINE_LIMIT = 1_000;
const QUOTE_ASSETS = ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "USD"];

/** @returns null when no such path is served. */
export function answerRest(source: MarketSource, url: URL): RestAnswer | null {
  const query = url.searchParams;
  switch (url.pathname) {
    case "/api/v3/ping":
      return { status: 200, body: "{}", weight: 1 };
    case "/api/v3/time":
      return { status: 200, body: `{"serverTime":${Math.floor(source.venueTime)}}`, weight: 1 };
    case "/api/v3/depth":
      return answerDepth(source, query);
    case "/api/v3/klines":
      return answerKlines(source, query);
    case "/api/v3/exchangeInfo":
      return answerExchangeInfo(source, query);
    default:
      return null;
  }
}

export function venueError(code: number, msg: string): string {
  return JSON.stringify({ code, msg });
}

function answerDepth(source: MarketSource, query: URLSearchParams): RestAnswer {
  const limit = readLimit(query, DEPTH_LIMIT, LARGEST_DEPTH_LIMIT);
  if (typeof limit !== "number") return limit;
  const weight = limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250;
  const market = readMarket(source, query, weight);
  if ("status" in market) return market;
  const depth = source.depth(market.symbol, limit);
  if ("body" in depth) return { status: 200, body: depth.body, weight, depthOf: market.symbol };
  return {
    status: 503,
    body: venueError(-1001, `Internal error; unable to process your request. Please try again. (${depth.unavailable})`),
    weight,
  };
}

function answerKlines(source: MarketSource, query: URLSearchParams): RestAnswer {
  const weight = 2;
  const market = readMarket(source, query, weight);
  if ("status" in market) return market;
  const interval = query.get("interval");
  if (interval === null || interval === "") return missing("interval", weight);
  if (interval !== "1m") return { status: 400, body: venueError(-1120, "Invalid interval."), weight };
  const limit = readLimit(query, KLINE_LIMIT, LARGEST_KLINE_LIMIT);
  if (typeof limit !== "number") return limit;
  const from = readTime(query, "startTime");
  const to = readTime(query, "endTime");
  if (from !== null && typeof from === "object") return from;
  if (to !== null && typeof to === "object") return to;
  const isAsked = (bar: Bar) => (from === null || bar.openTime >= from) && (to === null || bar.openTime <= to);
  const bars = source.bars(market.symbol).filter(isAsked);
  // With a start the venue counts from it, without one back from the newest.
  const chosen = from === null ? bars.slice(-limit) : bars.slice(0, limit);
  return { status: 200, body: `[${chosen.map((bar) => klineRow(market, bar)).join(",")}]`, weight };
}

function answerExchangeInfo(source: MarketSource, query: URLSearchParams): RestAnswer {
  const weight = 20;
  const symbols = readSymbols(query);
  if (symbols !== null && "status" in symbols) return symbols;
  const markets: MarketGrids[] = [];
  for (const symbol of symbols ?? source.markets.keys()) {
    const market = source.markets.get(symbol);
    if (market === undefined) return { status: 400, body: venueError(-1121, "Invalid symbol."), weight };
    markets.push(market);
  }
  const body =
    `{"timezone":"UTC","serverTime":${Math.floor(source.venueTime)},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",` +
    `"intervalNum":1,"limit":6000}],"exchangeFilters":[],"symbols":[${markets.map(symbolInfo).join(",")}]}`;
  return { status: 200, body, weight, headers: { "x-simulator-grid": source.gridsAre } };
}

function symbolInfo(market: MarketGrids): string {
  const quote = QUOTE_ASSETS.find((asset) => market.symbol.endsWith(asset) && market.symbol.length > asset.length) ?? "USDT";
  const base = market.symbol.endsWith(quote) ? market.symbol.slice(0, -quote.length) : market.symbol;
  const tick = fixed8(1, market.tick);
  const lot = fixed8(1, market.lot);
  return JSON.stringify({
    symbol: market.symbol,
    status: "TRADING",
    baseAsset: base,
    baseAssetPrecision: 8,
    quoteAsset: quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    isSpotTradingAllowed: true,
    filters: [
      { filterType: "PRICE_FILTER", minPrice: tick, maxPrice: "1000000.00000000", tickSize: tick },
      { filterType: "LOT_SIZE", minQty: lot, maxQty: "9000000.00000000", stepSize: lot },
    ],
  });
}

function readMarket(source: MarketSource, query: URLSearchParams, weight: number): MarketGrids | RestAnswer {
  const symbol = query.get("symbol");
  if (symbol === null || symbol === "") return missing("symbol", weight);
  if (!SYMBOL.test(symbol)) return illegal("symbol", "^[A-Z0-9-_.]{1,20}$", weight);
  return source.markets.get(symbol) ?? { status: 400, body: venueError(-1121, "Invalid symbol."), weight };
}

/** @returns null when the request names no symbol. */
function readSymbols(query: URLSearchParams): string[] | RestAnswer | null {
  const one = query.get("symbol");
  const many = query.get("symbols");
  if (one !== null && many !== null)
    return { status: 400, body: venueError(-1128, "Combination of optional parameters invalid."), weight: 1 };
  if (one !== null) return SYMBOL.test(one) ? [one] : illegal("symbol", "^[A-Z0-9-_.]{1,20}$", 1);
  if (many === null) return null;
  const symbols = parseNames(many);
  return symbols ?? illegal("symbols", '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$', 1);
}

function parseNames(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((name): name is string => typeof name === "string" && SYMBOL.test(name)) ? value : null;
  } catch {
    return null;
  }
}

function readLimit(query: URLSearchParams, usual: number, largest: number): number | RestAnswer {
  const text = query.get("limit");
  if (text === null) return usual;
  if (!INTEGER.test(text)) return illegal("limit", "^[0-9]{1,20}$", 1);
  const limit = Number(text);
  if (limit === 0) return { status: 400, body: venueError(-1130, "Data sent for parameter 'limit' is not valid."), weight: 1 };
  return Math.min(limit, largest);
}

function readTime(query: URLSearchParams, name: "startTime" | "endTime"): number | RestAnswer | null {
  const text = query.get(name);
  if (text === null) return null;
  return INTEGER.test(text) ? Number(text) : illegal(name, "^[0-9]{1,20}$", 1);
}

function missing(name: string, weight: number): RestAnswer {
  return { status: 400, body: venueError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`), weight };
}

function illegal(name: string, range: string, weight: number): RestAnswer {
  return { status: 400, body: venueError(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`), weight };
}
