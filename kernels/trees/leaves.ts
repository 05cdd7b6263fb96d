/** What leaves do to the answers of rows, and what they are made of where that isn't the sums. */

/** Bytes of a node in a table: its column's first byte, bin, turn, left child, right child (32-bit each), what it adds (float32); a leaf's bin is -1. */
const NODE_BYTES: usize = 24;
const SIGN: u32 = 0x80000000;

/** Adds a leaf's value to the answers of its rows. @param rows 0: rows 0 … count - 1. */
export function addToRows(rows: usize, count: i32, value: f32, answers: usize): void {
  for (let place: usize = 0; place < usize(count); place++) {
    const at = answers + ((rows === 0 ? place : usize(load<u32>(rows + (place << 2)))) << 2);
    store<f32>(at, load<f32>(at) + value);
  }
}

/** Adds the values of two leaves to the answers of the rows of the node above them, which are never sent to them. @param rows 0: from `first` on. */
export function splitToRows(
  rows: usize,
  first: i32,
  count: i32,
  column: usize,
  bin: u32,
  turn: u32,
  left: f32,
  right: f32,
  answers: usize,
): void {
  const leftBits = reinterpret<u32>(left);
  const difference = leftBits ^ reinterpret<u32>(right);
  for (let place: usize = 0; place < usize(count); place++) {
    const row = rows === 0 ? usize(first) + place : usize(load<u32>(rows + (place << 2)));
    const isRight = u32(((u32(load<u8>(column + row)) + turn) & 255) > bin + turn);
    const at = answers + (row << 2);
    // Chosen among bits, since a choice among floats is a branch, and this one cannot be foreseen.
    store<f32>(at, load<f32>(at) + reinterpret<f32>(leftBits ^ (difference & (0 - isRight))));
  }
}

/** Adds what a whole tree says to the answers of rows [from, to). @param table its nodes, of columns of bins. */
export function addTree(table: usize, from: i32, to: i32, answers: usize): void {
  for (let row = usize(from); row < usize(to); row++) {
    let node = table;
    for (let bin = load<i32>(node, 4); bin >= 0; bin = load<i32>(node, 4)) {
      const turn = load<u32>(node, 8);
      const isRight = ((u32(load<u8>(usize(load<u32>(node)) + row)) + turn) & 255) > u32(bin) + turn;
      node = table + usize(isRight ? load<u32>(node, 16) : load<u32>(node, 12)) * NODE_BYTES;
    }
    const at = answers + (row << 2);
    store<f32>(at, load<f32>(at) + load<f32>(node, 20));
  }
}

/** @param rows 0: rows 0 … count - 1. */
export function sumWeights(rows: usize, count: i32, weights: usize): f64 {
  let sum: f64 = 0;
  for (let place: usize = 0; place < usize(count); place++) {
    const row = rows === 0 ? place : usize(load<u32>(rows + (place << 2)));
    sum += f64(load<f32>(weights + (row << 2)));
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function keyOf(value: f32): u32 {
  const bits = reinterpret<u32>(value + 0);
  return bits & SIGN ? ~bits : bits | SIGN;
}

// @ts-ignore: decorator
@inline
function valueOf(key: u32): f32 {
  return reinterpret<f32>(key & SIGN ? key & ~SIGN : ~key);
}

/**
 * The value of `targets - answers` that has the share `level` of the weights at or below it; where that is met exactly, the middle between it and
 * the next, so that a median of two is their mean. Found digit by digit, 11, 11 and 10 bits, without sorting.
 * @param rows 0: rows 0 … count - 1. @param answers 0: all 0. @param weights 0: all 1. @param keys 32 bits a row. @param sums 16 KiB.
 */
export function weightedQuantile(
  level: f64,
  rows: usize,
  count: i32,
  targets: usize,
  answers: usize,
  weights: usize,
  keys: usize,
  sums: usize,
): f64 {
  let total: f64 = 0;
  for (let place: usize = 0; place < usize(count); place++) {
    const row = (rows === 0 ? place : usize(load<u32>(rows + (place << 2)))) << 2;
    const answer: f32 = answers === 0 ? 0 : load<f32>(answers + row);
    store<u32>(keys + (place << 2), keyOf(load<f32>(targets + row) - answer));
    total += weights === 0 ? 1 : f64(load<f32>(weights + row));
  }
  const goal = level * total;
  let below: f64 = 0;
  let prefix: u32 = 0;
  for (let shift: u32 = 21; ; shift = shift === 21 ? 10 : 0) {
    const width: u32 = shift === 0 ? 10 : 11;
    const above = shift + width;
    memory.fill(sums, 0, 16384);
    for (let place: usize = 0; place < usize(count); place++) {
      const key = load<u32>(keys + (place << 2));
      if (above < 32 && key >> above !== prefix) continue;
      const row = (rows === 0 ? place : usize(load<u32>(rows + (place << 2)))) << 2;
      const at = sums + (usize((key >> shift) & ((1 << width) - 1)) << 3);
      store<f64>(at, load<f64>(at) + (weights === 0 ? 1 : f64(load<f32>(weights + row))));
    }
    // The last digit that holds anything takes what rounding leaves over.
    let digit: u32 = 0;
    let chosen: u32 = 0;
    let sum = below;
    for (; digit < u32(1) << width; digit++) {
      const more = load<f64>(sums + (usize(digit) << 3));
      if (more === 0) continue;
      chosen = digit;
      below = sum;
      sum += more;
      if (sum >= goal) break;
    }
    prefix = (prefix << width) | chosen;
    if (shift > 0) continue;
    const value = f64(valueOf(prefix));
    if (sum > goal) return value;
    const next = leastAbove(prefix, keys, count);
    return next === prefix ? value : (value + f64(valueOf(next))) * 0.5;
  }
}

function leastAbove(key: u32, keys: usize, count: i32): u32 {
  let least: u32 = u32.MAX_VALUE;
  for (let place: usize = 0; place < usize(count); place++) {
    const other = load<u32>(keys + (place << 2));
    if (other > key) least = min(least, other);
  }
  return least === u32.MAX_VALUE ? key : least;
}
