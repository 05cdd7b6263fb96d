/**
 * Matthews' correlation of classes, for any number of them (J. Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient"):
 *
 *   (hits·n - Σ came·said) / √((n² - Σ said²) · (n² - Σ came²))
 *
 * 1: all right; 0: as good as chance with the same shares, as whoever always says one class; unlike accuracy it can't be bought by saying the commonest.
 */

import { marginsOf } from "./confusion.ts";

/** @param counts as confusionCounts gives them. @returns null without rows, or where only one class came; 0 where one class alone was said. */
export function matthewsCorrelation(counts: ArrayLike<number>, classes: number): number | null {
  const { total, hits, came, said } = marginsOf(counts, classes);
  const dot = (one: Float64Array, other: Float64Array): number =>
    one.reduce((sum, value, label) => sum + value * (other[label] as number), 0);
  const cameSpread = total * total - dot(came, came);
  const saidSpread = total * total - dot(said, said);
  if (cameSpread === 0) return null;
  if (saidSpread === 0) return 0;
  return (hits * total - dot(came, said)) / Math.sqrt(cameSpread * saidSpread);
}
