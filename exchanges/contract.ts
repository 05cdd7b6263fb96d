/**
 * What a venue family must say about its protocol. Everything here is pure: no socket, no timer, no retry, no clock.
 *
 * The feed asks, the adapter answers: where to connect, what to send, what a frame means, whether it continues the book.
 */

import type { DepthEvent, MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";

/** What of a market a message belongs to: each has its own pace, and its own gaps. */
export type Channel = "depth" | "trades" | "quotes";

/** A frame that is right by itself, and shows that messages before it were lost. What came before of this channel can't be trusted. */
export interface LossNotice {
  kind: "loss";
  symbol: string;
  channel: Channel;
  reason: ResyncReason;
  detail: string;
}

/** One channel of one market, as it is subscribed to. */
export interface Subscription {
  readonly symbol: string;
  readonly channel: Channel;
}

/** The venue refuses something that was sent on the socket. */
export interface SocketRefusal {
  readonly kind: "control";
  readonly control: "refused";
  /** In the venue's words. */
  readonly detail: string;
  /** For how long it wants to be left alone; null where it doesn't. */
  readonly retryAfterMs: number | null;
  /** Among these are the subscriptions that it refuses; null where it names none, so that it may be any. */
  readonly among: readonly Subscription[] | null;
}

/** A frame decoded. Events live in the decoder's buffers until its next call. */
export type Decoded =
  | { kind: "event"; event: MarketEvent }
  /**
   * Any number of events of one frame, in order; the frame has been checked whole before the first is given out. `next` fills the decoder's
   * buffers again: an event lives until the next one is asked for. Null after the last.
   */
  | { kind: "events"; next(): MarketEvent | LossNotice | null }
  /** Acknowledgements, heartbeats, announcements: `closing` means that the venue is about to close this connection. */
  | { kind: "control"; control: "acknowledged" | "heartbeat" | "closing"; detail: string }
  | SocketRefusal
  /** Well-formed, and nothing we keep state of (still on the tape). */
  | { kind: "ignored"; reason: string }
  /**
   * Not what the venue's document promises. Counted, a sample kept; the book it was meant for can't be trusted to have seen it. Symbol and
   * channel as far as they could be read.
   */
  | { kind: "malformed"; reason: string; symbol: string | null; channel?: Channel | null };

/** Decodes frames of one connection. Owns its buffers, and what a venue's messages refer back to (ids of levels); never throws on any input. */
export interface Decoder {
  /**
   * The venue's number of the frame decoded last, where frames are numbered over the whole connection, each one more than the last; null elsewhere.
   * A decoder that has it takes its books' sequences from it and counts none itself: the feed decodes a frame before it finds that it is a late
   * one and drops it, and a count would go on without the book.
   */
  readonly connectionSequence: number | null;
  decode(frame: string): Decoded;
  /** Decodes the body of the answer to a snapshot request; malformed for a venue that is asked for none. */
  decodeSnapshot(symbol: string, body: string): Decoded;
  /** Another connection begins: what the last one's messages said is forgotten. */
  reset(): void;
  /** What later messages of this market refer back to (ids of levels), as text for a checkpoint; null where they refer to nothing. */
  memory(symbol: string): string | null;
  /** Takes what `memory` gave. @returns whether it could be read. */
  recall(symbol: string, memory: string): boolean;
}

/** Why a book has to be built again. */
export type ResyncReason =
  | "sequence-gap"
  | "snapshot-too-old"
  | "buffer-overflow"
  | "crossed-book"
  | "window-exhausted"
  | "quote-mismatch"
  /** The venue's own best levels are not the book's. */
  | "levels-mismatch"
  /** A change of a level that was never there, or of one that is there already. */
  | "unknown-level"
  /** A message of an unnumbered book that could not be read. */
  | "malformed";

/** The judgement on one depth message. `drop` is also what an unnumbered book gets before its snapshot. */
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
  /** Connections that may be opened from one address, and within what time. */
  readonly dials: { readonly most: number; readonly withinMs: number };
  /** Time between two frames of ours, so that the venue's limit on them holds. */
  readonly frameIntervalMs: number;
  /** The answer's header that says what of the budget this address has used in the last minute; null where there is none. */
  readonly usedWeightHeader: string | null;
}

