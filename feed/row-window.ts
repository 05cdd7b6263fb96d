/**
 * The newest feature rows of one set, as many as the longest window that is served, in one array that is never moved or grown.
 *
 * Only warm rows that follow each other second by second: a break between segments empties it, so that no window spans one.
 */

import type { FeatureRow } from "../core/features/contract.ts";

/** The longest window that is served (decision 0023): 136 kB of v2. Families of longer ones, mlplob and resnet1d, can't be served from it. */
export const MAX_WINDOW_ROWS = 128;

export class RowWindow {
  /** [MAX_WINDOW_ROWS, columns], a ring. */
  private readonly rows: Float64Array;
  readonly columns: number;
  private next = 0;
  private held = 0;
  private segment = 0;

  constructor(columns: number) {
    this.columns = columns;
    this.rows = new Float64Array(MAX_WINDOW_ROWS * columns);
  }

  /** How many rows there are, up to MAX_WINDOW_ROWS. */
  get count(): number {
    return this.held;
  }

  /** The row is copied. */
  push({ row, isWarm, segment }: FeatureRow): void {
    if (segment !== this.segment) this.clear();
    this.segment = segment;
    if (!isWarm) return;
    this.rows.set(row, this.next * this.columns);
    this.next = (this.next + 1) % MAX_WINDOW_ROWS;
    this.held = Math.min(this.held + 1, MAX_WINDOW_ROWS);
  }

  clear(): void {
    this.held = 0;
  }

  /** @param length at most `count`. @returns [length x columns], copied, oldest first. */
  newest(length: number): Float64Array {
    if (length > this.held) throw new RangeError(`${length} rows of a window that holds ${this.held}`);
    const newest = new Float64Array(length * this.columns);
    // Those before the ring's end, then those from its beginning.
    const older = Math.max(0, length - this.next);
    newest.set(this.rows.subarray((MAX_WINDOW_ROWS - older) * this.columns), 0);
    newest.set(this.rows.subarray((this.next + older - length) * this.columns, this.next * this.columns), older * this.columns);
    return newest;
  }
}
