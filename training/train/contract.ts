/** Rows as every trainer takes them, networks, trees and lines: who prepares them (prepared-rows.ts) and who reads them (input-table.ts) meet here. */

import type { MemoryTable, RawTable } from "../engine/row-source.ts";

/** Prepared already, or raw in the dataset's file and prepared when they are asked for. */
export type InputTable = MemoryTable | RawTable;

/** Row-major. */
export interface PreparedRows {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  /** [rows, columns]; where there are windows, [table rows, columns] of all that they see. */
  readonly inputs: InputTable;
  /** Absent: each row is seen alone, and the table has these rows and no others. */
  readonly windows?: Windows;
  readonly targets: Float32Array;
  readonly mask: Float32Array;
}

/** What is seen with each row: the `size` table rows up to and with it. */
export interface Windows {
  readonly size: number;
  /** [rows] the table row of each. */
  readonly ends: Uint32Array;
}
