/**
 * From float32 to bins of one byte. A value's bin is the number of cuts that are not above it, so `bin <= b` and `x < cuts[b]` are the same
 * question for every float32, and a tree can be trained on bins and run on the values. NaN has a bin of its own.
 */

/** The bin of a missing value, above all others. */
export const MISSING_BIN: u32 = 255;
const CUT_ROOM: i32 = 256;
/** Of a bin of several values, unless a fair share of the sample is less: cuts between fewer gain by chance too often. */
const LEAST_SIZE: i32 = 100;
/** Three digits of 11, 11 and 10 bits sort 32. */
const DIGIT: u32 = 2047;
const DIGIT_COUNTS: usize = 2048 << 2;
const SIGN: u32 = 0x80000000;
const LARGEST: f32 = 3.4028234663852886e38;

// @ts-ignore: decorator
@inline
function keyOf(bits: u32): u32 {
  return bits & SIGN ? ~bits : bits | SIGN;
}

// @ts-ignore: decorator
@inline
function valueOf(key: u32): f32 {
  return reinterpret<f32>(key & SIGN ? key & ~SIGN : ~key);
}

/**
 * Sorts one column of a row-major sample, without what is missing.
 * @param spare as large as `sorted`. @param counts 24 KiB.
 * @returns how many values `sorted` holds, ascending float32.
 */
export function sortColumn(sample: usize, rows: i32, columns: i32, column: i32, sorted: usize, spare: usize, counts: usize): i32 {
  memory.fill(counts, 0, 3 * DIGIT_COUNTS);
  let size: usize = 0;
  const step = usize(columns) << 2;
  let at = sample + (usize(column) << 2);
  for (let row = 0; row < rows; row++, at += step) {
    const value = load<f32>(at);
    if (value !== value) continue;
    // A negative zero is the zero that it compares as.
    const key = keyOf(reinterpret<u32>(value + 0));
    store<u32>(sorted + size, key);
    size += 4;
    count(counts, key & DIGIT);
    count(counts + DIGIT_COUNTS, (key >> 11) & DIGIT);
    count(counts + 2 * DIGIT_COUNTS, key >> 22);
  }
  for (let digit: usize = 0; digit < 3; digit++) toStarts(counts + digit * DIGIT_COUNTS);
  for (let place: usize = 0; place < size; place += 4) {
    const key = load<u32>(sorted + place);
    store<u32>(spare + (next(counts, key & DIGIT) << 2), key);
  }
  for (let place: usize = 0; place < size; place += 4) {
    const key = load<u32>(spare + place);
    store<u32>(sorted + (next(counts + DIGIT_COUNTS, (key >> 11) & DIGIT) << 2), key);
  }
  for (let place: usize = 0; place < size; place += 4) {
    const key = load<u32>(sorted + place);
    store<f32>(spare + (next(counts + 2 * DIGIT_COUNTS, key >> 22) << 2), valueOf(key));
  }
  memory.copy(sorted, spare, size);
  return i32(size >> 2);
}

