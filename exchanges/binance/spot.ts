/**
 * Binance spot. Streams, requests and limits:
 * https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and …/rest-api (read 2026-11-21).
 */

import { MS_PER_DAY, MS_PER_MINUTE } from "../../core/units/time.ts";
import type { ExchangeAdapter } from "../contract.ts";
import { createBinanceDecoder } from "./decoder.ts";
import { decodeExchangeInfo } from "./instruments.ts";
import { createSpotSequencer } from "./sequencer.ts";
import { ALL_STREAMS, combinedStreamUrl, resubscribeFrames, symbolsWithin } from "./streams.ts";

const VENUE = "binance-spot";
/** The most that the venue gives; 250 of the 6,000 weights a minute. */
const SNAPSHOT_LEVELS = 5_000;

export const binanceSpot: ExchangeAdapter = {
  venue: VENUE,
  hosts: { stream: "wss://stream.binance.com:9443", rest: "https://api.binance.com" },
  // Market data only, for places where the main hosts answer 451 or 403.
  fallbackHosts: [{ stream: "wss://data-stream.binance.vision", rest: "https://data-api.binance.vision" }],
  limits: {
    symbolsPerConnection: symbolsWithin(1_024, ALL_STREAMS),
    connectionLifetimeMs: MS_PER_DAY,
    weightPerMinute: 6_000,
    // https://developers.binance.com/docs/binance-spot-api-docs/websocket-api/rate-limits (read 2026-11-27).
    dials: { most: 300, withinMs: 5 * MS_PER_MINUTE },
    // Five a second.
    frameIntervalMs: 200,
    usedWeightHeader: "x-mbx-used-weight-1m",
  },
  // What recordings of other clients asked for, and what we do.
  snapshotLimits: [1_000, SNAPSHOT_LEVELS],
  // Depth of a busy symbol comes each 100 ms, and the server pings each 20 s.
  staleAfterMs: 30_000,
  streamUrl: (hosts, symbols) => combinedStreamUrl(hosts, symbols, ALL_STREAMS),
  subscribe: () => [],
  resubscribe: resubscribeFrames,
  authenticate: null,
  snapshots: {
    kind: "request",
    request: (hosts, symbol) => ({
      url: `${hosts.rest}/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=${SNAPSHOT_LEVELS}`,
      weight: 250,
    }),
  },
  // The server pings, and the platform answers.
  keepAlive: null,
  continuity: "book",
  tradeIds: "consecutive",
  instrumentsRequest: (hosts, symbols) => ({
    url: `${hosts.rest}/api/v3/exchangeInfo?symbols=${encodeURIComponent(JSON.stringify(symbols))}`,
    weight: 20,
  }),
  decodeInstruments: (body, symbols) => decodeExchangeInfo(VENUE, body, symbols),
  createDecoder: (instruments) => createBinanceDecoder("spot", instruments),
  createSequencer: createSpotSequencer,
};
