/**
 * An L2 order book of one market: two ladders, and what one wants to know of them.
 *
 * The book applies what it is given; whether a message may be applied is its sequencer's judgement. Absence is null: no mid, no spread
 * and no weighted mid unless both sides are there.
 */

import type { LevelBatch } from "../market/event.ts";
import { ContentHash } from "../math/hash.ts";
import type { Side } from "../units/side.ts";
import { Ladder } from "./ladder.ts";
import { LevelSum } from "./level-sum.ts";

/** `locked`: best bid equals best ask. `crossed`: best bid is above best ask, which no matching venue shows of its own book. */
export type BookState = "empty" | "one-sided" | "normal" | "locked" | "crossed";

/** What taking a size from one side would cost. */
export interface WalkCost {
  /** Lots that the book could fill; below what was asked when the side is too thin. */
  filledLots: number;
  /** Size-weighted price of the fill, in ticks. */
  averageTicks: number;
  /** Price of the last level touched. */
  worstTicks: number;
}

const BPS = 10_000;

export class OrderBook {
  readonly bids = new Ladder("bid");
  readonly asks = new Ladder("ask");
  /** Null unless asked for: it costs each change a look-up. */
  private sum: LevelSum | null = null;

  side(side: Side): Ladder {
    return side === "bid" ? this.bids : this.asks;
  }

  get state(): BookState {
    const bid = this.bids.bestTicks;
    const ask = this.asks.bestTicks;
    if (bid === null && ask === null) return "empty";
    if (bid === null || ask === null) return "one-sided";
    if (bid < ask) return "normal";
    return bid === ask ? "locked" : "crossed";
  }

  /** Midpoint of the best prices, in ticks; null unless both sides are there. */
  get midTicks(): number | null {
    const bid = this.bids.bestTicks;
    const ask = this.asks.bestTicks;
    return bid === null || ask === null ? null : (bid + ask) / 2;
  }

  /** Negative when crossed. */
  get spreadTicks(): number | null {
    const bid = this.bids.bestTicks;
    const ask = this.asks.bestTicks;
    return bid === null || ask === null ? null : ask - bid;
  }

  /** The mid weighted by the opposite sizes: I·ask + (1 - I)·bid with I = bidLots / (bidLots + askLots). */
  get weightedMidTicks(): number | null {
    if (this.bids.levelCount === 0 || this.asks.levelCount === 0) return null;
    const bidLots = this.bids.lotsAt(0);
    const share = bidLots / (bidLots + this.asks.lotsAt(0));
    return share * this.asks.ticksAt(0) + (1 - share) * this.bids.ticksAt(0);
  }

  /** (bid - ask) / (bid + ask) over the sizes of the best `levels` levels; null unless both sides are there. */
  imbalance(levels: number): number | null {
    if (this.bids.levelCount === 0 || this.asks.levelCount === 0) return null;
    const bid = this.bids.depthLots(levels);
    const ask = this.asks.depthLots(levels);
    return (bid - ask) / (bid + ask);
  }

  /** Lots resting within `bps` basis points of the mid on one side; null unless both sides are there. */
  depthWithinLots(side: Side, bps: number): number | null {
    const mid = this.midTicks;
    if (mid === null) return null;
    const reach = (mid * bps) / BPS;
    return side === "bid" ? this.bids.depthToLots(mid - reach) : this.asks.depthToLots(mid + reach);
  }

  /** Cost of taking `lots` from a side (a buyer takes from the asks); null when that side is empty. */
  walk(side: Side, lots: number): WalkCost | null {
    const ladder = this.side(side);
    if (ladder.levelCount === 0 || lots <= 0) return null;
    let left = lots;
    let paid = 0;
    let worstTicks = ladder.ticksAt(0);
    for (let depth = 0; depth < ladder.levelCount && left > 0; depth++) {
      const taken = Math.min(left, ladder.lotsAt(depth));
      worstTicks = ladder.ticksAt(depth);
      paid += taken * worstTicks;
      left -= taken;
    }
    return { filledLots: lots - left, averageTicks: paid / (lots - left), worstTicks };
  }

  /** Copies the best levels of a side, best first. @returns how many there were, at most `ticks.length`. */
  copyTop(side: Side, ticks: Float64Array, lots: Float64Array): number {
    return this.side(side).copyTop(ticks, lots);
  }

  /** Sets every level of a change. Sizes are absolute, 0 removes. */
  apply(levels: LevelBatch): void {
    if (this.sum !== null) {
      this.applySummed(levels, this.sum);
      return;
    }
    const { bidCount, askCount, priceTicks, sizeLots } = levels;
    for (let index = 0; index < bidCount; index++) this.bids.set(priceTicks[index] as number, sizeLots[index] as number);
    const end = bidCount + askCount;
    for (let index = bidCount; index < end; index++) this.asks.set(priceTicks[index] as number, sizeLots[index] as number);
  }

  /**
   * Replaces the book. @param limits levels a side at which the venue cuts its snapshots: a side with exactly as many is known only
   * that far. Empty when a snapshot is always the whole book.
   */
  replace(levels: LevelBatch, limits: readonly number[]): void {
    this.clear();
    this.apply(levels);
    if (limits.includes(this.bids.levelCount)) this.bids.markComplete();
    if (limits.includes(this.asks.levelCount)) this.asks.markComplete();
  }

  /** Holds what another book holds, and knows as far. */
  copyFrom(other: OrderBook): void {
    this.clear();
    for (const side of ["bid", "ask"] as const) {
      const source = other.side(side);
      const target = this.side(side);
      for (let depth = 0; depth < source.levelCount; depth++) target.set(source.ticksAt(depth), source.lotsAt(depth));
      if (source.completeToTicks !== null) target.markCompleteTo(source.completeToTicks);
    }
    if (this.sum !== null) this.sumAnew(this.sum);
  }

  clear(): void {
    this.bids.clear();
    this.asks.clear();
    this.sum?.clear();
  }

  /**
   * A number of 52 bits over every level of both sides, for comparing books at each of their changes: equal books have equal ones. From the first call on it is
   * carried along with what `apply`, `replace`, `copyFrom` and `clear` do, until `endSum`; levels set on a side itself pass it by.
   */
  get levelSum(): number {
    if (this.sum === null) {
      this.sum = new LevelSum();
      this.sumAnew(this.sum);
    }
    return this.sum.value;
  }

  endSum(): void {
    this.sum = null;
  }

  /** 16 hex digits over every level of both sides, best first: equal books have equal hashes, whatever path led there. */
  contentHash(): string {
    const hash = new ContentHash();
    for (const ladder of [this.bids, this.asks]) {
      hash.integer(ladder.levelCount);
      for (let depth = 0; depth < ladder.levelCount; depth++) hash.integer(ladder.ticksAt(depth)).integer(ladder.lotsAt(depth));
    }
    return hash.digest();
  }

  private sumAnew(sum: LevelSum): void {
    sum.clear();
    sum.addSide(1, this.bids);
    sum.addSide(-1, this.asks);
  }

  private applySummed({ bidCount, askCount, priceTicks, sizeLots }: LevelBatch, sum: LevelSum): void {
    for (let index = 0; index < bidCount + askCount; index++) {
      const ladder = index < bidCount ? this.bids : this.asks;
      const ticks = priceTicks[index] as number;
      const to = sizeLots[index] as number;
      sum.moved(index < bidCount ? 1 : -1, ticks, { from: ladder.lotsAtPrice(ticks), to });
      ladder.set(ticks, to);
    }
  }
}
