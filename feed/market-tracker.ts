/**
 * One market: its book and the proof of it, its quote, features, gaps and coverage. Pure: every input carries its receive time.
 *
 * What becomes of the book is book-life.ts, of trades and quotes beside it side-channels.ts: here they are joined, and counted.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { FeatureRow } from "../core/features/contract.ts";
import type { FeaturePipeline } from "../core/features/pipeline.ts";
import type { InstrumentEvent, KlineEvent, MarketEvent, QuoteEvent, SnapshotEvent, TradeEvent } from "../core/market/event.ts";
import { type Instrument, marketId } from "../core/market/instrument.ts";
import type { BookSequencer, Channel, Decoder, ExchangeAdapter, LossNotice } from "../exchanges/contract.ts";
import type { BookCheck } from "./book-check.ts";
import { BookLife, type BookLifeOptions, type BookListener } from "./book-life.ts";
import type { ChannelWatch } from "./channel-watch.ts";
import type { Checkpoint, StandbyState } from "./checkpoint.ts";
import { replayCheckpoint } from "./checkpoint-replay.ts";
import type { GapReason, GapRecord } from "./contract.ts";
import type { GapTracker } from "./gap-tracker.ts";
import type { ComputedSet } from "./market-features.ts";
import { MinuteTally } from "./minute-tally.ts";
import { SideChannels } from "./side-channels.ts";
import type { SnapshotSchedule } from "./snapshot-schedule.ts";
import type { TradeHoles } from "./trade-holes.ts";

export interface MarketTrackerOptions extends BookLifeOptions {
  readonly continuity: ExchangeAdapter["continuity"];
  readonly tradeIds: ExchangeAdapter["tradeIds"];
}

export class MarketTracker {
  readonly instrument: Instrument;
  readonly market: string;
  readonly continuity: ExchangeAdapter["continuity"];
  readonly minute = new MinuteTally();
  lastReceivedAt: number | null = null;
  malformedFrames = 0;
  checkpointMismatches = 0;
  /** What the venue says that the instrument's state is, in its own word ("Open", "Settled"); null where it says nothing. */
  venueState: string | null = null;
  private isGridDoubted = false;
  /** Hears of each trade once, when it comes, whatever state the book is in; null while nobody wants to. The event is not to be kept. */
  tradeListener: ((trade: TradeEvent, receivedAt: number) => void) | null = null;
  /** Hears of each quote and bar when it comes, of those too that two connections bring; null and not to be kept as above. */
  quoteListener: ((event: QuoteEvent | KlineEvent, receivedAt: number) => void) | null = null;
  private readonly life: BookLife;
  private readonly side: SideChannels;

  constructor(options: MarketTrackerOptions) {
    this.instrument = options.instrument;
    this.market = marketId(options.instrument.venue, options.instrument.symbol);
    this.continuity = options.continuity;
    const onRow = (row: FeatureRow): void => {
      this.minute.path.add(row);
      options.onRow?.(row);
    };
    this.life = new BookLife({ ...options, onRow }, this.minute.coverage);
    this.side = new SideChannels(this.market, options);
  }

  get book(): OrderBook {
    return this.life.book;
  }

  /** Hears of each step of the book; null while nobody wants to. */
  set bookListener(listener: BookListener | null) {
    this.life.listener = listener;
  }

  get state(): BookLife["state"] {
    return this.life.state;
  }

  get gaps(): GapTracker {
    return this.life.gaps;
  }

  get check(): BookCheck {
    return this.life.check;
  }

  get lastSequence(): number | null {
    return this.life.lastSequence;
  }

  /** When the book last changed or was replaced: what staleness is judged by. */
  get lastBookAt(): number | null {
    return this.life.proof.lastBookAt;
  }

  get unbrokenSince(): number | null {
    return this.life.proof.unbrokenSince;
  }

  get quote(): QuoteEvent | null {
    return this.life.quote;
  }

  /** When the quote came. */
  get quoteAt(): number | null {
    return this.life.quoteAt;
  }

  get snapshots(): SnapshotSchedule {
    return this.life.snapshots;
  }

  get trades(): ChannelWatch {
    return this.side.trades;
  }

  get quotes(): ChannelWatch {
    return this.side.quotes;
  }

  get tradeHoles(): TradeHoles {
    return this.side.tradeHoles;
  }

  /** The market's own clock: the largest venueTime that could be believed. */
  get marketTime(): number | null {
    return this.life.features.marketTime;
  }

  /** Of the first feature set. */
  get pipeline(): FeaturePipeline {
    return this.life.features.pipeline;
  }

  /** All that are computed, the pipeline's first. */
  get featureSets(): readonly ComputedSet[] {
    return this.life.features.sets;
  }

  /** When the newest feature row was written. */
  get lastRowAt(): number | null {
    return this.life.features.lastRowAt;
  }

  /** Time since the book last changed; 0 before there is one. */
  silenceMs(now: number): number {
    return this.lastBookAt === null ? 0 : now - this.lastBookAt;
  }

  /** Silence of the book after which the market counts as stale: by its own pace. */
  staleAfterMs(): number {
    return this.life.proof.staleAfterMs();
  }

  /** The connection that carries this market is open: build the book. */
  connectionOpened(at: number): void {
    this.side.connectionOpened(at);
    this.life.connectionOpened(at);
  }

  connectionLost(at: number, reason: GapReason, detail: string): void {
    this.life.connectionLost(at, reason, detail);
    this.side.interrupted(at);
  }

  /** Frames come from another connection now, and so does what they refer back to. */
  useDecoder(decoder: Decoder): void {
    this.life.decoder = decoder;
  }

  /** The book goes on as another connection has it: the same, or a few changes on. */
  adopt(other: { book: OrderBook; sequencer: BookSequencer }, receivedAt: number): void {
    this.life.adopt(other, receivedAt);
  }

  /** The book that is being built is another connection's, whole already. */
  begunBy(other: { book: OrderBook; sequencer: BookSequencer }, at: number): void {
    this.life.begunBy(other, at);
  }

  get audits(): number {
    return this.life.proof.audits;
  }

  get lastAuditAt(): number | null {
    return this.life.proof.lastAuditAt;
  }

  /** Another connection's whole book has met this one, or has been shown to be another: then it takes its place. */
  audited(at: number, other: { book: OrderBook; sequencer: BookSequencer } | "equal"): void {
    if (other === "equal") this.life.audited(at);
    else this.life.contradicted(other, at);
  }

  /** Builds the book again, for a reason found by us. */
  resync(at: number, reason: GapReason, detail: string): void {
    this.life.resync(at, reason, detail);
  }

  /** Whether a snapshot should be asked for now. */
  wantsSnapshot(now: number): boolean {
    return this.life.wantsSnapshot(now);
  }

  /** Its snapshot has been asked for. */
  snapshotAsked(at: number): void {
    this.life.snapshotAsked(at);
  }

  /** Nothing that can be used has come of it. */
  snapshotFailed(at: number): void {
    this.life.snapshotFailed(at);
  }

  /** A message shows that others before it were lost. */
  onLoss(loss: LossNotice, receivedAt: number): void {
    if (!this.side.takeLoss(loss, receivedAt) && this.state === "live") this.resync(receivedAt, loss.reason, loss.detail);
  }

  /** Judges at `at` whether the channels beside the book's are silent while it goes on. */
  judgeChannels(at: number): void {
    if (this.state === "live" && this.lastBookAt !== null) this.side.judge(at, this.lastBookAt);
  }

  /** Takes the channels that have been judged silent, and are to be subscribed to anew. */
  takeSilentChannels(): Channel[] {
    return this.life.takeSilent() ? ["depth", ...this.side.takeSilent()] : this.side.takeSilent();
  }

  /** A gap that was open when the process died goes on in its channel. */
  resumeGap(gap: GapRecord): void {
    (this.side.gapsOf(gap.channel) ?? this.gaps).resume(gap);
  }

  /** Takes the changes of all channels' gaps since the last call. */
  takeGapChanges(): GapRecord[] {
    return [...this.gaps.takeChanges(), ...this.side.takeGapChanges()];
  }

  /** @param frame the text that `event` was decoded from: kept when it can't be judged yet. */
  onEvent(event: MarketEvent, frame: string, receivedAt: number): void {
    if (event.kind === "instrument") {
      this.takeInstrument(event);
      return;
    }
    this.minute.events++;
    if (event.kind === "trade" && !this.isNewTrade(event, receivedAt)) return;
    if (event.kind === "quote") this.quotes.heard(receivedAt);
    if (event.kind === "quote" || event.kind === "kline") this.quoteListener?.(event, receivedAt);
    this.life.take(event, frame, receivedAt);
    this.lastReceivedAt = receivedAt;
  }

  onSnapshot(event: SnapshotEvent, receivedAt: number): void {
    this.life.onSnapshot(event, receivedAt);
  }

  /** A checkpoint of a tape: taken where there is no book, compared where there is. */
  onCheckpoint(checkpoint: Checkpoint, receivedAt: number): void {
    const found = replayCheckpoint(checkpoint, receivedAt, { target: this.life, decoder: this.life.decoder });
    if (found === "malformed") this.malformedFrames++;
    else if (found === "differs") this.checkpointMismatches++;
  }

  /** The book as text for the tape; null unless it is live. @param standby what the next connection has of it; null while none is open. */
  checkpoint(standby: StandbyState | null = null): string | null {
    return this.life.checkpoint(standby);
  }

  /** @returns whether the venue has named other grids than ours since the last call. */
  takeGridDoubt(): boolean {
    const { isGridDoubted } = this;
    this.isGridDoubted = false;
    return isGridDoubted;
  }

  /** It is beside the market: no event of its minute, and its book is what it was. */
  private takeInstrument({ venueState, hasOtherGrids }: InstrumentEvent): void {
    if (venueState !== null) this.venueState = venueState;
    if (hasOtherGrids) this.isGridDoubted = true;
  }

  private isNewTrade(trade: TradeEvent, receivedAt: number): boolean {
    if (!this.side.takeTrade(trade, receivedAt)) return false;
    this.minute.trades++;
    this.tradeListener?.(trade, receivedAt);
    return true;
  }
}
