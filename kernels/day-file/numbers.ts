/**
 * Columns of numbers, as core's numbers.ts: brought to one scale, then each told by what is left of it after the guess that is cheapest on a sample.
 */

import { ByteWriter } from "./bytes";
import { power } from "./fields";
import { magnitude, newIntegerWriter, PREVIOUS_CONTEXTS, previousContext, writeSmallIntegers, zigzag } from "./integers";
import { take } from "./memory";
import { log2Sixteenths, SYMBOLS } from "./symbols";

/** How decimals are told. In files. */
const SAME: i32 = 0;
const SHORTEST: i32 = 1;
const EACH: i32 = 2;
const UNSCALED: i32 = 3;
const MOST_POWER: i32 = 15;
const LARGEST: f64 = 1e15;
const LEAST_GUESS: f64 = -2e14;
const MOST_GUESS: f64 = 3.4e15;

@unmanaged
export class Shape {
  most: i32;
  zeros: i32;
}

/** Brings a column to one scale, in place, and writes how. */
export function writeShaped(out: ByteWriter, values: usize, decimals: usize, count: i32): Shape {
  let most = 0;
  let least = 99;
  for (let at = decimals, end = decimals + (usize(count) << 2); at < end; at += 4) {
    most = max(most, load<i32>(at));
    least = min(least, load<i32>(at));
  }
  const told = least >= most ? SAME : howTold(values, decimals, count, most);
  if (told === SHORTEST || told === EACH) {
    for (let row = 0; row < count; row++) {
      const at = values + (usize(row) << 3);
      store<i64>(at, load<i64>(at) * power(most - load<i32>(decimals + (usize(row) << 2))));
    }
  }
  const zeros = withoutZeros(values, count);
  out.byte(told);
  out.byte(most);
  out.byte(zeros);
  if (told === EACH || told === UNSCALED) writeSmallIntegers(out, decimals, count);
  const shape = changetype<Shape>(take(offsetof<Shape>()));
  shape.most = most;
  shape.zeros = zeros;
  return shape;
}

function howTold(values: usize, decimals: usize, count: i32, most: i32): i32 {
  let isShortest = true;
  for (let row = 0; row < count; row++) {
    const own = load<i32>(decimals + (usize(row) << 2));
    const value = load<i64>(values + (usize(row) << 3));
    if (f64(abs(value)) * f64(power(most - own)) >= LARGEST) return UNSCALED;
    if (own > 0 && value % 10 === 0) isShortest = false;
  }
  return isShortest ? SHORTEST : EACH;
}

/** Takes away the zeros that all values end with. @returns how many. */
function withoutZeros(values: usize, count: i32): i32 {
  const end = values + (usize(count) << 3);
  let zeros = MOST_POWER;
  divideBy(zeros);
  let at = values;
  for (; at < end && zeros > 0; at += 8) {
    const value = load<i64>(at);
    if (!isWhole(value)) {
      const tooMany = zeros;
      while (zeros > 0 && !isWhole(value)) divideBy(--zeros);
      const back = power(tooMany - zeros);
      for (let earlier = values; earlier < at; earlier += 8) store<i64>(earlier, load<i64>(earlier) * back);
    }
    store<i64>(at, quotientOf(value));
  }
  // Nothing but zeros, or no rows.
  return zeros === MOST_POWER ? 0 : zeros;
}

/**
 * Division by 10^k without dividing: a multiple of 2^k is shifted, one of 5^k multiplied by the inverse of 5^k modulo 2^64; what is no multiple
 * comes out larger than any quotient (T. Granlund, P. L. Montgomery, "Division by invariant integers using multiplication", 1994, section 9).
 */
let shift: i64 = 0;
let inverse: i64 = 1;
let largestQuotient: i64 = 0;

function divideBy(zeros: i32): void {
  shift = zeros;
  const odd = power(zeros) >> shift;
  inverse = odd;
  // Each step doubles the bits that are right: five of 3 and more.
  for (let step = 0; step < 5; step++) inverse *= 2 - odd * inverse;
  largestQuotient = i64.MAX_VALUE / odd;
}

// @ts-ignore: decorator
@inline
function quotientOf(value: i64): i64 {
  return (value >> shift) * inverse;
}

