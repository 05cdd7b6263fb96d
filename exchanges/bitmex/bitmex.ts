/**
 * BitMEX: books of derivatives whose sizes are contracts, by table diffs over one socket. Streams, heartbeats and limits:
 * https://www.bitmex.com/app/wsAPI and https://www.bitmex.com/app/restAPI (read 2026-11-27).
 *
 * The venue numbers nothing: that a message was lost shows in its ids (books.ts), or only in what it says of its book elsewhere: its quote beside the
 * top, orderBook10 beside the best ten levels (decision 0019). In the recording of 2021 the last quote of each quote message is exactly the
 * book's top when it arrives, sizes too: 55 of 55. The rows before it are the quotes of up to a second before.
 */

import { MS_PER_HOUR, MS_PER_SECOND } from "../../core/units/time.ts";
import type { ExchangeAdapter } from "../contract.ts";
import { createBitmexDecoder } from "./decoder.ts";
import { decodeInstruments, INSTRUMENT_COLUMNS } from "./instruments.ts";
import { createBitmexSequencer } from "./sequencer.ts";
import { resubscribeFrames, subscribeFrames } from "./topics.ts";

const VENUE = "bitmex";
/** How long a signature is good for. */
const SIGNED_FOR_SECONDS = 60;

export const bitmex: ExchangeAdapter = {
  venue: VENUE,
  hosts: { stream: "wss://ws.bitmex.com", rest: "https://www.bitmex.com" },
  // The testnet is another market, not a mirror.
  fallbackHosts: [],
  limits: {
    // The venue names no limit: our own, so that the images of all books (some megabytes each while they are read) come within a minute.
    symbolsPerConnection: 60,
    // It names no age at which it closes, either.
    connectionLifetimeMs: Number.POSITIVE_INFINITY,
    // Requests without a key.
    weightPerMinute: 30,
    // https://blog.bitmex.com/api_announcement/updates-to-rate-limits/ (read 2026-11-27): 60 an hour, where it had been 20 and 40.
    dials: { most: 60, withinMs: MS_PER_HOUR },
    // One message of 20 topics a second: the burst that is allowed, and no more.
    frameIntervalMs: MS_PER_SECOND,
    // Its header says what is left, not what is used.
    usedWeightHeader: null,
  },
  // The whole book comes.
  snapshotLimits: [],
  // With a ping each 5 s into silence, six go unanswered before.
  staleAfterMs: 30_000,
  streamUrl: (hosts) => `${hosts.stream}/realtime`,
  subscribe: (symbols, token) => (token === null ? subscribeFrames(symbols) : [token, ...subscribeFrames(symbols)]),
  // A connection that was opened with a key goes on with it.
  resubscribe: (symbols, channel) => resubscribeFrames(symbols, channel),
  /** The token is the message that authenticates: nothing here needs it, and the venue allows a known key more. */
  async authenticate(key, signer, now) {
    const expires = Math.floor(now / MS_PER_SECOND) + SIGNED_FOR_SECONDS;
    const signature = await signer.hmacSha256(key.secret, `GET/realtime${expires}`);
    return JSON.stringify({ op: "authKeyExpires", args: [key.id, expires, signature] });
  },
  snapshots: { kind: "subscription" },
  keepAlive: { afterSilenceMs: 5_000, frame: "ping", answerWithinMs: 5_000 },
  continuity: "none",
  tradeIds: "unordered",
  instrumentsRequest: (hosts, symbols) => {
    const filter = encodeURIComponent(JSON.stringify({ symbol: symbols }));
    const columns = encodeURIComponent(JSON.stringify(INSTRUMENT_COLUMNS));
    // The most that it gives at once; symbols are unique, so this is all of them.
    return { url: `${hosts.rest}/api/v1/instrument?filter=${filter}&columns=${columns}&count=500`, weight: 1 };
  },
  decodeInstruments: (body, symbols) => decodeInstruments(VENUE, body, symbols),
  createDecoder: createBitmexDecoder,
  createSequencer: createBitmexSequencer,
};
