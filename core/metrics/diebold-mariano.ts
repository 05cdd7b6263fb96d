/**
 * Is one forecast better than another by more than luck? F. Diebold and R. Mariano 1995, with the small-sample correction of D. Harvey,
 * S. Leybourne and P. Newbold 1997.
 *
 *   d(t) = loss of the naive forecast - loss of the model     DM = mean(d) / √(LRV / n),  LRV = γ0 + 2·Σ_{j<h} w_j·γ_j
 *
 * Forecasts h rows ahead overlap, so their losses are correlated up to lag h - 1. The weights are 1; where that makes LRV not positive (it
 * can), Bartlett's 1 - j/h instead, under which it can't be negative. HLN: DM·√((n + 1 - 2h + h(h-1)/n) / n), against Student's t(n - 1).
 */

import { RunningMoments } from "../math/running-moments.ts";
import { studentTwoSidedP } from "../math/student-t.ts";

export interface DieboldMariano {
  /** Before the correction. Positive: the model's losses are smaller. */
  readonly statistic: number;
  /** After it. */
  readonly correctedStatistic: number;
  /** Two-sided, of the corrected statistic. */
  readonly pValue: number;
  /** Of d, as used. */
  readonly longRunVariance: number;
  readonly weights: "rectangular" | "bartlett";
}

/**
 * @param lossDifferences [n] naive loss less model loss, in order of time.
 * @param horizonRows h, the rows that the forecast looks ahead, at least 1.
 * @returns null where there is no test: n <= h, or differences that do not vary.
 */
export function dieboldMariano(lossDifferences: ArrayLike<number>, horizonRows: number): DieboldMariano | null {
  if (!Number.isSafeInteger(horizonRows) || horizonRows < 1) throw new RangeError(`a horizon of ${horizonRows} rows`);
  const count = lossDifferences.length;
  if (count < 2 || count <= horizonRows) return null;
  // Welford's mean of equal values is that value exactly, so differences that do not vary have no variance from rounding.
  const moments = new RunningMoments();
  for (let at = 0; at < count; at++) moments.add(lossDifferences[at] as number);
  const mean = moments.mean ?? 0;
  const autocovariances = autocovariancesOf(lossDifferences, mean, horizonRows);
  let weights: DieboldMariano["weights"] = "rectangular";
  let longRunVariance = weighted(autocovariances, () => 1);
  if (!(longRunVariance > 0)) {
    weights = "bartlett";
    longRunVariance = weighted(autocovariances, (lag) => 1 - lag / horizonRows);
  }
  if (!(longRunVariance > 0)) return null;
  const statistic = mean / Math.sqrt(longRunVariance / count);
  const shrink = Math.sqrt((count + 1 - 2 * horizonRows + (horizonRows * (horizonRows - 1)) / count) / count);
  const correctedStatistic = statistic * shrink;
  return { statistic, correctedStatistic, pValue: studentTwoSidedP(correctedStatistic, count - 1), longRunVariance, weights };
}

/** γ0 + 2·Σ w_j·γ_j. */
function weighted(autocovariances: readonly number[], weightOf: (lag: number) => number): number {
  return autocovariances.reduce((sum, value, lag) => sum + (lag === 0 ? value : 2 * weightOf(lag) * value), 0);
}

/** γ_0 … γ_{lags-1}, each divided by n. */
function autocovariancesOf(values: ArrayLike<number>, mean: number, lags: number): number[] {
  const autocovariances: number[] = [];
  for (let lag = 0; lag < lags; lag++) {
    let sum = 0;
    for (let at = lag; at < values.length; at++) sum += ((values[at] as number) - mean) * ((values[at - lag] as number) - mean);
    autocovariances.push(sum / values.length);
  }
  return autocovariances;
}
