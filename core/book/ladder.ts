/**
 * One side of an order book: price levels sorted from worst to best in blocks of typed arrays.
 *
 * Prices are kept as keys, `sign * priceTicks` with sign +1 for bids and -1 for asks, so that a larger key is a better price
 * and one implementation serves both sides. Levels lie in blocks of 32, so that an insert or a removal moves a few numbers and no more; a
 * directory says which block a price belongs to, and is asked from the block of the last update on, since a message's levels come
 * sorted. Nothing is allocated per update. (One flat array, with the shift behind it, took 1.6 times as long: bench/book.ts.)
 *
 * A block is let go when it is empty and never merged before: T. Johnson and D. Shasha, "B-trees with inserts and deletes: why
 * free-at-empty is better than merge-at-half", JCSS 47 (1993). Invariant: no block is empty but the only one of an empty ladder.
 *
 * Beyond `completeToTicks` only the levels that changed since the snapshot are known (a venue's snapshot covers a limited
 * number of levels); what the ladder holds there is true, but levels may be missing.
 */

import { type Side, sideSign } from "../units/side.ts";

/** Levels a block holds. Measured from 16 to 128: 16 and 32 are equal, more is slower. */
const BLOCK_LEVELS = 32;
const INITIAL_BLOCKS = 64;
/**
 * Blocks a ladder may hold, at least half full as they come: some 16,000 levels or more. The busiest recorded book holds some 6,000 a side;
 * past the bound the worst quarter is let go.
 */
const MAX_BLOCKS = 1_024;
/** A walk that no depth can go on from. */
const NO_WALK = Number.MAX_SAFE_INTEGER;

export class Ladder {
  readonly side: Side;
  private readonly sign: 1 | -1;
  /** [blocks x BLOCK_LEVELS] by slot, ascending within a block. */
  private keys = new Float64Array(INITIAL_BLOCKS * BLOCK_LEVELS);
  private sizes = new Float64Array(INITIAL_BLOCKS * BLOCK_LEVELS);
  /** [blocks] by slot: levels in the block. */
  private fills = new Int32Array(INITIAL_BLOCKS);
  /** [blocks] by place, worst first: the slot of the block there. Behind the last place lie the free slots. */
  private slots = Int32Array.from({ length: INITIAL_BLOCKS }, (_, slot) => slot);
  /** [blocks] by place: the smallest key that belongs there. The first place takes all that is worse. */
  private floors = new Float64Array(INITIAL_BLOCKS).fill(Number.NEGATIVE_INFINITY);
  private blockCount = 1;
  private count = 0;
  /** Place of the block that was asked for last. */
  private place = 0;
  /** Smallest key down to which every level is known; -Infinity when the whole side is. */
  private completeToKey = Number.NEGATIVE_INFINITY;
  /** Where the last walk from the best stood: the place, and how many levels are better than all of it. */
  private walkPlace = 0;
  private walkDepth = NO_WALK;

  constructor(side: Side) {
    this.side = side;
    this.sign = sideSign(side);
  }

  get levelCount(): number {
    return this.count;
  }

  /** Null when the side is empty. */
  get bestTicks(): number | null {
    return this.count === 0 ? null : this.sign * (this.keys[this.bestIndex()] as number);
  }

  /** Size at the best price; null when the side is empty. */
  get bestLots(): number | null {
    return this.count === 0 ? null : (this.sizes[this.bestIndex()] as number);
  }

  /** The price down to which every level is known; null when that is the whole side. */
  get completeToTicks(): number | null {
    return this.completeToKey === Number.NEGATIVE_INFINITY ? null : this.sign * this.completeToKey;
  }

  /** The best price itself lies beyond what the snapshot covered: the ladder can no longer be trusted to hold the top. */
  get isWindowExhausted(): boolean {
    if (this.completeToKey === Number.NEGATIVE_INFINITY) return false;
    return this.count === 0 || (this.keys[this.bestIndex()] as number) < this.completeToKey;
  }

  /** Price of the level `depth` places behind the best (0 is the best). `depth` must be below levelCount. */
  ticksAt(depth: number): number {
    return this.sign * (this.keys[this.indexAt(depth)] as number);
  }

  /** Size of the level `depth` places behind the best. */
  lotsAt(depth: number): number {
    return this.sizes[this.indexAt(depth)] as number;
  }

