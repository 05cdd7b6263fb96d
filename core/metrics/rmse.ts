/** Root mean squared error in bps, and its skill against persistence: 1 - RMSE / RMSE0 = 1 - √(1 - R²). R² 0.10 is a skill of 5.1 %. */

import { type ForecastRows, squaredErrors } from "./squared-errors.ts";

export interface RmseScore {
  readonly rmse: number;
  readonly persistenceRmse: number;
  /** Null when nothing moved. */
  readonly skill: number | null;
}

/** @returns null when there are no rows. */
export function rmseScore(rows: ForecastRows): RmseScore | null {
  const errors = squaredErrors(rows);
  if (errors.rows === 0) return null;
  const rmse = Math.sqrt(errors.model / errors.rows);
  const persistenceRmse = Math.sqrt(errors.persistence / errors.rows);
  return { rmse, persistenceRmse, skill: persistenceRmse === 0 ? null : 1 - rmse / persistenceRmse };
}
