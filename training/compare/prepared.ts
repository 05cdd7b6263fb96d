/**
 * Aligned rows as models take them: normalised by statistics of the fit rows alone, moves in units of their own size, what few rows hold beyond most
 * others' cut off where it teaches.
 */

import { quantile } from "../../core/math/quantile.ts";
import type { Normaliser } from "../../models/contract.ts";
import { prepareInput } from "../../models/prepare.ts";
import { fitNormaliser } from "../train/normaliser.ts";
import type { PreparedRows } from "../train/prepared-rows.ts";
import type { AlignedData, AlignedSet } from "./aligned-data.ts";

/** Moves beyond this share at either end are cut there while training: a few leaps would rule squares (quantitative notes, 1.2). */
const CUT_SHARE = 0.005;

export interface Preparation {
  readonly normaliser: Normaliser;
  /** [outputs] root mean square of the fit rows' moves, bps. */
  readonly targetScale: readonly number[];
  /** [outputs] where moves are cut while training, bps. */
  readonly cut: readonly { readonly low: number; readonly high: number }[];
}

/** From the fit rows, and no other. */
export function fitPreparation(data: AlignedData, set: AlignedSet, fit: Uint32Array): Preparation {
  const normaliser = fitNormaliser(
    set.dataset,
    fit.map((row) => set.rows[row] as number),
  );
  const moves = data.columns.map((_, output) => knownMoves(data, fit, output));
  return {
    normaliser,
    targetScale: moves.map(rootMeanSquare),
    cut: moves.map((own) => ({ low: quantile(own, CUT_SHARE) ?? 0, high: quantile(own, 1 - CUT_SHARE) ?? 0 })),
  };
}

/** Of those of `rows` that have one. */
export function knownMoves({ targets, mask, columns }: AlignedData, rows: Uint32Array, output: number): Float64Array {
  const outputs = columns.length;
  return Float64Array.from(
    rows.filter((row) => mask[row * outputs + output] === 1),
    (row) => targets[row * outputs + output] as number,
  );
}

export interface RowsWanted {
  readonly preparation: Preparation;
  readonly window: number;
  /** Moves are cut: these rows teach. */
  readonly areCut: boolean;
}

/** Rows for any trainer; their inputs lie in shared memory, so that several trainings of the same table hold one copy. */
export function prepareAligned(
  data: AlignedData,
  set: AlignedSet,
  rows: Uint32Array,
  { preparation, window, areCut }: RowsWanted,
): PreparedRows {
  const { dataset } = set;
  const { columns } = dataset;
  const places = rows.map((row) => set.rows[row] as number);
  const table = window === 1 ? places : Uint32Array.from({ length: dataset.rows }, (_, row) => row);
  const inputs = new Float32Array(new SharedArrayBuffer(4 * table.length * columns));
  for (const [index, row] of table.entries())
    prepareInput(dataset.features.subarray(row * columns, (row + 1) * columns), preparation.normaliser, inputs, index * columns);
  const outputs = data.columns.length;
  return {
    rows: rows.length,
    columns,
    inputs,
    ...(window === 1 ? {} : { windows: { size: window, ends: places } }),
    outputs,
    ...movesOf(data, rows, areCut ? preparation : { ...preparation, cut: [] }),
  };
}

function movesOf(
  { targets, mask, columns }: AlignedData,
  rows: Uint32Array,
  { targetScale, cut }: Preparation,
): Pick<PreparedRows, "targets" | "mask"> {
  const outputs = columns.length;
  const moves = { targets: new Float32Array(rows.length * outputs), mask: new Float32Array(rows.length * outputs) };
  for (const [index, row] of rows.entries()) {
    for (let output = 0; output < outputs; output++) {
      const { low, high } = cut[output] ?? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
      const move = Math.min(Math.max(targets[row * outputs + output] as number, low), high);
      moves.targets[index * outputs + output] = move / (targetScale[output] as number);
      moves.mask[index * outputs + output] = mask[row * outputs + output] as number;
    }
  }
  return moves;
}

/** [rows, outputs] answers in units of the moves' sizes, in basis points. */
export function inBps(answers: Float32Array, targetScale: readonly number[]): Float32Array {
  return answers.map((answer, cell) => answer * (targetScale[cell % targetScale.length] as number));
}

/** 1 where nothing moved. */
function rootMeanSquare(values: Float64Array): number {
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  return squares > 0 ? Math.sqrt(squares / values.length) : 1;
}
