/**
 * Binance's market data requests, its errors and its request weights.
 *
 * rest-api.md and errors.md of github.com/binance/binance-spot-api-docs (read 2026-11-21); futures' Order Book and Exchange Information
 * (developers.binance.com/docs/derivatives, read 2026-11-27). Of kline intervals only 1m is there. Where the venue would have a
 * book and there is none (a recording without a snapshot), the answer is 503 with code -1001: what isn't known isn't invented.
 */

import { MS_PER_MINUTE, minuteOf } from "../../../core/units/time.ts";
import { klineRow, type MarketGrids } from "../../frame-text.ts";
import type { Bar } from "../../minute-bars.ts";
import type { Clock, KeptBook, RestAnswer, RestRequest } from "../../venue.ts";
import { type BinanceProduct, pairOf } from "./product.ts";

/** The body of a depth request; `unavailable` where the venue would have a book and what is asked can't. */
export type DepthAnswer = { body: string } | { unavailable: string };

/** What the requests are answered from. */
export interface RestMarkets {
  /** "declared" where the grids are the market's own, "inferred" where they were found from the decimals in use. */
  readonly gridsAre: "declared" | "inferred";
  readonly markets: ReadonlyMap<string, MarketGrids>;
  /** The venue's clock, epoch ms. */
  readonly venueTime: number;
  /** Asked only for a symbol of `markets`. @param kept shown instead of the present book. */
  depth(symbol: string, limit: number, kept: KeptBook | null): DepthAnswer;
  /** Oldest first, the running one last. */
  bars(symbol: string): readonly Bar[];
}

interface Weighed extends RestAnswer {
  readonly weight: number;
}

const SYMBOL = /^[A-Z0-9\-_.]{1,20}$/;
const INTEGER = /^[0-9]{1,15}$/;
const KLINE_LIMIT = 500;
const LARGEST_KLINE_LIMIT = 1_000;
const QUOTE_ASSETS = ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "USD"];
/** USD that a COIN-M contract stands for: https://www.binance.com/en/futures/trading-rules/quarterly, 100 for BTC. */
const CONTRACT_USD = 100;

export class BinanceRest {
  private readonly product: BinanceProduct;
  private readonly source: RestMarkets;
  private readonly clock: Clock;
  private minute = 0;
  private used = 0;

  /** @param clock the one by whose minutes weights are counted. */
  constructor(product: BinanceProduct, source: RestMarkets, clock: Clock) {
    this.product = product;
    this.source = source;
    this.clock = clock;
  }

  answer(request: RestRequest, kept: KeptBook | null): RestAnswer {
    const { weight, status, body, headers } = this.find(request, kept);
    const used = this.use(weight);
    const told = { ...headers, "x-mbx-used-weight": String(used), "x-mbx-used-weight-1m": String(used) };
    if (used <= this.product.weightPerMinute) return { status, body, headers: told };
    const seconds = Math.ceil((this.minute + MS_PER_MINUTE - this.clock.now) / 1_000);
    const limit = this.product.weightPerMinute;
    const refusal = `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE.`;
    return { status: 429, body: venueError(-1003, refusal), headers: { ...told, "retry-after": String(Math.max(1, seconds)) } };
  }

  bookAskedBy({ path, query }: RestRequest): string | null {
    const symbol = query.get("symbol");
    return path === `${this.product.root}/depth` && symbol !== null && this.source.markets.has(symbol) ? symbol : null;
  }

  private use(weight: number): number {
    const minute = minuteOf(this.clock.now);
    if (minute !== this.minute) this.used = 0;
    this.minute = minute;
    this.used += weight;
    return this.used;
  }

  private find({ method, path, query }: RestRequest, kept: KeptBook | null): Weighed {
    const none = { status: 404, body: "<html><body><h2>404 Not found</h2></body></html>", weight: 1 };
    const { root } = this.product;
    if (method !== "GET" || !path.startsWith(`${root}/`)) return none;
    switch (path.slice(root.length + 1)) {
      case "ping":
        return { status: 200, body: "{}", weight: 1 };
      case "time":
        return { status: 200, body: `{"serverTime":${Math.floor(this.source.venueTime)}}`, weight: 1 };
      case "depth":
        return this.depth(query, kept);
      case "klines":
        return this.klines(query);
      case "exchangeInfo":
        return this.exchangeInfo(query);
      default:
        return none;
    }
  }

  private depth(query: URLSearchParams, kept: KeptBook | null): Weighed {
    const limits = this.product.depth;
    const limit = readLimit(query, limits.usual, limits.largest);
    if (typeof limit !== "number") return limit;
    if (limits.allowed !== null && !limits.allowed.includes(limit)) {
      return { status: 400, body: venueError(-4021, `'${limit}' is not valid depth limit.`), weight: 1 };
    }
    const weight = limits.weightOf(limit);
    const market = this.readMarket(query, weight);
    if ("status" in market) return market;
    const depth = this.source.depth(market.symbol, limit, kept);
    if ("body" in depth) return { status: 200, body: depth.body, weight };
    const reason = `Internal error; unable to process your request. Please try again. (${depth.unavailable})`;
    return { status: 503, body: venueError(-1001, reason), weight };
  }

