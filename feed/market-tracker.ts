/**
 * One market: its book and the proof of it, its quote, features, gaps and coverage. Pure: every input carries its receive time.
 *
 * Life of a book, as every venue with a snapshot and a stream wants it:
 * 1. unsynced: frames are kept (as text, bounded); a snapshot is wanted;
 * 2. a snapshot comes: too old for what was kept, another is wanted; else it replaces the book and the kept frames are judged and applied;
 * 3. live: each depth message is judged by the venue's rule before it is applied; any break makes the book unsynced, with a reason.
 *
 * Features start at the first change applied after a snapshot (its venueTime), so that where the snapshot was asked for makes no difference.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { FeatureSet } from "../core/features/contract.ts";
import { FeaturePipeline, type RowSink } from "../core/features/pipeline.ts";
import type { DepthEvent, MarketEvent, QuoteEvent, SnapshotEvent } from "../core/market/event.ts";
import { type Instrument, marketId } from "../core/market/instrument.ts";
import type { BookSequencer, Decoder, ResyncReason } from "../exchanges/contract.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import type { GapReason } from "./contract.ts";
import { Coverage } from "./coverage.ts";
import { GapTracker } from "./gap-tracker.ts";
import { PendingFrames } from "./pending-frames.ts";
import { QuoteCheck } from "./quote-check.ts";
import { SnapshotSchedule } from "./snapshot-schedule.ts";

/** A clock jump that the pipeline refuses is believed when this many events in a row agree on it. */
const JUMP_WITNESSES = 3;
/** A market is silent when this many of its own mean intervals pass without a message. */
const STALE_PACES = 20;
/** Weight of the newest interval in a market's own pace. */
const PACE_WEIGHT = 1 / 64;

export interface MarketTrackerOptions {
  readonly instrument: Instrument;
  readonly sequencer: BookSequencer;
  readonly decoder: Decoder;
  readonly featureSet: FeatureSet;
  /** Levels a side at which the venue cuts snapshots. */
  readonly snapshotLimits: readonly number[];
  /** Shortest silence after which the venue's markets count as stale. */
  readonly staleAfterMs: number;
  /** Frames kept at most while a snapshot is on its way. */
  readonly maxPendingFrames: number;
  readonly onRow?: RowSink;
}

export class MarketTracker {
  readonly instrument: Instrument;
  readonly market: string;
  readonly book = new OrderBook();
  readonly gaps: GapTracker;
  readonly coverage = new Coverage();
  readonly quoteCheck = new QuoteCheck();
  readonly pipeline: FeaturePipeline;
  state: "disconnected" | "syncing" | "live" = "disconnected";
  lastReceivedAt: number | null = null;
  marketTime: number | null = null;
  unbrokenSince: number | null = null;
  /** Mean time between depth messages; null before the second. */
  paceMs: number | null = null;
  quote: QuoteEvent | null = null;
  malformedFrames = 0;
  checkpointMismatches = 0;
  minuteEvents = 0;
  minuteTrades = 0;
  readonly snapshots = new SnapshotSchedule();
  private readonly pending: PendingFrames;
  private lastDepthAt: number | null = null;
  private isPipelineStarted = false;
  private refusedJumps = 0;
  private readonly options: MarketTrackerOptions;

  constructor(options: MarketTrackerOptions) {
    this.options = options;
    this.instrument = options.instrument;
    this.market = marketId(options.instrument.venue, options.instrument.symbol);
    this.gaps = new GapTracker(this.market);
    this.pending = new PendingFrames(options.maxPendingFrames);
    this.pipeline = new FeaturePipeline(options.featureSet, options.onRow === undefined ? {} : { onRow: options.onRow });
  }

  get lastSequence(): number | null {
    return this.options.sequencer.lastSequence;
  }

  /** The connection that carries this market is open: build the book. */
  connectionOpened(at: number): void {
    this.quoteCheck.reset();
    this.snapshots.forgive();
    this.beginSync(at);
  }

  connectionLost(at: number, reason: GapReason, detail: string): void {
    this.lose(at, reason, detail);
    this.state = "disconnected";
  }

