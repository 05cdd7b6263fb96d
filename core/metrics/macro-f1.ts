/**
 * Macro-F1: the mean over the classes of F1 = 2·hits / (came + said), each class counting alike, however rare (C. van Rijsbergen 1979 for F1). A class
 * that came but was never said has 0; one that neither came nor was said has no F1 and is left out.
 */

import { marginsOf } from "./confusion.ts";

/** @param counts as confusionCounts gives them. @returns null without rows. */
export function macroF1(counts: ArrayLike<number>, classes: number): number | null {
  const { total, came, said } = marginsOf(counts, classes);
  if (total === 0) return null;
  let [sum, present] = [0, 0];
  for (let label = 0; label < classes; label++) {
    const mentions = (came[label] as number) + (said[label] as number);
    if (mentions === 0) continue;
    sum += (2 * (counts[label * classes + label] as number)) / mentions;
    present++;
  }
  return sum / present;
}
