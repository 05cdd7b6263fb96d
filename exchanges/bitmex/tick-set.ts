/**
 * A set of prices in ticks: a bit for each, 32 neighbours to a word, the words in a table by open addressing with linear probing.
 *
 * A side's prices lie close together, so the set of a whole book is a few kilobytes and stays in cache, where a table of each price would not (with
 * one, a quarter of the time to decode a message went into it). A word whose bits are all gone keeps its slot until the table is next laid out anew.
 */

const FREE = -1;
const INITIAL_SLOTS = 64;
const WORD_TICKS = 32;
/** 2^32 divided by the golden ratio, odd: spreads keys that differ by a constant step. */
const SPREAD = 0x9e3779b1;

export class TickSet {
  /** [slots x 2]: word, its bits. */
  private pairs = freePairs(INITIAL_SLOTS);
  /** Of an index into `pairs`, once it is made even. */
  private mask = INITIAL_SLOTS * 2 - 2;
  /** Slots that are in use, those of empty words too. */
  private used = 0;

  /** @returns false, and nothing is changed, when it is there already. */
  add(ticks: number): boolean {
    const at = this.slotOf(Math.floor(ticks / WORD_TICKS));
    const bit = bitOf(ticks);
    const bits = this.pairs[at + 1] as number;
    if ((bits & bit) !== 0) return false;
    this.pairs[at + 1] = bits | bit;
    return true;
  }

  /** Does nothing when it is not there. */
  remove(ticks: number): void {
    const at = this.slotOf(Math.floor(ticks / WORD_TICKS));
    this.pairs[at + 1] = (this.pairs[at + 1] as number) & ~bitOf(ticks);
  }

  clear(): void {
    if (this.used > 0) this.pairs.fill(FREE);
    this.used = 0;
  }

  /** Where a word is, or now has its place. */
  private slotOf(word: number): number {
    const { pairs, mask } = this;
    let at = spread(word) & mask;
    while (pairs[at] !== word) {
      if (pairs[at] === FREE) return this.take(word, at);
      at = (at + 2) & mask;
    }
    return at;
  }

  private take(word: number, free: number): number {
    if (this.used * 4 >= this.pairs.length) {
      this.layOut();
      return this.slotOf(word);
    }
    this.used++;
    this.pairs[free] = word;
    this.pairs[free + 1] = 0;
    return free;
  }

  /** Leaves out the empty words, and makes room for as many again as there are others. */
  private layOut(): void {
    const { pairs } = this;
    let live = 0;
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] !== FREE && pairs[at + 1] !== 0) live++;
    let slots = INITIAL_SLOTS;
    while (slots < 4 * live) slots *= 2;
    this.pairs = freePairs(slots);
    this.mask = slots * 2 - 2;
    this.used = 0;
    for (let at = 0; at < pairs.length; at += 2) {
      if (pairs[at] !== FREE && pairs[at + 1] !== 0) this.pairs[this.slotOf(pairs[at] as number) + 1] = pairs[at + 1] as number;
    }
  }
}

function freePairs(slots: number): Float64Array<ArrayBuffer> {
  return new Float64Array(slots * 2).fill(FREE);
}

function bitOf(ticks: number): number {
  return 1 << (ticks & (WORD_TICKS - 1));
}

function spread(word: number): number {
  const mixed = Math.imul(word | 0, SPREAD);
  return mixed ^ (mixed >>> 15);
}
