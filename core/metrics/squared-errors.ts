/**
 * Sums of squared error of a forecast of moves and of persistence, which forecasts no move at all. All metrics here take moves
 * (a forecast price less the present one, in bps), so that persistence's error is the move itself.
 */

import { CompensatedSum } from "../math/compensated-sum.ts";

/** [rows] each: what came, and what was forecast. Rows without a label must have been left out. */
export interface ForecastRows {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
}

export interface SquaredErrors {
  readonly rows: number;
  readonly model: number;
  readonly persistence: number;
}

export function squaredErrors({ actual, predicted }: ForecastRows): SquaredErrors {
  const rows = rowsOf({ actual, predicted });
  const model = new CompensatedSum();
  const persistence = new CompensatedSum();
  for (let row = 0; row < rows; row++) {
    const move = actual[row] as number;
    const error = move - (predicted[row] as number);
    model.add(error * error);
    persistence.add(move * move);
  }
  return { rows, model: model.value, persistence: persistence.value };
}

/** @throws when the two differ in length. */
export function rowsOf({ actual, predicted }: ForecastRows): number {
  if (actual.length !== predicted.length) throw new RangeError(`${actual.length} moves beside ${predicted.length} forecasts`);
  return actual.length;
}
