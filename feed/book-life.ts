/**
 * The life of one market's book, as every venue with a snapshot and a stream wants it:
 * 1. unsynced: frames are kept (as text, bounded); a snapshot is wanted;
 * 2. a snapshot comes: too old for what was kept, another is wanted; else it replaces the book and the kept frames are judged and applied;
 * 3. live: each depth message is judged by the venue's rule before it is applied; any break makes the book unsynced, with a reason.
 *
 * With the book go its features and gaps, and since when and up to when it is known to be right (book-proof.ts).
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { FeatureSet } from "../core/features/contract.ts";
import type { RowSink } from "../core/features/pipeline.ts";
import type { DepthEvent, MarketEvent, QuoteEvent, SnapshotEvent } from "../core/market/event.ts";
import { type Instrument, marketId } from "../core/market/instrument.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { BookSequencer, Decoder, SnapshotSource } from "../exchanges/contract.ts";
import { BookBuild } from "./book-build.ts";
import { BookCheck, type BookJudgement } from "./book-check.ts";
import { BookProof } from "./book-proof.ts";
import { agreeWhereKnown, BookRefresh } from "./book-refresh.ts";
import { encodeCheckpoint, type StandbyState } from "./checkpoint.ts";
import type { GapReason } from "./contract.ts";
import type { Coverage } from "./coverage.ts";
import { GapTracker } from "./gap-tracker.ts";
import { MarketFeatures } from "./market-features.ts";
import { Pace } from "./pace.ts";
import type { PendingLimits } from "./pending-frames.ts";
import { SilenceNotes } from "./silence-notes.ts";
import type { SnapshotSchedule } from "./snapshot-schedule.ts";

/** A whole book that nobody asked for, and so much older than what the market last said, isn't of now: messages of one book come within a second. */
const OLD_SNAPSHOT_MS = 3_000;
/** A book that has held for this long is forgiven the troubles before it. */
const FORGIVEN_AFTER_MS = MS_PER_MINUTE;

export interface BookLifeOptions {
  readonly instrument: Instrument;
  readonly createSequencer: () => BookSequencer;
  readonly decoder: Decoder;
  /** At least one; `onRow` hears of the first one's rows. */
  readonly featureSets: readonly FeatureSet[];
  /** Of the rows' grid (core/features/pipeline.ts); whole seconds unless told. */
  readonly phaseMs?: number;
  readonly snapshotSource: SnapshotSource["kind"];
  /** Levels a side at which the venue cuts snapshots. */
  readonly snapshotLimits: readonly number[];
  /** Shortest silence after which the venue's markets count as stale. */
  readonly staleAfterMs: number;
  /** Longer silences of a live book are noted; none are unless told. */
  readonly silenceMs?: number;
  readonly pendingLimits: PendingLimits;
  readonly onRow?: RowSink;
}

/** Hears of each step of a book when it has been taken, in order. What it is given is not to be kept. */
export interface BookListener {
  /** The change is in the book. */
  applied(change: DepthEvent, receivedAt: number): void;
  /** The book is another one: no change that was applied leads to it. */
  replaced(): void;
}

export class BookLife {
  readonly symbol: string;
  readonly book = new OrderBook();
  readonly gaps: GapTracker;
  readonly check = new BookCheck();
  readonly features: MarketFeatures;
  readonly proof: BookProof;
  state: "disconnected" | "syncing" | "live" = "disconnected";
  quote: QuoteEvent | null = null;
  /** When the quote came. */
  quoteAt: number | null = null;
  decoder: Decoder;
  /** Null while nobody wants to hear. */
  listener: BookListener | null = null;
  private readonly build: BookBuild;
  private readonly refresh: BookRefresh;
  private readonly options: BookLifeOptions;
  private wasOpened = false;
  private isSilent = false;
  private sequencer: BookSequencer;

  constructor(options: BookLifeOptions, coverage: Coverage) {
    const { symbol, venue } = options.instrument;
    this.options = options;
    this.symbol = symbol;
    this.sequencer = options.createSequencer();
    this.decoder = options.decoder;
    this.gaps = new GapTracker(marketId(venue, symbol));
    const silences = new SilenceNotes(this.gaps, options.silenceMs ?? null);
    this.proof = new BookProof({ coverage, silences, pace: new Pace(options.staleAfterMs) });
    this.build = new BookBuild(options.snapshotSource, options.pendingLimits);
    this.refresh = new BookRefresh(options.pendingLimits);
    this.features = new MarketFeatures(this.book, options.featureSets, {
      ...(options.onRow === undefined ? {} : { onRow: options.onRow }),
      ...(options.phaseMs === undefined ? {} : { phaseMs: options.phaseMs }),
    });
  }

