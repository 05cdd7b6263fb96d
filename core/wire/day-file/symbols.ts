/**
 * Entropy coding of small symbols (0 to 127) under contexts: range asymmetric numeral systems with a fixed table per context and block
 * (J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; the byte-wise form is after F. Giesen's public-domain ryg_rans).
 *
 * All arithmetic stays within 31 bits, so that engines give the same bytes. Symbols are noted in order and coded backwards at the end, so
 * that they are read forwards, each with a context that may depend on everything read before it.
 * Refuses nothing on the way out; a table that doesn't sum up, on the way in, is `CorruptBlock`.
 */

import { type ByteReader, type ByteWriter, refuse } from "./bytes.ts";

export const SYMBOLS = 128;
/** Probabilities are multiples of 1/4096: finer tables weigh more than they save at a block's some 100,000 symbols. */
const SCALE_BITS = 12;
const SCALE = 1 << SCALE_BITS;
/** States lie in [2^15, 2^31): one 16-bit word in or out at a time. */
const LOWEST_STATE = 1 << 15;
/** What a table's entry weighs, in 1/16 bit: a symbol and its frequency. */
const ENTRY_COST = 16 * 13;

/** How symbols follow: with a table for each context, with one for all, or none at all. */
const BY_CONTEXT = 0;
const MERGED = 1;
const NOTHING = 2;
const NO_BYTES = new Uint8Array(0);

export class SymbolWriter {
  readonly #contexts: number;
  readonly #counts: Uint32Array;
  #noted = new Uint16Array(1 << 10);
  #length = 0;

  constructor(contexts: number) {
    this.#contexts = contexts;
    this.#counts = new Uint32Array(contexts * SYMBOLS);
  }

