/**
 * Sorted levels of one side that lie far from its best: ascending by key, in blocks of typed arrays.
 *
 * Levels lie in blocks of 32, so that an insert or a removal moves a few numbers and no more; a directory says which block a key belongs
 * to, and is asked from the block of the last update on, since a message's levels come sorted. Nothing is allocated per update. (One flat
 * array, with the shift behind it, took 1.6 times as long.)
 *
 * A block is let go when it is empty and never merged before: T. Johnson and D. Shasha, "B-trees with inserts and deletes: why
 * free-at-empty is better than merge-at-half", JCSS 47 (1993). Invariant: no block is empty but the only one of no levels.
 */

/** Levels a block holds. Measured from 16 to 128: 16 and 32 are equal, more is slower. */
const BLOCK_LEVELS = 32;
/**
 * Blocks that may be held, at least half full as they come: some 65,000 levels or more. The largest book that a venue sends whole (Coinbase,
 * BTC-USD) holds some 25,000 a side; past the bound the worst quarter is let go.
 */
const MAX_BLOCKS = 4_096;
/** Blocks that the directory begins with room for; it grows by doubling. */
const INITIAL_BLOCKS = 64;
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

export class LevelBlocks {
  count = 0;
  /** Levels with smaller keys have been let go at the bound; -Infinity when none have. */
  droppedBelowKey = Number.NEGATIVE_INFINITY;
  /** Worst first. Never empty. */
  private blocks: Block[] = [new Block()];
  /** [room] beside blocks: the smallest key that belongs there. The first block takes all that is worse, whatever its floor. */
  private floors = new Float64Array(INITIAL_BLOCKS).fill(Number.NEGATIVE_INFINITY);
  /** Blocks that were let go, to be used again. */
  private readonly spare: Block[] = [];
  /** Place of the block that was asked for last. */
  private place = 0;
  /** Where the last walk from the best stood: the block, and how many levels are better than all of it. */
  private walkPlace = 0;
  private walkDepth = NO_WALK;

  /** There must be a level. */
  get bestKey(): number {
    const best = this.bestBlock();
    return best.keys[best.count - 1] as number;
  }

  /** There must be a level. */
  get bestLots(): number {
    const best = this.bestBlock();
    return best.sizes[best.count - 1] as number;
  }

  /** There must be a level. */
  get worstKey(): number {
    return this.blockAt(0).keys[0] as number;
  }

  /** Key of the level `depth` places behind the best (0 is the best). */
  keyAt(depth: number): number {
    const block = this.walkTo(depth);
    return block.keys[this.walkDepth + block.count - 1 - depth] as number;
  }

  /** Size of the level `depth` places behind the best. */
  lotsAt(depth: number): number {
    const block = this.walkTo(depth);
    return block.sizes[this.walkDepth + block.count - 1 - depth] as number;
  }

  /** Sets the absolute size at a key; 0 removes the level, also where there is none. */
  set(key: number, sizeLots: number): void {
    const place = this.placeOf(key);
    const block = this.blockAt(place);
    const at = block.lowerBound(key);
    if (at < block.count && block.keys[at] === key) {
      if (sizeLots === 0) this.removeAt(place, at);
      else block.sizes[at] = sizeLots;
      return;
    }
    if (sizeLots === 0) return;
    if (block.count === BLOCK_LEVELS) {
      this.split(place);
      this.set(key, sizeLots);
      return;
    }
    block.insertAt(at, key, sizeLots);
    this.count++;
    this.walkDepth = NO_WALK;
  }

  /** There must be a level. */
  removeBest(): void {
    const place = this.blocks.length - 1;
    this.removeAt(place, this.blockAt(place).count - 1);
  }

  /** Size resting at a key; 0 when there is none. */
  lotsOf(key: number): number {
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

  /** Sum of the sizes at `limit` and better. */
  depthToLots(limit: number): number {
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
    this.droppedBelowKey = Number.NEGATIVE_INFINITY;
  }

  private blockAt(place: number): Block {
    return this.blocks[place] as Block;
  }

  private bestBlock(): Block {
    return this.blockAt(this.blocks.length - 1);
  }

  private removeAt(place: number, at: number): void {
    const block = this.blockAt(place);
    block.removeAt(at);
    this.count--;
    if (block.count === 0 && this.blocks.length > 1) this.letGo(place, 1);
    this.walkDepth = NO_WALK;
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
    if (this.blocks.length === this.floors.length) this.growFloors();
    const block = this.blockAt(place);
    const better = this.spare.pop() ?? new Block();
    block.splitInto(better);
    this.floors.copyWithin(place + 2, place + 1, this.blocks.length);
    this.floors[place + 1] = better.keys[0] as number;
    this.blocks.splice(place + 1, 0, better);
  }

  private growFloors(): void {
    const floors = new Float64Array(this.floors.length * 2).fill(Number.NEGATIVE_INFINITY);
    floors.set(this.floors);
    this.floors = floors;
  }

  /** @returns how many blocks were let go. */
  private dropWorst(): number {
    const dropped = MAX_BLOCKS / 4;
    for (let place = 0; place < dropped; place++) this.count -= this.blockAt(place).count;
    this.letGo(0, dropped);
    this.droppedBelowKey = Math.max(this.droppedBelowKey, this.worstKey);
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
