/**
 * Entropy coding of symbols, as core's symbols.ts: noted in order, counted and coded backwards at the end.
 */

import { ByteWriter } from "./bytes";
import { enlarge, take, takeZeros } from "./memory";

export const SYMBOLS: i32 = 128;
const SYMBOL_BITS: i32 = 7;
const SCALE_BITS: i32 = 12;
const SCALE: i32 = 4096;
const LOWEST_STATE: u32 = 1 << 15;
const ENTRY_COST: i64 = 16 * 13;
const BY_CONTEXT: i32 = 0;
const MERGED: i32 = 1;
const NOTHING: i32 = 2;
const FIRST_ROOM: i32 = 1 << 10;

@unmanaged
export class SymbolWriter {
  contexts: i32;
  noted: usize;
  length: i32;
  room: i32;

  // @ts-ignore: decorator
  @inline
  put(context: i32, symbol: i32): void {
    if (this.length === this.room) this.grow(1);
    store<u16>(this.noted + (usize(this.length++) << 1), noted(context, symbol));
  }

  /** @returns where the caller notes the next `count` symbols itself. */
  placesFor(count: i32): usize {
    if (this.length + count > this.room) this.grow(count);
    const at = this.noted + (usize(this.length) << 1);
    this.length += count;
    return at;
  }

  finish(out: ByteWriter): void {
    if (this.length === 0) {
      out.byte(NOTHING);
      return;
    }
    let counts = this.counts();
    let contexts = this.contexts;
    const merged = mergedOf(counts, contexts);
    const isMerged = contexts > 1 && cost(merged, 1) <= cost(counts, contexts);
    if (isMerged) {
      counts = merged;
      contexts = 1;
    }
    out.byte(isMerged ? MERGED : BY_CONTEXT);
    const steps = take(usize(contexts * SYMBOLS) * offsetof<Step>());
    const frequencies = take(usize(SYMBOLS) << 2);
    for (let context = 0; context < contexts; context++) {
      const from = counts + (usize(context * SYMBOLS) << 2);
      const total = totalOf(from);
      // Most contexts of a short block never occur.
      if (total === 0) {
        out.byte(0);
        continue;
      }
      normalise(from, total, frequencies);
      writeTable(out, frequencies);
      writeSteps(frequencies, steps + usize(context * SYMBOLS) * offsetof<Step>());
    }
    this.encode(out, steps, isMerged ? SYMBOLS - 1 : 0xffff);
  }

  private grow(more: i32): void {
    const room = max(this.room * 2, this.length + more);
    this.noted = enlarge(this.noted, usize(this.length) << 1, usize(room) << 1);
    this.room = room;
  }

  private counts(): usize {
    const counts = takeZeros(usize(this.contexts * SYMBOLS) << 2);
    for (let at = this.noted, end = this.noted + (usize(this.length) << 1); at < end; at += 2) {
      const count = counts + (usize(load<u16>(at)) << 2);
      store<u32>(count, load<u32>(count) + 1);
    }
    return counts;
  }

  private encode(out: ByteWriter, steps: usize, mask: u32): void {
    // No symbol takes more than 12 bits.
    const end = take(usize(this.length) * 2 + 8) + usize(this.length) * 2 + 8;
    let at = end;
    let state = LOWEST_STATE;
    for (let from = this.noted + (usize(this.length) << 1); from > this.noted; ) {
      from -= 2;
      const step = changetype<Step>(steps + usize(u32(load<u16>(from)) & mask) * offsetof<Step>());
      const most = step.most;
      // A symbol that is certain costs nothing and changes nothing.
      if (most === CERTAIN) continue;
      if (state >= most) {
        at -= 2;
        store<u16>(at, u16(state));
        state >>= 16;
      }
      const quotient = u32((u64(state) * u64(step.reciprocal)) >> u64(step.shift));
      state += step.start + quotient * step.rest;
    }
    at -= 4;
    store<u32>(at, state);
    out.sized(at, end - at);
  }
}

/** What coding a symbol does to the state, without a division (after ryg_rans, as core's symbols.ts). */
@unmanaged
class Step {
  /** 2^(shift) over the frequency, rounded up: exact for states below 2^31. */
  reciprocal: u32;
  /** From this state on, 16 bits go out first. */
  most: u32;
  /** Where the symbol's range starts. */
  start: u32;
  /** 4096 less the frequency. */
  rest: u16;
  shift: u16;
}