  put(context: number, symbol: number): void {
    if (this.#length === this.#noted.length) this.#grow();
    const entry = context * SYMBOLS + symbol;
    this.#noted[this.#length++] = entry;
    this.#counts[entry] = (this.#counts[entry] as number) + 1;
  }

  finish(out: ByteWriter): void {
    if (this.#length === 0) {
      out.byte(NOTHING);
      return;
    }
    const merged = this.#merged();
    const isMerged = this.#contexts > 1 && cost(merged, 1) <= cost(this.#counts, this.#contexts);
    const counts = isMerged ? merged : this.#counts;
    const contexts = isMerged ? 1 : this.#contexts;
    out.byte(isMerged ? MERGED : BY_CONTEXT);
    const frequencies = new Uint16Array(counts.length);
    for (let context = 0; context < contexts; context++) {
      const from = context * SYMBOLS;
      writeTable(out, normalise(counts.subarray(from, from + SYMBOLS), frequencies.subarray(from, from + SYMBOLS)));
    }
    out.sized(this.#encode(frequencies, isMerged ? SYMBOLS - 1 : 0xffff));
  }

  #grow(): void {
    const larger = new Uint16Array(this.#noted.length * 2);
    larger.set(this.#noted);
    this.#noted = larger;
  }

  #merged(): Uint32Array {
    const merged = new Uint32Array(SYMBOLS);
    for (let entry = 0; entry < this.#counts.length; entry++)
      merged[entry % SYMBOLS] = (merged[entry % SYMBOLS] as number) + (this.#counts[entry] as number);
    return merged;
  }

  #encode(frequencies: Uint16Array, mask: number): Uint8Array {
    const starts = startsOf(frequencies);
    const noted = this.#noted;
    // No symbol takes more than 12 bits.
    const bytes = new Uint8Array(this.#length * 2 + 8);
    let at = bytes.length;
    let state = LOWEST_STATE;
    for (let index = this.#length - 1; index >= 0; index--) {
      const entry = (noted[index] as number) & mask;
      const frequency = frequencies[entry] as number;
      // A symbol that is certain costs nothing and changes nothing.
      if (frequency === SCALE) continue;
      if (state >= frequency << 19) {
        bytes[--at] = state >> 8;
        bytes[--at] = state;
        state >>= 16;
      }
      const quotient = (state / frequency) | 0;
      state = (quotient << SCALE_BITS) + (state - Math.imul(quotient, frequency)) + (starts[entry] as number);
    }
    at -= 4;
    new DataView(bytes.buffer).setUint32(at, state, true);
    return bytes.subarray(at);
  }
}

export class SymbolReader {
  readonly #isMerged: boolean;
  readonly #frequencies: Uint16Array;
  readonly #starts: Uint16Array;
  /** Of each table that is used, the symbol of each of 4,096 slots. */
  readonly #symbols: Uint8Array;
  readonly #places: Int32Array;
  readonly #bytes: Uint8Array;
  #at = 4;
  #state: number;

  constructor(reader: ByteReader, contexts: number) {
    const form = reader.byte();
    if (form > NOTHING) refuse("an unknown form of symbols");
    this.#isMerged = form !== BY_CONTEXT;
    const tables = this.#isMerged ? 1 : contexts;
    this.#frequencies = new Uint16Array(tables * SYMBOLS);
    this.#places = new Int32Array(tables);
    let used = 0;
    for (let table = 0; table < tables; table++) {
      const from = table * SYMBOLS;
      this.#places[table] = form !== NOTHING && readTable(reader, this.#frequencies.subarray(from, from + SYMBOLS)) ? used++ : -1;
    }
    this.#symbols = new Uint8Array(used * SCALE);
    for (let table = 0; table < tables; table++) this.#fillSlots(table);
    this.#starts = startsOf(this.#frequencies);
    this.#bytes = form === NOTHING ? NO_BYTES : reader.sized();
    const [a = 0, b = 0, c = 0, d = 0] = this.#bytes;
    this.#state = (a | (b << 8) | (c << 16) | (d << 24)) & 0x7fffffff;
  }

  next(context: number): number {
    const table = this.#isMerged ? 0 : context;
    const place = this.#places[table] as number;
    if (place < 0) return refuse("a symbol of a context that has none");
    const slot = this.#state & (SCALE - 1);
    const symbol = this.#symbols[place * SCALE + slot] as number;
    const entry = table * SYMBOLS + symbol;
    const frequency = this.#frequencies[entry] as number;
    if (frequency === SCALE) return symbol;
    let state = Math.imul(frequency, this.#state >> SCALE_BITS) + slot - (this.#starts[entry] as number);
    if (state < LOWEST_STATE) {
      state = ((state << 16) | ((this.#bytes[this.#at] ?? 0) | ((this.#bytes[this.#at + 1] ?? 0) << 8))) & 0x7fffffff;
      this.#at += 2;
    }
    this.#state = state;
    return symbol;
  }

  #fillSlots(table: number): void {
    const place = this.#places[table] as number;
    if (place < 0) return;
    let start = place * SCALE;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const frequency = this.#frequencies[table * SYMBOLS + symbol] as number;
      this.#symbols.fill(symbol, start, start + frequency);
      start += frequency;
    }
  }
}

/** 16 x log2, by straight lines between the powers of two: good to a tenth of a bit, and the same in every engine. */
export function log2Sixteenths(value: number): number {
  const whole = 31 - Math.clz32(value);
  return whole * 16 + ((value * 16) >> whole) - 16;
}

/** Bits that the symbols and their tables would take, in sixteenths. */
function cost(counts: Uint32Array, contexts: number): number {
  let sum = 0;
  for (let context = 0; context < contexts; context++) {
    let total = 0;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) total += counts[context * SYMBOLS + symbol] as number;
    if (total === 0) continue;
    const ofTotal = log2Sixteenths(total);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const count = counts[context * SYMBOLS + symbol] as number;
      if (count > 0) sum += ENTRY_COST + count * (ofTotal - log2Sixteenths(count));
    }
  }
  return sum;
}

/** Scales counts to a sum of 4096, none that occurs below 1. All zero where nothing occurs. */
function normalise(counts: Uint32Array, into: Uint16Array): Uint16Array {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return into;
  let sum = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const count = counts[symbol] as number;
    if (count === 0) continue;
    into[symbol] = Math.max(1, Math.round((count / total) * SCALE));
    sum += into[symbol] as number;
  }
  // What rounding has left over or taken too much goes to where it matters least: to the most frequent.
  while (sum !== SCALE) {
    let most = 0;
    for (let symbol = 1; symbol < SYMBOLS; symbol++) if ((into[symbol] as number) > (into[most] as number)) most = symbol;
    const change = sum < SCALE ? SCALE - sum : -Math.min(sum - SCALE, (into[most] as number) >> 1);
    into[most] = (into[most] as number) + change;
    sum += change;
  }
  return into;
}

/** How many symbols occur; then for each its frequency, doubled, plus 1 when symbols were skipped before it, and then how many. */
function writeTable(out: ByteWriter, frequencies: Uint16Array): void {
  let occurring = 0;
  for (const frequency of frequencies) if (frequency > 0) occurring++;
  out.byte(occurring);
  let next = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = frequencies[symbol] as number;
    if (frequency === 0) continue;
    out.integer(frequency * 2 + (symbol > next ? 1 : 0));
    if (symbol > next) out.byte(symbol - next);
    next = symbol + 1;
  }
}

/** @returns whether any symbol occurs. */
function readTable(reader: ByteReader, frequencies: Uint16Array): boolean {
  const occurring = reader.byte();
  let symbol = 0;
  let start = 0;
  for (let left = occurring; left > 0; left--, symbol++) {
    const told = reader.integer(2 * SCALE + 1);
    if (told % 2 === 1) symbol += reader.byte();
    const frequency = told >> 1;
    if (symbol >= SYMBOLS) refuse("a symbol beyond the alphabet");
    if (frequency === 0 || start + frequency > SCALE) refuse("frequencies that don't sum up");
    frequencies[symbol] = frequency;
    start += frequency;
  }
  if (occurring > 0 && start !== SCALE) refuse("frequencies that don't sum up");
  return occurring > 0;
}

function startsOf(frequencies: Uint16Array): Uint16Array {
  const starts = new Uint16Array(frequencies.length);
  let start = 0;
  for (let entry = 0; entry < frequencies.length; entry++) {
    if (entry % SYMBOLS === 0) start = 0;
    starts[entry] = start;
    start += frequencies[entry] as number;
  }
  return starts;
}
