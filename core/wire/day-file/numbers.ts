/**
 * Columns of numbers: brought to whole numbers of one scale, then each told by what is left of it after a guess.
 *
 * The guess is chosen for each column and block by what it would cost on a sample of rows: the row before, another column of this row or of
 * the row before (an update id that goes on where the last message ended), or another column plus how far apart the two were in the row before
 * (a venue's clock beside the receive time). So sequence chains of any venue are found, not known.
 */

import { type ByteReader, type ByteWriter, refuse } from "./bytes.ts";
import { POWERS } from "./fields.ts";
import {
  IntegerReader,
  IntegerWriter,
  magnitude,
  PREVIOUS_CONTEXTS,
  previousContext,
  readIntegers,
  unzigzag,
  writeIntegers,
  zigzag,
} from "./integers.ts";
import { log2Sixteenths, SYMBOLS } from "./symbols.ts";

/** How a column's decimals are told: all the same, never a trailing zero, or each by itself (with the values on one scale, or not). */
type Decimals = "same" | "shortest" | "each" | "unscaled";
const DECIMALS: readonly Decimals[] = ["same", "shortest", "each", "unscaled"];

export interface Shape {
  readonly decimals: Decimals;
  /** The most decimals of any value: the scale of all. */
  readonly most: number;
  /** Zeros that all values end with at that scale. */
  readonly zeros: number;
  /** Decimals of each row, where told one by one. */
  readonly each: ArrayLike<number> | null;
}

/** A value of 15 digits keeps 53 bits whole; one on a common scale may have no more. */
const LARGEST = 1e15;
/**
 * A guess outside is taken for none. Values lie within 10^15 of 0, times (microseconds up to the year 2099) below 4.2 x 10^15: so what is left
 * is below 2^52 either way, and the sum is exact.
 */
const LEAST_GUESS = -2e14;
const MOST_GUESS = 3.4e15;

/** Brings a column to one scale, in place, and says how. */
export function shapeColumn(values: Float64Array, decimals: Int32Array, count: number): Shape {
  let most = 0;
  let least = 99;
  for (let row = 0; row < count; row++) {
    const own = decimals[row] as number;
    if (own > most) most = own;
    if (own < least) least = own;
  }
  const told = least >= most ? "same" : howTold(values, decimals, count, most);
  if (told === "shortest" || told === "each")
    for (let row = 0; row < count; row++) values[row] = (values[row] as number) * (POWERS[most - (decimals[row] as number)] as number);
  const zeros = commonZeros(values, count);
  if (zeros > 0) {
    const power = POWERS[zeros] as number;
    for (let row = 0; row < count; row++) values[row] = (values[row] as number) / power;
  }
  return { decimals: told, most, zeros, each: told === "each" || told === "unscaled" ? decimals : null };
}

export function writeShape(out: ByteWriter, shape: Shape, count: number): void {
  out.byte(DECIMALS.indexOf(shape.decimals));
  out.byte(shape.most);
  out.byte(shape.zeros);
  if (shape.each !== null) writeIntegers(out, shape.each, count);
}

export function readShape(reader: ByteReader, count: number): Shape {
  const decimals = DECIMALS[reader.byte()] ?? refuse("an unknown way of decimals");
  const most = reader.byte();
  const zeros = reader.byte();
  if (most >= POWERS.length || zeros >= POWERS.length) refuse("a scale beyond 15 digits");
  const isEach = decimals === "each" || decimals === "unscaled";
  const each = isEach ? readIntegers(reader, count) : null;
  for (const own of each ?? []) if (own > most) refuse("more decimals than the most");
  return { decimals, most, zeros, each };
}

/** Decimals of a value as it was written. */
export function decimalsOf(shape: Shape, value: number, row: number): number {
  if (shape.decimals === "same") return shape.most;
  if (shape.each !== null) return shape.each[row] as number;
  let decimals = shape.most;
  let rest = value * (POWERS[shape.zeros] as number);
  while (decimals > 0 && rest % 10 === 0) {
    rest /= 10;
    decimals--;
  }
  return decimals;
}

/** The digits of a value as it was written, given its decimals. */
export function digitsOf(shape: Shape, value: number, decimals: number): number {
  const scaled = value * (POWERS[shape.zeros] as number);
  return shape.decimals === "same" || shape.decimals === "unscaled"
    ? scaled
    : Math.round(scaled / (POWERS[shape.most - decimals] as number));
}

function howTold(values: Float64Array, decimals: Int32Array, count: number, most: number): Decimals {
  let isShortest = true;
  for (let row = 0; row < count; row++) {
    const own = decimals[row] as number;
    const value = values[row] as number;
    if (Math.abs(value) * (POWERS[most - own] as number) >= LARGEST) return "unscaled";
    if (own > 0 && value % 10 === 0) isShortest = false;
  }
  return isShortest ? "shortest" : "each";
}

