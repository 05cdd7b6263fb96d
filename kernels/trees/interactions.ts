/**
 * Looks ahead at a node where no single cut gains more than chance gives: do two or three columns together tell what none of them tells alone?
 *
 * Every column is cut at the node's own median. With s = +1 left of it and -1 right of it (0 where the value is missing) and g a row's gradient less
 * what the node's mean answer takes off it, the contrast of columns i, j is T = Σ g s_i s_j, of three columns likewise; its strength T²/Σg² is about
 * chi-squared of one degree of freedom where the columns tell nothing. An exclusive or of them makes it as large as the rows are many, while no
 * column's own contrast shows it. Quadrants at medians are how W.-Y. Loh, "Regression trees with unbiased variable selection and interaction
 * detection", 2002, section 4, finds interactions of pairs.
 *
 * At most SAMPLE rows are looked at, spread evenly over the node's. Gradients become 16-bit whole numbers, so that sums are exact, and the same
 * whatever order they are made in. Of equal strengths the lowest columns win.
 */

const SAMPLE: i32 = 4096;
/** 2^32 / golden ratio, as in quanta.ts: steps of a sample that no period of the rows can follow. */
const GOLDEN: u32 = 2654435769;
const TWO_MINUS_32: f64 = 1.0 / 4294967296.0;
/** What the mean of |g| becomes; 32 times it is the largest that 16 bits hold, and the sum over a sample still fits 32 bits. */
const MEAN_GRADIENT: f64 = 1023;
const MOST_GRADIENT: f64 = 32767;
/** Of the rows that have a value, on the lesser side of a median: many equal values leave no two sides to compare. */
const LEAST_SHARE: f64 = 0.125;
/** As splits.ts has them. */
const CANDIDATE_COLUMN: usize = 24;
const CANDIDATE_BIN: usize = 28;
const CANDIDATE_TURN: usize = 32;
const CANDIDATE_STRENGTH: usize = 40;
const MISSING_AT: usize = 255 << 3;

let medianBin: i32 = 0;
let medianSums: i64 = 0;
let strongest: i64 = 0;
let strongestFirst: i32 = 0;

/**
 * Writes the candidate that cuts the first column of the strongest contrast at its median, and that contrast's strength (float64 at 40).
 * Column -1: there is none.
 * @param order how many columns a contrast is of, 2 or 3. @param histogram of the node's column 0. @param rows 0: the node is all rows.
 * @param signs scratch memory: [4 + columns] of 2 SAMPLE bytes and [columns] of 4 bytes.
 */
export function lookAhead(
  order: i32,
  histogram: usize,
  columns: i32,
  cutCounts: usize,
  active: usize,
  hessianBits: i32,
  lambda: f64,
  node: usize,
  rows: usize,
  quanta: usize,
  count: i32,
  columnBins: usize,
  columnBytes: usize,
  signs: usize,
  out: usize,
): void {
  store<i32>(out, -1, CANDIDATE_COLUMN);
  const sampled = min(SAMPLE, count) & ~7;
  const bytes = usize(sampled) << 1;
  const places = signs;
  const gradients = places + (bytes << 1);
  const products = gradients + bytes;
  const ofColumns = products + bytes;
  const list = ofColumns + usize(columns) * bytes;
  samplePlaces(count, sampled, places);
  const squares = sampleGradients(quanta, places, sampled, hessianBits, load<f64>(node) / load<f64>(node, 8), gradients);
  if (squares === 0) return;
  let used = 0;
  for (let column = 0; column < columns; column++) {
    if (load<u8>(active + usize(column)) === 0) continue;
    if (!findMedian(histogram + (usize(column) << 11), load<i32>(cutCounts + (usize(column) << 2)), hessianBits, node)) continue;
    store<i32>(list + (usize(used) << 2), column);
    fillSigns(rows, places, sampled, columnBins + usize(column) * columnBytes, ofColumns + usize(used) * bytes);
    used++;
  }
  strongest = 0;
  if (order === 2) lookAtPairs(gradients, products, ofColumns, bytes, 0, used, -1);
  else lookAtTriples(gradients, products, ofColumns, bytes, used);
  if (strongest === 0) return;
  const column = load<i32>(list + (usize(strongestFirst) << 2));
  findMedian(histogram + (usize(column) << 11), load<i32>(cutCounts + (usize(column) << 2)), hessianBits, node);
  writeCandidate(column, load<i64>(histogram + (usize(column) << 11) + MISSING_AT), hessianBits, lambda, node, out);
  store<f64>(out, (f64(strongest) * f64(strongest)) / squares, CANDIDATE_STRENGTH);
}

function samplePlaces(count: i32, sampled: i32, places: usize): void {
  const step = f64(count) / f64(sampled);
  for (let at = 0; at < sampled; at++) {
    const shift = sampled === count ? 0 : f64(u32(at) * GOLDEN) * TWO_MINUS_32;
    store<u32>(places + (usize(at) << 2), min(u32((f64(at) + shift) * step), u32(count - 1)));
  }
}

