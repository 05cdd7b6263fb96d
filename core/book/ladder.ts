/**
 * One side of an order book: price levels sorted from worst to best in typed arrays.
 *
 * Prices are kept as keys, `sign * priceTicks` with sign +1 for bids and -1 for asks, so that a larger key is a better price
 * and one implementation serves both sides. The best level stands last: nearly all updates are near it, so the search gallops
 * from the end and the shift behind an insert or a removal is short. Nothing is allocated per update.
 *
 * Beyond `completeToTicks` only the levels that changed since the snapshot are known (a venue's snapshot covers a limited
 * number of levels); what the ladder holds there is true, but levels may be missing.
 */

import { type Side, sideSign } from "../units/side.ts";

/** Levels a ladder may hold. The busiest recorded book holds some 6,000 a side; past this the worst quarter is let go. */
const MAX_LEVELS = 16_384;
const INITIAL_LEVELS = 1_024;
/** Below this a loop moves levels faster than a call of copyWithin does (measured in bench/book.ts). */
const SHORT_SHIFT = 48;

export class Ladder {
  readonly side: Side;
  private readonly sign: 1 | -1;
  private keys = new Float64Array(INITIAL_LEVELS);
  private sizes = new Float64Array(INITIAL_LEVELS);
  private count = 0;
  /** Smallest key down to which every level is known; -Infinity when the whole side is. */
  private completeToKey = Number.NEGATIVE_INFINITY;

  constructor(side: Side) {
    this.side = side;
    this.sign = sideSign(side);
  }

  get levelCount(): number {
    return this.count;
  }

  /** Null when the side is empty. */
  get bestTicks(): number | null {
    return this.count === 0 ? null : this.sign * this.keyAt(0);
  }

  /** Size at the best price; null when the side is empty. */
  get bestLots(): number | null {
    return this.count === 0 ? null : this.lotsAt(0);
  }

  /** The price down to which every level is known; null when that is the whole side. */
  get completeToTicks(): number | null {
    return this.completeToKey === Number.NEGATIVE_INFINITY ? null : this.sign * this.completeToKey;
  }

  /** The best price itself lies beyond what the snapshot covered: the ladder can no longer be trusted to hold the top. */
  get isWindowExhausted(): boolean {
    if (this.completeToKey === Number.NEGATIVE_INFINITY) return false;
    return this.count === 0 || this.keyAt(0) < this.completeToKey;
  }

  /** Price of the level `depth` places behind the best (0 is the best). `depth` must be below levelCount. */
  ticksAt(depth: number): number {
    return this.sign * this.keyAt(depth);
  }

  /** Size of the level `depth` places behind the best. */
  lotsAt(depth: number): number {
    return this.sizes[this.count - 1 - depth] as number;
  }

  /** Sets the absolute size at a price; 0 removes the level, also where there is none. */
  set(priceTicks: number, sizeLots: number): void {
    const key = this.sign * priceTicks;
    const at = this.lowerBound(key);
    const isPresent = at < this.count && this.keys[at] === key;
    if (sizeLots === 0) {
      if (isPresent) this.removeAt(at);
    } else if (isPresent) {
      this.sizes[at] = sizeLots;
    } else {
      this.insertAt(at, key, sizeLots);
    }
  }

  /** Size resting at a price; 0 when there is none. */
  lotsAtPrice(priceTicks: number): number {
    const key = this.sign * priceTicks;
    const at = this.lowerBound(key);
    return at < this.count && this.keys[at] === key ? (this.sizes[at] as number) : 0;
  }

  /** Sum of the sizes of the best `levels` levels. */
  depthLots(levels: number): number {
    let lots = 0;
    for (let at = this.count - 1; at >= 0 && at >= this.count - levels; at--) lots += this.sizes[at] as number;
    return lots;
  }

  /** Sum of the sizes at `limitTicks` and better. */
  depthToLots(limitTicks: number): number {
    const limit = this.sign * limitTicks;
    let lots = 0;
    for (let at = this.count - 1; at >= 0 && (this.keys[at] as number) >= limit; at--) lots += this.sizes[at] as number;
    return lots;
  }

  clear(): void {
    this.count = 0;
    this.completeToKey = Number.NEGATIVE_INFINITY;
  }

  /** Marks the worst level held as the end of what the snapshot covered. */
  markComplete(): void {
    this.completeToKey = this.count === 0 ? Number.NEGATIVE_INFINITY : (this.keys[0] as number);
  }

  private keyAt(depth: number): number {
    return this.keys[this.count - 1 - depth] as number;
  }

  /** Index of the first key that is not below `key`; gallops from the best. */
  private lowerBound(key: number): number {
    const keys = this.keys;
    let high = this.count;
    let step = 1;
    let low = high - 1;
    while (low >= 0 && (keys[low] as number) >= key) {
      high = low;
      low -= step;
      step += step;
    }
    low = low < 0 ? 0 : low + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private removeAt(at: number): void {
    const { keys, sizes } = this;
    const end = --this.count;
    if (end - at <= SHORT_SHIFT) {
      for (let index = at; index < end; index++) {
        keys[index] = keys[index + 1] as number;
        sizes[index] = sizes[index + 1] as number;
      }
      return;
    }
    keys.copyWithin(at, at + 1, end + 1);
    sizes.copyWithin(at, at + 1, end + 1);
  }

  private insertAt(place: number, key: number, sizeLots: number): void {
    let at = place;
    if (this.count === this.keys.length) at -= this.makeRoom();
    if (at < 0) return;
    const { keys, sizes } = this;
    const end = this.count++;
    if (end - at <= SHORT_SHIFT) {
      for (let index = end; index > at; index--) {
        keys[index] = keys[index - 1] as number;
        sizes[index] = sizes[index - 1] as number;
      }
    } else {
      keys.copyWithin(at + 1, at, end);
      sizes.copyWithin(at + 1, at, end);
    }
    keys[at] = key;
    sizes[at] = sizeLots;
  }

  /** Doubles the arrays, or at the bound lets the worst quarter go. @returns how many levels were let go. */
  private makeRoom(): number {
    if (this.keys.length < MAX_LEVELS) {
      const keys = new Float64Array(this.keys.length * 2);
      const sizes = new Float64Array(this.keys.length * 2);
      keys.set(this.keys);
      sizes.set(this.sizes);
      this.keys = keys;
      this.sizes = sizes;
      return 0;
    }
    const dropped = MAX_LEVELS / 4;
    this.keys.copyWithin(0, dropped, this.count);
    this.sizes.copyWithin(0, dropped, this.count);
    this.count -= dropped;
    this.completeToKey = Math.max(this.completeToKey, this.keys[0] as number);
    return dropped;
  }
}
