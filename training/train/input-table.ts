/**
 * Prepared inputs: float32 rows in memory, or the raw rows in the dataset's file, which are prepared when they are asked for. Preparing is cheap beside reading,
 * and leaves no second file to look after; the numbers are the same bits either way.
 */

import { prepareInput } from "../../models/prepare.ts";
import { eachFeatureRow } from "../datasets/feature-rows.ts";
import type { RawTable } from "../engine/row-source.ts";
import type { LinearRows, RowBlock } from "../linear/rows.ts";
import type { PreparedRows } from "./contract.ts";

/** Prepared rows in memory at a time, where they lie in a file: 4 MB. */
const BLOCK_FLOATS = 1_048_576;

type Seen = Pick<PreparedRows, "rows" | "columns" | "inputs" | "windows">;

/** How many numbers one row is seen with. */
export function floatsOf({ columns, windows }: Pick<Seen, "columns" | "windows">): number {
  return (windows?.size ?? 1) * columns;
}

/**
 * What rows [first, first + count) are seen with, [count, window x columns]; may be a view.
 * @param scratch where it may be written; it holds as many numbers at least.
 */
export function inputsBetween(rows: Seen, { first, count }: { first: number; count: number }, scratch?: Float32Array): Float32Array {
  const { inputs, columns, windows } = rows;
  if (inputs.kind === "memory" && windows === undefined) return inputs.values.subarray(first * columns, (first + count) * columns);
  const ends = Uint32Array.from({ length: count }, (_, index) => windows?.ends[first + index] ?? first + index);
  return windowsOf(rows, ends, scratch);
}

/** All of it, in memory. */
export function allInputs(rows: Seen): Float32Array {
  return inputsBetween(rows, { first: 0, count: rows.rows });
}

/** The newest row of each of `wanted` (places among the rows, ascending), one behind the other. */
export function copyInputs({ inputs, columns, windows }: Seen, wanted: Uint32Array, into: Float32Array): void {
  const rows = windows === undefined ? wanted : wanted.map((row) => windows.ends[row] as number);
  if (inputs.kind === "raw") prepareInto(inputs, { rows, columns, out: into });
  else for (const [index, row] of rows.entries()) into.set(inputs.values.subarray(row * columns, (row + 1) * columns), index * columns);
}

/** @param ends the row of the table with which each window ends, ascending. */
export function windowsOf(
  { inputs, columns, windows }: Pick<Seen, "columns" | "inputs" | "windows">,
  ends: Uint32Array,
  scratch?: Float32Array,
): Float32Array {
  const size = windows?.size ?? 1;
  const length = ends.length * size * columns;
  const out = scratch?.subarray(0, length) ?? new Float32Array(length);
  if (inputs.kind === "raw" && size === 1) {
    prepareInto(inputs, { rows: ends, columns, out });
    return out;
  }
  const { values, places } =
    inputs.kind === "memory" ? { values: inputs.values, places: ends } : preparedWindows(inputs, ends, { size, columns });
  for (const [index, end] of places.entries())
    out.set(values.subarray((end + 1 - size) * columns, (end + 1) * columns), index * size * columns);
  return out;
}

/** The rows that any of the windows sees, each once; `places` says where among them each window ends. */
function preparedWindows(
  inputs: RawTable,
  ends: Uint32Array,
  { size, columns }: { size: number; columns: number },
): { values: Float32Array; places: Uint32Array } {
  const rows = new Uint32Array(ends.length * size);
  let count = 0;
  const places = ends.map((end) => {
    const next = count === 0 ? 0 : (rows[count - 1] as number) + 1;
    for (let row = Math.max(next, end + 1 - size); row <= end; row++) rows[count++] = row;
    return count - 1;
  });
  const values = new Float32Array(count * columns);
  prepareInto(inputs, { rows: rows.subarray(0, count), columns, out: values });
  return { values, places };
}

/** For lines, which see the newest row of each window alone: all at once, or a block at a time, begun anew at each pass. */
export function linearRows(rows: PreparedRows): LinearRows {
  const { inputs, windows, ...others } = rows;
  if (inputs.kind === "memory") return { ...others, inputs: inputs.values, ...(windows === undefined ? {} : { windows }) };
  return { [Symbol.iterator]: () => newestBlocks(rows, inputs) };
}

function* newestBlocks({ rows, columns, outputs, windows, targets, mask }: PreparedRows, inputs: RawTable): Generator<RowBlock> {
  const blockRows = Math.max(1, Math.floor(BLOCK_FLOATS / columns));
  // Written over at each turn: a block is done with when the next is asked for.
  const scratch = new Float32Array(Math.min(blockRows, rows) * columns);
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first);
    const chosen = Uint32Array.from({ length: count }, (_, index) => windows?.ends[first + index] ?? first + index);
    const out = scratch.subarray(0, count * columns);
    prepareInto(inputs, { rows: chosen, columns, out });
    const cells = [first * outputs, (first + count) * outputs] as const;
    yield { rows: count, columns, outputs, inputs: out, targets: targets.subarray(...cells), mask: mask.subarray(...cells) };
  }
}

/** @param rows of the table, ascending. */
function prepareInto(
  { path, normaliser }: RawTable,
  { rows, columns, out }: { rows: Uint32Array; columns: number; out: Float32Array },
): void {
  eachFeatureRow({ features: { kind: "file", path }, columns }, rows, (values, offset, index) =>
    prepareInput(values.subarray(offset, offset + columns), normaliser, out, index * columns),
  );
}
