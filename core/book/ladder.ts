/**
 * One side of an order book: the levels near the best in a band of ticks, those behind it in sorted blocks.
 *
 * Prices are kept as keys, `sign * priceTicks` with sign +1 for bids and -1 for asks, so that a larger key is a better price
 * and one implementation serves both sides. Most changes lie near the best: there a change is one write (tick-band.ts). Behind
 * the band a level is searched for (level-blocks.ts). The band moves when a price is better than all of it, or when the best sinks below its
 * upper quarter; the levels that it leaves go to the blocks, those that it reaches come from them. Nothing is allocated per update.
 * (All levels in blocks took 2 to 3 times as long on recorded books. A move takes 1 to 4 µs, which a best that jumps by hundreds
 * of ticks and back pays each time.)
 *
 * Invariants: each level at the band's base or better is in the band; the band is empty only when the ladder is.
 *
 * Beyond `completeToTicks` only the levels that changed since the snapshot are known (a venue's snapshot covers a limited
 * number of levels); what the ladder holds there is true, but levels may be missing.
 */

import { type Side, sideSign } from "../units/side.ts";
import { LevelBlocks } from "./level-blocks.ts";
import { BAND_TICKS, TickBand, WORD_TICKS } from "./tick-band.ts";

/** Where a moved band has its best: room above for it to rise, and most of the band for the levels below. */
const BEST_OFFSET = (BAND_TICKS * 15) / 16;
/** A best below this one has the band moved down. Far from BEST_OFFSET, so that a move is rare. */
const LOWEST_BEST_OFFSET = (BAND_TICKS * 3) / 4;

export class Ladder {
  readonly side: Side;
  private readonly sign: 1 | -1;
  private readonly band = new TickBand();
  private readonly blocks = new LevelBlocks();
  /** Smallest key down to which every level was known at first; -Infinity when the whole side was. */
  private snapshotToKey = Number.NEGATIVE_INFINITY;

  constructor(side: Side) {
    this.side = side;
    this.sign = sideSign(side);
  }

  get levelCount(): number {
    return this.band.count + this.blocks.count;
  }

  /** Null when the side is empty. */
  get bestTicks(): number | null {
    const { best, baseKey } = this.band;
    return best < 0 ? null : this.sign * (baseKey + best);
  }

  /** Size at the best price; null when the side is empty. */
  get bestLots(): number | null {
    const { best, sizes } = this.band;
    return best < 0 ? null : (sizes[best] as number);
  }

  /** The price down to which every level is known; null when that is the whole side. */
  get completeToTicks(): number | null {
    const key = this.completeToKey();
    return key === Number.NEGATIVE_INFINITY ? null : this.sign * key;
  }

  /** The best price itself lies beyond what the snapshot covered: the ladder can no longer be trusted to hold the top. */
  get isWindowExhausted(): boolean {
    const completeTo = this.completeToKey();
    if (completeTo === Number.NEGATIVE_INFINITY) return false;
    const { best, baseKey } = this.band;
    return best < 0 || baseKey + best < completeTo;
  }

  /** Price of the level `depth` places behind the best (0 is the best). `depth` must be below levelCount. */
  ticksAt(depth: number): number {
    const { band } = this;
    return this.sign * (depth < band.count ? band.baseKey + band.walkTo(depth) : this.blocks.keyAt(depth - band.count));
  }

  /** Size of the level `depth` places behind the best. */
  lotsAt(depth: number): number {
    const { band } = this;
    return depth < band.count ? (band.sizes[band.walkTo(depth)] as number) : this.blocks.lotsAt(depth - band.count);
  }

  /** Copies the best levels, best first, as many as there is room for: one walk, where `ticksAt` and `lotsAt` look each level up. @returns how many there were. */
  copyTop(ticks: Float64Array, lots: Float64Array): number {
    const { band, blocks } = this;
    const count = Math.min(ticks.length, this.levelCount);
    const near = Math.min(count, band.count);
    band.copyBest(near, ticks, lots);
    for (let depth = 0; depth < near; depth++) ticks[depth] = this.sign * (ticks[depth] as number);
    for (let depth = near; depth < count; depth++) {
      ticks[depth] = this.sign * blocks.keyAt(depth - band.count);
      lots[depth] = blocks.lotsAt(depth - band.count);
    }
    return count;
  }

