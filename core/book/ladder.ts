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
/**
 * Blocks a ladder may hold, at least half full as they come: some 65,000 levels or more. The largest book that a venue sends whole (Coinbase,
 * BTC-USD) holds some 25,000 a side; past the bound the worst quarter is let go.
 */
const MAX_BLOCKS = 4_096;
/** A walk that no depth can go on from. */
const NO_WALK = Number.MAX_SAFE_INTEGER;

/** A run of neighbouring levels, ascending by key. */
class Block {
  /** [BLOCK_LEVELS], the first `count` in use. */
  readonly keys = new Float64Array(BLOCK_LEVELS);
  /** [BLOCK_LEVELS] beside keys. */
  readonly sizes = new Float64Array(BLOCK_LEVELS);
  count = 0;

  /** Index of the first key that is not below `key`; `count` when all are. */
  lowerBound(key: number): number {
    const { keys } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Blocks are short: a loop is faster than a call of copyWithin. */
  removeAt(at: number): void {
    const { keys, sizes } = this;
    const end = --this.count;
    for (let index = at; index < end; index++) {
      keys[index] = keys[index + 1] as number;
      sizes[index] = sizes[index + 1] as number;
    }
  }

  /** The block must not be full. */
  insertAt(at: number, key: number, sizeLots: number): void {
    const { keys, sizes } = this;
    for (let index = this.count++; index > at; index--) {
      keys[index] = keys[index - 1] as number;
      sizes[index] = sizes[index - 1] as number;
    }
    keys[at] = key;
    sizes[at] = sizeLots;
  }

  /** Moves the better half to an empty block. */
  splitInto(better: Block): void {
    const half = BLOCK_LEVELS / 2;
    better.keys.set(this.keys.subarray(half));
    better.sizes.set(this.sizes.subarray(half));
    this.count = half;
    better.count = half;
  }
}

export class Ladder {
  readonly side: Side;
  private readonly sign: 1 | -1;
  /** Worst first. Never empty. */
  private blocks: Block[] = [new Block()];
  /** [MAX_BLOCKS] beside blocks: the smallest key that belongs there. The first block takes all that is worse, whatever its floor. */
  private readonly floors = new Float64Array(MAX_BLOCKS).fill(Number.NEGATIVE_INFINITY);
  /** Blocks that were let go, to be used again. */
  private readonly spare: Block[] = [];
  private count = 0;
  /** Place of the block that was asked for last. */
  private place = 0;
  /** Smallest key down to which every level is known; -Infinity when the whole side is. */
  private completeToKey = Number.NEGATIVE_INFINITY;
  /** Where the last walk from the best stood: the block, and how many levels are better than all of it. */
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
    return this.count === 0 ? null : this.sign * this.bestKey();
  }

  /** Size at the best price; null when the side is empty. */
  get bestLots(): number | null {
    if (this.count === 0) return null;
    const best = this.blockAt(this.blocks.length - 1);
    return best.sizes[best.count - 1] as number;
  }

  /** The price down to which every level is known; null when that is the whole side. */
  get completeToTicks(): number | null {
    return this.completeToKey === Number.NEGATIVE_INFINITY ? null : this.sign * this.completeToKey;
  }

  /** The best price itself lies beyond what the snapshot covered: the ladder can no longer be trusted to hold the top. */
  get isWindowExhausted(): boolean {
    if (this.completeToKey === Number.NEGATIVE_INFINITY) return false;
    return this.count === 0 || this.bestKey() < this.completeToKey;
  }

  /** Price of the level `depth` places behind the best (0 is the best). `depth` must be below levelCount. */
  ticksAt(depth: number): number {
    const block = this.walkTo(depth);
    return this.sign * (block.keys[this.walkDepth + block.count - 1 - depth] as number);
  }

  /** Size of the level `depth` places behind the best. */
  lotsAt(depth: number): number {
    const block = this.walkTo(depth);
    return block.sizes[this.walkDepth + block.count - 1 - depth] as number;
  }

  /** Sets the absolute size at a price; 0 removes the level, also where there is none. */
  set(priceTicks: number, sizeLots: number): void {
    const key = this.sign * priceTicks;
    const place = this.placeOf(key);
    const block = this.blockAt(place);
    const at = block.lowerBound(key);
    if (at < block.count && block.keys[at] === key) {
      if (sizeLots !== 0) {
        block.sizes[at] = sizeLots;
        return;
      }
      block.removeAt(at);
      this.count--;
      if (block.count === 0 && this.blocks.length > 1) this.letGo(place, 1);
    } else {
      if (sizeLots === 0) return;
      if (block.count === BLOCK_LEVELS) {
        this.split(place);
        this.set(priceTicks, sizeLots);
        return;
      }
      block.insertAt(at, key, sizeLots);
      this.count++;
    }
    this.walkDepth = NO_WALK;
  }

