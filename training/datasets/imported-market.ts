/**
 * Imported events of one market through its book and its features: the book, the market's clock and the features of the edge, without a venue's protocol and
 * without its proof, which an import doesn't carry. The source's own gaps stand for that.
 *
 * - Books move the market's clock by venueTime, as at the edge. A source that tells none is read by receive times, all of it.
 * - A silence that the edge would sit out (feed/pace.ts) ends nothing: the rows over it are history (unbroken-feed.ts). A longer one, and a gap of any other
 *   reason, ends the segment: features begin anew with the next book.
 * - Nothing is known before the first whole book, nor behind a line that can't be read up to the next one.
 * - A trade without a side changes no column and is counted. Quotes are passed over, as the features at the edge pass them over; bars move the clock.
 */

import { levelBatch } from "../../archive/level-batch.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import type { FeatureRow, FeatureSet } from "../../core/features/contract.ts";
import type { BookRecord, GapRecordLine, MarketRecord, TradeRecord } from "../../core/wire/market-events.ts";
import type { ClockJudgement } from "../../feed/market-clock.ts";
import { MarketFeatures } from "../../feed/market-features.ts";
import { Pace } from "../../feed/pace.ts";
import { type TargetRule, UnbrokenFeed } from "./unbroken-feed.ts";

/** As the venues' adapters have it: no market of theirs counts as stale after a shorter silence. */
const STALE_AFTER_MS = 30_000;
/** Reasons told apart; a strange file could make up as many as it has lines. */
const KEPT_REASONS = 50;
const FURTHER_REASONS = "of further kinds";

/** Whose clock the rows are on. */
export type EventClock = "venue" | "receive";

type Timed = Pick<BookRecord, "venueTime" | "receivedAt">;

export interface ImportedMarketOptions {
  readonly symbol: string;
  readonly featureSet: FeatureSet;
  /** Of the rows' grid; whole seconds unless told. */
  readonly phaseMs?: number;
  readonly clock: EventClock;
  /** Longer silences of the book are gaps even where the source doesn't say so; null: only what its own pace doesn't allow. */
  readonly silenceMs: number | null;
  readonly rule: TargetRule;
  /** Warm or not; a view. */
  readonly onRow: (row: FeatureRow) => void;
}

export class ImportedMarket {
  readonly feed: UnbrokenFeed;
  /** Events taken in, of any kind. */
  events = 0;
  sidelessTrades = 0;
  private readonly options: ImportedMarketOptions;
  private readonly book = new OrderBook();
  private readonly features: MarketFeatures;
  private readonly pace = new Pace(STALE_AFTER_MS);
  private readonly counts = new Map<string, number>();
  private isWhole = false;
  private lastBookAt: number | null = null;
  private hasGapSinceBook = false;
  /** The receive time of the event at hand. */
  private now = 0;

  constructor(options: ImportedMarketOptions) {
    this.options = options;
    this.feed = new UnbrokenFeed(options.rule);
    const { phaseMs = 0 } = options;
    const onRow = (row: FeatureRow): void => {
      if (row.isWarm) this.feed.row(this.now);
      options.onRow(row);
    };
    this.features = new MarketFeatures(this.book, [options.featureSet], { onRow, phaseMs });
  }

  /** By reason: the source's gaps, and silences that it doesn't tell. */
  get gaps(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }

  take(record: MarketRecord): void {
    this.events++;
    this.now = record.receivedAt;
    switch (record.kind) {
      case "snapshot":
      case "depth":
        this.takeBook(record);
        break;
      case "trade":
        this.takeTrade(record);
        break;
      case "gap":
        this.takeGap(record);
        break;
      case "bar":
        this.moveClock(record);
        break;
      case "quote":
        break;
    }
  }

  /** A line that is no event: it may have been a change of the book. What was written before it holds. */
  lostLine(): void {
    this.count("malformed");
    this.isWhole = false;
    this.end();
  }

  private takeBook(record: BookRecord): void {
    this.judgeSilence(record.receivedAt);
    this.isWhole ||= record.kind === "snapshot";
    if (!this.isWhole) return;
    const clock = this.moveClock(record);
    const levels = levelBatch(record);
    if (record.kind === "snapshot") this.book.replace(levels, []);
    else this.book.apply(levels);
    this.features.onBook(this.timeOf(record) ?? Number.NaN, clock);
  }

  private takeTrade(record: TradeRecord): void {
    const { takerSide, priceTicks, sizeLots } = record;
    const venueTime = this.timeOf(record) ?? 0;
    this.moveClock(record);
    if (takerSide === null) this.sidelessTrades++;
    // Which trade it was, no feature asks.
    else this.features.onTrade({ kind: "trade", symbol: this.options.symbol, venueTime, tradeId: 0, priceTicks, sizeLots, takerSide });
  }

  private takeGap({ from, to, reason }: GapRecordLine): void {
    this.hasGapSinceBook = true;
    this.count(reason);
    this.feed.gap({ from, to });
    if (reason !== "silence" || to === null || to - from > this.pace.staleAfterMs) this.end();
  }

  /** A silence that the source has not told of. */
  private judgeSilence(receivedAt: number): void {
    const { lastBookAt, pace, hasGapSinceBook } = this;
    this.hasGapSinceBook = false;
    this.lastBookAt = Math.max(lastBookAt ?? receivedAt, receivedAt);
    const silentMs = lastBookAt === null || hasGapSinceBook ? 0 : receivedAt - lastBookAt;
    const isStale = silentMs > pace.staleAfterMs;
    pace.heard(this.lastBookAt);
    if (lastBookAt === null || !(isStale || silentMs > (this.options.silenceMs ?? Number.POSITIVE_INFINITY))) return;
    this.count(isStale ? "stale" : "silence");
    this.feed.gap({ from: lastBookAt, to: receivedAt });
    if (isStale) this.end();
  }

  private end(): void {
    this.features.stop();
    this.pace.interrupted();
  }

  /** What doesn't say when it was moves no clock, and begins nothing. */
  private moveClock(record: Timed): ClockJudgement {
    const time = this.timeOf(record);
    return time === null ? "held" : this.features.moveClock(time, record.receivedAt);
  }

  private timeOf({ venueTime, receivedAt }: Timed): number | null {
    return this.options.clock === "venue" ? venueTime : receivedAt;
  }

  private count(reason: string): void {
    const { counts } = this;
    const name = counts.has(reason) || counts.size < KEPT_REASONS ? reason : FURTHER_REASONS;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