  get isLive(): boolean {
    return this.state === "live";
  }

  get lastSequence(): number | null {
    return this.sequencer.lastSequence;
  }

  /** When the snapshot of a book that is being built is asked for. */
  get snapshots(): SnapshotSchedule {
    return this.build.schedule;
  }

  connectionOpened(at: number): void {
    if (this.state === "live") this.lose(at, "connection-down", "another connection was opened");
    this.wasOpened = true;
    this.isSilent = false;
    this.proof.interrupted();
    this.check.reset();
    this.beginSync(at);
    this.build.connectionOpened(at);
  }

  connectionLost(at: number, reason: GapReason, detail: string): void {
    this.lose(at, reason, detail);
    this.proof.interrupted();
    this.state = "disconnected";
  }

  /** The book goes on as another connection has it: the same, or a few changes on. */
  adopt({ book, sequencer }: { book: OrderBook; sequencer: BookSequencer }, receivedAt: number): void {
    this.sequencer = sequencer;
    if (book.contentHash() === this.book.contentHash()) return;
    this.book.copyFrom(book);
    if (this.isBroken(this.check.onBook(this.book, sequencer.lastSequence ?? 0, receivedAt), receivedAt)) return;
    if (this.isBroken(this.check.onLevels(this.book, null, receivedAt), receivedAt)) return;
    this.proof.bookVouchedFor(receivedAt);
    this.listener?.replaced();
    const { marketTime } = this.features;
    if (marketTime !== null) this.features.onBook(marketTime, "moved");
  }

  /** The book that is being built is another connection's, whole already: what was kept of this one's changes is in it. */
  begunBy(other: { book: OrderBook; sequencer: BookSequencer }, at: number): void {
    this.build.clear();
    this.snapshots.answered();
    this.book.copyFrom(other.book);
    this.sequencer = other.sequencer;
    this.becomeLive(at);
  }

  /** Another connection's whole book, from a snapshot of its own, is this one, or follows it in the chain of changes. */
  audited(at: number): void {
    this.proof.audited(at);
  }

  /** Another connection's whole book is another one: the later snapshot is right. */
  contradicted(other: { book: OrderBook; sequencer: BookSequencer }, at: number): void {
    this.standIn(other, at, "another connection's whole book differs from the one held");
    this.audited(at);
  }

  /** Builds the book again, for a reason found by us. */
  resync(at: number, reason: GapReason, detail: string): void {
    // A snapshot that is requested doesn't bring back changes that have stopped coming.
    if (reason === "stale" && this.options.snapshotSource === "request") this.isSilent = true;
    this.lose(at, reason, detail);
    this.beginSync(at);
    this.snapshots.failed(at);
  }

  /** Takes whether the changes have stopped coming, and are to be subscribed to anew beside the snapshot that is asked for. */
  takeSilent(): boolean {
    const { isSilent } = this;
    this.isSilent = false;
    return isSilent;
  }

  /** Whether a snapshot should be asked for now. */
  wantsSnapshot(now: number): boolean {
    if (this.state === "live") return this.options.snapshotSource === "request" && this.refresh.isDue(this.book, now);
    return this.state === "syncing" && this.build.wantsSnapshot(now);
  }

  /** Its snapshot has been asked for. */
  snapshotAsked(at: number): void {
    if (this.state === "live") this.refresh.asked(at);
    else this.snapshots.asked(at);
  }

  /** Nothing that can be used has come of it. */
  snapshotFailed(at: number): void {
    if (this.state === "live") this.refresh.stop();
    else this.snapshots.failed(at);
  }

  /** @param frame the text that `event` was decoded from: kept when it can't be judged yet. */
  take(event: MarketEvent, frame: string, receivedAt: number): void {
    if (event.kind === "depth") {
      // They come again before anybody has looked: to leave the channel now would break the book.
      this.isSilent = false;
      this.refresh.keep(event, frame);
    }
    if (event.kind === "depth" || event.kind === "snapshot") this.proof.heard(event.kind, receivedAt);
    if (event.kind === "snapshot") this.onStreamedSnapshot(event, receivedAt);
    else if (this.state === "syncing") this.keep(event, frame, receivedAt);
    else if (this.state === "live") this.apply(event, frame, receivedAt);
  }