  /** Size resting at a price; 0 when there is none. */
  lotsAtPrice(priceTicks: number): number {
    const key = this.sign * priceTicks;
    const block = this.blockAt(this.placeOf(key));
    const at = block.lowerBound(key);
    return at < block.count && block.keys[at] === key ? (block.sizes[at] as number) : 0;
  }

  /** Sum of the sizes of the best `levels` levels. */
  depthLots(levels: number): number {
    let lots = 0;
    let left = Math.min(levels, this.count);
    for (let place = this.blocks.length - 1; left > 0; place--) {
      const block = this.blockAt(place);
      const worst = Math.max(0, block.count - left);
      for (let at = block.count - 1; at >= worst; at--) lots += block.sizes[at] as number;
      left -= block.count - worst;
    }
    return lots;
  }

  /** Sum of the sizes at `limitTicks` and better. */
  depthToLots(limitTicks: number): number {
    const limit = this.sign * limitTicks;
    let lots = 0;
    for (let place = this.blocks.length - 1; place >= 0; place--) {
      const block = this.blockAt(place);
      for (let at = block.count - 1; at >= 0; at--) {
        if ((block.keys[at] as number) < limit) return lots;
        lots += block.sizes[at] as number;
      }
    }
    return lots;
  }

  clear(): void {
    if (this.blocks.length > 1) this.letGo(1, this.blocks.length - 1);
    this.blockAt(0).count = 0;
    this.count = 0;
    this.walkDepth = NO_WALK;
    this.completeToKey = Number.NEGATIVE_INFINITY;
  }

  /** Marks the worst level held as the end of what the snapshot covered. */
  markComplete(): void {
    this.completeToKey = this.count === 0 ? Number.NEGATIVE_INFINITY : (this.blockAt(0).keys[0] as number);
  }

  /** Marks a price as the end of what is known, as `completeToTicks` gave it. */
  markCompleteTo(priceTicks: number): void {
    this.completeToKey = this.sign * priceTicks;
  }

  private blockAt(place: number): Block {
    return this.blocks[place] as Block;
  }

  private bestKey(): number {
    const best = this.blockAt(this.blocks.length - 1);
    return best.keys[best.count - 1] as number;
  }

  /** The block that holds the level `depth` places behind the best, with `walkDepth` levels before it; goes on from the last walk. */
  private walkTo(depth: number): Block {
    if (depth < this.walkDepth) {
      this.walkPlace = this.blocks.length - 1;
      this.walkDepth = 0;
    }
    for (;;) {
      const block = this.blockAt(this.walkPlace);
      if (depth < this.walkDepth + block.count) return block;
      if (this.walkPlace === 0) throw new RangeError(`level ${depth} of ${this.count}`);
      this.walkDepth += block.count;
      this.walkPlace--;
    }
  }

  /** Place of the block that `key` belongs to: gallops from the last one asked for. */
  private placeOf(key: number): number {
    const { floors } = this;
    const end = this.blocks.length;
    let low = this.place;
    let high = low + 1;
    let step = 1;
    if ((floors[low] as number) <= key) {
      while (high < end && (floors[high] as number) <= key) {
        low = high;
        high += step;
        step += step;
      }
      if (high > end) high = end;
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

  /** Splits a full block in two. At the bound the worst blocks are let go first. */
  private split(full: number): void {
    let place = full;
    if (this.blocks.length === MAX_BLOCKS) place -= this.dropWorst();
    if (place < 0) return;
    const block = this.blockAt(place);
    const better = this.spare.pop() ?? new Block();
    block.splitInto(better);
    this.floors.copyWithin(place + 2, place + 1, this.blocks.length);
    this.floors[place + 1] = better.keys[0] as number;
    this.blocks.splice(place + 1, 0, better);
  }

  /** @returns how many blocks were let go. */
  private dropWorst(): number {
    const dropped = MAX_BLOCKS / 4;
    for (let place = 0; place < dropped; place++) this.count -= this.blockAt(place).count;
    this.letGo(0, dropped);
    this.completeToKey = Math.max(this.completeToKey, this.blockAt(0).keys[0] as number);
    return dropped;
  }

  /** Takes `count` blocks out, from `place` on; at least one must stay. */
  private letGo(place: number, count: number): void {
    this.floors.copyWithin(place, place + count, this.blocks.length);
    if (place === 0) this.floors[0] = Number.NEGATIVE_INFINITY;
    for (const block of this.blocks.splice(place, count)) {
      block.count = 0;
      this.spare.push(block);
    }
    this.place = 0;
  }
}
