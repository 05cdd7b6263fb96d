/** Worlds of all venues for tests, and how each venue is subscribed to. */

import type { MarketRecord } from "../../core/wire/market-events.ts";
import { type InProcessClient, openClient } from "../../exchange-simulator/in-process.ts";
import { sourceOf } from "../../exchange-simulator/market/record-source.ts";
import { protocols } from "../../exchange-simulator/protocols/registry.ts";
import { buildWorld, type FaultWishes, injectorOf, type SimulatedVenues } from "../../exchange-simulator/simulated-venues.ts";
import { World } from "../../exchange-simulator/world.ts";
import { NaiveAdvanced, NaiveBinance, NaiveBitmex, type NaiveClient, NaiveExchange, type PlainBook } from "./naive-clients.ts";

export const START = Date.UTC(2026, 10, 21, 12, 0, 0);
export const VENUES = protocols.map(({ venue }) => venue);

/** The symbols of BTC-USD and ETH-USD at each venue. */
export const SYMBOLS: Readonly<Record<string, readonly [string, string]>> = {
  "binance-spot": ["BTCUSD", "ETHUSD"],
  "binance-usd-m": ["BTCUSD", "ETHUSD"],
  "binance-coin-m": ["BTCUSD_PERP", "ETHUSD_PERP"],
  "coinbase-advanced": ["BTC-USD", "ETH-USD"],
  "coinbase-exchange": ["BTC-USD", "ETH-USD"],
  bitmex: ["XBTUSD", "ETHUSD"],
};

export function symbolsOf(venue: string): readonly [string, string] {
  return SYMBOLS[venue] ?? ["", ""];
}

/** One venue, and BTC-USD alone: what most tests of a fault need, in a third of the time. */
export async function venueWorld(venue: string, seconds: number, faults: FaultWishes): Promise<World> {
  const generated = { names: ["BTC-USD"], preset: "both", seed: 21, startTime: START, seconds } as const;
  return await buildWorld({ venues: [venue], generated, faults });
}

export async function generatedWorld(seconds: number, more: Partial<SimulatedVenues> = {}): Promise<World> {
  const generated = { names: ["BTC-USD", "ETH-USD"], preset: "both", seed: 21, startTime: START, seconds } as const;
  return await buildWorld({ venues: VENUES, generated, ...more });
}

/** A world of one market at every venue, with the records given: ticks of 0.5, lots of 1. */
export function scriptedWorld(records: readonly MarketRecord[], faults?: FaultWishes): World {
  const market = { name: "BTC-USD", tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 0, mantissa: 1 } };
  const venues = protocols.map((protocol) => ({ protocol, listings: [[symbolsOf(protocol.venue)[0], "BTC-USD"]] as const }));
  const sources = [sourceOf(market, { startTime: START }, records)];
  return new World({ sources, venues, ...(faults === undefined ? {} : { injector: (world: World) => injectorOf(world, faults) }) });
}

/** Opens a client that hears books, trades and quotes of the symbols. */
export function subscribe(world: World, venue: string, symbols: readonly string[]): InProcessClient {
  if (venue.startsWith("binance")) {
    const streams = symbols.flatMap((symbol) =>
      ["depth@100ms", "trade", "bookTicker", "kline_1m"].map((kind) => `${symbol.toLowerCase()}@${kind}`),
    );
    return openClient(world, venue, `/stream?streams=${streams.join("/")}`);
  }
  if (venue === "bitmex") {
    const topics = symbols.flatMap((symbol) => ["orderBookL2", "trade", "quote"].map((table) => `${table}:${symbol}`));
    return openClient(world, venue, `/realtime?subscribe=${topics.join(",")}`);
  }
  const client = openClient(world, venue, "/");
  if (venue === "coinbase-exchange") {
    client.say(JSON.stringify({ type: "subscribe", product_ids: symbols, channels: ["level2_batch", "matches", "ticker", "heartbeat"] }));
    return client;
  }
  for (const channel of ["heartbeats", "level2", "market_trades", "ticker", "candles"]) {
    client.say(JSON.stringify({ type: "subscribe", channel, product_ids: channel === "heartbeats" ? [] : symbols }));
  }
  return client;
}

export function naiveOf(venue: string): NaiveClient {
  if (venue === "bitmex") return new NaiveBitmex();
  if (venue === "coinbase-advanced") return new NaiveAdvanced();
  if (venue === "coinbase-exchange") return new NaiveExchange();
  return new NaiveBinance(venue !== "binance-spot");
}

/** The snapshot request of the venues whose books come by REST. */
export function askForBook(world: World, venue: string, symbol: string): string {
  const root = { "binance-spot": "/api/v3", "binance-usd-m": "/fapi/v1", "binance-coin-m": "/dapi/v1" }[venue] ?? "";
  const query = new URLSearchParams({ symbol, limit: "1000" });
  const { answer } = world.rest(venue, { method: "GET", path: `${root}/depth`, query });
  if (answer.status !== 200) throw new Error(`depth: ${answer.status} ${answer.body}`);
  return answer.body;
}

/** The true book in the form of the naive clients. BitMEX counts contracts, of a lot each. */
export function truthOf(world: World, venue: string, symbol: string): PlainBook {
  const truth = world.truth(venue, symbol);
  if (truth === null) throw new Error(`${venue} has no ${symbol}`);
  const lot = venue === "bitmex" ? Number(truth.lot) : 1;
  const side = (levels: readonly (readonly [string, string])[]) =>
    levels.map(([price, size]) => [Number(price), lot === 1 ? Number(size) : Math.round(Number(size) / lot)] as const);
  return { bids: side(truth.bids), asks: side(truth.asks) };
}
