/** Which part in training each minute has: the SPLITS variable (core/labels/split.ts). */

import { parseSplitSchedule, type SplitSchedule } from "../core/labels/split.ts";

/** @throws Error that says what is wrong with the variable: a label once written stays, so none is better than one of a guess. */
export function configuredSplits(text: string): SplitSchedule {
  const splits = parseSplitSchedule(text);
  if ("malformed" in splits) throw new Error(splits.malformed);
  return splits;
}
