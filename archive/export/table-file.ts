/** A table being written, whatever its form. Memory is bounded: rows leave at `drained`. */

import type { Row } from "./tables.ts";

export interface TableFile {
  readonly path: string;
  readonly rows: number;
  add(row: Row): void;
  drained(): Promise<void>;
  /** @returns the file's size in bytes. */
  close(): Promise<number>;
}
