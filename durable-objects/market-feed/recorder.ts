/**
 * The writing side of the feed object: tape records into chunks, closed minutes and gaps into the store, each few seconds, never per message.
 *
 * A chunk never straddles a minute, so the minute's tape is its chunks, and what a killed process had not flushed is at most one interval.
 */

import { MS_PER_HOUR, MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { FEED_TAPE_SYMBOL } from "../../core/wire/keys.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MinuteCounts } from "../../feed/minute-tally.ts";
import type { ConnectionRecord, Journal } from "../../feed/session/journal.ts";
import type { AliveMark, AliveMarket, FeedStore } from "./feed-store.ts";
import { logFault } from "./log-fault.ts";
import { FLUSH_AT_CHARACTERS, TapeBuffer } from "./tape-buffer.ts";

/** What a kill can cost, against rows written: two of them each time, 34,560 a day. */
const FLUSH_INTERVAL_MS = 5_000;

const FEED_TAPE: readonly string[] = [FEED_TAPE_SYMBOL];

/** Held at most while storage refuses: two hours of minutes. */
const MAX_UNSTORED_MINUTES = 120;
const MAX_UNSTORED_GAPS = 5_000;

export class Recorder implements Journal {
  private readonly store: FeedStore;
  private readonly reducer: FeedReducer;
  private readonly buffer = new TapeBuffer();
  private flushedAt: number;
  private bufferMinute: number;
  private hasFailed = false;
  /** Taken from the reducer and not stored yet. */
  private minutes: { minute: number; snapshots: MinuteSnapshot[] }[] = [];
  private gaps: GapRecord[] = [];

  constructor(store: FeedStore, reducer: FeedReducer, now: number) {
    this.store = store;
    this.reducer = reducer;
    this.flushedAt = now;
    this.bufferMinute = minuteOf(now);
    this.recordInstruments(now);
  }

  /** A minute that has ended has its tape cut first. */
  advance(now: number): void {
    this.turnMinute(now);
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
    this.buffer.clear();
    this.minutes = [];
    this.gaps = [];
    return "stored";
  }

  private takeChanges(): void {
    this.minutes.push(...this.reducer.takeClosedMinutes());
    this.gaps.push(...this.reducer.takeGapChanges());
    if (this.minutes.length > MAX_UNSTORED_MINUTES) this.minutes.splice(0, this.minutes.length - MAX_UNSTORED_MINUTES);
    if (this.gaps.length > MAX_UNSTORED_GAPS) this.gaps.splice(0, this.gaps.length - MAX_UNSTORED_GAPS);
  }

  private storeAll(now: number): void {
    const { dropped } = this.buffer;
    this.store.saveChunk(this.bufferMinute, this.buffer.parts());
    this.store.keep("alive", this.aliveMark(now));
    for (const { minute, snapshots } of this.minutes) this.store.saveMinute(minute, snapshots);
    this.store.saveGaps(this.gaps);
    if (dropped > 0) this.store.saveGaps([this.tapeGap(now, `${dropped} records came while storage refused them`)]);
  }

  private afterRecord(now: number): void {
    const isFull = this.buffer.heldCharacters >= FLUSH_AT_CHARACTERS && !this.hasFailed;
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
    for (const market of this.reducer.markets.values()) {
      const { symbol } = market.instrument;
      const body = market.checkpoint();
      if (body !== null) this.buffer.record(symbol, { kind: "checkpoint", receivedAt: now, symbol, body });
    }
  }

  private keepWithinBound(now: number): void {
    while (this.store.heldBytes() > this.store.maxHeldBytes) {
      const minute = this.store.dropOldest();
      if (minute === null) return;
      this.store.saveGaps([this.tapeGap(now, `storage did not come for what was recorded in ${new Date(minute).toISOString()}`, minute)]);
    }
  }

  private tapeGap(now: number, detail: string, minute: number = this.bufferMinute): GapRecord {
    const market = `${[...this.reducer.markets.values()][0]?.instrument.venue ?? "unknown"}:${FEED_TAPE_SYMBOL}`;
    const to = Math.min(now, minute + MS_PER_MINUTE);
    return {
      id: `${market}/tape/${minute}/${now}`,
      market,
      channel: "tape",
      from: minute,
      to,
      reason: "tape-overflow",
      detail,
      action: "dropped",
    };
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

/** The row of a minute in which the process died before it could close it: what is known is what it had counted at its last flush. */
export function unclosedMinuteSnapshots(reducer: FeedReducer, minute: number, alive: AliveMark): MinuteSnapshot[] {
  const counted = (symbol: string): MinuteCounts | undefined => (alive.minute === minute ? alive.markets[symbol] : undefined);
  return [...reducer.markets].map(([symbol, market]) => ({
    market: market.market,
    instrument: market.instrument,
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
    coveredMs: counted(symbol)?.coveredMs ?? 0,
    events: counted(symbol)?.events ?? 0,
    trades: counted(symbol)?.trades ?? 0,
  }));
}