  /** Builds the book again, for a reason found by us. */
  resync(at: number, reason: ResyncReason | "stale", detail: string): void {
    this.lose(at, reason, detail);
    this.beginSync(at);
    this.snapshots.failed(at);
  }

  /** Whether a snapshot should be asked for now. */
  wantsSnapshot(now: number): boolean {
    return this.state === "syncing" && this.snapshots.isDue(now, this.pending.firstSequence === null ? "nothing-kept" : "change-kept");
  }

  /** @param frame the text that `event` was decoded from: kept when it can't be judged yet. */
  onEvent(event: MarketEvent, frame: string, receivedAt: number): void {
    this.minuteEvents++;
    if (event.kind === "trade") this.minuteTrades++;
    if (event.kind === "depth") this.notePace(receivedAt);
    if (this.state === "syncing") this.keep(event, frame, receivedAt);
    else if (this.state === "live") this.apply(event, frame, receivedAt);
    // Afterwards: a message that breaks the book does not vouch for it.
    this.heard(event.venueTime, receivedAt);
  }

  onSnapshot(event: SnapshotEvent, receivedAt: number): void {
    if (this.state === "live") return;
    this.snapshots.answered();
    if (this.options.sequencer.judgeSnapshot(event.lastSequence, this.pending.firstSequence) === "too-old") {
      this.gaps.begin(receivedAt, "snapshot-too-old", `snapshot ${event.lastSequence} ends before what was kept`);
      this.snapshots.failed(receivedAt);
      return;
    }
    this.book.replace(event.levels, this.options.snapshotLimits);
    this.becomeLive(receivedAt);
    this.heard(event.venueTime, receivedAt);
    this.applyPending(receivedAt);
  }

  /** A checkpoint of a tape: taken where there is no book, compared where there is. */
  onCheckpoint(body: string, receivedAt: number): void {
    const checkpoint = decodeCheckpoint(body);
    if ("malformed" in checkpoint) {
      this.malformedFrames++;
    } else if (this.state === "live") {
      if (this.lastSequence !== checkpoint.lastSequence || this.book.contentHash() !== checkpoint.contentHash) this.checkpointMismatches++;
    } else {
      this.onSnapshot(
        {
          kind: "snapshot",
          symbol: this.instrument.symbol,
          venueTime: null,
          lastSequence: checkpoint.lastSequence,
          levels: checkpoint.levels,
        },
        receivedAt,
      );
    }
  }

  /** With nothing received for this long the market counts as stale: by its own pace, at least the venue's bound. */
  staleAfterMs(): number {
    const bound = this.options.staleAfterMs;
    return Math.min(Math.max(bound, STALE_PACES * (this.paceMs ?? 0)), STALE_PACES * bound);
  }

  private apply(event: MarketEvent, frame: string, receivedAt: number): void {
    switch (event.kind) {
      case "depth":
        this.judgeAndApply(event, receivedAt);
        break;
      case "trade":
        this.moveClock(event.venueTime);
        if (this.isPipelineStarted) this.pipeline.onTrade(event);
        break;
      case "quote":
        this.onQuote(event, receivedAt);
        break;
      case "kline":
        this.moveClock(event.venueTime);
        break;
      case "snapshot":
        break;
    }
    // What broke the book is still good, and the next snapshot has to join it.
    if (this.isSyncing()) this.keep(event, frame, receivedAt);
  }

  /** Asked after a call that may have changed the state. */
  private isSyncing(): boolean {
    return this.state === "syncing";
  }

  private notePace(receivedAt: number): void {
    if (this.lastDepthAt !== null) {
      const interval = receivedAt - this.lastDepthAt;
      this.paceMs = this.paceMs === null ? interval : this.paceMs + (interval - this.paceMs) * PACE_WEIGHT;
    }
    this.lastDepthAt = receivedAt;
  }

  private keep(event: MarketEvent, frame: string, receivedAt: number): void {
    if (this.pending.push(event, frame) === "kept") return;
    this.gaps.begin(receivedAt, "buffer-overflow", `${this.options.maxPendingFrames} frames came before a snapshot did`);
  }

