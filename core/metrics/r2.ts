/**
 * R² against persistence: 1 - MSE(model) / MSE(persistence). About zero, not about the mean: above 0 beats "the price stays".
 * 0.10 is excellent at ten seconds, 0.01 worth having at minutes; far more is a reason to look for a leak.
 */

import { type ForecastRows, squaredErrors } from "./squared-errors.ts";

/** @returns null when nothing moved (or there are no rows): persistence can't be beaten then, nor measured against. */
export function r2AgainstPersistence(rows: ForecastRows): number | null {
  const errors = squaredErrors(rows);
  return errors.persistence === 0 ? null : 1 - errors.model / errors.persistence;
}
