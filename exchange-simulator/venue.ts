/**
 * What a venue's protocol is to the simulator. Everything behind it is without sockets, timers and clocks of its own: time is told, frames are
 * handed to a connection, requests are answered as values. So a test drives thousands of frames through it by calls.
 */

import type { Applied, CanonicalMarket } from "./market/canonical-market.ts";

/** What a frame is of, by one word for all venues. Faults are aimed by it. */
export type Channel = "depth" | "snapshot" | "best-levels" | "trade" | "quote" | "kline" | "instrument" | "heartbeat" | "control";

/** One text on its way to a client. */
export interface Frame {
  readonly text: string;
  readonly channel: Channel;
  /** The venue's name of the market; null where the frame is of no single one. */
  readonly symbol: string | null;
  /** The venue's numbers in it (update ids, the connection's sequence, trade ids); null where it numbers nothing. */
  readonly first: number | null;
  readonly last: number | null;
}

/** One client's end, as a protocol sees it. */
export interface Connection {
  send(frame: Frame): void;
  close(code: number, reason: string): void;
}

/** One client's state at a venue. */
export interface Session {
  receive(text: string): void;
  /** The client is gone. */
  closed(): void;
  /** A frame of the book's state as given, as if the venue told it now; null where the session doesn't hear that book. */
  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null;
  /** A depth frame with a false bid above the best ask in it, or behind it; null where it can't be had: another kind of frame, an empty side. */
  crossedFrames(frame: Frame): readonly Frame[] | null;
  /** Frames that break the venue's map from ids to levels; null where it has none. */
  orphanFrames(symbol: string): readonly Frame[] | null;
}

/** A book that was, kept to be shown once more. */
export interface KeptBook {
  readonly time: number;
  readonly sequence: number;
  /** Best first, [ticks, lots]. */
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
}

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A market under the name that a venue gives it. */
export interface Listing {
  readonly symbol: string;
  readonly market: CanonicalMarket;
}

/** The simulated clock, epoch ms. */
export interface Clock {
  now: number;
}

export interface VenueSetup {
  readonly listings: readonly Listing[];
  readonly clock: Clock;
  /** How the venue writes; its own words. "today" unless told. */
  readonly form?: string;
}

export interface Venue {
  readonly venue: string;
  readonly listings: ReadonlyMap<string, Listing>;
  /** What the venue's clock is wrong by, in ms: each time that it writes is shifted. */
  skewMs: number;
  /** Whether anybody hears anything. */
  readonly hasSubscribers: boolean;
  /** Takes a websocket, or refuses it as the answer to its upgrade. */
  accept(request: Pick<RestRequest, "path" | "query">, connection: Connection): Session | RestAnswer;
  /** A record has been applied to the listing's market. */
  hear(listing: Listing, applied: Applied): void;
  /** When `tick` has something to do; Infinity when never. */
  readonly nextTick: number;
  /** Tells what is due by the clock: batches, bars, heartbeats. */
  tick(): void;
  /** Tells what waits for the end of a batch at once. */
  settle(): void;
  /** @param kept the book to answer a snapshot request with, instead of the present one. */
  rest(request: RestRequest, kept: KeptBook | null): RestAnswer;
  /** Whether the request is for a symbol's book, and whose. */
  bookAskedBy(request: RestRequest): string | null;
  /** The symbol's book of now, to be shown again later; null for a symbol that isn't listed. */
  copyBook(symbol: string): KeptBook | null;
  /** The number by which a client may tell that it has all of a book: the venue's last sequence of it, or null where it has none. */
  sequenceOf(symbol: string): number | null;
}

/** What a venue announces before it closes a connection by itself. */
export interface ClosingNotice {
  /** Told on the socket first; null where the venue just closes. */
  readonly frame: string | null;
  readonly code: number;
  readonly reason: string;
}

/** How a protocol is made, and what it is known for. */
export interface Protocol {
  readonly venue: string;
  /** Whether its book can be had by REST: a stale snapshot is then an answer to that. */
  readonly hasRestBook: boolean;
  create(setup: VenueSetup): Venue;
  /** @param time by the venue's clock. */
  closingNotice(time: number): ClosingNotice;
  /** The body of a refusal by rate limit, ban or place. */
  refusalBody(status: number): string;
}
