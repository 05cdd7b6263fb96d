/** Whole numbers under contexts, as core's integers.ts: the magnitude as a symbol, the rest as plain bits. */

import { ByteWriter } from "./bytes";
import { enlarge, take } from "./memory";
import { newSymbolWriter, SymbolWriter } from "./symbols";

const OWN_SYMBOLS: i32 = 16;
export const PREVIOUS_CONTEXTS: i32 = 24;

// @ts-ignore: decorator
@inline
export function magnitude(value: u64): i32 {
  if (value < u64(OWN_SYMBOLS)) return i32(value);
  const high = 63 - clz(value);
  return OWN_SYMBOLS + i32((high - 4) * 2 + ((value >> (high - 1)) & 1));
}

// @ts-ignore: decorator
@inline
export function zigzag(value: i64): u64 {
  return u64((value << 1) ^ (value >> 63));
}

// @ts-ignore: decorator
@inline
export function previousContext(symbol: i32): i32 {
  return symbol < 8 ? symbol : min(8 + ((symbol - 8) >> 2), PREVIOUS_CONTEXTS - 1);
}

@unmanaged
export class IntegerWriter {
  symbols: SymbolWriter;
  bytes: usize;
  length: usize;
  room: usize;
  waiting: u64;
  waitingBits: u64;

  // @ts-ignore: decorator
  @inline
  /** @returns the number's symbol: good as a context for the next. */
  put(context: i32, value: u64): i32 {
    const symbol = magnitude(value);
    this.symbols.put(context, symbol);
    if (symbol >= OWN_SYMBOLS) this.bits(value, u64((symbol - OWN_SYMBOLS) >> 1) + 3);
    return symbol;
  }

  // @ts-ignore: decorator
  @inline
  /** The same without a branch, for numbers of which nobody can tell whether they are their own symbols. */
  putAny(context: i32, value: u64): i32 {
    const high = 63 - clz(value | OWN_SYMBOLS);
    const isOwn = value < u64(OWN_SYMBOLS);
    const symbol = select<i32>(i32(value), OWN_SYMBOLS + i32((high - 4) * 2 + ((value >> (high - 1)) & 1)), isOwn);
    this.symbols.put(context, symbol);
    this.bits(value, select<u64>(0, high - 1, isOwn));
    return symbol;
  }

  finish(out: ByteWriter): void {
    this.symbols.finish(out);
    if (this.waitingBits > 0) {
      if (this.length === this.room) this.grow();
      store<u8>(this.bytes + this.length++, u8(this.waiting));
    }
    out.sized(this.bytes, this.length);
  }

  /** The lowest `count` bits of a number (52 at most), lowest first. */
  private bits(value: u64, count: u64): void {
    if (this.length + 8 > this.room) this.grow();
    const waiting = this.waiting | ((value & ((u64(1) << count) - 1)) << this.waitingBits);
    const bits = this.waitingBits + count;
    store<u64>(this.bytes + this.length, waiting);
    this.length += usize(bits >> 3);
    this.waiting = waiting >> (bits & ~u64(7));
    this.waitingBits = bits & 7;
  }

  private grow(): void {
    this.bytes = enlarge(this.bytes, this.length, this.room * 2);
    this.room *= 2;
  }
}

/** @param expected numbers that there is room for at once. */
export function newIntegerWriter(contexts: i32, expected: i32): IntegerWriter {
  const writer = changetype<IntegerWriter>(take(offsetof<IntegerWriter>()));
  writer.symbols = newSymbolWriter(contexts, expected);
  writer.room = usize(max(expected, 64));
  writer.bytes = take(writer.room);
  writer.length = 0;
  writer.waiting = 0;
  writer.waitingBits = 0;
  return writer;
}

/** A whole column of 64-bit numbers at once; the context of each is the one before. */
export function writeIntegers(out: ByteWriter, values: usize, count: i32): void {
  const writer = newIntegerWriter(PREVIOUS_CONTEXTS, count);
  let context = 0;
  for (let index = 0; index < count; index++) context = previousContext(writer.put(context, load<u64>(values + (usize(index) << 3))));
  writer.finish(out);
}

/** The same of 32-bit numbers. */
export function writeSmallIntegers(out: ByteWriter, values: usize, count: i32): void {
  const writer = newIntegerWriter(PREVIOUS_CONTEXTS, count);
  let context = 0;
  for (let index = 0; index < count; index++) context = previousContext(writer.put(context, load<u32>(values + (usize(index) << 2))));
  writer.finish(out);
}