  onSnapshot(event: SnapshotEvent, receivedAt: number): void {
    if (this.state === "live" && this.refresh.isUnderWay) {
      this.refreshBook(event, receivedAt);
      return;
    }
    this.snapshots.answered();
    // Of a connection that is gone, it can't be joined with anything. A tape that begins in the middle has opened none yet.
    if (this.state === "live" || (this.state === "disconnected" && this.wasOpened)) return;
    if (this.sequencer.judgeSnapshot(event.lastSequence, this.build.firstSequence) === "too-old") {
      this.gaps.begin(receivedAt, "snapshot-too-old", `snapshot ${event.lastSequence} ends before what was kept`);
      this.snapshots.failed(receivedAt);
      // A message with an absurd number would make every snapshot too old.
      if (this.snapshots.isStuck) this.build.clear();
      return;
    }
    this.book.replace(event.levels, this.options.snapshotLimits);
    if (this.book.state === "crossed") {
      this.refuseCrossed(receivedAt);
      return;
    }
    this.becomeLive(receivedAt);
    this.applyPending(receivedAt);
  }

  /** The book is made whole again at its far end; where both were known it must have been the same. */
  private refreshBook(event: SnapshotEvent, receivedAt: number): void {
    const { snapshotLimits, createSequencer } = this.options;
    const refreshed = this.refresh.build(event, { decoder: this.decoder, sequencer: createSequencer(), snapshotLimits });
    if (refreshed.kind === "failed" || refreshed.book.state === "crossed") return;
    const isComparable = refreshed.sequencer.lastSequence === this.lastSequence;
    if (isComparable && !agreeWhereKnown(refreshed.book, this.book)) {
      this.standIn(refreshed, receivedAt, "a snapshot differs from the book at the same number");
      return;
    }
    this.adopt(refreshed, receivedAt);
    this.proof.whole(receivedAt);
    this.refresh.begin(this.book, receivedAt);
  }

  private standIn({ book, sequencer }: { book: OrderBook; sequencer: BookSequencer }, receivedAt: number, detail: string): void {
    this.lose(receivedAt, "snapshot-differs", detail);
    this.book.copyFrom(book);
    this.sequencer = sequencer;
    this.becomeLive(receivedAt);
  }

  /** The venue has sent the whole book on the stream: it replaces what is there, whoever asked. One that differs shows that ours was wrong. */
  private onStreamedSnapshot(event: SnapshotEvent, receivedAt: number): void {
    if (this.state === "live") {
      const sent = new OrderBook();
      sent.replace(event.levels, this.options.snapshotLimits);
      if (sent.contentHash() === this.book.contentHash()) {
        this.sequencer.judgeSnapshot(event.lastSequence, null);
        this.proof.whole(receivedAt);
        return;
      }
      if (event.venueTime !== null && event.venueTime < (this.features.marketTime ?? 0) - OLD_SNAPSHOT_MS) {
        this.resync(
          receivedAt,
          "snapshot-too-old",
          "the venue sent a whole book of a time before its last changes, and it differs from the one held",
        );
        return;
      }
      this.lose(receivedAt, "snapshot-differs", "the venue sent a whole book that differs from the one held");
      this.beginSync(receivedAt);
    }
    this.onSnapshot(event, receivedAt);
  }

  /** No book of the venue's: what was kept stays, for the next snapshot. */
  private refuseCrossed(receivedAt: number): void {
    const { bids, asks } = this.book;
    this.gaps.begin(receivedAt, "crossed-book", `a snapshot with bid ${bids.bestTicks} above ask ${asks.bestTicks} ticks`);
    this.book.clear();
    this.sequencer.reset();
    this.snapshots.failed(receivedAt);
  }

  /** The book as text for the tape; null unless it is live. */
  checkpoint(standby: StandbyState | null): string | null {
    const { lastSequence } = this;
    if (this.state !== "live" || lastSequence === null) return null;
    const memory = this.decoder.memory(this.symbol);
    return encodeCheckpoint(this.book, { lastSequence, confirmedAt: this.check.confirmedAt, memory, standby });
  }