  private applyPending(receivedAt: number): void {
    for (const frame of this.pending.take()) {
      const decoded = this.options.decoder.decode(frame);
      if (decoded.kind !== "event") continue;
      // A break in the midst of them makes the rest belong to the next attempt, the breaking message first.
      if (this.isSyncing()) this.keep(decoded.event, frame, receivedAt);
      else this.apply(decoded.event, frame, receivedAt);
    }
  }

  private judgeAndApply(event: DepthEvent, receivedAt: number): void {
    const { sequencer } = this.options;
    const before = sequencer.lastSequence;
    const verdict = sequencer.judge(event);
    if (verdict === "drop" || verdict === "duplicate" || verdict === "buffer") return;
    if (verdict !== "apply") {
      this.resync(receivedAt, verdict.resync, `message ${event.firstSequence}-${event.lastSequence} does not follow ${before}`);
      return;
    }
    this.moveClock(event.venueTime);
    this.book.apply(event.levels);
    this.afterChange(event, receivedAt);
  }

  private afterChange(event: DepthEvent, receivedAt: number): void {
    const { book } = this;
    if (book.state === "crossed") {
      this.resync(receivedAt, "crossed-book", `best bid ${book.bids.bestTicks} above best ask ${book.asks.bestTicks} ticks`);
      return;
    }
    if (this.quoteCheck.onBook(book, event.lastSequence) === "disagrees") {
      this.resync(receivedAt, "quote-mismatch", `the venue's quote at ${event.lastSequence} differs from the book's top`);
      return;
    }
    if (this.isPipelineStarted) {
      this.pipeline.onBook();
    } else {
      this.pipeline.start(event.venueTime, book);
      this.isPipelineStarted = true;
    }
    this.snapshots.forgive();
  }

  private onQuote(event: QuoteEvent, receivedAt: number): void {
    if (this.quote === null) this.quote = { ...event };
    else Object.assign(this.quote, event);
    if (this.quoteCheck.onQuote(event, this.book, this.lastSequence) === "disagrees") {
      this.resync(receivedAt, "quote-mismatch", `the venue's quote at ${event.sequence} differs from the book's top`);
    }
  }

  /** Writes the rows that are due before an event is applied. */
  private moveClock(venueTime: number): void {
    if (!this.isPipelineStarted) return;
    const advance = this.pipeline.advance(venueTime);
    if (advance === "advanced" || advance === "stopped") {
      this.refusedJumps = 0;
      return;
    }
    if (advance === "bad-time") return;
    this.refusedJumps++;
    if (this.refusedJumps < JUMP_WITNESSES) return;
    this.refusedJumps = 0;
    this.marketTime = venueTime;
    this.pipeline.start(venueTime, this.book);
  }

  private heard(venueTime: number | null, receivedAt: number): void {
    this.lastReceivedAt = receivedAt;
    this.coverage.heard(receivedAt, this.staleAfterMs());
    if (venueTime !== null && this.refusedJumps === 0) this.marketTime = Math.max(this.marketTime ?? venueTime, venueTime);
  }

  private beginSync(at: number): void {
    this.state = "syncing";
    this.snapshots.begin(at);
    this.pending.clear();
    this.options.sequencer.reset();
  }

  private becomeLive(receivedAt: number): void {
    this.state = "live";
    this.unbrokenSince = receivedAt;
    this.gaps.end(receivedAt);
    this.coverage.begin(receivedAt, this.staleAfterMs());
  }

  /** The book is lost; it was good up to the last message before `at`. */
  private lose(at: number, reason: GapReason, detail: string): void {
    const goodUntil = this.state === "live" ? Math.min(at, this.lastReceivedAt ?? at) : at;
    this.gaps.begin(goodUntil, reason, detail);
    this.coverage.end(goodUntil);
    this.unbrokenSince = null;
    this.isPipelineStarted = false;
    this.refusedJumps = 0;
    this.pipeline.stop();
    this.book.clear();
    this.quote = null;
    this.pending.clear();
  }
}
