/**
 * Which rows are fitted, which choose, which are scored: by time, for all markets alike, never shuffled.
 *
 * A fold is fit | validation | test. Between two parts lies a purge, as long as a label reaches ahead and a row looks back together, so that no row of
 * one shares a price with a row of the next (López de Prado 2018, ch. 7). Nothing behind a test block is ever fitted for it, so there is no second side
 * that an embargo would have to keep apart. Validation is the last share of what is fitted.
 */

import { CommandError } from "../command-error.ts";

export interface Fold {
  /** Epoch ms; rows are of the fold's part from the first on and before the second. */
  readonly fitFrom: number;
  readonly validationFrom: number;
  readonly testFrom: number;
  readonly testTo: number;
  /** Row numbers, ascending. */
  readonly fit: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

export interface FoldSettings {
  readonly validationShare: number;
  /** Left out before validation and before the test rows. */
  readonly purgeMs: number;
}

export const DEFAULT_VALIDATION_SHARE = 0.2;
/** With fewer rows than this nothing can be told apart from luck. */
const FEWEST_ROWS = 32;

/** One fold: fitted before `fitUntil`, scored from `testFrom` to `testTo`. */
export function datedFold(
  times: Float64Array,
  dates: { fitUntil: number; testFrom: number; testTo?: number },
  settings: FoldSettings,
): Fold {
  const { fitUntil, testFrom, testTo = Number.POSITIVE_INFINITY } = dates;
  if (testFrom < fitUntil)
    throw new CommandError(`the test rows begin at ${utc(testFrom)}, before fitting ends at ${utc(fitUntil)}: a row would be of both`);
  return foldOf(times, { fitFrom: Number.NEGATIVE_INFINITY, fitUntil, testFrom, testTo }, settings);
}

export interface WalkSettings extends FoldSettings {
  readonly folds: number;
  /** `expanding`: all that came before is fitted; `rolling`: as much as the first fold had. */
  readonly walk: "expanding" | "rolling";
  /** Share of the time that the first fold fits. */
  readonly firstShare: number;
}

export const DEFAULT_FIRST_SHARE = 0.5;

/** Folds whose test blocks follow each other to the end, each scored by what was known before it. */
export function walkForwardFolds(times: Float64Array, settings: WalkSettings): Fold[] {
  const { folds, walk, firstShare } = settings;
  const sorted = times.slice().sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  const begin = sorted[0] as number;
  const end = (sorted.at(-1) as number) + 1;
  const first = at(firstShare);
  return Array.from({ length: folds }, (_, index) => {
    const testFrom = index === 0 ? first : at(firstShare + ((1 - firstShare) * index) / folds);
    const testTo = index === folds - 1 ? end : at(firstShare + ((1 - firstShare) * (index + 1)) / folds);
    const fitFrom = walk === "expanding" ? begin : testFrom - (first - begin);
    return foldOf(times, { fitFrom, fitUntil: testFrom, testFrom, testTo }, settings);
  });
}

interface Bounds {
  readonly fitFrom: number;
  readonly fitUntil: number;
  readonly testFrom: number;
  readonly testTo: number;
}

function foldOf(times: Float64Array, bounds: Bounds, { validationShare, purgeMs }: FoldSettings): Fold {
  if (!(validationShare > 0 && validationShare < 1))
    throw new CommandError(`a validation share of ${validationShare} is no part of a whole`);
  const { fitFrom, fitUntil, testFrom, testTo } = bounds;
  const known = times.filter((time) => time >= fitFrom && time < fitUntil).sort();
  const validationFrom = known[Math.floor((1 - validationShare) * known.length)] ?? Number.NaN;
  // What is left out before the test rows counts from where they begin, however long before that fitting ends.
  const validationEnd = Math.min(fitUntil, testFrom - purgeMs);
  const fold = {
    ...{ fitFrom, validationFrom, testFrom, testTo },
    fit: rowsWhere(times, (time) => time >= fitFrom && time + purgeMs < validationFrom),
    validation: rowsWhere(times, (time) => time >= validationFrom && time < validationEnd),
    test: rowsWhere(times, (time) => time >= testFrom && time < testTo),
  };
  for (const part of ["fit", "validation", "test"] as const) {
    if (fold[part].length >= FEWEST_ROWS) continue;
    throw new CommandError(
      `only ${fold[part].length} rows are left for ${part} of ${utc(fitFrom)} … ${utc(testTo)} (${purgeMs / 1_000} s are left out at each boundary): take other dates, fewer folds or more data`,
    );
  }
  return fold;
}

function rowsWhere(times: Float64Array, belongs: (time: number) => boolean): Uint32Array {
  return Uint32Array.from(times, (_, row) => row).filter((row) => belongs(times[row] as number));
}

function utc(time: number): string {
  return Number.isFinite(time) ? `${new Date(time).toISOString().slice(0, 19)}Z` : time < 0 ? "the beginning" : "the end";
}
