/**
 * Splits rows by time: the first part trains, the next chooses (early stopping, ridge's lambda), the last is kept untouched for the scores.
 *
 * Between two parts lies a purge: a row's label reaches one horizon ahead and its windows one warm-up back, so the last rows
 * before a boundary, whose label and whose neighbours' features overlap, belong to neither (López de Prado 2018, ch. 7). The boundaries
 * are the same instants for every market, since markets move together.
 */

import { CommandError } from "../command-error.ts";

export interface SplitSettings {
  /** Shares of the rows, by time; the rest is the test part. */
  readonly trainShare: number;
  readonly validationShare: number;
  readonly purgeMs: number;
  /** Rows from this one on are off the whole second (datasets/phases.ts): they may train, and no boundary hangs on them. Absent: there are none. */
  readonly servedRows?: number | undefined;
}

/** Row numbers of each part, ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** Epoch ms: validation starts at the first, the test at the second (null: there is no test part). */
  readonly validationFrom: number;
  readonly testFrom: number | null;
}

/** With fewer rows than this nothing can be told apart from luck. */
const FEWEST_ROWS = 32;

export const DEFAULT_SHARES = { trainShare: 0.7, validationShare: 0.15 } as const;

/** The least purge that leaves no overlap. */
export function purgeFor(horizonsMs: readonly number[], warmupMs: number): number {
  return Math.max(...horizonsMs) + warmupMs;
}

/** @param times [rows] in any order. Throws CommandError when a part would be too small to mean anything. */
export function splitByTime(times: Float64Array, settings: SplitSettings): Split {
  const { trainShare, validationShare, purgeMs } = settings;
  if (!(trainShare > 0 && validationShare > 0 && trainShare + validationShare <= 1)) {
    throw new CommandError(`the shares ${trainShare} to train and ${validationShare} to validate are not parts of one whole`);
  }
  const hasTest = trainShare + validationShare < 1;
  const served = times.subarray(0, settings.servedRows);
  const sorted = served.slice().sort();
  const validationFrom = sorted[Math.floor(sorted.length * trainShare)];
  const testFrom = hasTest ? (sorted[Math.floor(sorted.length * (trainShare + validationShare))] ?? null) : null;
  if (validationFrom === undefined) throw new CommandError(`${times.length} rows are too few to train on: record or simulate longer`);
  const end = testFrom ?? Number.POSITIVE_INFINITY;
  const split = {
    train: rowsWhere(times, (time) => time + purgeMs < validationFrom),
    validation: rowsWhere(served, (time) => time >= validationFrom && time + (hasTest ? purgeMs : 0) < end),
    test: rowsWhere(served, (time) => time >= end),
    validationFrom,
    testFrom,
  };
  for (const part of ["train", "validation"] as const) {
    if (split[part].length >= FEWEST_ROWS) continue;
    const purge = purgeMs / 1_000;
    throw new CommandError(
      `only ${split[part].length} rows are left to ${part === "train" ? "train" : "validate"} on, of ${times.length} (${purge} s are purged at each boundary: the longest horizon, and how far a row looks back): record or simulate longer, or leave long horizons out with --horizons`,
    );
  }
  return split;
}

function rowsWhere(times: Float64Array, belongs: (time: number) => boolean): Uint32Array {
  const rows = new Uint32Array(times.length);
  let count = 0;
  for (let row = 0; row < times.length; row++) if (belongs(times[row] as number)) rows[count++] = row;
  return rows.slice(0, count);
}