// @ts-ignore: decorator
@inline
function isWhole(value: i64): bool {
  const quotient = quotientOf(value);
  return (value & ((i64(1) << shift) - 1)) === 0 && quotient <= largestQuotient && quotient >= -largestQuotient;
}

/** What a column is guessed by. In files: the first four as they are, then three for each other column. */
const NOTHING: i32 = 0;
const BEFORE: i32 = 1;
const KEY: i32 = 2;
const LINE: i32 = 3;
const BESIDE: i32 = 4;
const BESIDE_BEFORE: i32 = 5;
const APART: i32 = 6;
const FIRST_OTHER: i32 = 4;
const LARGEST_RATIO: i64 = 1_000_000;
const SAMPLE: i32 = 192;
const MANY_COLUMNS: i32 = 20;
const NEAR: i32 = 3;

/** Columns of one table: addresses of their values, and how many of a column's units a millisecond has (0: it is no time). */
@unmanaged
export class NumberColumns {
  values: usize;
  clockScales: usize;
  count: i32;
  rows: i32;
  /** A column that both sides know already. */
  base: usize;
  /** Of each row, the row that had its key before, or -1; 0 where there are no keys. */
  sameKey: usize;

  // @ts-ignore: decorator
  @inline
  valuesOf(index: i32): usize {
    return load<usize>(this.values + (usize(index) << 2));
  }

  add(values: usize, clockScale: i32): void {
    store<usize>(this.values + (usize(this.count) << 2), values);
    store<i32>(this.clockScales + (usize(this.count) << 2), clockScale);
    this.count++;
  }
}

/** @param room columns that it can take. */
export function newNumberColumns(room: i32, rows: i32): NumberColumns {
  const columns = changetype<NumberColumns>(take(offsetof<NumberColumns>()));
  columns.values = take(usize(room) << 2);
  columns.clockScales = take(usize(room) << 2);
  columns.count = 0;
  columns.rows = rows;
  columns.base = 0;
  columns.sameKey = 0;
  return columns;
}

export function writeNumbers(out: ByteWriter, columns: NumberColumns): void {
  for (let index = 0; index < columns.count; index++) {
    chooseGuess(columns, index);
    writeGuess(out);
    bind(columns, index);
    const writer = newIntegerWriter(PREVIOUS_CONTEXTS, columns.rows);
    let context = 0;
    for (let row = 0; row < columns.rows; row++) context = previousContext(writer.put(context, left(row)));
    writer.finish(out);
  }
}

/** The guess that is looked at, and its column: bound for all rows. */
let by: i32 = 0;
let other: i32 = 0;
let rise: i64 = 0;
let run: i64 = 1;
let own: usize = 0;
let others: usize = 0;
let scale: i64 = 1;
let sameKey: usize = 0;

function bind(columns: NumberColumns, index: i32): void {
  own = columns.valuesOf(index);
  const clockScale = load<i32>(columns.clockScales + (usize(index) << 2));
  others = other === 0 ? columns.base : columns.valuesOf(other - 1);
  scale = other === 0 && clockScale > 0 ? i64(clockScale) : 1;
  sameKey = columns.sameKey;
}

/** What is left of a row after the guess. */
// @ts-ignore: decorator
@inline
function left(row: i32): u64 {
  return zigzag(load<i64>(own + (usize(row) << 3)) - guessed(row));
}

// @ts-ignore: decorator
@inline
function guessed(row: i32): i64 {
  const guess = unbounded(row);
  return f64(guess) >= LEAST_GUESS && f64(guess) <= MOST_GUESS ? guess : 0;
}

function unbounded(row: i32): i64 {
  if (by === NOTHING) return 0;
  const at = usize(row) << 3;
  if (by === BESIDE) return load<i64>(others + at) * scale;
  if (row === 0) return by === APART ? load<i64>(others) * scale : 0;
  const before = load<i64>(own + at - 8);
  if (by === BEFORE) return before;
  if (by === BESIDE_BEFORE) return load<i64>(others + at - 8) * scale;
  if (by === KEY) {
    const same = load<i32>(sameKey + (usize(row) << 2));
    return same < 0 ? before : load<i64>(own + (usize(same) << 3));
  }
  const apart = load<i64>(others + at) - load<i64>(others + at - 8);
  return by === APART ? before + apart * scale : onLine(before, apart);
}

