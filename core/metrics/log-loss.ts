/** Mean surprise in nats: -ln of the probability that was given to the class that came. 0 is certainty that was right; ln of the number of classes knows nothing. */

import { CompensatedSum } from "../math/compensated-sum.ts";
import { naturalLog } from "../math/elementary.ts";

/** A float32 probability of 0 would make one row's surprise infinite; the least that a softmax of float32 logits tells apart is about this. */
const LEAST_PROBABILITY = 1e-15;

export function surpriseOf(probability: number): number {
  return -naturalLog(Math.max(probability, LEAST_PROBABILITY));
}

/** @param probabilities [rows, classes] row-major. @param actual [rows] index of the class that came. @returns null without rows. */
export function logLoss(probabilities: ArrayLike<number>, actual: ArrayLike<number>, classes: number): number | null {
  if (probabilities.length !== actual.length * classes)
    throw new RangeError(`${probabilities.length} probabilities for ${actual.length} rows of ${classes} classes`);
  if (actual.length === 0) return null;
  const sum = new CompensatedSum();
  for (let row = 0; row < actual.length; row++) sum.add(surpriseOf(probabilities[row * classes + (actual[row] as number)] as number));
  return sum.value / actual.length;
}
