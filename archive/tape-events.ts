/**
 * A tape as market events: every frame goes through the feed's own reducer, which says whether it belongs to the book, and what does is given out as a record.
 *
 * 1. A book that becomes live, or moves by what is no frame of its connection (a takeover), is a snapshot of all its levels, whatever it was built from (a snapshot and the frames kept for it, or a checkpoint).
 * 2. A depth message that the reducer applied is a depth; one that it dropped, or that broke the book, is none.
 * 3. Trades (once each) and quotes are given out as they come. Of a venue's bars, closed ones.
 * 4. A gap is given out where it closes, before the snapshot that closes it; one that is still open stands at the end.
 *
 * The book of the records is the reducer's, level for level, at every point.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import { featureSetV1 } from "../core/features/registry.ts";
import type { LevelBatch, MarketEvent } from "../core/market/event.ts";
import { type Instrument, marketId } from "../core/market/instrument.ts";
import type { EventLevel, MarketRecord } from "../core/wire/market-events.ts";
import { decodeTapeLine, type TapeRecord } from "../core/wire/tape.ts";
import type { Decoded, Decoder, LossNotice } from "../exchanges/contract.ts";
import { findAdapter } from "../exchanges/registry.ts";
import { decodeCheckpoint } from "../feed/checkpoint.ts";
import type { GapRecord } from "../feed/contract.ts";
import { FeedReducer } from "../feed/feed-reducer.ts";
import type { MarketTracker } from "../feed/market-tracker.ts";
import { TradeIds } from "../feed/trade-ids.ts";
import { ArchiveError } from "./archive-error.ts";
import type { RefusedLine } from "./events-file.ts";

export interface TapeBlock {
  readonly file: string;
  readonly lines: readonly string[];
  readonly firstLine: number;
}

/** What is read from a tape, and how. */
export interface TapeMarkets {
  readonly venue: string;
  readonly instruments: readonly Instrument[];
  /** Silences of a book beyond it are gaps; null or absent: as its pace says. */
  readonly silenceMs?: number | null | undefined;
}

export type TapeItem = { readonly market: string; readonly record: MarketRecord } | RefusedLine;

/** Throws ArchiveError for a venue that isn't spoken here. */
export async function* tapeEvents(
  blocks: AsyncIterable<TapeBlock>,
  { venue, instruments, silenceMs }: TapeMarkets,
): AsyncGenerator<TapeItem[]> {
  const replay = new TapeReplay(venue, instruments, silenceMs ?? null);
  for await (const { file, lines, firstLine } of blocks) {
    const items: TapeItem[] = [];
    for (const [index, text] of lines.entries()) {
      if (text === "") continue;
      const record = decodeTapeLine(text);
      if ("malformed" in record) items.push({ refused: record.malformed, file, line: firstLine + index });
      else items.push(...replay.take(record, { file, line: firstLine + index }));
    }
    yield items;
  }
  yield replay.end();
}

/** Feeds records one by one: what `tapeEvents` and the import of wire captures share. */
export class TapeReplay {
  private readonly reducer: FeedReducer;
  /** A second one: the reducer's own buffers are its own. */
  private decoder: Decoder;
  /** Of the connection that is to succeed the present one. */
  private standby: Decoder | null = null;
  private readonly createDecoder: () => Decoder;
  private readonly states = new Map<string, MarketState>();

  /** @param silenceMs silences of a book beyond it are gaps; null: as its pace says. */
  constructor(venue: string, instruments: readonly Instrument[], silenceMs: number | null = null) {
    const adapter = findAdapter(venue);
    if (adapter === null) throw new ArchiveError(`no adapter speaks the venue "${venue}"`);
    const noted = silenceMs === null ? {} : { silenceMs };
    this.reducer = new FeedReducer({ adapter, instruments, featureSet: featureSetV1, ...noted });
    this.createDecoder = () => adapter.createDecoder(instruments);
    this.decoder = this.createDecoder();
    for (const [symbol, tracker] of this.reducer.markets) this.states.set(symbol, new MarketState(tracker));
  }

