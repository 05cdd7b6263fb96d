/** Every model's forecasts against what the test rows of all folds came to: the one place where those moves are looked at. */

import { type ForecastScore, scoreForecasts } from "../../evaluate/forecast-score.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { FittedModel } from "../contract.ts";
import type { Fold } from "../folds.ts";
import { calibratedRows } from "./calibrate-folds.ts";
import { type SliceScore, scoreSlices, slicingsOf } from "./slices.ts";

/** Which model others are tested against. */
export const REFERENCE = "ridge";

export interface ModelAnswers {
  readonly id: string;
  /** Fold by fold; [rows, outputs] bps. */
  readonly folds: readonly Pick<FittedModel, "validation" | "test" | "probabilities">[];
}

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

/** Of one output, the test rows with a move, over all folds in order of time. */
export interface ScoredCells {
  /** [cells] */
  readonly foldOf: Uint32Array;
  /** [cells] place in the fold's answers. */
  readonly cellOf: Uint32Array;
  /** [cells] row of the data. */
  readonly rowOf: Uint32Array;
  /** [cells] epoch ms */
  readonly times: Float64Array;
  /** [cells] bps */
  readonly moves: Float64Array;
}

export function scoredCells({ targets, mask, columns, times }: AlignedData, folds: readonly Fold[], output: number): ScoredCells {
  const outputs = columns.length;
  const cells = folds.flatMap(({ test }, fold) =>
    Array.from(test, (row, at) => ({ fold, cell: at * outputs + output, row })).filter(({ row }) => mask[row * outputs + output] === 1),
  );
  return {
    foldOf: Uint32Array.from(cells, ({ fold }) => fold),
    cellOf: Uint32Array.from(cells, ({ cell }) => cell),
    rowOf: Uint32Array.from(cells, ({ row }) => row),
    times: Float64Array.from(cells, ({ row }) => times[row] as number),
    moves: Float64Array.from(cells, ({ row }) => targets[row * outputs + output] as number),
  };
}

export function answersAt({ folds }: ModelAnswers, { foldOf, cellOf }: ScoredCells): Float64Array {
  return Float64Array.from(cellOf, (cell, at) => folds[foldOf[at] as number]?.test[cell] as number);
}
