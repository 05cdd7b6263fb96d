/** Which rows have a whole window behind them: `window` rows of one segment, one grid step apart, the row itself the last. */

/** @param segments [rows] of a dataset: rows with the same number follow each other without a gap. @returns those of `rows` that have one, in their order. */
export function rowsWithHistory(segments: Uint32Array, rows: Uint32Array, window: number): Uint32Array {
  if (window === 1) return rows;
  return rows.filter((row) => row >= window - 1 && segments[row - window + 1] === segments[row]);
}