  take(record: TapeRecord, at: { file: string; line: number }): TapeItem[] {
    this.follow(record);
    const malformedBefore = this.reducer.malformedFrames;
    this.reducer.record(record);
    this.reducer.takeClosedMinutes();
    const items: TapeItem[] = this.gapsAndBooks(record.kind, this.reducer.now);
    if (record.kind === "frame") {
      const decoded = this.decoder.decode(record.text);
      for (let event = firstOf(decoded); event !== null; event = nextOf(decoded)) {
        if (event.kind === "loss") continue;
        const state = this.states.get(event.symbol);
        const out = state?.recordOf(event, this.reducer.now) ?? null;
        if (state !== undefined && out !== null) items.push({ market: state.market, record: out });
      }
    }
    for (const state of this.states.values()) state.settle();
    if (this.reducer.malformedFrames > malformedBefore) {
      items.push({ refused: `a malformed frame: ${this.reducer.malformedSamples.at(-1)?.slice(0, 80)}`, ...at });
    }
    return items;
  }

  /** Gaps still open. */
  end(): TapeItem[] {
    this.collectGaps();
    return [...this.states.values()].flatMap((state) =>
      [...state.openGaps.values()].map((gap): TapeItem => ({ market: state.market, record: gapRecord(gap, this.reducer.now) })),
    );
  }

  /** What the reducer tells its own decoder, and its trade ids, of a connection or a checkpoint. */
  private follow(record: TapeRecord): void {
    if (record.kind === "open") {
      this.decoder.reset();
      for (const state of this.states.values()) state.trades.clear();
    }
    if (record.kind === "standby-open") this.standby = this.createDecoder();
    if (record.kind === "standby-down") this.standby = null;
    if (record.kind === "standby-frame" && this.standby !== null) {
      // Only for what later frames refer back to.
      const decoded = this.standby.decode(record.text);
      for (let event = firstOf(decoded); event !== null; event = nextOf(decoded));
    }
    if (record.kind === "takeover" && this.standby !== null) {
      this.decoder = this.standby;
      this.standby = null;
    }
    if (record.kind !== "checkpoint" || this.states.get(record.symbol)?.isLive !== false) return;
    const checkpoint = decodeCheckpoint(record.body);
    if (!("malformed" in checkpoint) && checkpoint.memory !== null) this.decoder.recall(record.symbol, checkpoint.memory);
  }

  private gapsAndBooks(kind: TapeRecord["kind"], now: number): TapeItem[] {
    this.collectGaps();
    const items: TapeItem[] = [];
    for (const state of this.states.values()) {
      for (const [id, gap] of state.openGaps) {
        if (gap.to === null) continue;
        items.push({ market: state.market, record: gapRecord(gap, now) });
        state.openGaps.delete(id);
      }
      const snapshot = state.replaced(kind, now);
      if (snapshot !== null) items.push({ market: state.market, record: snapshot });
    }
    return items;
  }

  private collectGaps(): void {
    for (const gap of this.reducer.takeGapChanges()) {
      for (const state of this.states.values()) if (state.market === gap.market) state.openGaps.set(gap.id, gap);
    }
  }
}

/** What the records given out so far say of one market. */
class MarketState {
  readonly openGaps = new Map<string, GapRecord>();
  readonly trades = new TradeIds("unordered");
  readonly market: string;
  private readonly tracker: MarketTracker;
  /** The stretch of unbroken book that was given out: its start, and the sequence it is at. */
  private unbrokenSince: number | null = null;
  private lastSequence: number | null = null;
  private isFresh = false;

  constructor(tracker: MarketTracker) {
    this.tracker = tracker;
    this.market = marketId(tracker.instrument.venue, tracker.instrument.symbol);
  }

