/**
 * What a venue family must say about its protocol. Everything here is pure: no socket, no timer, no retry, no clock.
 *
 * The feed asks, the adapter answers: where to connect, what to send, what a frame means, whether it continues the book.
 */

import type { DepthEvent, MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";

/** A frame decoded. Events live in the decoder's buffers until its next call. */
export type Decoded =
  | { kind: "event"; event: MarketEvent }
  /** Acknowledgements, heartbeats, announcements: `closing` means that the venue is about to close this connection. */
  | { kind: "control"; control: "acknowledged" | "heartbeat" | "closing" | "refused"; detail: string }
  /** Well-formed, and nothing we keep state of (still on the tape). */
  | { kind: "ignored"; reason: string }
  /** Not what the venue's document promises. Counted, a sample kept; the book it was meant for can't be trusted to have seen it. */
  | { kind: "malformed"; reason: string; symbol: string | null };

/** Decodes frames of one connection. Owns its buffers; never throws on any input. */
export interface Decoder {
  decode(frame: string): Decoded;
  /** Decodes the body of the answer to `snapshotRequest(symbol)`. */
  decodeSnapshot(symbol: string, body: string): Decoded;
}

/** Why a book has to be built again. */
export type ResyncReason = "sequence-gap" | "snapshot-too-old" | "buffer-overflow" | "crossed-book" | "window-exhausted" | "quote-mismatch";

/** The judgement on one depth message. */
export type Verdict = "apply" | "buffer" | "drop" | "duplicate" | { resync: ResyncReason };

/**
 * The venue's continuity rule for one book. Starts unsynced; `judgeSnapshot` then says whether the snapshot joins
 * what has been buffered, and `judge` rules on each depth message, the buffered ones first.
 */
export interface BookSequencer {
  readonly isSynced: boolean;
  /** The last sequence that the book holds; null before the first snapshot. */
  readonly lastSequence: number | null;
  judge(event: Pick<DepthEvent, "firstSequence" | "lastSequence" | "previousSequence">): Verdict;
  /** @param firstBuffered first sequence of the oldest buffered message, null when nothing is buffered. */
  judgeSnapshot(lastSequence: number, firstBuffered: number | null): "apply" | "too-old";
  /** Forget everything: the book is to be built again. */
  reset(): void;
}

/** An HTTP request that the feed is to make, as data. */
export interface VenueRequest {
  readonly url: string;
  /** What it costs of the venue's request budget, in the venue's own unit. */
  readonly weight: number;
}

/** Where a venue is reached; a deployment may put a mirror or the simulator in its place. */
export interface VenueHosts {
  /** e.g. "wss://stream.binance.com:9443" */
  readonly stream: string;
  /** e.g. "https://api.binance.com" */
  readonly rest: string;
}

export interface VenueLimits {
  /** Symbols that one connection may carry: the venue's streams per connection, shared out among the channels that a symbol needs. */
  readonly symbolsPerConnection: number;
  /** Age at which the venue closes a connection by itself; rotate before. */
  readonly connectionLifetimeMs: number;
  /** Request budget per minute, in the venue's weights. */
  readonly weightPerMinute: number;
}

export interface ExchangeAdapter {
  readonly venue: string;
  readonly hosts: VenueHosts;
  /** Hosts that serve the same public data where the first are blocked. */
  readonly fallbackHosts: readonly VenueHosts[];
  readonly limits: VenueLimits;
  /** Levels a side at which the venue cuts its snapshots: a side with exactly as many is known only that far. */
  readonly snapshotLimits: readonly number[];
  /** With no data at all for this long the connection is held to be dead; with no change of its book, at the least, one busy symbol. */
  readonly staleAfterMs: number;
  streamUrl(hosts: VenueHosts, symbols: readonly string[]): string;
  /** Frames to send once connected; empty where the URL says it all. */
  subscribe(symbols: readonly string[]): readonly string[];
  snapshotRequest(hosts: VenueHosts, symbol: string): VenueRequest;
  instrumentsRequest(hosts: VenueHosts, symbols: readonly string[]): VenueRequest;
  /** @returns the instruments asked for, or why the body can't be used. Symbols that the venue doesn't know are absent. */
  decodeInstruments(body: string, symbols: readonly string[]): { instruments: Instrument[] } | { malformed: string };
  createDecoder(instruments: readonly Instrument[]): Decoder;
  createSequencer(): BookSequencer;
}
