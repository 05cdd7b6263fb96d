/**
 * The writing side of the feed object: tape records into chunks, closed minutes and gaps into the store, each few seconds, never per message.
 *
 * A chunk never straddles a minute, so the minute's tape is its chunks, and what a killed process had not flushed is at most one interval.
 */

import { type Instrument, marketId } from "../../core/market/instrument.ts";
import { MS_PER_HOUR, MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { FEED_TAPE_SYMBOL } from "../../core/wire/keys.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import type { EarlierCounts } from "../../feed/minute-tally.ts";
import type { ConnectionRecord, Journal } from "../../feed/session/journal.ts";
import { type AliveMark, type AliveMarket, FeedStore, MAX_HELD_BYTES } from "./feed-store.ts";
import { logFault } from "./log-fault.ts";
import { type DroppedRecords, TapeBuffer } from "./tape-buffer.ts";

/** What a kill can cost, against rows written: two of them each time, 34,560 a day. */
const FLUSH_INTERVAL_MS = 5_000;

const FEED_TAPE: readonly string[] = [FEED_TAPE_SYMBOL];

/** Changes of gaps held at most while storage refuses, of a feed: some 2 MB. */
const MAX_UNSTORED_GAPS = 5_000;
/** What the rest of a minute's row weighs, features and price path among it, in levels. */
const LEVELS_OF_A_ROW = 20;

export class Recorder implements Journal {
  private readonly store: FeedStore;
  private readonly reducer: FeedReducer;
  private readonly buffer: TapeBuffer;
  private flushedAt: number;
  private bufferMinute: number;
  private hasFailed = false;
  /** Taken from the reducer and not stored yet. */
  private minutes: { minute: number; snapshots: MinuteSnapshot[] }[] = [];
  private gaps: GapRecord[] = [];
  /** Symbols whose stored tape has a hole that it doesn't say yet. */
  private readonly torn = new Set<string>();

  constructor(store: FeedStore, reducer: FeedReducer, now: number) {
    this.store = store;
    this.reducer = reducer;
    this.buffer = new TapeBuffer(store.object.tapeRoom);
    this.flushedAt = now;
    this.bufferMinute = minuteOf(now);
    this.recordInstruments(now);
  }

  /** A minute that has ended has its tape cut first. */
  advance(now: number): void {
    this.turnMinute(now);
    if (this.torn.size > 0) this.mendTapes(now);
  }

  /** On the tape of each market that it speaks of, or on the feed's own. */
  frame(symbols: readonly string[], receivedAt: number, text: string): void {
    for (const symbol of symbols.length === 0 ? FEED_TAPE : symbols) this.buffer.frame(symbol, receivedAt, text);
    this.afterRecord(receivedAt);
  }

  binary(receivedAt: number, base64: string): void {
    this.buffer.record(FEED_TAPE_SYMBOL, { kind: "binary", receivedAt, base64 });
    this.afterRecord(receivedAt);
  }

  asked(symbol: string, receivedAt: number): void {
    this.buffer.record(symbol, { kind: "asked", receivedAt, symbol });
    this.afterRecord(receivedAt);
  }

  snapshot(symbol: string, receivedAt: number, body: string): void {
    this.buffer.record(symbol, { kind: "snapshot", receivedAt, symbol, body });
    this.afterRecord(receivedAt);
  }

  standbyFrame(symbols: readonly string[], receivedAt: number, text: string): void {
    for (const symbol of symbols.length === 0 ? FEED_TAPE : symbols)
      this.buffer.record(symbol, { kind: "standby-frame", receivedAt, text });
    this.afterRecord(receivedAt);
  }

  /** On every market's tape, so that each can be replayed alone. */
  connection(receivedAt: number, record: ConnectionRecord): void {
    for (const symbol of this.tapeSymbols()) this.buffer.record(symbol, { ...record, receivedAt });
    this.afterRecord(receivedAt);
  }

  hole(receivedAt: number, symbol: string | null, reason: string): void {
    for (const name of symbol === null ? this.tapeSymbols() : [symbol])
      this.buffer.record(name, { kind: "hole", receivedAt, symbol, reason });
    this.afterRecord(receivedAt);
  }

  /** Called by the alarm, so that a quiet feed closes its minutes too. */
  tick(now: number): void {
    this.advance(now);
    this.takeChanges();
    const hasNews = (this.minutes.length > 0 || this.gaps.length > 0) && !this.hasFailed;
    if (hasNews || now - this.flushedAt >= FLUSH_INTERVAL_MS) this.flush(now);
  }

  /**
   * Stores all that is held, in one transaction. What storage refuses stays held, up to the buffer's bound, and is tried again at the next
   * interval, under the minute it was to go to.
   */
  flush(now: number): "stored" | "refused" {
    this.flushedAt = now;
    this.takeChanges();
    try {
      this.store.atomically(() => this.storeAll(now));
    } catch (error) {
      this.hasFailed = true;
      logFault("storage refused a flush", error);
      return "refused";
    }
    this.hasFailed = false;
    for (const symbol of this.buffer.dropped.keys()) this.torn.add(symbol);
    this.buffer.clear();
    for (const minute of this.minutes) this.store.object.rowsRoom.give(weightOf(minute));
    this.minutes = [];
    this.gaps = [];
    return "stored";
  }

  private takeChanges(): void {
    for (const minute of this.reducer.takeClosedMinutes()) this.holdMinute(minute);
    this.gaps.push(...this.reducer.takeGapChanges());
    if (this.gaps.length > MAX_UNSTORED_GAPS) this.gaps.splice(0, this.gaps.length - MAX_UNSTORED_GAPS);
  }

  /** Rows of a minute that is over. While storage refuses them and there is no room, the oldest of this feed go: they are missing in /v1/quality. */
  private holdMinute(minute: { minute: number; snapshots: MinuteSnapshot[] }): void {
    const { rowsRoom } = this.store.object;
    while (!rowsRoom.take(weightOf(minute))) {
      const oldest = this.minutes.shift();
      if (oldest === undefined) return;
      rowsRoom.give(weightOf(oldest));
    }
    this.minutes.push(minute);
  }

  private storeAll(now: number): void {
    this.store.saveChunk(this.bufferMinute, this.buffer.parts());
    this.store.keep("alive", this.aliveMark(now));
    for (const { minute, snapshots } of this.minutes) this.store.saveMinute(minute, snapshots);
    this.store.saveGaps(this.gaps);
    const lost = [...this.buffer.dropped].map(([symbol, dropped]) => this.lossOf(symbol, dropped, now));
    if (lost.length > 0) this.store.saveGaps(lost);
  }

  /** The hole onto the tape, and the book, which has gone on, so that a replay does too. Between two inputs: both of them see the book as the tape does. */
  private mendTapes(now: number): void {
    const torn = [...this.torn];
    this.torn.clear();
    for (const symbol of torn) {
      this.buffer.record(symbol, { kind: "hole", receivedAt: now, symbol, reason: "records were lost that storage refused" });
      this.checkpointOf(symbol, now);
    }
  }

  private afterRecord(now: number): void {
    const isFull = this.buffer.isFull && !this.hasFailed;
    if (isFull || now - this.flushedAt >= FLUSH_INTERVAL_MS) this.flush(now);
  }

  private turnMinute(now: number): void {
    const minute = minuteOf(now);
    if (minute === this.bufferMinute) return;
    if (this.hasFailed && now - this.flushedAt < FLUSH_INTERVAL_MS) return;
    if (this.flush(now) === "refused") return;
    this.bufferMinute = minute;
    this.recordInstruments(now);
    if (minute % MS_PER_HOUR === 0) this.checkpoint(now);
    this.keepWithinBound(now);
  }

  /** Each minute's tape says by itself what its integers will be. */
  private recordInstruments(receivedAt: number): void {
    for (const { instrument } of this.reducer.markets.values()) {
      const { symbol, tick, lot } = instrument;
      this.buffer.record(symbol, { kind: "instrument", receivedAt, symbol, tick, lot });
    }
  }

  /** The books onto their tapes, so that a replay may begin at any hour. */
  private checkpoint(now: number): void {
    for (const symbol of this.reducer.markets.keys()) this.checkpointOf(symbol, now);
  }

  private checkpointOf(symbol: string, now: number): void {
    const body = this.reducer.takeCheckpoint(symbol);
    if (body !== null) this.buffer.record(symbol, { kind: "checkpoint", receivedAt: now, symbol, body });
  }

  /** The bound is the object's: what is oldest goes, whichever of its feeds it is of. */
  private keepWithinBound(now: number): void {
    const { object } = this.store;
    while (object.heldBytes() > MAX_HELD_BYTES) {
      const letGo = object.dropOldest();
      if (letGo === null) return;
      const { feed, minute, markets } = letGo;
      const detail = `storage did not come for what was recorded in ${new Date(minute).toISOString()}`;
      const to = Math.min(now, minute + MS_PER_MINUTE);
      new FeedStore(object, feed).saveGaps(markets.map((market) => tapeGap(market, { from: minute, to, detail })));
    }
  }

  /** Up to now: some of what came after the first may have had room, and what it followed is not there. */
  private lossOf(symbol: string, { count, from }: DroppedRecords, to: number): GapRecord {
    const venue = [...this.reducer.markets.values()][0]?.instrument.venue ?? "unknown";
    return tapeGap(marketId(venue, symbol), { from, to, detail: `${count} records came while storage refused them` });
  }

  private aliveMark(now: number): AliveMark {
    const markets = [...this.reducer.markets].map(([symbol, market]): [string, AliveMarket] => [
      symbol,
      { ...market.minute.soFar(now), gapStarts: market.gaps.recentStarts },
    ]);
    return { at: now, minute: minuteOf(now), markets: Object.fromEntries(markets) };
  }

  private tapeSymbols(): string[] {
    return [...this.reducer.markets.keys(), FEED_TAPE_SYMBOL];
  }
}

/** In levels. */
function weightOf({ snapshots }: { readonly snapshots: readonly MinuteSnapshot[] }): number {
  return snapshots.reduce((sum, { bids, asks }) => sum + (bids?.length ?? 0) + (asks?.length ?? 0) + LEVELS_OF_A_ROW, 0);
}

/** Tape that is lost: of each market whose records were in it. */
function tapeGap(market: string, { from, to, detail }: Pick<GapRecord, "from" | "to" | "detail">): GapRecord {
  const id = `${market}/tape/${from}/tape-overflow/${to}`;
  return { id, market, channel: "tape", from, to, reason: "tape-overflow", detail, action: "dropped" };
}

/** What an earlier process had counted of the open minute. Prices on another grid than the market's present one don't belong into one row with them. */
export function earlierCounts(known: AliveMarket, { symbol, tick }: Instrument, earlier: readonly Instrument[]): EarlierCounts {
  const before = earlier.find((instrument) => instrument.symbol === symbol)?.tick;
  const isSameGrid = before?.decimals === tick.decimals && before.mantissa === tick.mantissa;
  return isSameGrid ? known : { ...known, pricePath: null };
}

/** The row of a minute in which the process died before it could close it: what is known is what it had counted at its last flush. */
export function unclosedMinuteSnapshots(instruments: readonly Instrument[], minute: number, alive: AliveMark | null): MinuteSnapshot[] {
  const counted = (symbol: string): EarlierCounts | undefined => (alive?.minute === minute ? alive.markets[symbol] : undefined);
  return instruments.map((instrument) => ({
    market: marketId(instrument.venue, instrument.symbol),
    instrument,
    minute,
    state: "disconnected",
    bookState: "empty",
    quote: null,
    bids: null,
    asks: null,
    lastSequence: null,
    bookHash: null,
    marketTime: null,
    features: null,
    coveredMs: counted(instrument.symbol)?.coveredMs ?? 0,
    events: counted(instrument.symbol)?.events ?? 0,
    trades: counted(instrument.symbol)?.trades ?? 0,
    pricePath: counted(instrument.symbol)?.pricePath ?? null,
  }));
}
