/**
 * Coinbase Exchange: the market-data feed of the matching engine's own site, without keys.
 *
 * https://docs.cdp.coinbase.com/exchange/websocket-feed/overview, …/channels and …/rate-limits (read 2026-11-27). The book comes as
 * `level2_batch` (batches of 50 ms; `level2` wants a key), first whole, then as changes; nothing numbers it, so the ticker is what proves it.
 */

import { MS_PER_SECOND } from "../../core/units/time.ts";
import type { Channel, ExchangeAdapter } from "../contract.ts";
import { createExchangeDecoder } from "./exchange-decoder.ts";
import { decodeExchangeProducts } from "./products.ts";
import { createCountedSequencer } from "./sequencer.ts";

const VENUE = "coinbase-exchange";
/** A heartbeat names the last trade once a second, and keeps a quiet connection from looking dead. */
const CHANNELS = ["level2_batch", "matches", "ticker", "heartbeat"] as const;
const NAME_OF_CHANNEL: Readonly<Record<Channel, string>> = { depth: "level2_batch", trades: "matches", quotes: "ticker" };

export const coinbaseExchange: ExchangeAdapter = {
  venue: VENUE,
  hosts: { stream: "wss://ws-feed.exchange.coinbase.com", rest: "https://api.exchange.coinbase.com" },
  fallbackHosts: [],
  limits: {
    // The venue names no bound. Ours: the whole books of so many products come at once when a connection opens.
    symbolsPerConnection: 100,
    // The venue names none.
    connectionLifetimeMs: Number.POSITIVE_INFINITY,
    // Public endpoints: ten a second and address.
    weightPerMinute: 600,
    // Eight requests a second and address, 20 in bursts.
    dials: { most: 8, withinMs: MS_PER_SECOND },
    // Ten messages a second; more in bursts.
    frameIntervalMs: 100,
    usedWeightHeader: null,
  },
  snapshotLimits: [],
  staleAfterMs: 30_000,
  streamUrl: (hosts) => hosts.stream,
  subscribe: (symbols) => [request("subscribe", symbols, CHANNELS)],
  resubscribe(symbols, channel) {
    const channels = [NAME_OF_CHANNEL[channel]];
    return [request("unsubscribe", symbols, channels), request("subscribe", symbols, channels)];
  },
  authenticate: null,
  snapshots: { kind: "subscription" },
  // The heartbeat channel answers for the connection, each second.
  keepAlive: null,
  continuity: "none",
  tradeIds: "consecutive",
  // The endpoint takes no symbols: it answers with all of them.
  instrumentsRequest: (hosts) => ({ url: `${hosts.rest}/products`, weight: 1 }),
  decodeInstruments: (body, symbols) => decodeExchangeProducts(VENUE, body, symbols),
  createDecoder: createExchangeDecoder,
  createSequencer: createCountedSequencer,
};

function request(type: "subscribe" | "unsubscribe", symbols: readonly string[], channels: readonly string[]): string {
  return JSON.stringify({ type, product_ids: symbols, channels });
}
