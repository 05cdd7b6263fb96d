/**
 * The best levels of one side, by their place: a size for each tick of a band (0: no level), and a bit for each size that is not 0.
 *
 * A change is one write; nothing is searched for or shifted. In order, the levels are the set bits from the top. A book that is
 * an array over a range of ticks is an old idea (e.g. ROIVectorMarketDepth in nkaz001/hftbacktest, hftbacktest/src/depth, read 2026-11-27,
 * which drops what lies outside its range); this one is short, moves with the best, and leaves the rest to the blocks (ladder.ts).
 *
 * Keys are whole numbers that a double holds. Invariant: a bit is set exactly where the size is not 0, and `best` is the highest.
 */

/**
 * Ticks a band spans, a multiple of WORD_TICKS. Measured from 1,024 to 16,384 on recorded books: with half as many an update takes 1.1 to 1.4
 * times as long; with twice as many as long (COIN-M, ticks of 0.1) or 0.8 times (spot, ticks of 0.01). 60 books need 4 MB, and
 * a recorded book is no larger than it is in blocks alone.
 */
export const BAND_TICKS = 4_096;
/** Ticks a word of bits spans. */
export const WORD_TICKS = 32;
/** A walk that no depth can go on from. */
const NO_WALK = Number.MAX_SAFE_INTEGER;
const WORDS = BAND_TICKS / WORD_TICKS;

export class TickBand {
  /** The key at offset 0, a multiple of WORD_TICKS. */
  baseKey = 0;
  count = 0;
  /** Offset of the best level; -1 when there is none. */
  best = -1;
  /** [BAND_TICKS] by offset. */
  readonly sizes = new Float64Array(BAND_TICKS);
  /** [WORDS] */
  private readonly bits = new Int32Array(WORDS);
  /** Where the last walk from the best stood, and how many levels are better. */
  private walkOffset = -1;
  private walkDepth = NO_WALK;

  /** Sets the absolute size at an offset within the band; 0 removes. */
  set(offset: number, sizeLots: number): void {
    const { sizes } = this;
    const held = sizes[offset] as number;
    sizes[offset] = sizeLots;
    if ((held === 0) === (sizeLots === 0)) return;
    if (held === 0) this.mark(offset);
    else this.unmark(offset);
  }

  /** Offset of the next worse level; -1 when there is none. */
  below(offset: number): number {
    const { bits } = this;
    let word = offset >> 5;
    let left = (bits[word] as number) & ((1 << (offset & 31)) - 1);
    while (left === 0) {
      if (word === 0) return -1;
      left = bits[--word] as number;
    }
    return (word << 5) + 31 - Math.clz32(left);
  }

  /** Offset of the level `depth` places behind the best, which must be less than `count`; goes on from the last walk. */
  walkTo(depth: number): number {
    if (depth < this.walkDepth) {
      this.walkOffset = this.best;
      this.walkDepth = 0;
    }
    while (this.walkDepth < depth) {
      this.walkOffset = this.below(this.walkOffset);
      this.walkDepth++;
    }
    return this.walkOffset;
  }

  /** Keys and sizes of the best `count` levels, best first; no more than there are. Each word of bits is read once. */
  copyBest(count: number, keys: Float64Array, lots: Float64Array): void {
    const { bits, sizes, baseKey } = this;
    let word = this.best >> 5;
    let left = count === 0 ? 0 : (bits[word] as number);
    for (let depth = 0; depth < count; depth++) {
      while (left === 0) left = bits[--word] as number;
      const bit = 31 - Math.clz32(left);
      left &= ~(1 << bit);
      const offset = (word << 5) + bit;
      keys[depth] = baseKey + offset;
      lots[depth] = sizes[offset] as number;
    }
  }

  /** Offset of the worst level at `from` or better; -1 when there is none. */
  worstFrom(from: number): number {
    const { bits } = this;
    if (from >= BAND_TICKS) return -1;
    let word = from >> 5;
    let left = (bits[word] as number) & (-1 << (from & 31));
    while (left === 0) {
      if (++word === WORDS) return -1;
      left = bits[word] as number;
    }
    return (word << 5) + 31 - Math.clz32(left & -left);
  }

  clear(): void {
    for (let offset = this.best; offset >= 0; offset = this.below(offset)) this.sizes[offset] = 0;
    this.bits.fill(0);
    this.count = 0;
    this.best = -1;
    this.walkDepth = NO_WALK;
  }

  /** Moves to a better base, a multiple of WORD_TICKS. The levels that would fall off must be gone. */
  moveUp(baseKey: number): void {
    if (this.count > 0) {
      const ticks = baseKey - this.baseKey;
      this.sizes.copyWithin(0, ticks).fill(0, BAND_TICKS - ticks);
      this.bits.copyWithin(0, ticks / WORD_TICKS).fill(0, WORDS - ticks / WORD_TICKS);
      this.best -= ticks;
    }
    this.baseKey = baseKey;
    this.walkDepth = NO_WALK;
  }

  /** Moves to a worse base, a multiple of WORD_TICKS. The best must still have its place. */
  moveDown(baseKey: number): void {
    if (this.count > 0) {
      const ticks = this.baseKey - baseKey;
      this.sizes.copyWithin(ticks, 0).fill(0, 0, ticks);
      this.bits.copyWithin(ticks / WORD_TICKS, 0).fill(0, 0, ticks / WORD_TICKS);
      this.best += ticks;
    }
    this.baseKey = baseKey;
    this.walkDepth = NO_WALK;
  }

  private mark(offset: number): void {
    const word = offset >> 5;
    this.bits[word] = (this.bits[word] as number) | (1 << (offset & 31));
    this.count++;
    if (offset > this.best) this.best = offset;
    this.walkDepth = NO_WALK;
  }

  private unmark(offset: number): void {
    const word = offset >> 5;
    this.bits[word] = (this.bits[word] as number) & ~(1 << (offset & 31));
    this.count--;
    if (offset === this.best) this.best = this.below(offset);
    this.walkDepth = NO_WALK;
  }
}
