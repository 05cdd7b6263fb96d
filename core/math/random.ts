/**
 * Seeded randomness: xoshiro256** (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2018), its state filled by
 * splitmix64 as its authors advise. Public domain reference: prng.di.unimi.it.
 *
 * The 64-bit arithmetic is done in 32-bit halves, so a draw allocates nothing and is the same on every platform. What is derived from it uses
 * log and sqrt alone: the trigonometric functions of V8 are not the same in every version. Not for secrets.
 */

import { naturalLog } from "./elementary.ts";

const TWO_32 = 4_294_967_296;
const TWO_21 = 2_097_152;
const TWO_MINUS_53 = 1 / 9_007_199_254_740_992;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

export class Random {
  /** s0..s3, each as [high, low]. */
  private readonly state = new Uint32Array(8);
  private readonly output = new Uint32Array(2);
  private spareNormal = 0;
  private hasSpareNormal = false;

  /** @param seed an integer of at most 53 bits. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is an integer in [0, 2^53), not ${seed}`);
    this.setState(splitmix64(BigInt(seed), 4));
  }

  /** Sets the four 64-bit words of the state; they may not all be zero. */
  setState(words: readonly bigint[]): void {
    if (words.length !== 4 || words.every((word) => word === 0n)) throw new RangeError(`no state of xoshiro256**: ${words}`);
    words.forEach((word, index) => {
      this.state[2 * index] = Number(word >> 32n);
      this.state[2 * index + 1] = Number(word & 0xffff_ffffn);
    });
    this.hasSpareNormal = false;
  }

  /** The upper half of the last draw. */
  get high(): number {
    return this.output[0] as number;
  }

  /** The lower half of the last draw. */
  get low(): number {
    return this.output[1] as number;
  }

  /** Draws 64 bits, left in `high` and `low`. */
  draw(): void {
    const s = this.state;
    const oneHigh = s[2] as number;
    const oneLow = s[3] as number;
    const fiveLow = oneLow * 5;
    const fiveHigh = (oneHigh * 5 + Math.floor(fiveLow / TWO_32)) | 0;
    const turnedHigh = ((fiveHigh << 7) | ((fiveLow | 0) >>> 25)) >>> 0;
    const turnedLow = ((fiveLow << 7) | (fiveHigh >>> 25)) >>> 0;
    const nineLow = turnedLow * 9;
    this.output[0] = turnedHigh * 9 + Math.floor(nineLow / TWO_32);
    this.output[1] = nineLow;

    let twoHigh = (s[4] as number) ^ (s[0] as number);
    let twoLow = (s[5] as number) ^ (s[1] as number);
    const threeHigh = (s[6] as number) ^ oneHigh;
    const threeLow = (s[7] as number) ^ oneLow;
    s[2] = oneHigh ^ twoHigh;
    s[3] = oneLow ^ twoLow;
    s[0] = (s[0] as number) ^ threeHigh;
    s[1] = (s[1] as number) ^ threeLow;
    twoHigh ^= (oneHigh << 17) | (oneLow >>> 15);
    twoLow ^= oneLow << 17;
    s[4] = twoHigh;
    s[5] = twoLow;
    // A turn by 45 is a swap of the halves and a turn by 13.
    s[6] = (threeLow << 13) | (threeHigh >>> 19);
    s[7] = (threeHigh << 13) | (threeLow >>> 19);
  }

  /** Uniform on [0, 1), 53 bits. */
  uniform(): number {
    this.draw();
    return ((this.output[0] as number) * TWO_21 + ((this.output[1] as number) >>> 11)) * TWO_MINUS_53;
  }

  /** Uniform on 0 .. count - 1. */
  integerBelow(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -naturalLog(1 - this.uniform());
  }

  /** Standard normal, by Marsaglia's polar method (1964): two values per accepted point of the unit disc. */
  normal(): number {
    if (this.hasSpareNormal) {
      this.hasSpareNormal = false;
      return this.spareNormal;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * naturalLog(square)) / square);
      this.spareNormal = y * scale;
      this.hasSpareNormal = true;
      return x * scale;
    }
  }
}

/** The first `count` outputs of splitmix64 (S. Vigna, 2015) from a seed. */
export function splitmix64(seed: bigint, count: number): bigint[] {
  const words: bigint[] = [];
  let state = seed & MASK_64;
  for (let index = 0; index < count; index++) {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK_64;
    let mixed = ((state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK_64;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK_64;
    words.push(mixed ^ (mixed >> 31n));
  }
  return words;
}