/** @returns the sum of their squares. */
function sampleGradients(quanta: usize, places: usize, sampled: i32, hessianBits: i32, mean: f64, gradients: usize): f64 {
  let sum: f64 = 0;
  for (let at = 0; at < sampled; at++) sum += abs(gradientAt(quanta, places, at, hessianBits, mean));
  if (sum === 0) return 0;
  const scale = (MEAN_GRADIENT * f64(sampled)) / sum;
  let squares: i64 = 0;
  for (let at = 0; at < sampled; at++) {
    const gradient = nearest(gradientAt(quanta, places, at, hessianBits, mean) * scale);
    const whole = i32(min(max(gradient, -MOST_GRADIENT), MOST_GRADIENT));
    store<i16>(gradients + (usize(at) << 1), i16(whole));
    squares += i64(whole) * i64(whole);
  }
  return f64(squares);
}

// @ts-ignore: decorator
@inline
function gradientAt(quanta: usize, places: usize, at: i32, hessianBits: i32, mean: f64): f64 {
  const both = load<i64>(quanta + (usize(load<u32>(places + (usize(at) << 2))) << 3));
  return f64(both >> i64(hessianBits)) - mean * f64(both & ((i64(1) << i64(hessianBits)) - 1));
}

/** The cut that divides the rows with a value most evenly, by their hessians. @returns whether it leaves enough on either side. */
function findMedian(histogram: usize, cuts: i32, hessianBits: i32, node: usize): bool {
  const mask = (i64(1) << i64(hessianBits)) - 1;
  const there = load<f64>(node, 8) - f64(load<i64>(histogram + MISSING_AT) & mask);
  let sums: i64 = 0;
  let least = there;
  for (let bin = 0; bin < cuts; bin++) {
    sums += load<i64>(histogram + (usize(bin) << 3));
    const distance = abs(2 * f64(sums & mask) - there);
    if (distance >= least) continue;
    least = distance;
    medianBin = bin;
    medianSums = sums;
  }
  return least <= there * (1 - 2 * LEAST_SHARE) && there > 0;
}

function fillSigns(rows: usize, places: usize, sampled: i32, bins: usize, signs: usize): void {
  for (let at: usize = 0; at < usize(sampled); at++) {
    const place = usize(load<u32>(places + (at << 2)));
    const bin = i32(load<u8>(bins + (rows === 0 ? place : usize(load<u32>(rows + (place << 2))))));
    store<i16>(signs + (at << 1), bin === 255 ? 0 : bin <= medianBin ? 1 : -1);
  }
}

/** @param first the column that comes before both; -1: the first of the two. */
function lookAtPairs(gradients: usize, products: usize, signs: usize, bytes: usize, from: i32, to: i32, first: i32): void {
  for (let one = from; one < to - 1; one++) {
    multiply(gradients, signs + usize(one) * bytes, products, bytes);
    for (let other = one + 1; other < to; other++) {
      const contrast = abs(i64(dot(products, signs + usize(other) * bytes, bytes)));
      if (contrast <= strongest) continue;
      strongest = contrast;
      strongestFirst = first < 0 ? one : first;
    }
  }
}

function lookAtTriples(gradients: usize, products: usize, signs: usize, bytes: usize, columns: i32): void {
  const ofPairs = products;
  // The places are read no more: their memory is free.
  const ofOne = gradients - (bytes << 1);
  for (let one = 0; one < columns - 2; one++) {
    multiply(gradients, signs + usize(one) * bytes, ofOne, bytes);
    lookAtPairs(ofOne, ofPairs, signs, bytes, one + 1, columns, one);
  }
}

function multiply(left: usize, right: usize, products: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(products + at, i16x8.mul(v128.load(left + at), v128.load(right + at)));
}

function dot(left: usize, right: usize, bytes: usize): i32 {
  let sums = i32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(left + at), v128.load(right + at)));
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

/** The cut that findMedian found, as splits.ts would write it; missing values go right. */
function writeCandidate(column: i32, missing: i64, hessianBits: i32, lambda: f64, node: usize, out: usize): void {
  const left = f64(medianSums & ((i64(1) << i64(hessianBits)) - 1));
  const gradient = f64(medianSums >> i64(hessianBits));
  const least = load<f64>(node, 16);
  if (left < least || load<f64>(node, 8) - left < least) return;
  const whole = load<f64>(node, 8) + (lambda + lambda);
  const a = left + lambda;
  const t = gradient - (load<f64>(node) / whole) * a;
  store<f64>(out, (t * t) / (a * (whole - a)));
  store<f64>(out, gradient, 8);
  store<f64>(out, left, 16);
  store<i32>(out, column, CANDIDATE_COLUMN);
  store<i32>(out, medianBin, CANDIDATE_BIN);
  store<i32>(out, missing === 0 ? 2 : 0, CANDIDATE_TURN);
}
