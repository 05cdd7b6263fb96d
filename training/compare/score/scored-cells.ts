/** Of one output, the rows that are scored: the test rows of all folds that have a move, and what a model answered to them. */

import type { AlignedData } from "../aligned-data.ts";
import type { FittedModel } from "../contract.ts";
import type { Fold } from "../folds.ts";

export interface ModelAnswers {
  readonly id: string;
  /** Fold by fold; [rows, outputs] bps. */
  readonly folds: readonly Pick<FittedModel, "validation" | "test" | "probabilities">[];
}

/** Over all folds in order of time. */
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
