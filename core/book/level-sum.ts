/**
 * A hash of a book's levels that is carried along with each change: the sum of a hash of each level, so that what was there is taken out and what is there is put
 * in, in any order. For comparing two books at each of their changes, where a hash of all levels would take as long as a thousand changes.
 *
 * Two sums of 32 bits: two books that differ have the same by chance once in 2^52, as far as it is told. Not cryptographic.
 */

import { mixed } from "../math/hash.ts";
import type { Ladder } from "./ladder.ts";

const TWO_20 = 1_048_576;
const TWO_32 = 4_294_967_296;
/** Of the second sum: any odd number. */
const SECOND = 0x9e3779b1;
/** What a price is mixed with on each side: any two numbers. */
const BID = 0x243f6a88;
const ASK = 0x85a308d3;

export class LevelSum {
  private a = 0;
  private b = 0;

  /** A whole number of 52 bits. */
  get value(): number {
    return (this.a >>> 0) * TWO_20 + (this.b >>> 12);
  }

  clear(): void {
    this.a = 0;
    this.b = 0;
  }

  /** @param sign of the side: a bid and an ask of one price are two levels. @param size 0 for no level. */
  moved(sign: 1 | -1, ticks: number, size: { readonly from: number; readonly to: number }): void {
    const { from, to } = size;
    if (from === to) return;
    const price = mixed(folded(ticks) ^ (sign === 1 ? BID : ASK));
    if (from !== 0) this.add(price, from, -1);
    if (to !== 0) this.add(price, to, 1);
  }

  addSide(sign: 1 | -1, ladder: Ladder): void {
    for (let depth = 0; depth < ladder.levelCount; depth++) this.moved(sign, ladder.ticksAt(depth), { from: 0, to: ladder.lotsAt(depth) });
  }

  private add(price: number, lots: number, weight: 1 | -1): void {
    const level = mixed(price ^ folded(lots));
    this.a = (this.a + weight * level) | 0;
    this.b = (this.b + weight * mixed(level ^ Math.imul(price, SECOND))) | 0;
  }
}

/** 32 bits of a whole number. */
function folded(value: number): number {
  return (value | 0) ^ Math.imul(Math.floor(value / TWO_32), SECOND);
}
