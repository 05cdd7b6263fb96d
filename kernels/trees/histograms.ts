/**
 * Histograms: for each column 256 sums of quanta, one for each bin, 2 KiB a column.
 *
 * Of rows that lie scattered, sixteen are touched before the first is used: so many misses of the cache are then under way at once.
 */

const TOUCHED: i32 = 16;

// @ts-ignore: decorator
@inline
function addRow(row: usize, columns: usize, histogram: usize, quanta: i64): void {
  let at = row;
  let out = histogram;
  for (const end = row + (columns & ~7); at < end; at += 8, out += 16384) {
    const a = out + (usize(load<u8>(at)) << 3);
    const b = out + (usize(load<u8>(at, 1)) << 3);
    const c = out + (usize(load<u8>(at, 2)) << 3);
    const d = out + (usize(load<u8>(at, 3)) << 3);
    const e = out + (usize(load<u8>(at, 4)) << 3);
    const f = out + (usize(load<u8>(at, 5)) << 3);
    const g = out + (usize(load<u8>(at, 6)) << 3);
    const h = out + (usize(load<u8>(at, 7)) << 3);
    store<i64>(a, load<i64>(a) + quanta);
    store<i64>(b, load<i64>(b, 2048) + quanta, 2048);
    store<i64>(c, load<i64>(c, 4096) + quanta, 4096);
    store<i64>(d, load<i64>(d, 6144) + quanta, 6144);
    store<i64>(e, load<i64>(e, 8192) + quanta, 8192);
    store<i64>(f, load<i64>(f, 10240) + quanta, 10240);
    store<i64>(g, load<i64>(g, 12288) + quanta, 12288);
    store<i64>(h, load<i64>(h, 14336) + quanta, 14336);
  }
  if (columns & 4) {
    const a = out + (usize(load<u8>(at)) << 3);
    const b = out + (usize(load<u8>(at, 1)) << 3);
    const c = out + (usize(load<u8>(at, 2)) << 3);
    const d = out + (usize(load<u8>(at, 3)) << 3);
    store<i64>(a, load<i64>(a) + quanta);
    store<i64>(b, load<i64>(b, 2048) + quanta, 2048);
    store<i64>(c, load<i64>(c, 4096) + quanta, 4096);
    store<i64>(d, load<i64>(d, 6144) + quanta, 6144);
    at += 4;
    out += 8192;
  }
  for (const end = row + columns; at < end; at++, out += 2048) {
    const a = out + (usize(load<u8>(at)) << 3);
    store<i64>(a, load<i64>(a) + quanta);
  }
}

/**
 * The histogram of `count` rows, listed with their quanta, over `columns` columns that lie one after the other from `bins` on, `stride` bytes a row.
 * @param sink eight bytes that nobody reads.
 */
export function addHistogram(rows: usize, quanta: usize, count: i32, bins: usize, stride: i32, columns: i32, histogram: usize, sink: usize): void {
  memory.fill(histogram, 0, usize(columns) << 11);
  let touched: u32 = 0;
  const last = usize(columns - 1);
  for (let from = 0; from < count; from += TOUCHED) {
    const to = min(count, from + TOUCHED);
    for (let place = from; place < to; place++) {
      const row = bins + usize(load<u32>(rows + (usize(place) << 2))) * stride;
      touched += u32(load<u8>(row)) + u32(load<u8>(row + last));
    }
    for (let place = from; place < to; place++) {
      addRow(bins + usize(load<u32>(rows + (usize(place) << 2))) * stride, columns, histogram, load<i64>(quanta + (usize(place) << 3)));
    }
  }
  store<u32>(sink, touched);
}

/** The same of rows 0 … count - 1. */
export function addHistogramOfAll(quanta: usize, count: i32, bins: usize, stride: i32, columns: i32, histogram: usize): void {
  memory.fill(histogram, 0, usize(columns) << 11);
  let row = bins;
  for (let place: usize = 0; place < usize(count); place++, row += stride) {
    addRow(row, columns, histogram, load<i64>(quanta + (place << 3)));
  }
}

/** The same over columns that are listed, 32-bit, by their place in the row; each has its place in the histogram. @param rows 0: all. */
export function addHistogramOfList(
  rows: usize,
  quanta: usize,
  count: i32,
  bins: usize,
  stride: i32,
  list: usize,
  listed: i32,
  histogram: usize,
): void {
  for (let entry = 0; entry < listed; entry++) {
    memory.fill(histogram + (usize(load<u32>(list + (usize(entry) << 2))) << 11), 0, 2048);
  }
  const end = list + (usize(listed) << 2);
  for (let place: usize = 0; place < usize(count); place++) {
    const row = bins + (rows === 0 ? place : usize(load<u32>(rows + (place << 2)))) * stride;
    const value = load<i64>(quanta + (place << 3));
    for (let entry = list; entry < end; entry += 4) {
      const column = usize(load<u32>(entry));
      const at = histogram + (column << 11) + (usize(load<u8>(row + column)) << 3);
      store<i64>(at, load<i64>(at) + value);
    }
  }
}