  /** Sets the absolute size at a price; 0 removes the level, also where there is none. */
  set(priceTicks: number, sizeLots: number): void {
    const key = this.sign * priceTicks;
    const place = this.placeOf(key);
    const slot = this.slots[place] as number;
    const fill = this.fills[slot] as number;
    const start = slot * BLOCK_LEVELS;
    const end = start + fill;
    const at = this.lowerBound(start, end, key);
    const isPresent = at < end && this.keys[at] === key;
    if (sizeLots === 0) {
      if (!isPresent) return;
      this.closeGap(at, end - 1);
      this.fills[slot] = fill - 1;
      this.count--;
      this.walkDepth = NO_WALK;
      if (fill === 1 && this.blockCount > 1) this.letGo(place, place + 1);
    } else if (isPresent) {
      this.sizes[at] = sizeLots;
    } else if (fill < BLOCK_LEVELS) {
      this.openGap(at, end);
      this.keys[at] = key;
      this.sizes[at] = sizeLots;
      this.fills[slot] = fill + 1;
      this.count++;
      this.walkDepth = NO_WALK;
    } else {
      this.split(place);
      this.set(priceTicks, sizeLots);
    }
  }

  /** Size resting at a price; 0 when there is none. */
  lotsAtPrice(priceTicks: number): number {
    const key = this.sign * priceTicks;
    const slot = this.slots[this.placeOf(key)] as number;
    const end = slot * BLOCK_LEVELS + (this.fills[slot] as number);
    const at = this.lowerBound(slot * BLOCK_LEVELS, end, key);
    return at < end && this.keys[at] === key ? (this.sizes[at] as number) : 0;
  }

  /** Sum of the sizes of the best `levels` levels. */
  depthLots(levels: number): number {
    let lots = 0;
    let left = Math.min(levels, this.count);
    for (let place = this.blockCount - 1; left > 0; place--) {
      const slot = this.slots[place] as number;
      const fill = this.fills[slot] as number;
      const taken = Math.min(left, fill);
      const end = slot * BLOCK_LEVELS + fill;
      for (let at = end - 1; at >= end - taken; at--) lots += this.sizes[at] as number;
      left -= taken;
    }
    return lots;
  }

  /** Sum of the sizes at `limitTicks` and better. */
  depthToLots(limitTicks: number): number {
    const limit = this.sign * limitTicks;
    let lots = 0;
    for (let place = this.blockCount - 1; place >= 0; place--) {
      const slot = this.slots[place] as number;
      const start = slot * BLOCK_LEVELS;
      for (let at = start + (this.fills[slot] as number) - 1; at >= start; at--) {
        if ((this.keys[at] as number) < limit) return lots;
        lots += this.sizes[at] as number;
      }
    }
    return lots;
  }

  clear(): void {
    this.blockCount = 1;
    this.count = 0;
    this.fills[this.slots[0] as number] = 0;
    this.floors[0] = Number.NEGATIVE_INFINITY;
    this.place = 0;
    this.walkDepth = NO_WALK;
    this.completeToKey = Number.NEGATIVE_INFINITY;
  }

  /** Marks the worst level held as the end of what the snapshot covered. */
  markComplete(): void {
    this.completeToKey = this.count === 0 ? Number.NEGATIVE_INFINITY : this.worstKey();
  }

  private worstKey(): number {
    return this.keys[(this.slots[0] as number) * BLOCK_LEVELS] as number;
  }

  private bestIndex(): number {
    const slot = this.slots[this.blockCount - 1] as number;
    return slot * BLOCK_LEVELS + (this.fills[slot] as number) - 1;
  }

  /** Index of the level `depth` places behind the best; goes on from the last one asked for where it can. */
  private indexAt(depth: number): number {
    if (depth < this.walkDepth) this.restartWalk();
    for (;;) {
      const slot = this.slots[this.walkPlace] as number;
      const fill = this.fills[slot] as number;
      const behind = depth - this.walkDepth;
      if (behind < fill) return slot * BLOCK_LEVELS + fill - 1 - behind;
      if (this.walkPlace === 0) throw new RangeError(`level ${depth} of ${this.count}`);
      this.walkDepth += fill;
      this.walkPlace--;
    }
  }

