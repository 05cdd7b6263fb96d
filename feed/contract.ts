/**
 * What a feed tells the rest of the system: plain data, safe to send over RPC and to store.
 *
 * A feed answers for its markets. Whoever asks gets a value or a refusal with a reason, never a substitute.
 */

import type { BookState } from "../core/book/order-book.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { SymbolTape } from "../core/wire/minute-tapes.ts";
import type { Channel, ExchangeAdapter, ResyncReason, Unlisted } from "../exchanges/contract.ts";

/** Why nothing is known of a market's book right now. */
export type Unavailable =
  | "unknown-market"
  /** No connection yet, or it is down. */
  | "disconnected"
  /** Connected, and the book is being built. */
  | "syncing"
  /** The book is there but no data has come for longer than this venue allows. */
  | "stale"
  /** One side is empty, or the book is crossed. */
  | "no-mid"
  /** Features need a stretch of unbroken feed first. */
  | "warming-up";

export interface Refusal {
  readonly ok: false;
  readonly reason: Unavailable;
  /** One sentence for a person: what is missing, since when, what happens next. */
  readonly detail: string;
}

export interface QuoteView {
  readonly bidTicks: number | null;
  readonly bidLots: number | null;
  readonly askTicks: number | null;
  readonly askLots: number | null;
}

/** The proof that a book is what the venue's is. */
export interface BookProof {
  readonly lastSequence: number | null;
  /** Since when (received) the book has been unbroken; null when it isn't. */
  readonly unbrokenSince: number | null;
  /** What the venue numbers (exchanges/contract.ts): where it is not the book, the comparisons are the proof. */
  readonly continuity: ExchangeAdapter["continuity"];
  /** Top of book against the venue's own quote: at equal sequence numbers, or, where quotes carry none, within the race of the two channels. */
  readonly comparisons: number;
  readonly mismatches: number;
  /** The book's best levels against those that the venue itself lists, in the same way; null where it lists none. */
  readonly topLevels: { readonly comparisons: number; readonly mismatches: number } | null;
  /** Comparisons of the whole book with that of another connection, since the feed's process began, and when the last was; regular where nothing is numbered. */
  readonly audits: number;
  readonly lastAuditAt: number | null;
  readonly gaps24h: number;
}

export interface MarketStatus {
  readonly market: string;
  readonly instrument: Instrument;
  readonly state: "live" | Exclude<Unavailable, "unknown-market" | "warming-up" | "no-mid">;
  readonly bookState: BookState;
  /** What the venue says of the instrument, in its own word ("Open", "Closed", "Settled"); null where it says nothing. */
  readonly venueState: string | null;
  readonly lastReceivedAt: number | null;
  /** The market's own clock: the largest venueTime received. */
  readonly marketTime: number | null;
  readonly proof: BookProof;
  /** Feature rows written by this process: how many, and a digest of all their bytes. */
  readonly featureRows: { readonly count: number; readonly hash: string; readonly lastTime: number | null };
  readonly malformedFrames: number;
}

export interface FeedStatus {
  readonly feed: string;
  readonly venue: string;
  readonly now: number;
  readonly connection: {
    readonly state: "connecting" | "open" | "waiting" | "blocked";
    readonly host: string;
    readonly openedAt: number | null;
    readonly attempts: number;
    readonly lastDownReason: string | null;
    readonly retryAt: number | null;
    /** Messages of ours that the venue has refused on the socket since the feed's process began, and the last of these refusals, cut to 200 characters. */
    readonly refusals: number;
    readonly lastRefusal: { readonly at: number; readonly detail: string } | null;
  };
  /** Symbols configured that have no market, and why: the venue doesn't know them, or what it says of them can't be used. */
  readonly unlisted: readonly Unlisted[];
  readonly frames: number;
  readonly malformedFrames: number;
  /** Frames in the last malformed ones kept, oldest first, cut to 200 characters. */
  readonly malformedSamples: readonly string[];
  readonly pendingMinutes: number;
  readonly oldestPendingMinute: number | null;
  readonly tapeBytesHeld: number;
  readonly counters: FeedCounters;
  readonly markets: readonly MarketStatus[];
}

