/**
 * What predicts levels, as core's mirrored-book.ts and amounts.ts: what is known of each key, and which amounts have come before.
 */

import { take, takeZeros } from "./memory";
import { newNumberMap, NumberMap, placeOf } from "./number-map";

export const TRAIL: i32 = 1024;
export const GROUPS: i32 = 4;
export const TRAILS_A_GROUP: i32 = 2;

/** Of one key what it was set to last, and before. */
@unmanaged
export class Levels {
  last: i64;
  before: i64;
}

/**
 * Keys by the slots of a NumberMap, counted from 1; 0 is any key that can't be remembered, and never has been set. What the keys of a row are told by
 * lies apart from what their values are: four bytes a key stay in the nearest cache.
 */
@unmanaged
export class LevelBook {
  levels: usize;
  /** Of each key how many had been put onto its trail with it, and the trail in the lower three bits; 0: it has never been set. */
  marks: usize;
  /** How many keys have been put onto each trail. */
  ends: usize;
  slots: i32;

  // @ts-ignore: decorator
  @inline
  level(slot: i32): Levels {
    return changetype<Levels>(this.levels + (usize(slot) << 4));
  }

  // @ts-ignore: decorator
  @inline
  mark(slot: i32): i32 {
    return load<i32>(this.marks + (usize(slot) << 2));
  }

  // @ts-ignore: decorator
  @inline
  endOf(trail: i32): i32 {
    return load<i32>(this.ends + (usize(trail) << 2));
  }

  // @ts-ignore: decorator
  @inline
  set(slot: i32, value: i64, group: i32): void {
    const trail = group * TRAILS_A_GROUP + (value === 0 ? 0 : 1);
    const end = load<i32>(this.ends + (usize(trail) << 2)) + 1;
    store<i32>(this.ends + (usize(trail) << 2), end);
    if (slot === 0) return;
    const level = this.level(slot);
    level.before = level.last;
    level.last = value;
    store<i32>(this.marks + (usize(slot) << 2), (end << 3) | trail);
  }

  /** As if no key had been set. */
  clear(): void {
    memory.fill(this.levels, 0, usize(this.slots) << 4);
    memory.fill(this.marks, 0, usize(this.slots) << 2);
    memory.fill(this.ends, 0, usize(GROUPS * TRAILS_A_GROUP) << 2);
  }
}

/** @param slots how many there are, with the 0. */
export function newLevelBook(slots: i32): LevelBook {
  const book = changetype<LevelBook>(take(offsetof<LevelBook>()));
  book.slots = slots;
  book.levels = take(usize(slots) << 4);
  book.marks = take(usize(slots) << 2);
  book.ends = take(usize(GROUPS * TRAILS_A_GROUP) << 2);
  book.clear();
  return book;
}

export const MOST_LISTED: i32 = 512;
const LISTED_FROM: i32 = 4;
const AMOUNT_TRAIL: i32 = 2048;
const LATEST_BITS: i32 = 14;
const RANK_BITS: i32 = 12;

/** Counts amounts, to list the most frequent. Entries: an amount, and how often it came. */
@unmanaged
export class AmountCounter {
  map: NumberMap;

  count(amount: i64): void {
    const slot = this.map.slotOf(amount);
    if (slot < 0) return;
    const count = this.map.entry(slot) + 8;
    store<i32>(count, load<i32>(count) + 1);
  }

  /** Moves the most frequent to the map's first entries. @returns how many there are. */
  sortFrequent(): i32 {
    const map = this.map;
    let kept = 0;
    for (let slot = 0; slot < map.count; slot++) {
      if (load<i32>(map.entry(slot) + 8) < LISTED_FROM) continue;
      memory.copy(map.entry(kept++), map.entry(slot), 16);
    }
    sortByCount(map.entries, kept);
    return min(kept, MOST_LISTED);
  }
}

export function newAmountCounter(): AmountCounter {
  const counter = changetype<AmountCounter>(take(offsetof<AmountCounter>()));
  counter.map = newNumberMap(4);
  return counter;
}