function commonZeros(values: Float64Array, count: number): number {
  let zeros = POWERS.length - 1;
  let power = POWERS[zeros] as number;
  for (let row = 0; row < count && zeros > 0; row++) {
    const value = values[row] as number;
    while (zeros > 0 && !isMultiple(value, power)) power = POWERS[--zeros] as number;
  }
  // Nothing but zeros, or no rows.
  return zeros === POWERS.length - 1 ? 0 : zeros;
}

function isMultiple(value: number, power: number): boolean {
  const quotient = value / power;
  return Math.floor(quotient) === quotient;
}

/** One column of a table, at its scale. `clockScale`: how many of its units a millisecond has; 0 for what is no time. */
export interface NumberColumn {
  readonly values: Float64Array;
  readonly clockScale: number;
}

/** What a column is guessed by. In files: 0 nothing, 1 the row before, 2 the row of the same key, 3 a line, then three for each other column. */
export type Guess =
  | { readonly by: "nothing" | "before" | "key" }
  /** As far from the row before as the base is, times a ratio: a price beside the id that the venue makes of it. */
  | { readonly by: "line"; readonly rise: number; readonly run: number }
  | { readonly by: "beside" | "beside-before" | "apart"; readonly other: number };
const GUESSES = ["beside", "beside-before", "apart"] as const;
const FIRST_OTHER = 4;
/** Steps of a line: their products with differences of 15 digits need not be exact, only the same everywhere. */
const LARGEST_RATIO = 1_000_000;
/** Rows on which guesses are compared. */
const SAMPLE = 192;
/** In tables with more columns than this, only near ones are tried. */
const MANY_COLUMNS = 20;
const NEAR = 3;

/** @param base a column that both sides know already (receive times in ms, or a list's keys); `sameKey`: the row that had this row's key before, or -1. */
export interface Known {
  readonly base: Float64Array;
  readonly sameKey: Int32Array | null;
  readonly rows: number;
}

export function writeNumbers(out: ByteWriter, columns: readonly NumberColumn[], known: Known): void {
  for (let index = 0; index < columns.length; index++) {
    const { guess } = chooseGuess(columns, index, known);
    writeGuess(out, guess);
    const guesser = createGuesser(guess, columns, index, known);
    const { values } = columns[index] as NumberColumn;
    const writer = new IntegerWriter(PREVIOUS_CONTEXTS);
    let context = 0;
    for (let row = 0; row < known.rows; row++)
      context = previousContext(writer.put(context, zigzag((values[row] as number) - guessed(guesser, row))));
    writer.finish(out);
  }
}

/** Fills the columns' values, row by row, since a guess may look at any column of the row before. */
export function readNumbers(reader: ByteReader, columns: readonly NumberColumn[], known: Known): void {
  const guessers: Guesser[] = [];
  const readers: IntegerReader[] = [];
  for (let index = 0; index < columns.length; index++) {
    guessers.push(createGuesser(readGuess(reader, columns.length), columns, index, known));
    readers.push(new IntegerReader(reader, PREVIOUS_CONTEXTS));
  }
  const contexts = new Uint8Array(columns.length);
  for (let row = 0; row < known.rows; row++) {
    for (let index = 0; index < columns.length; index++) {
      const integers = readers[index] as IntegerReader;
      const left = unzigzag(integers.next(contexts[index] as number));
      contexts[index] = previousContext(integers.symbol);
      (columns[index] as NumberColumn).values[row] = left + guessed(guessers[index] as Guesser, row);
    }
  }
}

/** A guess bound to its columns. `scale` brings the other column into this one's units. */
interface Guesser {
  readonly by: Guess["by"];
  readonly own: Float64Array;
  readonly other: Float64Array;
  readonly scale: number;
  readonly rise: number;
  readonly run: number;
  readonly sameKey: Int32Array | null;
}

function createGuesser(guess: Guess, columns: readonly NumberColumn[], index: number, known: Known): Guesser {
  const { values, clockScale } = columns[index] as NumberColumn;
  const other = guess.by === "beside" || guess.by === "beside-before" || guess.by === "apart" ? guess.other : 0;
  return {
    by: guess.by,
    own: values,
    other: other === 0 ? known.base : (columns[other - 1]?.values ?? refuse("a column that is not there")),
    scale: other === 0 && clockScale > 0 ? clockScale : 1,
    rise: guess.by === "line" ? guess.rise : 0,
    run: guess.by === "line" ? guess.run : 1,
    sameKey: known.sameKey,
  };
}

function guessed(guesser: Guesser, row: number): number {
  const guess = unboundedGuess(guesser, row);
  return guess >= LEAST_GUESS && guess <= MOST_GUESS ? guess : 0;
}

