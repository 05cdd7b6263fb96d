/**
 * Coinbase Advanced Trade: one socket, one `subscribe` for each channel, every frame numbered over the whole connection.
 *
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview, …/websocket-channels and
 * …/websocket-rate-limits (read 2026-11-27). Channels close after 60 to 90 s of quiet unless `heartbeats` is subscribed to.
 * A product that the venue doesn't know is left out of the acknowledgement, and no error says so: it shows as a book that never comes.
 */

import { MS_PER_SECOND } from "../../core/units/time.ts";
import type { Channel, ExchangeAdapter } from "../contract.ts";
import { createAdvancedDecoder } from "./advanced-decoder.ts";
import { decodeAdvancedProducts } from "./products.ts";
import { createRisingSequencer } from "./sequencer.ts";
import { advancedToken } from "./token.ts";

const VENUE = "coinbase-advanced";
/** `candles` are of five minutes, so none are asked for. */
const NAME_OF_CHANNEL: Readonly<Record<Channel, string>> = { depth: "level2", trades: "market_trades", quotes: "ticker" };

export const coinbaseAdvanced: ExchangeAdapter = {
  venue: VENUE,
  hosts: { stream: "wss://advanced-trade-ws.coinbase.com", rest: "https://api.coinbase.com" },
  fallbackHosts: [],
  limits: {
    // Not in the documents: the 31st book of a connection is refused ("too many L2 streams requested in a single session";
    // found by users in 2026, https://github.com/JKorf/Coinbase.Net/issues/19 read 2026-11-27).
    symbolsPerConnection: 30,
    // The venue names none.
    connectionLifetimeMs: Number.POSITIVE_INFINITY,
    // Public endpoints: ten a second and address.
    weightPerMinute: 600,
    // Eight a second and address.
    dials: { most: 8, withinMs: MS_PER_SECOND },
    // Eight messages a second without a key.
    frameIntervalMs: 125,
    usedWeightHeader: null,
  },
  snapshotLimits: [],
  staleAfterMs: 30_000,
  streamUrl: (hosts) => hosts.stream,
  subscribe: (symbols, token) => [
    request("subscribe", { channel: "heartbeats" }, token),
    ...Object.values(NAME_OF_CHANNEL).map((channel) => request("subscribe", { product_ids: symbols, channel }, token)),
  ],
  resubscribe(symbols, channel, token) {
    const of = { product_ids: symbols, channel: NAME_OF_CHANNEL[channel] };
    return [request("unsubscribe", of, token), request("subscribe", of, token)];
  },
  authenticate: advancedToken,
  snapshots: { kind: "subscription" },
  // The heartbeats channel answers for the connection, each second.
  keepAlive: null,
  continuity: "connection",
  // The documents don't promise it, and the connection's numbers show what is lost.
  tradeIds: "unordered",
  instrumentsRequest: (hosts, symbols) => ({
    url: `${hosts.rest}/api/v3/brokerage/market/products?${symbols.map((symbol) => `product_ids=${encodeURIComponent(symbol)}`).join("&")}`,
    weight: 1,
  }),
  decodeInstruments: (body, symbols) => decodeAdvancedProducts(VENUE, body, symbols),
  createDecoder: createAdvancedDecoder,
  createSequencer: createRisingSequencer,
};

function request(
  type: "subscribe" | "unsubscribe",
  of: { product_ids?: readonly string[]; channel: string },
  token: string | null,
): string {
  return JSON.stringify(token === null ? { type, ...of } : { type, ...of, jwt: token });
}
