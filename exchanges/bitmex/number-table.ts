/**
 * A table from whole numbers to whole numbers above zero, by open addressing with linear probing: the ids of a book's levels, and its prices.
 *
 * A Map would do, and does the same; with ids past 2^31 it makes an object of each key, and finding a level's price took as long as
 * reading its message. At most half of the slots are in use, so a probe ends soon; a removal moves back what was pushed on, so there are no
 * dead slots to clean up. Key and value lie side by side: one look into memory finds both.
 */

const FREE = -1;
const INITIAL_SLOTS = 64;
const TWO_TO_THE_32 = 4_294_967_296;
/** 2^32 divided by the golden ratio, odd: spreads keys that differ by a constant step. */
const SPREAD = 0x9e3779b1;

export class NumberTable {
  size = 0;
  /** [slots x 2]: key, value. */
  private pairs = freePairs(INITIAL_SLOTS);
  /** Of an index into `pairs`, once it is made even. */
  private mask = INITIAL_SLOTS * 2 - 2;

  /** 0 when the key is not there. */
  get(key: number): number {
    const { pairs, mask } = this;
    for (let at = spread(key) & mask; ; at = (at + 2) & mask) {
      const held = pairs[at] as number;
      if (held === key) return pairs[at + 1] as number;
      if (held === FREE) return 0;
    }
  }

  /** @param value above zero. @returns false, and nothing is changed, when the key is there already. */
  add(key: number, value: number): boolean {
    if (this.size * 4 >= this.pairs.length) this.grow();
    const { pairs, mask } = this;
    let at = spread(key) & mask;
    for (; pairs[at] !== FREE; at = (at + 2) & mask) if (pairs[at] === key) return false;
    pairs[at] = key;
    pairs[at + 1] = value;
    this.size++;
    return true;
  }

  /** The key must be there. */
  remove(key: number): void {
    const { pairs, mask } = this;
    let hole = spread(key) & mask;
    while (pairs[hole] !== key) hole = (hole + 2) & mask;
    this.size--;
    // Whatever follows without a hole, and has not its own place behind this one, moves back into it.
    for (let from = (hole + 2) & mask; pairs[from] !== FREE; from = (from + 2) & mask) {
      const home = spread(pairs[from] as number) & mask;
      if (((from - home) & mask) < ((from - hole) & mask)) continue;
      pairs[hole] = pairs[from] as number;
      pairs[hole + 1] = pairs[from + 1] as number;
      hole = from;
    }
    pairs[hole] = FREE;
  }

  clear(): void {
    if (this.size > 0) this.pairs.fill(FREE);
    this.size = 0;
  }

  /** Keys and values by turns, in no order. */
  toList(): number[] {
    const { pairs } = this;
    const list: number[] = [];
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] !== FREE) list.push(pairs[at] as number, pairs[at + 1] as number);
    return list;
  }

  private grow(): void {
    const list = this.toList();
    this.mask = this.pairs.length * 2 - 2;
    this.pairs = freePairs(this.pairs.length);
    this.size = 0;
    for (let at = 0; at < list.length; at += 2) this.add(list[at] as number, list[at + 1] as number);
  }
}

function freePairs(slots: number): Float64Array<ArrayBuffer> {
  return new Float64Array(slots * 2).fill(FREE);
}

function spread(key: number): number {
  const mixed = Math.imul((key | 0) ^ ((key / TWO_TO_THE_32) | 0), SPREAD);
  return mixed ^ (mixed >>> 15);
}
