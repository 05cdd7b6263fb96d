/** Texts, as core's texts.ts: repeated ones by number, new ones and raw lines as bytes, half a byte at a time. */

import { ByteWriter, newByteWriter } from "./bytes";
import { writeIntegers } from "./integers";
import { isEqual, take } from "./memory";
import { newNumberMap } from "./number-map";
import { newSymbolWriter } from "./symbols";
import { Column } from "./template";

const CONTEXTS: i32 = 32;
/** FNV-1a, 32 bits. */
const FNV_OFFSET: i64 = 0x811c9dc5;
const FNV_PRIME: i32 = 0x01000193;

export function writeBytes(out: ByteWriter, from: usize, length: usize): void {
  out.integer(length);
  const symbols = newSymbolWriter(CONTEXTS, i32(length) * 2);
  let before = 0;
  for (let at = from; at < from + length; at++) {
    const byte = i32(load<u8>(at));
    const high = byte >> 4;
    symbols.put(before, high);
    symbols.put(16 + high, byte & 15);
    before = high;
  }
  symbols.finish(out);
}

/** @param column its values: where each text stands; what it has more: how long it is. */
export function writeTexts(out: ByteWriter, column: Column, rows: i32): void {
  const slots = newNumberMap(4);
  const numbers = take(usize(rows) << 3);
  const lengths = take(usize(rows) << 3);
  const firstAt = take(usize(rows) << 2);
  const fresh = newByteWriter(256);
  let known = 0;
  /** The row before, where its text can be told again: most are the same (template.ts has given equal neighbours one place). */
  let lastStart: usize = 0;
  let lastLength = -1;
  let lastEntry = 0;
  for (let row = 0; row < rows; row++) {
    const start = usize(load<i64>(column.values + (usize(row) << 3)));
    const length = load<i32>(column.extra + (usize(row) << 2));
    if (length === lastLength && start === lastStart) {
      store<i64>(numbers + (usize(row) << 3), lastEntry);
      continue;
    }
    const slot = slots.slotOf(hash(start, length));
    // What an entry holds beside its number: the latest text with this hash, counted from 1.
    const entry = slot < 0 ? 0 : load<i32>(slots.entry(slot) + 8);
    lastStart = start;
    lastLength = slot < 0 ? -1 : length;
    lastEntry = entry;
    if (entry > 0 && isSame(load<usize>(firstAt + (usize(entry - 1) << 2)), load<i64>(lengths + (usize(entry - 1) << 3)), start, length)) {
      store<i64>(numbers + (usize(row) << 3), entry);
      continue;
    }
    store<i64>(numbers + (usize(row) << 3), 0);
    store<usize>(firstAt + (usize(known) << 2), start);
    store<i64>(lengths + (usize(known) << 3), length);
    known++;
    lastEntry = known;
    if (slot >= 0) store<i32>(slots.entry(slot) + 8, known);
    fresh.bytes(start, length);
  }
  writeIntegers(out, numbers, rows);
  writeIntegers(out, lengths, known);
  writeBytes(out, fresh.at, fresh.length);
}

function hash(start: usize, length: i32): i64 {
  if (length === 0) return FNV_OFFSET;
  let state = i32(FNV_OFFSET);
  for (let at = start; at < start + length; at++) state = (state ^ i32(load<u8>(at))) * FNV_PRIME;
  return state;
}

function isSame(one: usize, oneLength: i64, other: usize, length: i32): bool {
  return oneLength === i64(length) && isEqual(one, other, length);
}
