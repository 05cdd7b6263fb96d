/** Brier's score of class probabilities (G. Brier 1950): the mean over rows of Σ (probability - what came)² over the classes. 0 is best, 2 worst. */

import { CompensatedSum } from "../math/compensated-sum.ts";

/** Of one row. @param probabilities [classes] */
export function brierOf(probabilities: ArrayLike<number>, actual: number): number {
  let sum = 0;
  for (let label = 0; label < probabilities.length; label++) {
    const error = (probabilities[label] as number) - (label === actual ? 1 : 0);
    sum += error * error;
  }
  return sum;
}

/** @param probabilities [rows, classes] row-major. @returns null without rows. */
export function brierScore(probabilities: Float64Array, actual: ArrayLike<number>, classes: number): number | null {
  if (actual.length === 0) return null;
  const sum = new CompensatedSum();
  for (let row = 0; row < actual.length; row++)
    sum.add(brierOf(probabilities.subarray(row * classes, (row + 1) * classes), actual[row] as number));
  return sum.value / actual.length;
}
