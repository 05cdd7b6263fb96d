/**
 * The best split of a node from its histograms.
 *
 * All is counted in quanta; lambda comes in whole quanta of the hessian. With G, H the sums of a node and g, h those left of a cut, the gain
 * g²/(h+λ) + (G-g)²/(H-h+λ) is C t²/(a (C-a)) + G²/C, where C = H+2λ, a = h+λ, t = g - (G/C) a. Only t²/(a (C-a)) differs between cuts: that is
 * the `score`. Within a column two scores are compared crosswise, without dividing. Of equal scores the lowest column and bin win, whatever
 * columns a call looks at. Where answers are bounded (monotone columns), the score is the gain itself, of values within the bounds.
 *
 * A node (float64): G, H, least H of a child, lowest and highest value. A candidate: score, g, h (float64), column (-1: none), bin, turn (32-bit).
 * `turn`: 0, missing rows go right; 1, left; 2, no row of the node misses the column. Bin `cuts`: every value goes left, the missing right.
 */

const CANDIDATE_COLUMN: usize = 24;
const CANDIDATE_BIN: usize = 28;
const CANDIDATE_TURN: usize = 32;
const MISSING_AT: usize = 255 << 3;
/** The bits of 2^52: or-ed over a whole number below, it is their sum as a float64. */
const TWO_52_BITS: i64 = 0x4330000000000000;
const TWO_52: f64 = 4503599627370496.0;
/** As training/trees/quanta.ts has them. */
const COUNT_BITS: i32 = 24;
const HESSIAN_BITS: i32 = 30;
const TOP_BIT: i64 = i64.MIN_VALUE;

/**
 * Finds for both children of a node, and makes of the parent's histogram that of the larger child.
 * @param small, larger histograms of column 0; the second is the parent's. @param cutCounts [columns] 32-bit.
 * @param flags [columns] 1: values are missing. @param active [columns] 0: not looked at in this tree. @param monotone [columns] i8; 0: none bounded.
 */
export function findInPair(
  small: usize,
  larger: usize,
  from: i32,
  to: i32,
  cutCounts: usize,
  flags: usize,
  active: usize,
  monotone: usize,
  hessianBits: i32,
  lambda: f64,
  smallNode: usize,
  largerNode: usize,
  smallOut: usize,
  largerOut: usize,
): void {
  store<i32>(smallOut, -1, CANDIDATE_COLUMN);
  store<i32>(largerOut, -1, CANDIDATE_COLUMN);
  for (let column = from; column < to; column++) {
    if (load<u8>(active + usize(column)) === 0) continue;
    const at = usize(column) << 11;
    const cuts = load<i32>(cutCounts + (usize(column) << 2));
    const isMissing = load<u8>(flags + usize(column)) & 1;
    if (monotone === 0 && !isMissing) {
      findInColumns(small + at, larger + at, cuts, column, hessianBits, lambda, smallNode, largerNode, smallOut, largerOut);
    } else {
      subtract(larger + at, small + at);
      findInColumn(small + at, cuts, column, monotone, hessianBits, lambda, smallNode, smallOut);
      findInColumn(larger + at, cuts, column, monotone, hessianBits, lambda, largerNode, largerOut);
    }
  }
}

/** Finds for a node that has no sibling. */
export function findInRoot(
  histogram: usize,
  from: i32,
  to: i32,
  cutCounts: usize,
  active: usize,
  monotone: usize,
  hessianBits: i32,
  lambda: f64,
  node: usize,
  out: usize,
): void {
  store<i32>(out, -1, CANDIDATE_COLUMN);
  for (let column = from; column < to; column++) {
    if (load<u8>(active + usize(column)) === 0) continue;
    const cuts = load<i32>(cutCounts + (usize(column) << 2));
    findInColumn(histogram + (usize(column) << 11), cuts, column, monotone, hessianBits, lambda, node, out);
  }
}

function subtract(from: usize, what: usize): void {
  for (let at: usize = 0; at < 2048; at += 16) v128.store(from + at, i64x2.sub(v128.load(from + at), v128.load(what + at)));
}

/** Two nodes at once, in the halves of each vector, of a column in which nothing is missing. */
function findInColumns(
  small: usize,
  larger: usize,
  cuts: i32,
  column: i32,
  hessianBits: i32,
  lambda: f64,
  smallNode: usize,
  largerNode: usize,
  smallOut: usize,
  largerOut: usize,
): void {
  // Shifts by what the compiler knows are one instruction.
  if (hessianBits === COUNT_BITS) scanPair(small, larger, cuts, COUNT_BITS, lambda, smallNode, largerNode);
  else scanPair(small, larger, cuts, HESSIAN_BITS, lambda, smallNode, largerNode);
  if (pairScore > 0) offer(smallOut, pairScore, pairSums, column, pairBin, 2, hessianBits);
  if (otherScore > 0) offer(largerOut, otherScore, otherSums, column, otherBin, 2, hessianBits);
}

