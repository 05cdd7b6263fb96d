/**
 * A hash table from whole numbers to slots 0, 1, 2, …: open addressing, no deletion; both sides of the codec fill it alike.
 *
 * A chain is walked 48 steps at most: numbers chosen to collide are then not remembered, which costs bytes but never time. (A table at most
 * half full has no honest chain of 48.) Keys lie by slot, so that a look-up touches one small table and one key.
 */

const LONGEST_CHAIN = 48;
/** Spreads numbers over a table: 2^32 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4). */
export const GOLDEN = 0x9e3779b1;
const FIRST_BITS = 10;

export class NumberMap {
  #table = new Int32Array(1 << FIRST_BITS).fill(-1);
  #keys = new Float64Array(1 << (FIRST_BITS - 1));
  #shift = 32 - FIRST_BITS;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns the number's slot, a new one (equal to the count before) when it was not there; -1 when it can't be remembered. */
  slotOf(key: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let at = Math.imul(key | 0, GOLDEN) >>> this.#shift;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      const slot = table[at] as number;
      if (slot < 0) return this.#add(key, at);
      if (this.#keys[slot] === key) return slot;
      at = (at + 1) & mask;
    }
    return -1;
  }

  /** @returns the number's slot, -1 when it is not there. */
  find(key: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let at = Math.imul(key | 0, GOLDEN) >>> this.#shift;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      const slot = table[at] as number;
      if (slot < 0 || this.#keys[slot] === key) return slot;
      at = (at + 1) & mask;
    }
    return -1;
  }

  #add(key: number, at: number): number {
    if (this.#count === this.#keys.length) {
      this.#grow();
      return this.slotOf(key);
    }
    this.#keys[this.#count] = key;
    this.#table[at] = this.#count;
    return this.#count++;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#shift--;
    const table = new Int32Array(keys.length * 2).fill(-1);
    const mask = table.length - 1;
    for (let slot = 0; slot < this.#count; slot++) {
      let at = Math.imul((keys[slot] as number) | 0, GOLDEN) >>> this.#shift;
      // A chain that has become longer is cut: its number is forgotten, on both sides.
      for (let steps = 0; steps < LONGEST_CHAIN; steps++, at = (at + 1) & mask) {
        if ((table[at] as number) >= 0) continue;
        table[at] = slot;
        break;
      }
    }
    this.#table = table;
  }
}