  get isLive(): boolean {
    return this.tracker.state === "live";
  }

  /** A snapshot of the whole book, when it is another stretch than the one given out, or has moved by what is no frame (another connection's). */
  replaced(kind: TapeRecord["kind"], now: number): MarketRecord | null {
    const { tracker } = this;
    const isMovedOtherwise = kind === "takeover" || (kind !== "frame" && tracker.lastSequence !== this.lastSequence);
    if (tracker.state !== "live" || (tracker.unbrokenSince === this.unbrokenSince && !isMovedOtherwise)) return null;
    this.unbrokenSince = tracker.unbrokenSince;
    this.isFresh = true;
    const { book, lastSequence } = tracker;
    return {
      kind: "snapshot",
      receivedAt: now,
      venueTime: null,
      sequence: lastSequence,
      bids: sideOf(book, "bid"),
      asks: sideOf(book, "ask"),
    };
  }

  recordOf(event: MarketEvent, receivedAt: number): MarketRecord | null {
    const { tracker } = this;
    switch (event.kind) {
      case "depth": {
        // Within the snapshot already, or what broke the book.
        if (this.isFresh || tracker.state !== "live") return null;
        // Dropped: the book has not moved. Where a venue numbers nothing, whatever a live book survives was applied.
        if (tracker.lastSequence !== null && tracker.lastSequence === this.lastSequence) return null;
        const { venueTime, lastSequence, levels } = event;
        return { kind: "depth", receivedAt, venueTime, sequence: lastSequence, ...levelsOf(levels) };
      }
      case "trade": {
        if (!this.trades.add(event.tradeId).isNew) return null;
        const { venueTime, tradeId, priceTicks, sizeLots, takerSide } = event;
        return { kind: "trade", receivedAt, venueTime, tradeId: String(tradeId), priceTicks, sizeLots, takerSide };
      }
      case "quote": {
        const { venueTime, sequence, bidTicks, bidLots, askTicks, askLots } = event;
        return { kind: "quote", receivedAt, venueTime, sequence, bid: [bidTicks, bidLots], ask: [askTicks, askLots] };
      }
      case "kline": {
        if (!event.isClosed) return null;
        const { venueTime, openTime, openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, trades } = event;
        const prices = { openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, trades };
        return { kind: "bar", receivedAt, venueTime, openTime, closeTime: event.closeTime + 1, ...prices, turnover: null };
      }
      case "snapshot":
        return null;
    }
  }

  /** The record has been dealt with. */
  settle(): void {
    this.isFresh = false;
    this.lastSequence = this.tracker.lastSequence;
    if (this.tracker.state !== "live") this.unbrokenSince = null;
  }
}

/** An event lives until the next one is asked for. */
function firstOf(decoded: Decoded): MarketEvent | LossNotice | null {
  return decoded.kind === "event" ? decoded.event : nextOf(decoded);
}

function nextOf(decoded: Decoded): MarketEvent | LossNotice | null {
  return decoded.kind === "events" ? decoded.next() : null;
}

function gapRecord({ from, to, reason, detail }: GapRecord, now: number): MarketRecord {
  return { kind: "gap", receivedAt: now, from, to, reason, detail };
}

function sideOf(book: OrderBook, side: "bid" | "ask"): EventLevel[] {
  const ladder = book.side(side);
  return Array.from({ length: ladder.levelCount }, (_, depth): EventLevel => [ladder.ticksAt(depth), ladder.lotsAt(depth)]);
}

function levelsOf({ bidCount, askCount, priceTicks, sizeLots }: LevelBatch): { bids: EventLevel[]; asks: EventLevel[] } {
  const level = (index: number): EventLevel => [priceTicks[index] as number, sizeLots[index] as number];
  return {
    bids: Array.from({ length: bidCount }, (_, index) => level(index)),
    asks: Array.from({ length: askCount }, (_, index) => level(bidCount + index)),
  };
}
