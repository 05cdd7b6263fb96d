/**
 * Binance COIN-M futures: sizes are contracts of a fixed amount of USD, and the book's chain is `pu`. Streams, requests and limits:
 * https://developers.binance.com/docs/derivatives/coin-margined-futures/general-info (read 2026-11-21).
 */

import { MS_PER_DAY } from "../../core/units/time.ts";
import type { ExchangeAdapter } from "../contract.ts";
import { createBinanceDecoder } from "./decoder.ts";
import { decodeExchangeInfo } from "./instruments.ts";
import { createFuturesSequencer } from "./sequencer.ts";
import { combinedStreamUrl, resubscribeFrames, symbolsWithin } from "./streams.ts";

const VENUE = "binance-coin-m";
/** The most that the venue gives; 20 of the 2,400 weights a minute. */
const SNAPSHOT_LEVELS = 1_000;

export const binanceCoinM: ExchangeAdapter = {
  venue: VENUE,
  hosts: { stream: "wss://dstream.binance.com", rest: "https://dapi.binance.com" },
  fallbackHosts: [],
  limits: {
    symbolsPerConnection: symbolsWithin(200),
    connectionLifetimeMs: MS_PER_DAY,
    weightPerMinute: 2_400,
    frameIntervalMs: 200,
    usedWeightHeader: "x-mbx-used-weight-1m",
  },
  snapshotLimits: [SNAPSHOT_LEVELS],
  staleAfterMs: 30_000,
  streamUrl: (hosts, symbols) => combinedStreamUrl(hosts, symbols),
  subscribe: () => [],
  resubscribe: resubscribeFrames,
  authenticate: null,
  snapshots: {
    kind: "request",
    request: (hosts, symbol) => ({
      url: `${hosts.rest}/dapi/v1/depth?symbol=${encodeURIComponent(symbol)}&limit=${SNAPSHOT_LEVELS}`,
      weight: 20,
    }),
  },
  // The server pings, and the platform answers.
  keepAlive: null,
  continuity: "book",
  // Prints of the insurance fund take ids too, and not all of them are sent.
  tradeIds: "unordered",
  // The endpoint takes no symbols: it answers with all of them.
  instrumentsRequest: (hosts) => ({ url: `${hosts.rest}/dapi/v1/exchangeInfo`, weight: 1 }),
  decodeInstruments: (body, symbols) => decodeExchangeInfo(VENUE, body, symbols),
  createDecoder: (instruments) => createBinanceDecoder("futures", instruments),
  createSequencer: createFuturesSequencer,
};