// @ts-ignore: decorator
@inline
function count(counts: usize, digit: u32): void {
  const at = counts + (usize(digit) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

// @ts-ignore: decorator
@inline
function next(starts: usize, digit: u32): usize {
  const at = starts + (usize(digit) << 2);
  const place = load<u32>(at);
  store<u32>(at, place + 1);
  return place;
}

function toStarts(counts: usize): void {
  let sum: u32 = 0;
  for (let at = counts; at < counts + DIGIT_COUNTS; at += 4) {
    const size = load<u32>(at);
    store<u32>(at, sum);
    sum += size;
  }
}

/**
 * Cuts that put about as many values of a sorted sample into each bin. A value so frequent that it would fill a bin gets one of its own; where
 * there are no more values than bins, each has one. Cuts lie in the middle of the gap that they cut.
 *
 * The bins of what is not frequent hold their fair share of all values, or LEAST_SIZE: a column that is mostly zero has fewer bins then. With a cut
 * wherever there may be one, chance finds a gain among the few (4 % of the RMSE of "few-values" in bench/trees/data-sets.ts at depth 6).
 *
 * Where there are more values than bins, and some are below 0 and some are not, there is a cut at 0 itself: what an imbalance or a move means changes
 * there, and a cut beside it would put rows of one sign among those of the other (of an XOR of signs, a bin at 0 alone costs 1.7 % of the RMSE with
 * 255 bins).
 * @param distinct, sizes as large as `sorted`. @param cuts 256 float32; those not used become infinite.
 * @returns the number of cuts, fewer than `maxBins`.
 */
export function chooseCuts(sorted: usize, size: i32, maxBins: i32, distinct: usize, sizes: usize, cuts: usize): i32 {
  const values = toDistinct(sorted, size, distinct, sizes);
  const isEach = values <= maxBins;
  const isCutAtZero = !isEach && load<f32>(sorted) < 0 && load<f32>(sorted + (usize(size - 1) << 2)) >= 0;
  let restBins = maxBins - i32(isCutAtZero);
  let rest = size;
  const fair = i32(ceil(f64(size) / f64(restBins)));
  const bins = restBins;
  for (let value = 0; value < values && !isEach; value++) {
    const frequency = load<i32>(sizes + (usize(value) << 2));
    if (frequency < fair) continue;
    restBins--;
    rest -= frequency;
  }
  // Rare values shall not have all the bins that frequent ones left.
  if (!isEach) restBins = min(restBins, max(1, max(rest / LEAST_SIZE, (rest * bins) / size)));
  let cutCount = 0;
  let filled = 0;
  // In whole values, rounded up: what is filled is a whole number too.
  let goal = f64(rest) / f64(max(restBins, 1));
  let fullFrom = i32(ceil(goal));
  let halfFrom = i32(ceil(goal * 0.5));
  for (let value = 0; value < values - 1 && cutCount < maxBins - 1; value++) {
    const frequency = load<i32>(sizes + (usize(value) << 2));
    const isHeavy = frequency >= fair;
    const isNextHeavy = load<i32>(sizes + (usize(value + 1) << 2)) >= fair;
    const low = load<f32>(distinct + (usize(value) << 2));
    const high = load<f32>(distinct + (usize(value + 1) << 2));
    const isSign = isCutAtZero && low < 0 && high >= 0;
    filled += frequency;
    if (!isHeavy) rest -= frequency;
    const isFull = filled >= fullFrom || (isNextHeavy && filled >= halfFrom);
    if (!(isEach || isHeavy || isFull || isSign)) continue;
    store<f32>(cuts + (usize(cutCount++) << 2), isSign ? 0 : between(low, high));
    filled = 0;
    if (isHeavy) continue;
    if (isFull) restBins--;
    goal = f64(rest) / f64(max(restBins, 1));
    fullFrom = i32(ceil(goal));
    halfFrom = i32(ceil(goal * 0.5));
  }
  for (let cut = cutCount; cut < CUT_ROOM; cut++) store<f32>(cuts + (usize(cut) << 2), Infinity);
  return cutCount;
}

function toDistinct(sorted: usize, size: i32, distinct: usize, sizes: usize): i32 {
  let values = 0;
  let first = 0;
  for (let place = 0; place < size; place++) {
    const value = load<f32>(sorted + (usize(place) << 2));
    if (place + 1 < size && load<f32>(sorted + (usize(place + 1) << 2)) === value) continue;
    store<f32>(distinct + (usize(values) << 2), value);
    store<i32>(sizes + (usize(values) << 2), place + 1 - first);
    values++;
    first = place + 1;
  }
  return values;
}

/** Above `low` and not above `high`, so that `low < cut` and `high < cut` differ. */
function between(low: f32, high: f32): f32 {
  const middle = f32((f64(low) + f64(high)) * 0.5);
  return middle > low ? middle : high;
}

/**
 * The bins of some rows, in rows for histograms and in columns for partitions.
 * @param values row-major, of these rows alone. @param cuts [columns][256].
 * @param rowBins where the first of these rows lies in the first block; blocks of `blockColumns` columns lie `blockBytes` apart; 0: not wanted.
 * @param columnBins where the first of these rows lies in the first column; columns lie `columnBytes` apart.
 * @param flags [columns] bytes: 1 is set where a value is missing, 2 where one is no number that can be compared.
 */
export function fillBins(
  values: usize,
  rows: i32,
  columns: i32,
  cuts: usize,
  rowBins: usize,
  blockColumns: i32,
  blockBytes: usize,
  columnBins: usize,
  columnBytes: usize,
  flags: usize,
): void {
  const step = usize(columns) << 2;
  const rowStep: usize = rowBins === 0 ? 1 : usize(blockColumns);
  for (let column = 0; column < columns; column++) {
    let from = values + (usize(column) << 2);
    const block = column / blockColumns;
    // Without rows of bins, the byte is written where the column's byte comes over it.
    let row = rowBins === 0 ? columnBins + usize(column) * columnBytes : rowBins + usize(block) * blockBytes + usize(column - block * blockColumns);
    const start = columnBins + usize(column) * columnBytes;
    const own = cuts + (usize(column) << 10);
    // Which sixteen of the cuts a value lies among, then which of these: without a branch.
    const coarse0 = fourCoarse(own, 0);
    const coarse1 = fourCoarse(own, 4);
    const coarse2 = fourCoarse(own, 8);
    const coarse3 = fourCoarse(own, 12);
    let flag: u32 = 0;
    for (let at = start; at < start + usize(rows); at++, from += step, row += rowStep) {
      const value = load<f32>(from);
      const isMissing = value !== value;
      const values = f32x4.splat(value);
      const sixteen = min(countNotAbove(coarse0, coarse1, coarse2, coarse3, values), 15);
      const among = own + (usize(sixteen) << 6);
      const fine = countNotAbove(v128.load(among), v128.load(among, 16), v128.load(among, 32), v128.load(among, 48), values);
      const bin = select<u32>(MISSING_BIN, u32((sixteen << 4) + fine), isMissing);
      flag |= u32(isMissing) | (u32(abs(value) >= LARGEST) << 1);
      store<u8>(row, bin);
      store<u8>(at, bin);
    }
    const flagAt = flags + usize(column);
    if (flag !== 0) atomic.or<u8>(flagAt, u8(flag));
  }
}

/** Of sixteen ascending cuts, how many are not above; of NaN none. */
// @ts-ignore: decorator
@inline
function countNotAbove(a: v128, b: v128, c: v128, d: v128, values: v128): i32 {
  const low = i16x8.narrow_i32x4_s(f32x4.le(a, values), f32x4.le(b, values));
  const high = i16x8.narrow_i32x4_s(f32x4.le(c, values), f32x4.le(d, values));
  return popcnt(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)));
}

/** Each sixteenth of a column's cuts, the last of its sixteen, from the `first` on. */
// @ts-ignore: decorator
@inline
function fourCoarse(cuts: usize, first: usize): v128 {
  const at = cuts + (first << 6) + 60;
  return f32x4(load<f32>(at), load<f32>(at, 64), load<f32>(at, 128), load<f32>(at, 192));
}
