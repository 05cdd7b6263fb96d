/**
 * Amounts by which levels change: orders are moved more often than they are new, so most amounts come again.
 *
 * The most frequent of a block are listed at its head and told by rank; of the others, one that has come within the last 2,048 is told by how long
 * ago that was.
 */

import { GOLDEN, NumberMap } from "./number-map.ts";

/** Amounts listed at most: beyond, an entry weighs what it saves (measured on BTCUSDT: 0.81 bytes a level at 512, 0.82 at 128). */
export const MOST_LISTED = 512;
/** An amount is listed from this count on. */
const LISTED_FROM = 4;
const TRAIL = 2048;
/** Eight places for each amount of the trail: few push one another out, and the table stays in a processor's cache. */
const LATEST_BITS = 14;

/** Counts amounts, to list the most frequent: equally frequent ones in ascending order, so that their steps are small. */
export class AmountCounter {
  readonly #map = new NumberMap();
  #counts = new Uint32Array(1024);
  #amounts = new Float64Array(1024);

  count(amount: number): void {
    const slot = this.#map.slotOf(amount);
    if (slot < 0) return;
    if (slot >= this.#counts.length) this.#grow();
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    this.#amounts[slot] = amount;
  }

  mostFrequent(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#map.count; slot++) if ((this.#counts[slot] as number) >= LISTED_FROM) slots.push(slot);
    const byCount = (a: number, b: number) =>
      (this.#counts[b] as number) - (this.#counts[a] as number) || (this.#amounts[a] as number) - (this.#amounts[b] as number);
    return slots
      .sort(byCount)
      .slice(0, MOST_LISTED)
      .map((slot) => this.#amounts[slot] as number);
  }

  #grow(): void {
    const counts = new Uint32Array(this.#counts.length * 2);
    const amounts = new Float64Array(this.#amounts.length * 2);
    counts.set(this.#counts);
    amounts.set(this.#amounts);
    this.#counts = counts;
    this.#amounts = amounts;
  }
}

/** Both sides walk the same amounts. */
export class Amounts {
  readonly listed: readonly number[];
  readonly #slots = new NumberMap();
  /** Of each slot, the rank of its amount. */
  readonly #ranks: number[] = [];
  /** For each hash the amount that came last with it and its place on the trail: one that another has pushed out is forgotten, on both sides. */
  readonly #latest = new Float64Array(1 << LATEST_BITS);
  readonly #places = new Float64Array(1 << LATEST_BITS);
  readonly #trail = new Float64Array(TRAIL);
  #end = 0;

  constructor(listed: readonly number[]) {
    this.listed = listed;
    // An amount that can't be remembered has no slot, and then no rank (two alike, in a hostile block, have the first one's).
    for (const [rank, amount] of listed.entries()) if (this.#slots.slotOf(amount) === this.#ranks.length) this.#ranks.push(rank);
  }

  /** @returns -1 for an amount that is not listed. */
  rankOf(amount: number): number {
    const slot = this.#slots.find(amount);
    return slot < 0 ? -1 : (this.#ranks[slot] as number);
  }

  /** How many amounts have come since this one did; -1 for too many, or never. */
  ageOf(amount: number): number {
    const at = placeOf(amount);
    if (this.#latest[at] !== amount) return -1;
    const age = this.#end - (this.#places[at] as number);
    return age < TRAIL ? age : -1;
  }

  amountAt(age: number): number {
    return this.#trail[(this.#end - age - 1) & (TRAIL - 1)] ?? 0;
  }

  /** Notes an amount that is not listed. */
  note(amount: number): void {
    this.#trail[this.#end & (TRAIL - 1)] = amount;
    this.#end++;
    const at = placeOf(amount);
    this.#latest[at] = amount;
    this.#places[at] = this.#end;
  }
}

function placeOf(amount: number): number {
  return Math.imul(amount | 0, GOLDEN) >>> (32 - LATEST_BITS);
}
