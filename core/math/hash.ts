/**
 * A 64-bit content hash of numbers and text, for telling whether two states are the same. Not cryptographic.
 *
 * Two 32-bit lanes in the manner of MurmurHash3's finaliser (A. Appleby, public domain), crossed at the end. Every
 * step is 32-bit integer arithmetic, so the digest is the same on every platform.
 */

const LANE_A = 0x85ebca6b;
const LANE_B = 0xc2b2ae35;
const TWO_32 = 4_294_967_296;
const TWO_20 = 1_048_576;

export class ContentHash {
  private a = 0x9e3779b9 | 0;
  private b = 0x243f6a88 | 0;
  private readonly bits = new Float64Array(1);
  private readonly words = new Uint32Array(this.bits.buffer);

  /** Adds an integer of at most 53 bits. */
  integer(value: number): this {
    this.word(value | 0);
    return this.word(Math.floor(value / TWO_32) | 0);
  }

  /** Adds a double by its bits: -0 and 0 differ, and so do values one ulp apart. */
  float(value: number): this {
    this.bits[0] = value;
    this.word(this.words[0] ?? 0);
    return this.word(this.words[1] ?? 0);
  }

  /** Adds text by its UTF-16 units, with its length. */
  text(value: string): this {
    this.word(value.length);
    for (let index = 0; index < value.length; index++) this.word(value.charCodeAt(index));
    return this;
  }

  word(value: number): this {
    this.a = Math.imul(rotate(this.a ^ Math.imul(value, LANE_A), 13), 5) + 0x561ccd1b;
    this.b = Math.imul(rotate(this.b ^ Math.imul(value, LANE_B), 17), 5) + 0x0bcaa747;
    return this;
  }

  /** 16 lower-case hex digits. The hash can go on after it. */
  digest(): string {
    const high = mixed(this.a ^ rotate(this.b, 7));
    const low = mixed(this.b ^ rotate(high, 11));
    return hex(high) + hex(low);
  }
}

/**
 * A whole number of 52 bits over pairs of whole numbers, in their order: for telling whether two lists are the same, where making a text takes too long.
 * @param range the pairs from `first` to before `end`.
 */
export function hashOfPairs(left: Float64Array, right: Float64Array, range: { readonly first: number; readonly end: number }): number {
  let a = 0x9e3779b9 | 0;
  let b = 0x243f6a88 | 0;
  for (let at = range.first; at < range.end; at++) {
    for (let column = 0; column < 2; column++) {
      const value = (column === 0 ? left : right)[at] as number;
      const folded = value < TWO_32 ? value | 0 : (value | 0) ^ Math.imul(Math.floor(value / TWO_32), LANE_B);
      a = Math.imul(rotate(a ^ Math.imul(folded, LANE_A), 13), 5) + 0x561ccd1b;
      b = Math.imul(rotate(b ^ Math.imul(folded, LANE_B), 17), 5) + 0x0bcaa747;
    }
  }
  const high = mixed(a ^ rotate(b, 7));
  return (high >>> 0) * TWO_20 + (mixed(b ^ rotate(high, 11)) >>> 12);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** 32 bits, each of which depends on all of `value`: MurmurHash3's finaliser. */
export function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, LANE_A);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, LANE_B);
  return bits ^ (bits >>> 16);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
