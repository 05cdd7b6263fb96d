/** How often the forecast has the right sign, among the rows where the price moved. A forecast of exactly no move is wrong there. */

import { type ForecastRows, rowsOf } from "./squared-errors.ts";

export interface DirectionScore {
  /** Null when nothing moved. */
  readonly hitRate: number | null;
  readonly hits: number;
  /** Rows with a move. */
  readonly moves: number;
  readonly rows: number;
}

export function directionScore({ actual, predicted }: ForecastRows): DirectionScore {
  const rows = rowsOf({ actual, predicted });
  let hits = 0;
  let moves = 0;
  for (let row = 0; row < rows; row++) {
    const sign = Math.sign(actual[row] as number);
    if (sign === 0) continue;
    moves++;
    if (Math.sign(predicted[row] as number) === sign) hits++;
  }
  return { hitRate: moves === 0 ? null : hits / moves, hits, moves, rows };
}