/** What the object has done that is billed, since its process began. */
export interface FeedCounters {
  readonly since: number;
  /** RPC calls answered. */
  readonly calls: number;
  readonly alarms: number;
  /** Messages received from the venue's socket. */
  readonly messages: number;
  /** Rows of its SQLite, index entries and alarms set included. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

export interface BookView {
  readonly ok: true;
  readonly market: string;
  readonly instrument: Instrument;
  readonly now: number;
  readonly receivedAt: number;
  /** The market's own clock; null before the venue has said a time. */
  readonly marketTime: number | null;
  readonly state: BookState;
  /** [ticks, lots] best first. */
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
  /** Price down (bids) or up (asks) to which every level is known; null where that is the whole side. Beyond it levels may be missing. */
  readonly completeTo: { readonly bidTicks: number | null; readonly askTicks: number | null };
  readonly contentHash: string;
  readonly proof: BookProof;
}

/** The venue's own L1 quote when it is at least as new as the book, the book's top otherwise. */
export interface QuoteAnswer extends QuoteView {
  readonly ok: true;
  readonly market: string;
  readonly instrument: Instrument;
  readonly now: number;
  readonly receivedAt: number;
  /** The market's own clock; null before the venue has said a time. */
  readonly marketTime: number | null;
  readonly source: "venue-quote" | "book";
  readonly sequence: number | null;
}

/** So many of the newest rows of a feature set. */
export interface WantedRows {
  readonly fingerprint: string;
  readonly rows: number;
}

/** Why a set has no such rows, while the market has a moment to forecast from. */
export type RowsUnavailable =
  /** The feed's configuration doesn't name the set. */
  | "not-computed"
  /** Its windows aren't full yet. */
  | "warming-up"
  /** Full, and fewer rows have come since the last gap than are wanted; or more are wanted than are kept. */
  | "too-few-rows";

export interface RowsRefusal {
  readonly reason: RowsUnavailable;
  readonly detail: string;
}

export type SetRows =
  | {
      readonly fingerprint: string;
      readonly columns: number;
      /** [rows x columns], oldest first, a second apart; the last is that of the moment. One array: it goes from process to process by a copy of its bytes. */
      readonly rows: Float64Array;
    }
  | { readonly fingerprint: string; readonly refusal: RowsRefusal };

/** The newest grid time of a market, and the prices that a forecast from it starts at. */
export interface FeatureMoment {
  readonly market: string;
  readonly instrument: Instrument;
  readonly now: number;
  readonly receivedAt: number;
  /** Time of ours since its rows were written: a forecast for a shorter horizon is of the past. */
  readonly rowAgeMs: number;
  /** The grid time on the market's clock: a forecast for horizon h is for featureTime + h. */
  readonly featureTime: number;
  readonly marketTime: number;
  /** Best prices as of featureTime. */
  readonly bidTicks: number;
  readonly askTicks: number;
  /** Share of the last closed minute and the open one in which the book was live, 0 to 1. What was before the process counts as not. */
  readonly coverage: number;
  readonly proof: BookProof;
}

/** A moment, with the rows that were wanted as of it. */
export interface FeatureView extends FeatureMoment {
  readonly ok: true;
  /** In the order in which they were wanted. */
  readonly sets: readonly SetRows[];
}

/** A stretch without a proved book, or with lost frames. Open while `to` is null. */
export interface GapRecord {
  /** Stable: the same gap written twice is one row. */
  readonly id: string;
  readonly market: string;
  readonly channel: Channel | "connection" | "tape";
  readonly from: number;
  readonly to: number | null;
  readonly reason: GapReason;
  /** What happened, for a person. */
  readonly detail: string;
  /** What was done about it. */
  readonly action: "resynced" | "reconnected" | "resubscribed" | "noted" | "dropped" | "retired" | "pending";
}

