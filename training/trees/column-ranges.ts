/** How columns are shared out as tasks: a range never leaves its block, since a row's bins of one block lie together. */

import type { MemoryPlan } from "./memory-plan.ts";

/** Columns of one block, looked at as one task. */
export interface ColumnRange {
  readonly block: number;
  readonly from: number;
  readonly to: number;
  /** Places in the thread's list of columns. */
  readonly listed: number;
  readonly listFrom: number;
}

/** Each block in `share` ranges, as far as it has columns. */
export function rangesOf({ blocks, blockColumns }: MemoryPlan, columns: number, share: number): ColumnRange[] {
  return Array.from({ length: blocks }, (_, block) => {
    const first = block * blockColumns;
    const width = Math.min(blockColumns, columns - first);
    return cutEvenly(width, share).map(({ from, to }) => ({ block, from: first + from, to: first + to, listFrom: 0, listed: 0 }));
  }).flat();
}

/** Of columns that were drawn, ascending, each block in `share` ranges. */
export function listedRangesOf(columns: readonly number[], blockColumns: number, share: number): ColumnRange[] {
  const ranges: ColumnRange[] = [];
  for (let start = 0; start < columns.length; ) {
    const block = Math.floor((columns[start] as number) / blockColumns);
    let end = start;
    while (end < columns.length && Math.floor((columns[end] as number) / blockColumns) === block) end++;
    for (const { from, to } of cutEvenly(end - start, share)) {
      const first = columns[start + from] as number;
      const last = columns[start + to - 1] as number;
      ranges.push({ block, from: first, to: last + 1, listFrom: start + from, listed: to - from });
    }
    start = end;
  }
  return ranges;
}

function cutEvenly(length: number, parts: number): { from: number; to: number }[] {
  const count = Math.min(length, parts);
  return Array.from({ length: count }, (_, part) => ({
    from: Math.floor((length * part) / count),
    to: Math.floor((length * (part + 1)) / count),
  }));
}
