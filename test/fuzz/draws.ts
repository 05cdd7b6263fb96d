/**
 * Random choices by seed: sfc32 (C. Doty-Humphrey, PractRand), since a fuzz run draws some fifty million numbers and core's generator is made
 * for another purpose. Equal seeds give equal choices, so a failing case is named by a number.
 */

export class Draws {
  private a: number;
  private b = 0x9e3779b9;
  private c = 0x243f6a88;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b ^= Math.floor(seed / 4_294_967_296) | 0;
    // The first outputs of neighbouring seeds are alike.
    for (let round = 0; round < 12; round++) this.next();
  }

  /** 32 bits. */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 up to `bound`, not with it. */
  below(bound: number): number {
    return this.next() % bound;
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}
