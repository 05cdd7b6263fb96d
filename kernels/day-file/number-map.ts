/**
 * Numbers to slots, as core's number-map.ts: the same chains of at most 48, so that both forget the same numbers.
 *
 * A place of the table holds a slot and the lower half of its number, so that a chain is walked without a look at entries that are not meant. A slot's number is the first eight bytes of its entry; what else an entry holds (of a stride that the owner chooses) begins as zeros.
 */

import { enlarge, take } from "./memory";

const LONGEST_CHAIN: i32 = 48;
const GOLDEN: i32 = 0x9e3779b1;
const FIRST_BITS: i32 = 10;

@unmanaged
export class NumberMap {
  table: usize;
  entries: usize;
  shift: i32;
  strideBits: i32;
  count: i32;
  room: i32;
  /** All numbers so far fit 32 bits: their lower halves are all of them. */
  isSmall: bool;

  // @ts-ignore: decorator
  @inline
  entry(slot: i32): usize {
    return this.entries + (usize(slot) << usize(this.strideBits));
  }

  /** A new slot when the number was not there; -1 when it can't be remembered. */
  slotOf(key: i64): i32 {
    if (i64(i32(key)) !== key) this.isSmall = false;
    const mask = (1 << (32 - this.shift)) - 1;
    let at = (i32(key) * GOLDEN) >>> this.shift;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      const place = load<i64>(this.table + (usize(at) << 3));
      if (place < 0) return this.add(key, at);
      if (i32(place) === i32(key) && (this.isSmall || load<i64>(this.entry(i32(place >> 32))) === key)) return i32(place >> 32);
      at = (at + 1) & mask;
    }
    return -1;
  }

  private add(key: i64, at: i32): i32 {
    if (this.count === this.room) {
      this.grow();
      return this.slotOf(key);
    }
    const slot = this.count++;
    const entry = this.entry(slot);
    store<i64>(entry, key);
    for (let at = entry + 8, end = entry + (usize(1) << usize(this.strideBits)); at < end; at += 8) store<i64>(at, 0);
    this.place(at, slot, key);
    return slot;
  }

  // @ts-ignore: decorator
  @inline
  private place(at: i32, slot: i32, key: i64): void {
    store<i64>(this.table + (usize(at) << 3), (i64(slot) << 32) | i64(u32(key)));
  }

  private grow(): void {
    this.entries = enlarge(this.entries, usize(this.room) << usize(this.strideBits), usize(this.room) << usize(this.strideBits + 1));
    this.room *= 2;
    this.shift--;
    this.table = emptyTable(this.room * 2);
    const mask = this.room * 2 - 1;
    for (let slot = 0; slot < this.count; slot++) {
      const key = load<i64>(this.entry(slot));
      let at = (i32(key) * GOLDEN) >>> this.shift;
      // A chain that has become longer is cut: its number is forgotten.
      for (let steps = 0; steps < LONGEST_CHAIN; steps++, at = (at + 1) & mask) {
        if (load<i64>(this.table + (usize(at) << 3)) >= 0) continue;
        this.place(at, slot, key);
        break;
      }
    }
  }
}

/** @param strideBits 3 for entries of eight bytes, 5 for 32. */
export function newNumberMap(strideBits: i32): NumberMap {
  const map = changetype<NumberMap>(take(offsetof<NumberMap>()));
  map.shift = 32 - FIRST_BITS;
  map.strideBits = strideBits;
  map.count = 0;
  map.isSmall = true;
  map.room = 1 << (FIRST_BITS - 1);
  map.table = emptyTable(1 << FIRST_BITS);
  map.entries = take(usize(map.room) << usize(strideBits));
  return map;
}

/** Where a number stands in a table of 2^bits places. */
// @ts-ignore: decorator
@inline
export function placeOf(key: i64, bits: i32): i32 {
  return (i32(key) * GOLDEN) >>> (32 - bits);
}

function emptyTable(places: i32): usize {
  const table = take(usize(places) << 3);
  memory.fill(table, 0xff, usize(places) << 3);
  return table;
}