let pairScore: f64 = 0;
let pairSums: i64 = 0;
let pairBin: i32 = 0;
let otherScore: f64 = 0;
let otherSums: i64 = 0;
let otherBin: i32 = 0;

// @ts-ignore: decorator
@inline
function scanPair(small: usize, larger: usize, cuts: i32, hessianBits: i32, lambda: f64, smallNode: usize, largerNode: usize): void {
  const g = pair(smallNode, largerNode, 0);
  const h = pair(smallNode, largerNode, 8);
  const least = pair(smallNode, largerNode, 16);
  const lowest = f64x2.add(least, f64x2.splat(lambda));
  const highest = f64x2.add(f64x2.sub(h, least), f64x2.splat(lambda));
  const whole = f64x2.add(h, f64x2.splat(lambda + lambda));
  const mean = f64x2.div(g, whole);
  const mask = i64x2.splat((i64(1) << i64(hessianBits)) - 1);
  const two52Bits = i64x2.splat(TWO_52_BITS);
  // Lambda is a whole number of quanta: the difference is one as well, and exact.
  const lessLambda = f64x2.splat(TWO_52 - lambda);
  // The gradient's sum is lifted by 2^63 above the hessian's bits, so that it is never negative and shifts without a sign.
  const lifted = f64x2.splat(TWO_52 + f64(u64(1) << u64(63 - hessianBits)));
  let sums = i64x2.splat(TOP_BIT);
  let bestAbove = f64x2.splat(0);
  let bestBelow = f64x2.splat(1);
  let bestSums = sums;
  let bestBin = i64x2.splat(0);
  const end = usize(cuts + 1) << 3;
  for (let at: usize = 0; at < end; at += 16) {
    const ofSmall = v128.load(small + at);
    const ofLarger = i64x2.sub(v128.load(larger + at), ofSmall);
    v128.store(larger + at, ofLarger);
    const first = i64x2.add(sums, v128.shuffle<i64>(ofSmall, ofLarger, 0, 2));
    sums = i64x2.add(first, v128.shuffle<i64>(ofSmall, ofLarger, 1, 3));
    const a = f64x2.sub(v128.or(v128.and(first, mask), two52Bits), lessLambda);
    const t = f64x2.sub(f64x2.sub(v128.or(i64x2.shr_u(first, hessianBits), two52Bits), lifted), f64x2.mul(mean, a));
    const above = f64x2.mul(t, t);
    const below = f64x2.mul(a, f64x2.sub(whole, a));
    const b = f64x2.sub(v128.or(v128.and(sums, mask), two52Bits), lessLambda);
    const u = f64x2.sub(f64x2.sub(v128.or(i64x2.shr_u(sums, hessianBits), two52Bits), lifted), f64x2.mul(mean, b));
    const nextAbove = f64x2.mul(u, u);
    const nextBelow = f64x2.mul(b, f64x2.sub(whole, b));
    const isBetter = f64x2.gt(f64x2.mul(above, bestBelow), f64x2.mul(bestAbove, below));
    const isNextBetter = f64x2.gt(f64x2.mul(nextAbove, bestBelow), f64x2.mul(bestAbove, nextBelow));
    if (!v128.any_true(v128.or(isBetter, isNextBetter))) continue;
    const isChosen = v128.and(isBetter, v128.and(f64x2.ge(a, lowest), f64x2.le(a, highest)));
    bestAbove = v128.bitselect(above, bestAbove, isChosen);
    bestBelow = v128.bitselect(below, bestBelow, isChosen);
    bestSums = v128.bitselect(first, bestSums, isChosen);
    bestBin = v128.bitselect(i64x2.splat(i64(at >> 3)), bestBin, isChosen);
    const isNextChosen = v128.and(
      f64x2.gt(f64x2.mul(nextAbove, bestBelow), f64x2.mul(bestAbove, nextBelow)),
      v128.and(f64x2.ge(b, lowest), f64x2.le(b, highest)),
    );
    bestAbove = v128.bitselect(nextAbove, bestAbove, isNextChosen);
    bestBelow = v128.bitselect(nextBelow, bestBelow, isNextChosen);
    bestSums = v128.bitselect(sums, bestSums, isNextChosen);
    bestBin = v128.bitselect(i64x2.splat(i64(at >> 3) + 1), bestBin, isNextChosen);
  }
  const scores = f64x2.div(bestAbove, bestBelow);
  pairScore = f64x2.extract_lane(scores, 0);
  pairSums = i64x2.extract_lane(bestSums, 0) ^ TOP_BIT;
  pairBin = i32(i64x2.extract_lane(bestBin, 0));
  otherScore = f64x2.extract_lane(scores, 1);
  otherSums = i64x2.extract_lane(bestSums, 1) ^ TOP_BIT;
  otherBin = i32(i64x2.extract_lane(bestBin, 1));
}

