/** Which rows have a whole window behind them: `window` rows of one segment, one grid step apart, the row itself the last. */

/** @param segments [rows] of a dataset: rows with the same number follow each other without a gap. @returns those that have one, ascending. */
export function windowEnds(segments: Uint32Array, window: number): Uint32Array {
  const rows = Uint32Array.from(segments, (_, row) => row);
  return window === 1 ? rows : rows.filter((row) => row >= window - 1 && segments[row - window + 1] === segments[row]);
}
