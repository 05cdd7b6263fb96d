/** Quantiles of a sample, linear between order statistics (Hyndman and Fan 1996, type 7: the default of R and NumPy). */

/**
 * @param sorted ascending, without NaN.
 * @param share 0 (the smallest) to 1 (the largest).
 * @returns null when the sample is empty.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number | null {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`quantile at ${share}`);
  if (sorted.length === 0) return null;
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  if (below === place) return low;
  const high = sorted[below + 1] as number;
  // Rounding may carry the sum an ulp past the upper neighbour: a quantile must not fall as the share rises.
  return Math.min(high, low + (place - below) * (high - low));
}

/** The same of an unsorted sample, which is left as it is. O(n log n). */
export function quantile(values: ArrayLike<number>, share: number): number | null {
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}
