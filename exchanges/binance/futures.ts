/**
 * What Binance's two futures lines, USD-M and COIN-M, share: the `pu` chain of their books, their messages, and the shape of their requests.
 * Where they differ is in coin-m.ts and usd-m.ts.
 */

import type { Contract } from "../../core/market/instrument.ts";
import { MS_PER_DAY, MS_PER_MINUTE } from "../../core/units/time.ts";
import type { ExchangeAdapter, VenueHosts } from "../contract.ts";
import type { JsonObject } from "../decoding/json-fields.ts";
import { createBinanceDecoder } from "./decoder.ts";
import { decodeExchangeInfo } from "./instruments.ts";
import { createFuturesSequencer } from "./sequencer.ts";
import { combinedStreamUrl, resubscribeFrames, type StreamRoute, symbolsWithin } from "./streams.ts";

export interface FuturesLine {
  readonly venue: string;
  readonly hosts: VenueHosts;
  readonly route: StreamRoute;
  readonly streamsPerConnection: number;
  /** e.g. "/dapi/v1" */
  readonly restPath: string;
  contractOf(symbol: JsonObject): Contract;
}

/** The most that the venue gives; 20 of the 2,400 weights a minute, on both lines. */
const SNAPSHOT_LEVELS = 1_000;

export function createFuturesAdapter(line: FuturesLine): ExchangeAdapter {
  return {
    venue: line.venue,
    hosts: line.hosts,
    fallbackHosts: [],
    limits: {
      symbolsPerConnection: symbolsWithin(line.streamsPerConnection, line.route),
      connectionLifetimeMs: MS_PER_DAY,
      weightPerMinute: 2_400,
      // Spot's: the futures' documents name none.
      dials: { most: 300, withinMs: 5 * MS_PER_MINUTE },
      // Five a second; ten are allowed.
      frameIntervalMs: 200,
      usedWeightHeader: "x-mbx-used-weight-1m",
    },
    snapshotLimits: [SNAPSHOT_LEVELS],
    staleAfterMs: 30_000,
    streamUrl: (hosts, symbols) => combinedStreamUrl(hosts, symbols, line.route),
    subscribe: () => [],
    resubscribe: resubscribeFrames,
    authenticate: null,
    snapshots: {
      kind: "request",
      request: (hosts, symbol) => ({
        url: `${hosts.rest}${line.restPath}/depth?symbol=${encodeURIComponent(symbol)}&limit=${SNAPSHOT_LEVELS}`,
        weight: 20,
      }),
    },
    // The server pings, and the platform answers.
    keepAlive: null,
    continuity: "book",
    // Prints of the insurance fund take ids too, and not all of them are sent.
    tradeIds: "unordered",
    // The endpoint takes no symbols: it answers with all of them.
    instrumentsRequest: (hosts) => ({ url: `${hosts.rest}${line.restPath}/exchangeInfo`, weight: 1 }),
    decodeInstruments: (body, symbols) => decodeExchangeInfo(line.venue, body, symbols, { contractOf: line.contractOf }),
    createDecoder: (instruments) => createBinanceDecoder("futures", instruments),
    createSequencer: createFuturesSequencer,
  };
}