export type GapReason =
  | ResyncReason
  | "snapshot-differs"
  | "lost-trades"
  | "standby-lost"
  | "started"
  | "restarted"
  /** Its feed records it no more: until it is recorded again, by whichever feed. */
  | "retired"
  | "connection-down"
  | "stale"
  /** Longer than the feed was told to let pass, and too short to be stale. */
  | "silence"
  | "tape-overflow"
  | "rotation";

/** One market at the end of one minute of receive time. */
export interface MinuteSnapshot {
  readonly market: string;
  /** The grids that the integers of this row are in. */
  readonly instrument: Instrument;
  /** Start of the minute, epoch ms. */
  readonly minute: number;
  readonly state: MarketStatus["state"];
  readonly bookState: BookState;
  /** Null unless the book was live at the minute's end. */
  readonly quote: QuoteView | null;
  /** Best levels a side, as many as the feed is configured to keep, [ticks, lots], best first; null unless live. */
  readonly bids: readonly (readonly [number, number])[] | null;
  readonly asks: readonly (readonly [number, number])[] | null;
  readonly lastSequence: number | null;
  readonly bookHash: string | null;
  readonly marketTime: number | null;
  /** The newest feature row of this minute; null while there was none. */
  readonly features: { readonly featureTime: number; readonly fingerprint: string; readonly row: readonly number[] } | null;
  /** Milliseconds of this minute in which the book was live. */
  readonly coveredMs: number;
  readonly events: number;
  readonly trades: number;
  /** Best bid and ask at each grid time that the minute wrote, warm or not (core/wire/price-path.ts); null for none. */
  readonly pricePath: string | null;
}

/** A closed minute that storage has not acknowledged yet. */
export interface PendingMinute {
  readonly minute: number;
  readonly snapshots: readonly MinuteSnapshot[];
  /** Symbols (and the feed's own pseudo-symbol) with tape in this minute, and its gzip size in bytes. */
  readonly tapes: readonly { readonly symbol: string; readonly bytes: number }[];
}

/** What is asked of a feed. */
export interface FeedRpc {
  /** Starts the feed where it isn't running, and says how it is. What is pending is of the venue that it names. */
  status(): Promise<FeedStatus>;
  book(market: string, levels: number): Promise<BookView | Refusal>;
  quote(market: string): Promise<QuoteAnswer | Refusal>;
  /** @param wanted of at most four sets, and of each at most 128 rows. */
  features(market: string, wanted: readonly WantedRows[]): Promise<FeatureView | Refusal>;
  /** The oldest closed minutes not acknowledged yet, oldest first, and every gap changed since it was last acknowledged. */
  pending(limit: number): Promise<{ minutes: readonly PendingMinute[]; gaps: readonly GapRecord[]; remaining: number }>;
  /** The gzip members of some symbols' records received in a minute, each symbol's concatenated; of a symbol without any, nothing. */
  tapes(symbols: readonly string[], minute: number): Promise<readonly SymbolTape[]>;
  /** Storage holds everything of these minutes and gaps: the feed may let them go. Gaps still open stay. */
  acknowledge(minutes: readonly number[], gaps: readonly Pick<GapRecord, "id" | "to">[]): Promise<void>;
  instruments(): Promise<readonly Instrument[]>;
}

/** A feed that is configured no more, or in another object or of another venue now, and still holds something that is not stored. */
export interface FormerFeed {
  /** By which it is asked. */
  readonly feed: string;
  /** Its name when it recorded: another feed may have it now. */
  readonly recordedAs: string;
  readonly venue: string;
}

/** The same of one object's feeds: each call names the feed first. And what of former feeds it has, which are drained like the others. */
export type FeedObjectRpc = {
  [Call in keyof FeedRpc]: (feed: string, ...parameters: Parameters<FeedRpc[Call]>) => ReturnType<FeedRpc[Call]>;
} & { former(): Promise<readonly FormerFeed[]> };
