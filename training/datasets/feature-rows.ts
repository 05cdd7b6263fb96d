/**
 * Where the raw feature rows of a dataset lie: in memory, or, where they are more than that allows, in their file, of which some megabytes are read at a
 * time. Whoever passes over rows gets the same numbers in the same order either way.
 *
 * The file was proved when the dataset was read (dataset-reader.ts); a file that is cut since is an error where it ends, and other numbers in it go unseen.
 */

import { closeSync, openSync, readSync } from "node:fs";

/** Row-major [rows, columns] float64 in the byte order of the machine. */
export type FeatureRows = { readonly kind: "memory"; readonly values: Float64Array } | { readonly kind: "file"; readonly path: string };

/** What of a dataset tells where its rows are. */
export interface FeatureTable {
  readonly features: FeatureRows;
  readonly columns: number;
}

/** Read at a time: long enough that the disk isn't waited for at each turn, short enough for the caches. */
const BLOCK_BYTES = 4 << 20;

/**
 * Calls `visit` for each of `rows` (ascending), which lies in `values` from `offset` on until the next call.
 * @param visit its `index` is the row's place among `rows`.
 */
export function eachFeatureRow(
  { features, columns }: FeatureTable,
  rows: Uint32Array,
  visit: (values: Float64Array, offset: number, index: number) => void,
): void {
  if (features.kind === "memory") {
    for (let index = 0; index < rows.length; index++) visit(features.values, (rows[index] as number) * columns, index);
    return;
  }
  const blockRows = blockRowsFor(columns);
  const last = rows.at(-1) ?? -1;
  const file = openSync(features.path, "r");
  try {
    // One for all: new ones at each turn would lie about until they are collected.
    const block = new Float64Array(Math.min(blockRows, last + 1) * columns);
    let [first, end] = [0, 0];
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number;
      if (row < first || row >= end) {
        first = row;
        end = Math.min(row + blockRows, last + 1);
        readInto(file, block.subarray(0, (end - first) * columns), { first, columns, path: features.path });
      }
      visit(block, (row - first) * columns, index);
    }
  } finally {
    closeSync(file);
  }
}

/** Rows [first, first + count), which may be a view. */
export function featureRange({ features, columns }: FeatureTable, { first, count }: { first: number; count: number }): Float64Array {
  if (features.kind === "memory") return features.values.subarray(first * columns, (first + count) * columns);
  const file = openSync(features.path, "r");
  try {
    const values = new Float64Array(count * columns);
    readInto(file, values, { first, columns, path: features.path });
    return values;
  } finally {
    closeSync(file);
  }
}

/** All rows, in memory; may be the table's own. */
export function allFeatures(table: FeatureTable & { readonly rows: number }): Float64Array {
  return featureRange(table, { first: 0, count: table.rows });
}

/** How many rows are read at a time. */
export function blockRowsFor(columns: number): number {
  return Math.max(1, Math.floor(BLOCK_BYTES / (8 * columns)));
}

/** Fills `values` with the rows from `first` on. */
function readInto(file: number, values: Float64Array, { first, columns, path }: { first: number; columns: number; path: string }): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(file, bytes, done, bytes.length - done, first * columns * 8 + done);
    if (read === 0) throw new Error(`${path} ends before row ${first + values.length / columns}: it was changed while it was read`);
    done += read;
  }
}
