/** Pearson's correlation of forecast and move, in one pass (Welford's update of the co-moment). Blind to scale: see it beside R². */

import { type ForecastRows, rowsOf } from "./squared-errors.ts";

/** @returns null when either side does not vary, or there are fewer than two rows. */
export function correlation({ actual, predicted }: ForecastRows): number | null {
  const rows = rowsOf({ actual, predicted });
  let meanActual = 0;
  let meanPredicted = 0;
  let varianceActual = 0;
  let variancePredicted = 0;
  let covariance = 0;
  for (let row = 0; row < rows; row++) {
    const fromActual = (actual[row] as number) - meanActual;
    const fromPredicted = (predicted[row] as number) - meanPredicted;
    meanActual += fromActual / (row + 1);
    meanPredicted += fromPredicted / (row + 1);
    varianceActual += fromActual * ((actual[row] as number) - meanActual);
    variancePredicted += fromPredicted * ((predicted[row] as number) - meanPredicted);
    covariance += fromActual * ((predicted[row] as number) - meanPredicted);
  }
  if (varianceActual === 0 || variancePredicted === 0) return null;
  return covariance / Math.sqrt(varianceActual) / Math.sqrt(variancePredicted);
}
