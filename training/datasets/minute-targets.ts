/**
 * Targets of rows a minute apart, from the price paths of the minutes around them (core/wire/price-path.ts): the same labels, of the same seconds, as of rows that follow each other second by second.
 *
 * A row has targets only where its second is in the path, at its very prices, and as far as the path goes on unbroken. So a minute that is missing or whose path can't be read takes the targets
 * that would look over it, and a book that had moved between the snapshot and its row's second has none.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import { type LabelKind, labelMoves, stepsBehind } from "../../core/labels/moves.ts";
import { MS_PER_HOUR, MS_PER_SECOND } from "../../core/units/time.ts";
import { joinPaths, type MinutePath } from "../../core/wire/joined-path.ts";

/** Rows whose targets are in memory at once, with some 61,000 seconds of path. */
const BLOCK_ROWS = 1_024;
/** How far a market's clock may be from ours: minutes are by ours, their paths by the market's. */
const MOST_CLOCK_DIFFERENCE_MS = MS_PER_HOUR;

/** [rows] each, ascending in time. */
export interface MinuteRowColumns {
  readonly times: Float64Array;
  readonly bidTicks: Float64Array;
  readonly askTicks: Float64Array;
}

export interface TargetBlock {
  /** [rows of the block, outputs] */
  readonly values: Float64Array;
  readonly mask: Uint8Array;
}

/** @param paths of one grid of prices, in the order of their minutes. */
export function* minuteTargets(
  rows: MinuteRowColumns,
  paths: readonly MinutePath[],
  { horizonsMs, label }: { horizonsMs: readonly number[]; label: LabelKind },
): Generator<TargetBlock> {
  for (let first = 0; first < rows.times.length; first += BLOCK_ROWS) {
    const part = (column: Float64Array): Float64Array => column.subarray(first, first + BLOCK_ROWS);
    yield blockOf({ times: part(rows.times), bidTicks: part(rows.bidTicks), askTicks: part(rows.askTicks) }, paths, { horizonsMs, label });
  }
}

function blockOf(
  { times, bidTicks, askTicks }: MinuteRowColumns,
  paths: readonly MinutePath[],
  { horizonsMs, label }: { horizonsMs: readonly number[]; label: LabelKind },
): TargetBlock {
  const aheadMs = Math.max(...horizonsMs);
  const behindMs = stepsBehind(label, aheadMs / FEATURE_INTERVAL_MS) * FEATURE_INTERVAL_MS;
  const range = { from: (times[0] as number) - behindMs, to: (times.at(-1) as number) + aheadMs + MS_PER_SECOND };
  const near = paths.filter(
    ({ minute }) => minute >= range.from - MOST_CLOCK_DIFFERENCE_MS && minute < range.to + MOST_CLOCK_DIFFERENCE_MS,
  );
  const path = joinPaths(near, range);
  const moves = labelMoves(path, horizonsMs, label);
  const outputs = moves.columns.length;
  const block = { values: new Float64Array(times.length * outputs), mask: new Uint8Array(times.length * outputs) };
  let at = 0;
  for (let row = 0; row < times.length; row++) {
    while (at < path.times.length && (path.times[at] as number) < (times[row] as number)) at++;
    const isThere = path.times[at] === times[row] && path.bidTicks[at] === bidTicks[row] && path.askTicks[at] === askTicks[row];
    if (!isThere) continue;
    block.values.set(moves.values.subarray(at * outputs, (at + 1) * outputs), row * outputs);
    block.mask.set(moves.mask.subarray(at * outputs, (at + 1) * outputs), row * outputs);
  }
  return block;
}
