/**
 * How well a row's normalised numbers come back, beside their mean over the training rows, which is 0 in these units: 1 - error / error of the mean, in all
 * and for each column, the worst first. Of a window all its rows count.
 */

import { Random } from "../../core/math/random.ts";
import { blockIntervals } from "../../core/metrics/block-interval.ts";
import { BOOTSTRAP_SEED, blockRowsFor, FEWEST_BLOCKS, RESAMPLES } from "./scores.ts";

export interface ReconstructionScore {
  readonly rows: number;
  /** Mean squared error, in squared standard deviations. */
  readonly error: number;
  readonly meanError: number;
  /** 1 - error / meanError, with its interval by blocks. */
  readonly r2: number;
  readonly r2Low: number;
  readonly r2High: number;
  /** The worst first; columns that don't vary are left out. */
  readonly columns: readonly { readonly column: string; readonly error: number; readonly meanError: number; readonly r2: number }[];
}

export interface ReconstructedRows {
  readonly rows: number;
  /** [rows, window x columns] */
  readonly targets: Float32Array;
  readonly answers: Float32Array;
  readonly columns: readonly string[];
}

/** Windows overlap: rows that far apart tell something new. @returns null where there are too few rows, or nothing varies. */
export function scoreReconstruction(
  { rows, targets, answers, columns }: ReconstructedRows,
  { windowMs, intervalMs }: { windowMs: number; intervalMs: number },
): ReconstructionScore | null {
  const blockRows = blockRowsFor(rows, windowMs, intervalMs);
  if (rows < FEWEST_BLOCKS * blockRows) return null;
  const width = targets.length / rows;
  const byColumn = new Float64Array(2 * columns.length);
  const byRow = new Float64Array(2 * rows);
  for (let cell = 0; cell < targets.length; cell++) {
    const truth = targets[cell] as number;
    const error = truth - (answers[cell] as number);
    const [row, column] = [Math.floor(cell / width), (cell % width) % columns.length];
    for (const [at, square] of [error * error, truth * truth].entries()) {
      byColumn[2 * column + at] = (byColumn[2 * column + at] as number) + square;
      byRow[2 * row + at] = (byRow[2 * row + at] as number) + square;
    }
  }
  const [error, meanError] = [0, 1].map((at) => byRow.reduce((sum, value, cell) => (cell % 2 === at ? sum + value : sum), 0)) as [
    number,
    number,
  ];
  const random = new Random(BOOTSTRAP_SEED);
  const add = (row: number, out: Float64Array): void => out.set(byRow.subarray(2 * row, 2 * row + 2));
  const { r2 } = blockIntervals(
    { rows, width: 2, add },
    { r2: shareOf },
    { uniform: () => random.uniform(), blockRows, resamples: RESAMPLES },
  );
  if (meanError === 0 || r2 === null) return null;
  const cells = targets.length / columns.length;
  return {
    rows,
    error: error / targets.length,
    meanError: meanError / targets.length,
    r2: 1 - error / meanError,
    r2Low: r2.low,
    r2High: r2.high,
    columns: columns
      .map((column, at) => ({ column, error: (byColumn[2 * at] as number) / cells, meanError: (byColumn[2 * at + 1] as number) / cells }))
      .filter((one) => one.meanError > 0)
      .map((one) => ({ ...one, r2: 1 - one.error / one.meanError }))
      .toSorted((one, other) => one.r2 - other.r2),
  };
}

function shareOf(sums: Float64Array): number | null {
  const [error = 0, meanError = 0] = sums;
  return meanError > 0 ? 1 - error / meanError : null;
}
