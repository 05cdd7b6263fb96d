/** Rows as the desk hands them to the inference Worker. */

import type { FeatureSet } from "../../core/features/contract.ts";
import type { RowSet } from "../../workers/inference/contract.ts";

/** @param rows [rows][numbers], oldest first, of whatever lengths. */
export function rowSetOf(
  { fingerprint, columns }: Pick<FeatureSet, "fingerprint" | "columns">,
  rows: readonly (readonly number[])[],
): RowSet {
  return { fingerprint, columns: columns.length, rows: Float64Array.from(rows.flat()) };
}