/** D. L. Shell, "A high-speed sorting procedure", 1959, by the steps of R. Sedgewick's and M. Ciura's kind: thirds. */
function sortByCount(entries: usize, count: i32): void {
  let gap = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (let index = gap; index < count; index++) {
      const amount = load<i64>(entries + (usize(index) << 4));
      const often = load<i64>(entries + (usize(index) << 4) + 8);
      let at = index;
      for (; at >= gap && isBehind(entries + (usize(at - gap) << 4), amount, i32(often)); at -= gap)
        memory.copy(entries + (usize(at) << 4), entries + (usize(at - gap) << 4), 16);
      store<i64>(entries + (usize(at) << 4), amount);
      store<i64>(entries + (usize(at) << 4) + 8, often);
    }
  }
}

/** Whether an entry belongs behind an amount that came so often: the more frequent first, and of equally frequent ones the smaller. */
function isBehind(entry: usize, amount: i64, often: i32): bool {
  const own = load<i32>(entry + 8);
  return own < often || (own === often && load<i64>(entry) > amount);
}

/** Which amounts are listed, and which came lately. */
@unmanaged
export class Amounts {
  /** Listed amounts, 16 bytes apart, behind one that no amount is; and a table of 16 bits, eight places for each, of their ranks counted from 1. */
  listed: usize;
  ranks: usize;
  /** The trail of amounts that are not listed; and for each hash the place on it (counted from 1) of the amount that came last with it. */
  trail: usize;
  latest: usize;
  end: i32;

  /** -1 for an amount that is not listed. Hardly ever is the first place another's. */
  // @ts-ignore: decorator
  @inline
  rankOf(amount: i64): i32 {
    const rank = i32(load<u16>(this.ranks + (usize(placeOf(amount, RANK_BITS)) << 1)));
    const isThere = load<i64>(this.listed + (usize(rank) << 4)) === amount;
    return isThere || rank === 0 ? select<i32>(rank, 0, isThere) - 1 : this.rankBehind(amount);
  }

  private rankBehind(amount: i64): i32 {
    let at = placeOf(amount, RANK_BITS);
    let rank = 0;
    do {
      at = (at + 1) & ((1 << RANK_BITS) - 1);
      rank = load<u16>(this.ranks + (usize(at) << 1));
    } while (rank !== 0 && load<i64>(this.listed + (usize(rank) << 4)) !== amount);
    return rank - 1;
  }

  /** The place on the trail of the amount that came last with the same hash; 0: none has. */
  // @ts-ignore: decorator
  @inline
  latestOf(amount: i64): usize {
    return this.latest + (usize(placeOf(amount, LATEST_BITS)) << 2);
  }

  /** How many amounts have come since this one did, if it stands at that place; -1 if not, or for too many. */
  // @ts-ignore: decorator
  @inline
  ageOf(amount: i64, place: i32): i32 {
    const age = this.end - place;
    const isThere = i32(place > 0) & i32(age < AMOUNT_TRAIL) & i32(load<i64>(this.trailAt(place)) === amount);
    return select<i32>(age, -1, isThere);
  }

  /** Where the amount of that place, counted from 1, stands. Twice as many as are looked back to: the next may be written before it is known to be one. */
  // @ts-ignore: decorator
  @inline
  trailAt(place: i32): usize {
    return this.trail + (usize(place & (2 * AMOUNT_TRAIL - 1)) << 3);
  }
}

/** @param listed where amounts stand, 16 bytes apart, none of them twice and none 0. */
export function newAmounts(listed: usize, count: i32): Amounts {
  const amounts = changetype<Amounts>(take(offsetof<Amounts>()));
  amounts.listed = take(usize(count + 1) << 4);
  store<i64>(amounts.listed, -1);
  memory.copy(amounts.listed + 16, listed, usize(count) << 4);
  amounts.ranks = takeZeros(usize(1 << RANK_BITS) << 1);
  // What core's map of listed amounts can't remember has no rank there, and so none here.
  const remembered = newNumberMap(3);
  for (let rank = 0; rank < count; rank++) {
    const amount = load<i64>(listed + (usize(rank) << 4));
    if (remembered.slotOf(amount) < 0) continue;
    let at = placeOf(amount, RANK_BITS);
    while (load<u16>(amounts.ranks + (usize(at) << 1)) !== 0) at = (at + 1) & ((1 << RANK_BITS) - 1);
    store<u16>(amounts.ranks + (usize(at) << 1), u16(rank + 1));
  }
  amounts.trail = takeZeros(usize(AMOUNT_TRAIL) << 4);
  amounts.latest = takeZeros(usize(1 << LATEST_BITS) << 2);
  amounts.end = 0;
  return amounts;
}