/** In doubles, as core does: products of a line need not be exact, only the same everywhere. */
function onLine(before: i64, apart: i64): i64 {
  const guess = f64(before) + rounded((f64(apart) * f64(rise)) / f64(run));
  return guess >= LEAST_GUESS && guess <= MOST_GUESS ? i64(guess) : 0;
}

/** Halves up, as Math.round. */
function rounded(value: f64): f64 {
  const up = ceil(value);
  return up - 0.5 > value ? up - 1 : up;
}

function writeGuess(out: ByteWriter): void {
  if (by < BESIDE) {
    out.integer(by);
    if (by !== LINE) return;
    out.integer(zigzag(rise));
    out.integer(run);
  } else out.integer(FIRST_OTHER + other * 3 + by - BESIDE);
}

let bestBy: i32 = 0;
let bestOther: i32 = 0;
let leastBits: f64 = 0;

/** Leaves the cheapest guess bound. @returns what a row costs with it, in bits. */
export function chooseGuess(columns: NumberColumns, index: i32): f64 {
  leastBits = f64.MAX_VALUE;
  bestBy = NOTHING;
  bestOther = 0;
  other = 0;
  tryGuess(columns, index, NOTHING);
  tryGuess(columns, index, BEFORE);
  if (columns.sameKey !== 0) tryGuess(columns, index, KEY);
  if (findLine(columns, index)) tryGuess(columns, index, LINE);
  for (other = 0; other <= columns.count; other++) {
    if (columns.count > MANY_COLUMNS && other > 0 && abs(other - 1 - index) > NEAR) continue;
    if (other - 1 !== index) tryGuess(columns, index, BESIDE_BEFORE);
    // Of this row, only what is read before this column is known.
    if (other - 1 >= index) continue;
    tryGuess(columns, index, BESIDE);
    tryGuess(columns, index, APART);
  }
  by = bestBy;
  other = bestOther;
  return leastBits;
}

function tryGuess(columns: NumberColumns, index: i32, candidate: i32): void {
  by = candidate;
  const bits = sampleBits(columns, index);
  if (bits >= leastBits) return;
  leastBits = bits;
  bestBy = by;
  bestOther = other;
}

/** The ratio in which the column and the base move, from the first rows in which both do. */
function findLine(columns: NumberColumns, index: i32): bool {
  const values = columns.valuesOf(index);
  for (let row = 1; row < columns.rows && row < SAMPLE; row++) {
    const at = usize(row) << 3;
    const up = load<i64>(values + at) - load<i64>(values + at - 8);
    const along = load<i64>(columns.base + at) - load<i64>(columns.base + at - 8);
    if (up === 0 || along === 0) continue;
    const divisor = greatestDivisor(abs(up), abs(along)) * (along < 0 ? -1 : 1);
    rise = up / divisor;
    run = along / divisor;
    return abs(rise) <= LARGEST_RATIO && run <= LARGEST_RATIO;
  }
  return false;
}

function greatestDivisor(a: i64, b: i64): i64 {
  let larger = a;
  let smaller = b;
  while (smaller > 0) {
    const rest = larger % smaller;
    larger = smaller;
    smaller = rest;
  }
  return larger;
}

const sampled = memory.data(SYMBOLS * 2);

/** Bits that a row would take, by a sample. */
function sampleBits(columns: NumberColumns, index: i32): f64 {
  memory.fill(sampled, 0, usize(SYMBOLS) * 2);
  bind(columns, index);
  const rows = columns.rows;
  const step = max(1, rows / SAMPLE);
  let sixteenths = 0;
  let taken = 0;
  // The first row has nothing before it: it says nothing about guesses.
  for (let row = rows > 1 ? 1 : 0; row < rows; row += step) {
    const symbol = magnitude(left(row));
    const count = sampled + (usize(symbol) << 1);
    store<u16>(count, load<u16>(count) + 1);
    if (symbol >= 16) sixteenths += 16 * (((symbol - 16) >> 1) + 3);
    taken++;
  }
  if (taken === 0) return 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const count = i32(load<u16>(sampled + (usize(symbol) << 1)));
    // Each symbol that occurs makes tables longer: 5 bits of a guess at that.
    if (count > 0) sixteenths += 80 + count * (log2Sixteenths(taken) - log2Sixteenths(count));
  }
  return f64(sixteenths) / 16 / f64(taken);
}