/** How a book's snapshot is had. */
export type SnapshotSource =
  | { readonly kind: "request"; request(hosts: VenueHosts, symbol: string): VenueRequest }
  /** It comes on the socket after subscribing to the book's channel; once more, by `resubscribe`. */
  | { readonly kind: "subscription" };

/** What is sent into a silence, so that a dead connection shows. */
export interface KeepAlive {
  readonly afterSilenceMs: number;
  readonly frame: string;
  readonly answerWithinMs: number;
}

/** What the platform computes for a signature. Keys are never needed for what we ask for; they are for deployments whose venue asks. */
export interface Signer {
  /** @returns lower-case hex. */
  hmacSha256(secret: string, text: string): Promise<string>;
  /** ECDSA on P-256 with SHA-256. @param privateKey PEM (PKCS #8 or SEC 1). @returns r and s, 32 bytes each, base64url. @throws when the key can't be read. */
  es256(privateKey: string, text: string): Promise<string>;
}

export interface VenueKey {
  readonly id: string;
  readonly secret: string;
}

/** What a venue lists of the instruments asked for. Symbols that it doesn't know are absent. */
export interface Listing {
  readonly instruments: Instrument[];
  /** Those that it lists and that can't be used, with the reason of each; left out where there is none. */
  readonly unreadable?: readonly Unlisted[];
}

/** A symbol of which there is no instrument, and why. */
export interface Unlisted {
  readonly symbol: string;
  readonly reason: string;
}

export interface ExchangeAdapter {
  readonly venue: string;
  readonly hosts: VenueHosts;
  /** Hosts that serve the same public data where the first are blocked. */
  readonly fallbackHosts: readonly VenueHosts[];
  readonly limits: VenueLimits;
  /** Levels a side at which the venue cuts its snapshots: a side with exactly as many is known only that far. Empty where the whole book comes. */
  readonly snapshotLimits: readonly number[];
  /** With no data at all for this long the connection is held to be dead; with no change of its book, at the least, one busy symbol. */
  readonly staleAfterMs: number;
  streamUrl(hosts: VenueHosts, symbols: readonly string[]): string;
  /** Frames to send once connected; empty where the URL says it all. @param token what `authenticate` gave; null without keys. */
  subscribe(symbols: readonly string[], token: string | null): readonly string[];
  /**
   * Frames that leave a channel of some symbols and subscribe to it anew: for one that has gone silent, or a book that is wanted again.
   * @param token made for this, like that of `subscribe`; null without keys.
   */
  resubscribe(symbols: readonly string[], channel: Channel, token: string | null): readonly string[];
  /** Makes what shows the venue whose key it is; null for a venue whose market data takes none. */
  readonly authenticate: ((key: VenueKey, signer: Signer, now: number) => Promise<string>) | null;
  readonly snapshots: SnapshotSource;
  readonly keepAlive: KeepAlive | null;
  /** What the venue numbers: each book's messages, all messages of a connection, or none, so that only its quote beside a book's top tells. */
  readonly continuity: "book" | "connection" | "none";
  /** Whether a market's trade ids count up by one, so that a hole among them is a lost trade. */
  readonly tradeIds: "consecutive" | "unordered";
  instrumentsRequest(hosts: VenueHosts, symbols: readonly string[]): VenueRequest;
  /** @returns the instruments asked for, or why the body can't be used: also where it lists some of them, and none can be read. */
  decodeInstruments(body: string, symbols: readonly string[]): Listing | { malformed: string };
  createDecoder(instruments: readonly Instrument[]): Decoder;
  createSequencer(): BookSequencer;
}