// @ts-ignore: decorator
@inline
function pair(one: usize, other: usize, at: usize): v128 {
  return f64x2.replace_lane(f64x2.splat(load<f64>(one + at)), 1, load<f64>(other + at));
}

/** Takes what is offered where it is better than what is there. */
function offer(out: usize, score: f64, sums: i64, column: i32, bin: i32, turn: i32, hessianBits: i32): void {
  if (load<i32>(out, CANDIDATE_COLUMN) >= 0 && !(score > load<f64>(out))) return;
  store<f64>(out, score);
  store<f64>(out, f64(sums >> i64(hessianBits)), 8);
  store<f64>(out, f64(sums & ((i64(1) << i64(hessianBits)) - 1)), 16);
  store<i32>(out, column, CANDIDATE_COLUMN);
  store<i32>(out, bin, CANDIDATE_BIN);
  store<i32>(out, turn, CANDIDATE_TURN);
}

let bestScore: f64 = 0;
let bestSums: i64 = 0;
let bestBin: i32 = 0;
let bestTurn: i32 = 0;

/** One node, one column, with missing values and bounds. */
function findInColumn(
  histogram: usize,
  cuts: i32,
  column: i32,
  monotone: usize,
  hessianBits: i32,
  lambda: f64,
  node: usize,
  out: usize,
): void {
  const missing = load<i64>(histogram + MISSING_AT);
  // Within bounds even the best may be below 0, where the node itself is worse.
  bestScore = -Infinity;
  if (monotone !== 0) {
    const direction = i32(load<i8>(monotone + usize(column)));
    scanBounded(histogram, missing === 0 ? cuts - 1 : cuts, 0, missing === 0 ? 2 : 0, direction, hessianBits, lambda, node);
    if (missing !== 0) scanBounded(histogram, cuts - 1, missing, 1, direction, hessianBits, lambda, node);
  } else {
    scan(histogram, missing === 0 ? cuts - 1 : cuts, 0, missing === 0 ? 2 : 0, hessianBits, lambda, node);
    if (missing !== 0) scan(histogram, cuts - 1, missing, 1, hessianBits, lambda, node);
  }
  if (bestScore > -Infinity) offer(out, bestScore, bestSums, column, bestBin, bestTurn, hessianBits);
}

/** @param first what is left before the first bin. */
function scan(histogram: usize, last: i32, first: i64, turn: i32, hessianBits: i32, lambda: f64, node: usize): void {
  const g = load<f64>(node);
  const h = load<f64>(node, 8);
  const least = load<f64>(node, 16);
  const most = h - least;
  const whole = h + (lambda + lambda);
  const mean = g / whole;
  const mask = (i64(1) << i64(hessianBits)) - 1;
  let sums = first;
  let bestAbove: f64 = 0;
  let bestBelow: f64 = 1;
  let isFound = false;
  let foundSums: i64 = 0;
  let foundBin = 0;
  for (let bin = 0; bin <= last; bin++) {
    sums += load<i64>(histogram + (usize(bin) << 3));
    const left = f64(sums & mask);
    const a = left + lambda;
    const t = f64(sums >> i64(hessianBits)) - mean * a;
    const above = t * t;
    const below = a * (whole - a);
    if (!(above * bestBelow > bestAbove * below) || left < least || left > most) continue;
    bestAbove = above;
    bestBelow = below;
    foundSums = sums;
    foundBin = bin;
    isFound = true;
  }
  const score = bestAbove / bestBelow;
  if (isFound && score > bestScore) found(score, foundSums, foundBin, turn);
}

function scanBounded(histogram: usize, last: i32, first: i64, turn: i32, direction: i32, hessianBits: i32, lambda: f64, node: usize): void {
  const g = load<f64>(node);
  const h = load<f64>(node, 8);
  const least = load<f64>(node, 16);
  const low = load<f64>(node, 24);
  const high = load<f64>(node, 32);
  const mask = (i64(1) << i64(hessianBits)) - 1;
  let sums = first;
  for (let bin = 0; bin <= last; bin++) {
    sums += load<i64>(histogram + (usize(bin) << 3));
    const left = f64(sums & mask);
    const right = h - left;
    if (left < least || right < least) continue;
    const leftGradient = f64(sums >> i64(hessianBits));
    const rightGradient = g - leftGradient;
    const leftValue = min(max(-leftGradient / (left + lambda), low), high);
    const rightValue = min(max(-rightGradient / (right + lambda), low), high);
    if (f64(direction) * (rightValue - leftValue) < 0) continue;
    const score =
      -(2 * leftGradient + (left + lambda) * leftValue) * leftValue - (2 * rightGradient + (right + lambda) * rightValue) * rightValue;
    if (score > bestScore) found(score, sums, bin, turn);
  }
}

// @ts-ignore: decorator
@inline
function found(score: f64, sums: i64, bin: i32, turn: i32): void {
  bestScore = score;
  bestSums = sums;
  bestBin = bin;
  bestTurn = turn;
}