const CERTAIN: u32 = u32(SCALE) << 19;

function writeSteps(frequencies: usize, steps: usize): void {
  let start: u32 = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = load<u32>(frequencies + (usize(symbol) << 2));
    const step = changetype<Step>(steps + usize(symbol) * offsetof<Step>());
    step.most = frequency << 19;
    step.rest = u16(SCALE - frequency);
    if (frequency > 1) {
      const bits = 32 - clz(frequency - 1);
      step.reciprocal = u32(((u64(1) << u64(bits + 31)) + frequency - 1) / frequency);
      step.shift = u16(bits + 31);
      step.start = start;
    } else {
      // The quotient comes out as the state less one.
      step.reciprocal = 0xffffffff;
      step.shift = 32;
      step.start = start + SCALE - 1;
    }
    start += frequency;
  }
}

/** As a symbol is noted. */
// @ts-ignore: decorator
@inline
export function noted(context: i32, symbol: i32): u16 {
  return u16((context << SYMBOL_BITS) + symbol);
}

/** @param expected symbols that there is room for at once. */
export function newSymbolWriter(contexts: i32, expected: i32): SymbolWriter {
  const writer = changetype<SymbolWriter>(take(offsetof<SymbolWriter>()));
  writer.contexts = contexts;
  writer.room = max(expected, FIRST_ROOM);
  writer.length = 0;
  writer.noted = take(usize(writer.room) << 1);
  return writer;
}

/** 16 x log2, by straight lines between the powers of two. */
export function log2Sixteenths(value: i32): i32 {
  const whole = 31 - clz(value);
  return whole * 16 + ((value * 16) >> whole) - 16;
}

function mergedOf(counts: usize, contexts: i32): usize {
  const merged = takeZeros(usize(SYMBOLS) << 2);
  for (let entry = 0; entry < contexts * SYMBOLS; entry += 4) {
    const sums = merged + (usize(entry & (SYMBOLS - 1)) << 2);
    v128.store(sums, i32x4.add(v128.load(sums), v128.load(counts + (usize(entry) << 2))));
  }
  return merged;
}

/** Bits that the symbols and their tables would take, in sixteenths. */
function cost(counts: usize, contexts: i32): i64 {
  let sum: i64 = 0;
  for (let context = 0; context < contexts; context++) {
    const from = counts + (usize(context * SYMBOLS) << 2);
    const total = totalOf(from);
    if (total === 0) continue;
    const ofTotal = log2Sixteenths(total);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const count = load<i32>(from + (usize(symbol) << 2));
      if (count > 0) sum += ENTRY_COST + i64(count) * (ofTotal - log2Sixteenths(count));
    }
  }
  return sum;
}

function totalOf(counts: usize): i32 {
  let sums = i32x4.splat(0);
  for (let symbol = 0; symbol < SYMBOLS; symbol += 4) sums = i32x4.add(sums, v128.load(counts + (usize(symbol) << 2)));
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

/** Scales counts to a sum of 4096, none that occurs below 1. */
function normalise(counts: usize, total: i32, frequencies: usize): void {
  memory.fill(frequencies, 0, usize(SYMBOLS) << 2);
  let sum = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const count = load<i32>(counts + (usize(symbol) << 2));
    if (count === 0) continue;
    // Rounded as Math.round does: halves up.
    const frequency = max(1, i32(floor<f64>((f64(count) / f64(total)) * f64(SCALE) + 0.5)));
    store<i32>(frequencies + (usize(symbol) << 2), frequency);
    sum += frequency;
  }
  while (sum !== SCALE) {
    let most = frequencies;
    for (let at = frequencies; at < frequencies + (usize(SYMBOLS) << 2); at += 4) if (load<i32>(at) > load<i32>(most)) most = at;
    const change = sum < SCALE ? SCALE - sum : -min(sum - SCALE, load<i32>(most) >> 1);
    store<i32>(most, load<i32>(most) + change);
    sum += change;
  }
}

function writeTable(out: ByteWriter, frequencies: usize): void {
  let occurring = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (load<u32>(frequencies + (usize(symbol) << 2)) > 0) occurring++;
  out.byte(occurring);
  let next = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = load<u32>(frequencies + (usize(symbol) << 2));
    if (frequency === 0) continue;
    out.integer(frequency * 2 + (symbol > next ? 1 : 0));
    if (symbol > next) out.byte(symbol - next);
    next = symbol + 1;
  }
}
