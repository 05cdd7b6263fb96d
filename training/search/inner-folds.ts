/**
 * Walk-forward folds inside the training part: each trains on all that came before its boundary and validates on the stretch behind it, so that
 * every choice is made as it would have been at the time. As at the boundaries of a run, a purge lies between (train/split.ts). Neither the run's
 * validation part nor its test part is looked at: they have to judge what the search chose.
 *
 *   fold 1   train ░ validate
 *   fold 2   train · · · · · ░ validate
 *   fold 3   train · · · · · · · · · · ░ validate
 */

import { CommandError } from "../command-error.ts";

/** Row numbers, ascending. */
export interface InnerFold {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  /** Epoch ms: where validation starts. */
  readonly boundary: number;
}

/** As in train/split.ts: with fewer, nothing can be told from luck. */
const FEWEST_ROWS = 32;

/**
 * @param times [rows of the dataset]
 * @param rows of the training part; nothing else gets into a fold.
 * @throws CommandError when a fold would be too small to mean anything.
 */
export function innerFolds(times: Float64Array, rows: Uint32Array, options: { folds: number; purgeMs: number }): InnerFold[] {
  const { folds, purgeMs } = options;
  if (!Number.isSafeInteger(folds) || folds < 1) throw new CommandError(`--folds ${folds} is not a positive whole number`);
  const timeOf = (row: number): number => times[row] as number;
  const sorted = Float64Array.from(rows, timeOf).sort();
  // One part more than folds: the first is only ever trained on.
  const boundaries = Array.from(
    { length: folds },
    (_, fold) => sorted[Math.floor((sorted.length * (fold + 1)) / (folds + 1))] ?? Number.NaN,
  );
  return boundaries.map((boundary, index) => {
    const end = boundaries[index + 1] ?? Number.POSITIVE_INFINITY;
    const fold = {
      train: rows.filter((row) => timeOf(row) + purgeMs < boundary),
      validation: rows.filter((row) => timeOf(row) >= boundary && timeOf(row) < end),
      boundary,
    };
    for (const part of ["train", "validation"] as const) {
      if (fold[part].length >= FEWEST_ROWS) continue;
      throw new CommandError(
        `fold ${index + 1} of ${folds} has ${fold[part].length} rows to ${part === "train" ? "train" : "validate"} on (${purgeMs / 1_000} s are purged at its boundary): fewer --folds, or more data`,
      );
    }
    return fold;
  });
}
