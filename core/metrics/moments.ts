/**
 * Rows of one moment. What several markets do at the same time is not independent: their rows are one observation wherever it is asked how sure a score
 * is, and their errors are summed before blocks are drawn or lags are counted.
 */

/** @param times [rows] of any order. @returns [rows] which moment each row is of, from the earliest; null where no two rows share one and they are in order. */
export function momentsOf(times: ArrayLike<number>): Uint32Array | null {
  if (isAscending(times)) return null;
  const placeOf = new Map([...new Set(Array.from(times))].sort((one, other) => one - other).map((time, place) => [time, place]));
  return Uint32Array.from(times, (time) => placeOf.get(time) as number);
}

/** How many moments there are; null: as many as rows. */
export function countOf(moments: Uint32Array | null): number | null {
  return moments === null ? null : moments.reduce((most, moment) => Math.max(most, moment + 1), 0);
}

/** [moments] sums of the rows of each; the values themselves where every row is a moment. */
export function summedByMoment(values: Float64Array, moments: Uint32Array | null): Float64Array {
  if (moments === null) return values;
  if (moments.length !== values.length) throw new RangeError(`${values.length} values of ${moments.length} rows`);
  const sums = new Float64Array(countOf(moments) ?? 0);
  for (const [row, moment] of moments.entries()) sums[moment] = (sums[moment] as number) + (values[row] as number);
  return sums;
}

function isAscending(times: ArrayLike<number>): boolean {
  for (let row = 1; row < times.length; row++) if ((times[row] as number) <= (times[row - 1] as number)) return false;
  return true;
}