  private restartWalk(): void {
    this.walkPlace = this.blockCount - 1;
    this.walkDepth = 0;
  }

  /** Place of the block that `key` belongs to: gallops from the last one asked for. */
  private placeOf(key: number): number {
    const { floors, blockCount } = this;
    let low = this.place;
    let high = low + 1;
    let step = 1;
    if ((floors[low] as number) <= key) {
      while (high < blockCount && (floors[high] as number) <= key) {
        low = high;
        high += step;
        step += step;
      }
      if (high > blockCount) high = blockCount;
    } else {
      do {
        high = low;
        low -= step;
        step += step;
      } while (low > 0 && (floors[low] as number) > key);
      if (low < 0) low = 0;
    }
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((floors[middle] as number) <= key) low = middle;
      else high = middle;
    }
    this.place = low;
    return low;
  }

  /** Index in [start, end) of the first key that is not below `key`; `end` when all are. */
  private lowerBound(start: number, end: number, key: number): number {
    const { keys } = this;
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Moves the levels (at, end] one down. Blocks are short: a loop is faster than a call of copyWithin. */
  private closeGap(at: number, end: number): void {
    const { keys, sizes } = this;
    for (let index = at; index < end; index++) {
      keys[index] = keys[index + 1] as number;
      sizes[index] = sizes[index + 1] as number;
    }
  }

  /** Moves the levels [at, end) one up. */
  private openGap(at: number, end: number): void {
    const { keys, sizes } = this;
    for (let index = end; index > at; index--) {
      keys[index] = keys[index - 1] as number;
      sizes[index] = sizes[index - 1] as number;
    }
  }

  /** Moves the better half of a full block to a new one behind it. At the bound the worst blocks are let go instead. */
  private split(place: number): void {
    if (this.blockCount === this.fills.length && !this.grow()) {
      for (let worst = 0; worst < MAX_BLOCKS / 4; worst++) this.count -= this.fills[this.slots[worst] as number] as number;
      this.letGo(0, MAX_BLOCKS / 4);
      this.completeToKey = Math.max(this.completeToKey, this.worstKey());
      return;
    }
    const { keys, sizes, fills, slots, floors } = this;
    const from = slots[place] as number;
    const to = slots[this.blockCount] as number;
    const half = from * BLOCK_LEVELS + BLOCK_LEVELS / 2;
    keys.copyWithin(to * BLOCK_LEVELS, half, (from + 1) * BLOCK_LEVELS);
    sizes.copyWithin(to * BLOCK_LEVELS, half, (from + 1) * BLOCK_LEVELS);
    fills[from] = BLOCK_LEVELS / 2;
    fills[to] = BLOCK_LEVELS / 2;
    slots.copyWithin(place + 2, place + 1, this.blockCount);
    floors.copyWithin(place + 2, place + 1, this.blockCount);
    slots[place + 1] = to;
    floors[place + 1] = keys[to * BLOCK_LEVELS] as number;
    this.blockCount++;
  }

  /** Takes the blocks in places [from, to) out of the directory; their slots are free again. */
  private letGo(from: number, to: number): void {
    const { slots, floors } = this;
    const freed = slots.slice(from, to);
    slots.copyWithin(from, to, this.blockCount);
    floors.copyWithin(from, to, this.blockCount);
    this.blockCount -= to - from;
    slots.set(freed, this.blockCount);
    floors[0] = Number.NEGATIVE_INFINITY;
    this.place = 0;
  }

  /** Doubles the room. @returns false at the bound. */
  private grow(): boolean {
    const blocks = this.fills.length * 2;
    if (blocks > MAX_BLOCKS) return false;
    this.keys = copyTo(new Float64Array(blocks * BLOCK_LEVELS), this.keys);
    this.sizes = copyTo(new Float64Array(blocks * BLOCK_LEVELS), this.sizes);
    this.floors = copyTo(new Float64Array(blocks), this.floors);
    this.fills = copyTo(new Int32Array(blocks), this.fills);
    this.slots = copyTo(
      Int32Array.from({ length: blocks }, (_, slot) => slot),
      this.slots,
    );
    return true;
  }
}

function copyTo<Numbers extends Float64Array | Int32Array>(target: Numbers, source: Numbers): Numbers {
  target.set(source);
  return target;
}
