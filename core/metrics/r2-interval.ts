/**
 * How sure an R² is: an interval by circular block bootstrap (D. Politis, J. Romano 1992, "A circular block-resampling procedure for
 * stationary data"). Neighbouring rows share most of their horizon, so rows can't be drawn one by one: blocks of neighbours are drawn,
 * from the data bent into a circle so that each row is drawn equally often. Blocks should be several times the horizon.
 */

import { quantile } from "../math/quantile.ts";
import { type ForecastRows, rowsOf } from "./squared-errors.ts";

export interface BootstrapOptions {
  /** Uniform on [0, 1), seeded by the caller: the same seed gives the same interval. */
  readonly uniform: () => number;
  /** Rows a block. At most the number of rows is used. */
  readonly blockRows: number;
  /** How many times the data are drawn anew. */
  readonly resamples?: number;
  /** Share of resamples that the interval holds. */
  readonly level?: number;
}

export interface R2Interval {
  readonly low: number;
  readonly high: number;
}

const DEFAULT_RESAMPLES = 1_000;
const DEFAULT_LEVEL = 0.95;

/** @returns null when nothing moved (or there are no rows). O(rows + resamples·rows/blockRows). */
export function r2Interval(rows: ForecastRows, options: BootstrapOptions): R2Interval | null {
  const { uniform, blockRows, resamples = DEFAULT_RESAMPLES, level = DEFAULT_LEVEL } = options;
  if (!Number.isSafeInteger(blockRows) || blockRows < 1) throw new RangeError(`blocks of ${blockRows} rows`);
  const gains = cumulativeErrors(rows);
  if (gains.persistence[gains.rows] === 0 || gains.rows === 0) return null;
  const drawn: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    const r2 = drawR2(gains, Math.min(blockRows, gains.rows), uniform);
    // A draw of blocks in which nothing moved says nothing.
    if (r2 !== null) drawn.push(r2);
  }
  const low = quantile(drawn, (1 - level) / 2);
  const high = quantile(drawn, (1 + level) / 2);
  return low === null || high === null ? null : { low, high };
}

/** Squared errors summed up to each row, over the circle gone round twice, so that any block is one difference. */
interface CumulativeErrors {
  rows: number;
  /** [2 rows + 1] */
  model: Float64Array;
  /** [2 rows + 1] */
  persistence: Float64Array;
}

function cumulativeErrors({ actual, predicted }: ForecastRows): CumulativeErrors {
  const rows = rowsOf({ actual, predicted });
  const model = new Float64Array(2 * rows + 1);
  const persistence = new Float64Array(2 * rows + 1);
  for (let at = 0; at < 2 * rows; at++) {
    const move = actual[at % rows] as number;
    const error = move - (predicted[at % rows] as number);
    model[at + 1] = (model[at] as number) + error * error;
    persistence[at + 1] = (persistence[at] as number) + move * move;
  }
  return { rows, model, persistence };
}

/** As many rows as there are, block by block; the last block is cut to fit. */
function drawR2({ rows, model, persistence }: CumulativeErrors, blockRows: number, uniform: () => number): number | null {
  let modelSum = 0;
  let persistenceSum = 0;
  for (let filled = 0; filled < rows; filled += blockRows) {
    const start = Math.floor(uniform() * rows);
    const end = start + Math.min(blockRows, rows - filled);
    modelSum += (model[end] as number) - (model[start] as number);
    persistenceSum += (persistence[end] as number) - (persistence[start] as number);
  }
  return persistenceSum > 0 ? 1 - modelSum / persistenceSum : null;
}