  /** Sets the absolute size at a price; 0 removes the level, also where there is none. */
  set(priceTicks: number, sizeLots: number): void {
    const { band } = this;
    const key = this.sign * priceTicks;
    const offset = key - band.baseKey;
    if (offset >= 0 && offset < BAND_TICKS) {
      band.set(offset, sizeLots);
      if (band.best < LOWEST_BEST_OFFSET) this.sink();
    } else if (offset < 0 && band.count > 0) {
      this.blocks.set(key, sizeLots);
    } else if (sizeLots !== 0) {
      this.riseTo(key);
      band.set(key - band.baseKey, sizeLots);
    }
  }

  /** Size resting at a price; 0 when there is none. */
  lotsAtPrice(priceTicks: number): number {
    const key = this.sign * priceTicks;
    const offset = key - this.band.baseKey;
    if (offset >= BAND_TICKS) return 0;
    return offset >= 0 ? (this.band.sizes[offset] as number) : this.blocks.lotsOf(key);
  }

  /** Sum of the sizes of the best `levels` levels. */
  depthLots(levels: number): number {
    const { band } = this;
    let lots = 0;
    let left = levels;
    for (let offset = band.best; offset >= 0 && left > 0; offset = band.below(offset)) {
      lots += band.sizes[offset] as number;
      left--;
    }
    return left > 0 ? lots + this.blocks.depthLots(left) : lots;
  }

  /** Sum of the sizes at `limitTicks` and better. */
  depthToLots(limitTicks: number): number {
    const { band } = this;
    const limit = this.sign * limitTicks;
    let lots = 0;
    for (let offset = band.best; offset >= 0; offset = band.below(offset)) {
      if (band.baseKey + offset < limit) return lots;
      lots += band.sizes[offset] as number;
    }
    return lots + this.blocks.depthToLots(limit);
  }

  clear(): void {
    this.band.clear();
    this.blocks.clear();
    this.snapshotToKey = Number.NEGATIVE_INFINITY;
  }

  /** Marks the worst level held as the end of what the snapshot covered. */
  markComplete(): void {
    if (this.blocks.count > 0) this.snapshotToKey = this.blocks.worstKey;
    else this.snapshotToKey = this.band.count > 0 ? this.band.baseKey + this.band.worstFrom(0) : Number.NEGATIVE_INFINITY;
  }

  /** Marks a price as the end of what is known, as `completeToTicks` gave it. */
  markCompleteTo(priceTicks: number): void {
    this.snapshotToKey = this.sign * priceTicks;
  }

  private completeToKey(): number {
    return Math.max(this.snapshotToKey, this.blocks.droppedBelowKey);
  }

  /** Moves the band so that a key better than all of it, or the first, has its place there. */
  private riseTo(key: number): void {
    const { band, blocks } = this;
    const baseKey = baseFor(key);
    for (let offset = band.worstFrom(0); offset >= 0 && band.baseKey + offset < baseKey; offset = band.worstFrom(offset + 1)) {
      blocks.set(band.baseKey + offset, band.sizes[offset] as number);
      band.set(offset, 0);
    }
    band.moveUp(baseKey);
  }

  /** Moves the band down to the best level that is left. */
  private sink(): void {
    const { band, blocks } = this;
    if (band.best < 0 && blocks.count === 0) return;
    const baseKey = baseFor(band.best < 0 ? blocks.bestKey : band.baseKey + band.best);
    band.moveDown(baseKey);
    while (blocks.count > 0 && blocks.bestKey >= baseKey) {
      band.set(blocks.bestKey - baseKey, blocks.bestLots);
      blocks.removeBest();
    }
  }
}

/** The base of a band that has this key as its best. */
function baseFor(key: number): number {
  return Math.floor((key - BEST_OFFSET) / WORD_TICKS) * WORD_TICKS;
}
