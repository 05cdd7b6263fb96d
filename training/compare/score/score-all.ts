/** Every model's forecasts against what the test rows of all folds came to: the one place where those moves are looked at. */

import { type ForecastScore, scoreForecasts } from "../../evaluate/forecast-score.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { Fold } from "../folds.ts";
import { calibratedRows } from "./calibrate-folds.ts";
import { answersAt, type ModelAnswers, type ScoredCells, scoredCells } from "./scored-cells.ts";
import { type SliceScore, scoreSlices, slicingsOf } from "./slices.ts";

/** Which model others are tested against. */
export const REFERENCE = "ridge";

export interface ModelScores {
  /** Of outputs that moved. */
  readonly scores: readonly ForecastScore[];
  /** Of the mid. */
  readonly slices: readonly SliceScore[];
}

/** @returns [models] */
export function scoreAll(data: AlignedData, folds: readonly Fold[], models: readonly ModelAnswers[]): ModelScores[] {
  const reference = models.find(({ id }) => id === REFERENCE) ?? null;
  const rows = data.columns.map((_, output) => scoredCells(data, folds, output));
  const slicings = slicingsOf(data, folds);
  return models.map((model) => {
    const scores = data.columns.flatMap((column, output) => {
      const cells = rows[output] as ScoredCells;
      const ridge = reference === null || model === reference ? null : answersAt(reference, cells);
      const said = calibratedRows({ data, folds }, model, { cells, output });
      return (
        scoreForecasts(column, { ...cells, actual: cells.moves, predicted: answersAt(model, cells), ridge, said }, data.intervalMs) ?? []
      );
    });
    const slices = data.columns.flatMap(({ target, horizonMs }, output) => {
      const cells = rows[output] as ScoredCells;
      return target === "mid" ? scoreSlices(slicings, { cells, predicted: answersAt(model, cells), horizonMs }) : [];
    });
    return { scores, slices };
  });
}
