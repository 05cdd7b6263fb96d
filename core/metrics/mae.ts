/**
 * Mean absolute error in bps, and its skill against persistence: 1 - MAE / MAE0. At a few seconds most moves are exactly zero and "no
 * change" has the smaller absolute error, also beside a model with a good R²: this is why both are shown.
 */

import { CompensatedSum } from "../math/compensated-sum.ts";
import { type ForecastRows, rowsOf } from "./squared-errors.ts";

export interface MaeScore {
  readonly mae: number;
  readonly persistenceMae: number;
  /** Null when nothing moved. */
  readonly skill: number | null;
}

/** @returns null when there are no rows. */
export function maeScore({ actual, predicted }: ForecastRows): MaeScore | null {
  const rows = rowsOf({ actual, predicted });
  if (rows === 0) return null;
  const model = new CompensatedSum();
  const persistence = new CompensatedSum();
  for (let row = 0; row < rows; row++) {
    const move = actual[row] as number;
    model.add(Math.abs(move - (predicted[row] as number)));
    persistence.add(Math.abs(move));
  }
  const skill = persistence.value === 0 ? null : 1 - model.value / persistence.value;
  return { mae: model.value / rows, persistenceMae: persistence.value / rows, skill };
}
