/**
 * What can be told of a recording from its messages alone: which venue they are of, which markets they speak of, and the decimals that lie on those
 * markets' grids. One shape for each venue family; the decoders know the messages better, and need the grids first.
 *
 * A message may fit several venues of a family (a bar of Binance's is alike on all its lines): it then names them all, and others decide.
 */

import { isObject, type JsonObject } from "../../exchanges/decoding/json-fields.ts";
import { plainDecimal } from "../../exchanges/decoding/json-numbers.ts";

/** Takes decimals of a market: null is what a message leaves out. */
export type SeeDecimals = (symbol: string, of: "price" | "size", value: unknown) => void;

export interface MessageShape {
  /** The venues that send such a message; empty when it is of another family, or says nothing of it. */
  venuesOf(message: JsonObject): readonly string[];
  /** Shows every price and size in it, and so the markets that it speaks of. */
  show(message: JsonObject, see: SeeDecimals): void;
}

/** The decimal that a value was written as: venues send text or numbers. Null for anything else. */
export function writtenDecimal(value: unknown): string | null {
  return typeof value === "string" ? value : plainDecimal(value);
}

/** Levels as `[price, size]`, in a message or in the answer to a snapshot request. */
export function showLevels(levels: unknown, symbol: string, see: SeeDecimals): void {
  if (!Array.isArray(levels)) return;
  for (const level of levels as unknown[]) {
    if (!Array.isArray(level)) continue;
    see(symbol, "price", level[0]);
    see(symbol, "size", level[1]);
  }
}

const SPOT = ["binance-spot"];
const USD_M = ["binance-usd-m"];
const COIN_M = ["binance-coin-m"];

/**
 * By https://developers.binance.com/docs (read 2026-11-27): COIN-M alone names the pair (`ps`) in its depth and quotes, spot's depth has no `pu` and its
 * trades have `M`. Trades of the two futures lines are alike.
 */
const binance: MessageShape = {
  venuesOf(message) {
    const data = isObject(message.data) ? message.data : message;
    if (typeof data.s !== "string") return [];
    if (typeof data.ps === "string") return COIN_M;
    const isQuote = data.e === undefined ? "u" in data && "B" in data : data.e === "bookTicker";
    if (isQuote) return data.e === undefined ? SPOT : USD_M;
    if (data.e === "depthUpdate") return "pu" in data ? USD_M : SPOT;
    if (data.e === "trade" || data.e === "aggTrade") return "M" in data ? SPOT : [...USD_M, ...COIN_M];
    return typeof data.e === "string" && typeof message.stream === "string" ? [...SPOT, ...USD_M, ...COIN_M] : [];
  },
  /** Depth: b and a are levels. A quote: b, B, a, A. A trade: p, q. A bar's volumes are sums, which say nothing of the grids. */
  show(message, see) {
    const data = isObject(message.data) ? message.data : message;
    const symbol = data.s;
    if (typeof symbol !== "string") return;
    showLevels(data.b, symbol, see);
    showLevels(data.a, symbol, see);
    see(symbol, "price", data.b);
    see(symbol, "size", data.B);
    see(symbol, "price", data.a);
    see(symbol, "size", data.A);
    see(symbol, "price", data.p);
    see(symbol, "size", data.q);
  },
};

/** By https://www.bitmex.com/app/wsAPI (read 2026-11-27): rows of tables. */
const bitmex: MessageShape = {
  venuesOf: (message) => (typeof message.table === "string" && typeof message.action === "string" ? ["bitmex"] : []),
  show({ table, data }, see) {
    if (!BITMEX_TABLES.includes(String(table)) || !Array.isArray(data)) return;
    for (const row of data as unknown[]) {
      if (!isObject(row) || typeof row.symbol !== "string") continue;
      for (const price of [row.price, row.bidPrice, row.askPrice]) see(row.symbol, "price", price);
      for (const size of [row.size, row.bidSize, row.askSize]) see(row.symbol, "size", size);
    }
  },
};

const BITMEX_TABLES = ["orderBookL2", "quote", "trade"];

/** By https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (read 2026-11-27). */
const coinbaseExchange: MessageShape = {
  venuesOf: ({ type, product_id }) => (typeof type === "string" && typeof product_id === "string" ? ["coinbase-exchange"] : []),
  show({ product_id: symbol, bids, asks, changes, price, best_bid, best_ask, size }, see) {
    if (typeof symbol !== "string") return;
    showLevels(bids, symbol, see);
    showLevels(asks, symbol, see);
    // A change is [side, price, size].
    if (Array.isArray(changes))
      showLevels(
        (changes as unknown[]).map((change) => (Array.isArray(change) ? change.slice(1) : change)),
        symbol,
        see,
      );
    for (const value of [price, best_bid, best_ask]) see(symbol, "price", value);
    see(symbol, "size", size);
  },
};

/** By https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket (read 2026-11-27): events in a numbered envelope. */
const coinbaseAdvanced: MessageShape = {
  venuesOf: ({ channel, events }) => (typeof channel === "string" && Array.isArray(events) ? ["coinbase-advanced"] : []),
  show({ events }, see) {
    if (!Array.isArray(events)) return;
    for (const event of (events as unknown[]).filter(isObject)) {
      const rows = [event.updates, event.trades, event.tickers].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
      for (const row of rows.filter(isObject)) {
        const symbol = row.product_id ?? event.product_id;
        if (typeof symbol !== "string") continue;
        for (const price of [row.price_level, row.price, row.best_bid, row.best_ask]) see(symbol, "price", price);
        for (const size of [row.new_quantity, row.size, row.best_bid_quantity, row.best_ask_quantity]) see(symbol, "size", size);
      }
    }
  },
};

export const MESSAGE_SHAPES: readonly MessageShape[] = [binance, bitmex, coinbaseExchange, coinbaseAdvanced];
