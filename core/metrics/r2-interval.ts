/**
 * How sure an R² is: an interval by circular block bootstrap (D. Politis, J. Romano 1992, "A circular block-resampling procedure for
 * stationary data"). Neighbouring rows share most of their horizon, so rows can't be drawn one by one: blocks of neighbours are drawn,
 * from the data bent into a circle so that each row is drawn equally often. Blocks should be several times the horizon.
 */

import { quantile } from "../math/quantile.ts";
import { summedByMoment } from "./moments.ts";
import { type ForecastRows, rowsOf } from "./squared-errors.ts";

export interface BootstrapOptions {
  /** Uniform on [0, 1), seeded by the caller: the same seed gives the same interval. */
  readonly uniform: () => number;
  /** Rows a block, or moments where rows share some. At most as many as there are are used. */
  readonly blockRows: number;
  /** [rows] which moment each is of (moments.ts): whole moments are drawn. Null or absent: each row is its own. */
  readonly moments?: Uint32Array | null;
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
  const { uniform, blockRows, moments = null, resamples = DEFAULT_RESAMPLES, level = DEFAULT_LEVEL } = options;
  if (!Number.isSafeInteger(blockRows) || blockRows < 1) throw new RangeError(`blocks of ${blockRows} rows`);
  const gains = cumulativeErrors(rows, moments);
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

function cumulativeErrors({ actual, predicted }: ForecastRows, moments: Uint32Array | null): CumulativeErrors {
  const squares = { model: new Float64Array(rowsOf({ actual, predicted })), persistence: new Float64Array(actual.length) };
  for (let row = 0; row < actual.length; row++) {
    const move = actual[row] as number;
    const error = move - (predicted[row] as number);
    squares.model[row] = error * error;
    squares.persistence[row] = move * move;
  }
  const [model, persistence] = [squares.model, squares.persistence].map((each) => twiceRound(summedByMoment(each, moments))) as [
    Float64Array,
    Float64Array,
  ];
  return { rows: (model.length - 1) / 2, model, persistence };
}

/** [2 rows + 1] sums of what came before each row. */
function twiceRound(values: Float64Array): Float64Array {
  const sums = new Float64Array(2 * values.length + 1);
  for (let at = 0; at < 2 * values.length; at++) sums[at + 1] = (sums[at] as number) + (values[at % values.length] as number);
  return sums;
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
