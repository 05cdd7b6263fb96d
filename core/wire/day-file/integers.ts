/**
 * Entropy coding of whole numbers from 0 to 2^53 - 1 under contexts: the magnitude as a symbol (symbols.ts), what it leaves open as plain bits.
 *
 * Up to 15 a number is its own symbol; above, the symbol is the position of its highest bit and the bit below (so the steps are 16, 24,
 * 32, 48, 64, …), and the rest follows as it is: those bits are noise in every column that was looked at.
 */

import type { ByteReader, ByteWriter } from "./bytes.ts";
import { SymbolReader, SymbolWriter } from "./symbols.ts";

const OWN_SYMBOLS = 16;
const HALF = 0x1_0000_0000;
/** Bits that go out at once: with at most 7 waiting, 31 are never passed. */
const BITS_AT_ONCE = 24;

/** The symbol of a number. */
export function magnitude(value: number): number {
  if (value < OWN_SYMBOLS) return value;
  if (value < HALF) {
    const high = 31 - Math.clz32(value);
    return OWN_SYMBOLS + (high - 4) * 2 + ((value >>> (high - 1)) & 1);
  }
  const top = Math.floor(value / HALF);
  const high = 31 - Math.clz32(top);
  const below = high === 0 ? (value % HALF >= HALF / 2 ? 1 : 0) : (top >>> (high - 1)) & 1;
  return OWN_SYMBOLS + (high + 28) * 2 + below;
}

/** Signed numbers as unsigned ones, small ones staying small: 0, -1, 1, -2, … */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

export class IntegerWriter {
  readonly #symbols: SymbolWriter;
  #bytes = new Uint8Array(1 << 10);
  #length = 0;
  #waiting = 0;
  #waitingBits = 0;

  constructor(contexts: number) {
    this.#symbols = new SymbolWriter(contexts);
  }

  /** @returns the number's symbol: good as a context for the next. */
  put(context: number, value: number): number {
    const symbol = magnitude(value);
    this.#symbols.put(context, symbol);
    if (symbol >= OWN_SYMBOLS) this.#bits(value, ((symbol - OWN_SYMBOLS) >> 1) + 3);
    return symbol;
  }

  finish(out: ByteWriter): void {
    this.#symbols.finish(out);
    if (this.#waitingBits > 0) this.#byte(this.#waiting);
    out.sized(this.#bytes.subarray(0, this.#length));
  }

  /** The lowest `count` bits of a number, lowest first. */
  #bits(value: number, count: number): void {
    let rest = value;
    let left = count;
    for (; left > BITS_AT_ONCE; left -= BITS_AT_ONCE) {
      this.#someBits(rest % 0x100_0000, BITS_AT_ONCE);
      rest = Math.floor(rest / 0x100_0000);
    }
    this.#someBits((rest % 0x100_0000) & ((1 << left) - 1), left);
  }

  #someBits(value: number, count: number): void {
    this.#waiting |= value << this.#waitingBits;
    this.#waitingBits += count;
    while (this.#waitingBits >= 8) {
      this.#byte(this.#waiting & 0xff);
      this.#waiting >>>= 8;
      this.#waitingBits -= 8;
    }
  }

  #byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = value;
  }
}

export class IntegerReader {
  readonly #symbols: SymbolReader;
  readonly #bytes: Uint8Array;
  #at = 0;
  #waiting = 0;
  #waitingBits = 0;
  /** The symbol of the number read last. */
  symbol = 0;

  constructor(reader: ByteReader, contexts: number) {
    this.#symbols = new SymbolReader(reader, contexts);
    this.#bytes = reader.sized();
  }

  next(context: number): number {
    const symbol = this.#symbols.next(context);
    this.symbol = symbol;
    if (symbol < OWN_SYMBOLS) return symbol;
    const high = ((symbol - OWN_SYMBOLS) >> 1) + 4;
    let value = 0;
    let scale = 1;
    for (let left = high - 1; left > 0; ) {
      const count = left > BITS_AT_ONCE ? BITS_AT_ONCE : left;
      value += this.#someBits(count) * scale;
      scale *= 1 << count;
      left -= count;
    }
    return value + scale * (2 + (symbol & 1));
  }

  #someBits(count: number): number {
    while (this.#waitingBits < count) {
      this.#waiting |= (this.#bytes[this.#at++] ?? 0) << this.#waitingBits;
      this.#waitingBits += 8;
    }
    const value = this.#waiting & ((1 << count) - 1);
    this.#waiting >>>= count;
    this.#waitingBits -= count;
    return value;
  }
}

/** A whole column at once; the context of each is the one before (as far as that pays). The count is known to both sides. */
export function writeIntegers(out: ByteWriter, values: ArrayLike<number>, count: number): void {
  const writer = new IntegerWriter(PREVIOUS_CONTEXTS);
  let context = 0;
  for (let index = 0; index < count; index++) context = previousContext(writer.put(context, values[index] as number));
  writer.finish(out);
}

export function readIntegers(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  const integers = new IntegerReader(reader, PREVIOUS_CONTEXTS);
  let context = 0;
  for (let index = 0; index < count; index++) {
    values[index] = integers.next(context);
    context = previousContext(integers.symbol);
  }
  return values;
}

/** Contexts by the number before: eight of small numbers' own, then one for each two bits of size. */
export const PREVIOUS_CONTEXTS = 24;

export function previousContext(symbol: number): number {
  if (symbol < 8) return symbol;
  const context = 8 + ((symbol - 8) >> 2);
  return context < PREVIOUS_CONTEXTS ? context : PREVIOUS_CONTEXTS - 1;
}