function unboundedGuess({ by, own, other, scale, rise, run, sameKey }: Guesser, row: number): number {
  if (by === "nothing") return 0;
  if (by === "beside") return (other[row] as number) * scale;
  if (row === 0) return by === "apart" ? (other[0] as number) * scale : 0;
  const before = own[row - 1] as number;
  if (by === "before") return before;
  if (by === "beside-before") return (other[row - 1] as number) * scale;
  if (by === "apart") return before + ((other[row] as number) - (other[row - 1] as number)) * scale;
  if (by === "line") return before + Math.round((((other[row] as number) - (other[row - 1] as number)) * rise) / run);
  const same = sameKey === null ? -1 : (sameKey[row] as number);
  return same < 0 ? before : (own[same] as number);
}

function writeGuess(out: ByteWriter, guess: Guess): void {
  switch (guess.by) {
    case "nothing":
      out.integer(0);
      break;
    case "before":
      out.integer(1);
      break;
    case "key":
      out.integer(2);
      break;
    case "line":
      out.integer(3);
      out.integer(zigzag(guess.rise));
      out.integer(guess.run);
      break;
    default:
      out.integer(FIRST_OTHER + guess.other * GUESSES.length + GUESSES.indexOf(guess.by));
  }
}

function readGuess(reader: ByteReader, columns: number): Guess {
  const code = reader.integer(FIRST_OTHER + GUESSES.length * (columns + 1) - 1);
  if (code === 0) return { by: "nothing" };
  if (code === 1) return { by: "before" };
  if (code === 2) return { by: "key" };
  if (code === 3) return { by: "line", rise: unzigzag(reader.integer(2 * LARGEST_RATIO)), run: reader.integer(LARGEST_RATIO) };
  const by = GUESSES[(code - FIRST_OTHER) % GUESSES.length] ?? refuse("an unknown guess");
  return { by, other: Math.floor((code - FIRST_OTHER) / GUESSES.length) };
}

/** @returns the cheapest guess, and what a row costs with it, in bits. */
export function chooseGuess(columns: readonly NumberColumn[], index: number, known: Known): { guess: Guess; bits: number } {
  const candidates: Guess[] = [{ by: "nothing" }, { by: "before" }];
  if (known.sameKey !== null) candidates.push({ by: "key" });
  const line = lineOf((columns[index] as NumberColumn).values, known);
  if (line !== null) candidates.push(line);
  for (let other = 0; other <= columns.length; other++) {
    if (columns.length > MANY_COLUMNS && other > 0 && Math.abs(other - 1 - index) > NEAR) continue;
    if (other - 1 !== index) candidates.push({ by: "beside-before", other });
    // Of this row, only what is read before this column is known.
    if (other - 1 < index) candidates.push({ by: "beside", other }, { by: "apart", other });
  }
  let best: Guess = { by: "nothing" };
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const bits = sampleBits(candidate, columns, index, known);
    if (bits < least) {
      least = bits;
      best = candidate;
    }
  }
  return { guess: best, bits: least };
}

/** The ratio in which the column and the base move, from the first rows in which both do. */
function lineOf(values: Float64Array, { base, rows }: Known): Guess | null {
  for (let row = 1; row < rows && row < SAMPLE; row++) {
    const rise = (values[row] as number) - (values[row - 1] as number);
    const run = (base[row] as number) - (base[row - 1] as number);
    if (rise === 0 || run === 0) continue;
    const divisor = greatestDivisor(Math.abs(rise), Math.abs(run)) * (run < 0 ? -1 : 1);
    const isSmall = Math.abs(rise / divisor) <= LARGEST_RATIO && run / divisor <= LARGEST_RATIO;
    return isSmall ? { by: "line", rise: rise / divisor, run: run / divisor } : null;
  }
  return null;
}

function greatestDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** Bits that a row would take, by a sample. */
function sampleBits(guess: Guess, columns: readonly NumberColumn[], index: number, known: Known): number {
  const counts = new Uint16Array(SYMBOLS);
  const guesser = createGuesser(guess, columns, index, known);
  const { values } = columns[index] as NumberColumn;
  const step = Math.max(1, Math.floor(known.rows / SAMPLE));
  let sixteenths = 0;
  let taken = 0;
  // The first row has nothing before it: it says nothing about guesses.
  for (let row = known.rows > 1 ? 1 : 0; row < known.rows; row += step) {
    const symbol = magnitude(zigzag((values[row] as number) - guessed(guesser, row)));
    counts[symbol] = (counts[symbol] as number) + 1;
    if (symbol >= 16) sixteenths += 16 * (((symbol - 16) >> 1) + 3);
    taken++;
  }
  if (taken === 0) return 0;
  // Each symbol that occurs makes tables longer: 5 bits of a guess at that.
  for (const count of counts) if (count > 0) sixteenths += 80 + count * (log2Sixteenths(taken) - log2Sixteenths(count));
  return sixteenths / 16 / taken;
}
