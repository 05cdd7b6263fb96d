/**
 * Sends a node's rows to its children: those of the left one ascend from `left` on, those of the right one descend from `right` on, in the other of
 * two buffers. Parts of a node may be sent by several threads, each told where its rows begin: the order comes out the same.
 *
 * A row goes right where its bin is above `bin`. With `turn` 1 the missing bin (255) becomes 0 and goes left.
 */

// @ts-ignore: decorator
@inline
function isRight(column: usize, row: usize, bin: u32, turn: u32): usize {
  return usize(((u32(load<u8>(column + row)) + turn) & 255) > bin + turn);
}

/** @returns how many of the listed rows go left. */
export function countLeft(rows: usize, count: i32, column: usize, bin: u32, turn: u32): i32 {
  let right: usize = 0;
  for (let at = rows; at < rows + (usize(count) << 2); at += 4) right += isRight(column, load<u32>(at), bin, turn);
  return count - i32(right);
}

/** @returns how many of the rows [from, to) go left. */
export function countLeftOfAll(from: i32, to: i32, column: usize, bin: u32, turn: u32): i32 {
  let right: usize = 0;
  for (let row = usize(from); row < usize(to); row++) right += isRight(column, row, bin, turn);
  return to - from - i32(right);
}

/** @param left, right places in the buffers at `toRows` and `toQuanta`. @returns the place behind the last that went left. */
export function partition(
  rows: usize,
  quanta: usize,
  count: i32,
  column: usize,
  bin: u32,
  turn: u32,
  toRows: usize,
  toQuanta: usize,
  left: usize,
  right: usize,
): usize {
  for (let place: usize = 0; place < usize(count); place++) {
    const row = load<u32>(rows + (place << 2));
    const goesRight = isRight(column, row, bin, turn);
    const to = goesRight ? right : left;
    store<u32>(toRows + (to << 2), row);
    store<i64>(toQuanta + (to << 3), load<i64>(quanta + (place << 3)));
    left += 1 - goesRight;
    right -= goesRight;
  }
  return left;
}

/** The same of rows [from, to), which no list names yet. */
export function partitionAll(
  from: i32,
  to: i32,
  quanta: usize,
  column: usize,
  bin: u32,
  turn: u32,
  toRows: usize,
  toQuanta: usize,
  left: usize,
  right: usize,
): usize {
  for (let row = usize(from); row < usize(to); row++) {
    const goesRight = isRight(column, row, bin, turn);
    const place = goesRight ? right : left;
    store<u32>(toRows + (place << 2), u32(row));
    store<i64>(toQuanta + (place << 3), load<i64>(quanta + (row << 3)));
    left += 1 - goesRight;
    right -= goesRight;
  }
  return left;
}