  private apply(event: MarketEvent, frame: string, receivedAt: number): void {
    switch (event.kind) {
      case "depth":
        this.judgeAndApply(event, receivedAt);
        break;
      case "trade":
        this.features.moveClock(event.venueTime, receivedAt);
        this.features.onTrade(event);
        break;
      case "quote":
        this.onQuote(event, receivedAt);
        break;
      case "top-levels":
        this.isBroken(this.check.onTopLevels(event, this.book, receivedAt), receivedAt);
        break;
      case "kline":
        this.features.moveClock(event.venueTime, receivedAt);
        break;
      case "snapshot":
        break;
    }
    // What broke the book is still good, and the next snapshot has to join it. Unless it breaks one after the other.
    if (this.isSyncing() && !this.snapshots.isStuck) this.keep(event, frame, receivedAt);
  }

  /** Asked after a call that may have changed the state. */
  private isSyncing(): boolean {
    return this.state === "syncing";
  }

  private keep(event: MarketEvent, frame: string, receivedAt: number): void {
    if (this.build.keep(event, frame) === "kept") return;
    this.gaps.begin(receivedAt, "buffer-overflow", "more frames came than are kept, and no snapshot");
  }

  private applyPending(receivedAt: number): void {
    for (const frame of this.build.take()) {
      const decoded = this.decoder.decode(frame);
      if (decoded.kind !== "event") continue;
      // A break in the midst of them makes the rest belong to the next attempt, the breaking message first.
      if (this.isSyncing()) this.keep(decoded.event, frame, receivedAt);
      else this.apply(decoded.event, frame, receivedAt);
    }
  }

  private judgeAndApply(event: DepthEvent, receivedAt: number): void {
    const { sequencer } = this;
    const before = sequencer.lastSequence;
    const verdict = sequencer.judge(event);
    if (verdict === "drop" || verdict === "duplicate" || verdict === "buffer") return;
    if (verdict !== "apply") {
      this.resync(receivedAt, verdict.resync, `message ${event.firstSequence}-${event.lastSequence} does not follow ${before}`);
      return;
    }
    const clock = this.features.moveClock(event.venueTime, receivedAt);
    this.book.apply(event.levels);
    if (this.isBroken(this.check.onBook(this.book, event.lastSequence, receivedAt), receivedAt)) return;
    if (this.isBroken(this.check.onLevels(this.book, event.levels, receivedAt), receivedAt)) return;
    this.proof.bookVouchedFor(receivedAt);
    this.listener?.applied(event, receivedAt);
    this.features.onBook(event.venueTime, clock);
    if (receivedAt - (this.proof.unbrokenSince ?? receivedAt) >= FORGIVEN_AFTER_MS) this.snapshots.forgive();
  }

  /** A book that can't be the venue's is built again. */
  private isBroken(judgement: BookJudgement, receivedAt: number): boolean {
    if (judgement === "whole") return false;
    this.resync(receivedAt, judgement.broken, judgement.detail);
    return true;
  }

  private onQuote(event: QuoteEvent, receivedAt: number): void {
    if (this.quote === null) this.quote = { ...event };
    else Object.assign(this.quote, event);
    this.quoteAt = receivedAt;
    this.isBroken(this.check.onQuote(event, this.book, { bookSequence: this.lastSequence, receivedAt }), receivedAt);
  }

  private beginSync(at: number): void {
    this.state = "syncing";
    this.build.begin(at);
    this.sequencer.reset();
  }

  private becomeLive(receivedAt: number): void {
    this.state = "live";
    this.gaps.end(receivedAt);
    this.proof.begin(receivedAt);
    this.check.replaced(this.book, receivedAt);
    this.refresh.begin(this.book, receivedAt);
    this.proof.bookVouchedFor(receivedAt);
    this.listener?.replaced();
  }

  private lose(at: number, reason: GapReason, detail: string): void {
    // What broke it may be long past.
    const goodUntil = this.state === "live" ? this.proof.goodUntil(at, reason, this.check) : at;
    this.gaps.begin(goodUntil, reason, detail);
    this.proof.end(goodUntil);
    this.features.stop();
    this.refresh.stop();
    this.book.clear();
    this.quote = null;
    this.build.clear();
  }
}
