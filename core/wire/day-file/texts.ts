/**
 * Texts: a column's repeated ones by number, new ones and raw lines as bytes, half a byte at a time.
 *
 * Half bytes have 16 values, so that a table stays small beside what a block holds of them; each is coded in the context of the half before.
 */

import { type ByteReader, ByteWriter, refuse } from "./bytes.ts";
import { readIntegers, writeIntegers } from "./integers.ts";
import { NumberMap } from "./number-map.ts";
import { SymbolReader, SymbolWriter } from "./symbols.ts";

/** First halves in the context of the first half before (16), second halves in that of their first (16). */
const CONTEXTS = 32;
/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv, read 2026-11-27). */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.integer(bytes.length);
  const symbols = new SymbolWriter(CONTEXTS);
  let before = 0;
  for (const byte of bytes) {
    const high = byte >> 4;
    symbols.put(before, high);
    symbols.put(16 + high, byte & 15);
    before = high;
  }
  symbols.finish(out);
}

/** @param most bytes that there can be. */
export function readBytes(reader: ByteReader, most: number): Uint8Array {
  const bytes = new Uint8Array(reader.integer(most));
  const symbols = new SymbolReader(reader, CONTEXTS);
  let before = 0;
  for (let at = 0; at < bytes.length; at++) {
    const high = symbols.next(before);
    if (high > 15) refuse("half a byte above 15");
    bytes[at] = (high << 4) | (symbols.next(16 + high) & 15);
    before = high;
  }
  return bytes;
}

/** Texts given by where they stand in `bytes`. */
export interface TextColumn {
  readonly starts: Float64Array;
  readonly lengths: Int32Array;
}

export function writeTexts(out: ByteWriter, bytes: Uint8Array, column: TextColumn, rows: number): void {
  const slots = new NumberMap();
  const latest = new Int32Array(rows);
  const numbers = new Float64Array(rows);
  const newLengths: number[] = [];
  const fresh = new ByteWriter();
  const rowOf: number[] = [];
  for (let row = 0; row < rows; row++) {
    const start = column.starts[row] as number;
    const length = column.lengths[row] as number;
    const slot = slots.slotOf(hash(bytes, start, length));
    const entry = slot < 0 ? 0 : (latest[slot] as number);
    if (entry > 0 && isEqual(bytes, column, [rowOf[entry - 1] as number, row])) {
      numbers[row] = entry;
      continue;
    }
    rowOf.push(row);
    if (slot >= 0) latest[slot] = rowOf.length;
    newLengths.push(length);
    fresh.bytes(bytes.subarray(start, start + length));
  }
  writeIntegers(out, numbers, rows);
  writeIntegers(out, newLengths, newLengths.length);
  writeBytes(out, fresh.finish());
}

/** @returns the texts' own bytes, and the column as places in them. */
export function readTexts(reader: ByteReader, rows: number, most: number): { bytes: Uint8Array; column: TextColumn } {
  const numbers = readIntegers(reader, rows);
  let newCount = 0;
  for (const number of numbers) if (number === 0) newCount++;
  const lengths = readIntegers(reader, newCount);
  const bytes = readBytes(reader, most);
  const column: TextColumn = { starts: new Float64Array(rows), lengths: new Int32Array(rows) };
  const firstRows = new Int32Array(newCount);
  let known = 0;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const number = numbers[row] as number;
    if (number > known) refuse("a text that has not come yet");
    if (number > 0) {
      const same = firstRows[number - 1] as number;
      column.starts[row] = column.starts[same] as number;
      column.lengths[row] = column.lengths[same] as number;
      continue;
    }
    const length = lengths[known] as number;
    if (at + length > bytes.length) refuse("a text beyond its bytes");
    column.starts[row] = at;
    column.lengths[row] = length;
    at += length;
    firstRows[known++] = row;
  }
  return { bytes, column };
}

function hash(bytes: Uint8Array, start: number, length: number): number {
  let state = FNV_OFFSET;
  for (let at = start; at < start + length; at++) state = Math.imul(state ^ (bytes[at] as number), FNV_PRIME);
  return state;
}

function isEqual(bytes: Uint8Array, { starts, lengths }: TextColumn, [one, other]: readonly [number, number]): boolean {
  const length = lengths[one] as number;
  if (length !== lengths[other]) return false;
  const a = starts[one] as number;
  const b = starts[other] as number;
  for (let at = 0; at < length; at++) if (bytes[a + at] !== bytes[b + at]) return false;
  return true;
}