  private klines(query: URLSearchParams): Weighed {
    const weight = 2;
    const market = this.readMarket(query, weight);
    if ("status" in market) return market;
    const interval = query.get("interval");
    if (interval === null) return missing("interval", weight);
    if (interval !== "1m") return { status: 400, body: venueError(-1120, "Invalid interval."), weight };
    const limit = readLimit(query, KLINE_LIMIT, LARGEST_KLINE_LIMIT);
    if (typeof limit !== "number") return limit;
    const from = readTime(query, "startTime");
    const to = readTime(query, "endTime");
    if (typeof from === "object" && from !== null) return from;
    if (typeof to === "object" && to !== null) return to;
    const bars = this.source
      .bars(market.symbol)
      .filter((bar) => bar.openTime >= (from ?? 0) && bar.openTime <= (to ?? Number.POSITIVE_INFINITY));
    const chosen = from === null ? bars.slice(-limit) : bars.slice(0, limit);
    return { status: 200, body: `[${chosen.map((bar) => klineRow(market, bar, this.product.text)).join(",")}]`, weight };
  }

  private exchangeInfo(query: URLSearchParams): Weighed {
    const weight = this.product.infoWeight;
    const symbols = this.product.isFutures ? null : readSymbols(query);
    if (symbols !== null && "status" in symbols) return symbols;
    const markets: MarketGrids[] = [];
    for (const symbol of symbols ?? this.source.markets.keys()) {
      const market = this.source.markets.get(symbol);
      if (market === undefined) return { status: 400, body: venueError(-1121, "Invalid symbol."), weight };
      markets.push(market);
    }
    const body = JSON.stringify({
      timezone: "UTC",
      serverTime: Math.floor(this.source.venueTime),
      rateLimits: [{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: this.product.weightPerMinute }],
      exchangeFilters: [],
      symbols: markets.map((market) => symbolInfo(this.product, market)),
    });
    return { status: 200, body, weight, headers: { "x-simulator-grid": this.source.gridsAre } };
  }

  private readMarket(query: URLSearchParams, weight: number): MarketGrids | Weighed {
    const symbol = query.get("symbol");
    if (symbol === null || symbol === "") return missing("symbol", weight);
    if (!SYMBOL.test(symbol)) return illegal("symbol", "^[A-Z0-9-_.]{1,20}$", weight);
    return this.source.markets.get(symbol) ?? { status: 400, body: venueError(-1121, "Invalid symbol."), weight };
  }
}

export function venueError(code: number, msg: string): string {
  return JSON.stringify({ code, msg });
}

function symbolInfo(product: BinanceProduct, market: MarketGrids): Readonly<Record<string, unknown>> {
  const { symbol } = market;
  const pair = product.namesPair ? pairOf(symbol) : symbol;
  const quote = QUOTE_ASSETS.find((asset) => pair.endsWith(asset) && pair.length > asset.length) ?? "USDT";
  const base = pair.endsWith(quote) ? pair.slice(0, -quote.length) : pair;
  const tick = product.text(1, market.tick);
  const lot = product.text(1, market.lot);
  const filters = [
    { filterType: "PRICE_FILTER", minPrice: tick, maxPrice: product.isFutures ? "1000000" : "1000000.00000000", tickSize: tick },
    { filterType: "LOT_SIZE", minQty: lot, maxQty: product.isFutures ? "9000000" : "9000000.00000000", stepSize: lot },
  ];
  const assets = { baseAsset: base, quoteAsset: quote };
  if (!product.isFutures) {
    const precisions = { baseAssetPrecision: 8, quoteAsset: quote, quotePrecision: 8, quoteAssetPrecision: 8 };
    return { symbol, status: "TRADING", baseAsset: base, ...precisions, isSpotTradingAllowed: true, filters };
  }
  const contract = { symbol, pair, contractType: "PERPETUAL", deliveryDate: 4_133_404_800_000, onboardDate: 1_569_398_400_000 };
  const state = product.namesPair ? { contractStatus: "TRADING", contractSize: CONTRACT_USD } : { status: "TRADING" };
  const precision = { pricePrecision: market.tick.decimals, quantityPrecision: market.lot.decimals };
  return { ...contract, ...state, ...assets, marginAsset: product.namesPair ? base : quote, ...precision, filters };
}

/** @returns null when the request names no symbol. */
function readSymbols(query: URLSearchParams): string[] | Weighed | null {
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

function readLimit(query: URLSearchParams, usual: number, largest: number): number | Weighed {
  const text = query.get("limit");
  if (text === null) return usual;
  if (!/^[0-9]{1,20}$/.test(text)) return illegal("limit", "^[0-9]{1,20}$", 1);
  const limit = Number(text);
  if (limit === 0) return { status: 400, body: venueError(-1130, "Data sent for parameter 'limit' is not valid."), weight: 1 };
  return Math.min(limit, largest);
}

function readTime(query: URLSearchParams, name: "startTime" | "endTime"): number | Weighed | null {
  const text = query.get(name);
  if (text === null) return null;
  return INTEGER.test(text) ? Number(text) : illegal(name, "^[0-9]{1,20}$", 1);
}

function missing(name: string, weight: number): Weighed {
  return { status: 400, body: venueError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`), weight };
}

function illegal(name: string, range: string, weight: number): Weighed {
  return { status: 400, body: venueError(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`), weight };
}
