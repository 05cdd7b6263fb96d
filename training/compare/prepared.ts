/**
 * Aligned rows as models take them: normalised by statistics of the fit rows alone, moves in units of their own size, what few rows hold beyond most
 * others' cut off where it teaches.
 */

import { quantile } from "../../core/math/quantile.ts";
import type { Normaliser } from "../../models/contract.ts";
import { prepareInput } from "../../models/prepare.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { eachFeatureRow } from "../datasets/feature-rows.ts";
import type { MemoryTable } from "../engine/row-source.ts";
import type { RowBlock } from "../linear/rows.ts";
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
  /** All rows of the set, as `prepareTable` made them by the same normaliser; where there are windows, and made here where it isn't given. */
  readonly table?: Float32Array;
}

/** Rows for any trainer, in memory: several models pass over them. */
export interface MemoryRows extends PreparedRows {
  readonly inputs: MemoryTable;
}

export function prepareAligned(data: AlignedData, set: AlignedSet, rows: Uint32Array, wanted: RowsWanted): MemoryRows {
  const { preparation, window, areCut } = wanted;
  const places = rows.map((row) => set.rows[row] as number);
  const inputs = window === 1 ? inputsAt(set.dataset, places, preparation.normaliser) : (wanted.table ?? prepareTable(set, preparation));
  return {
    rows: rows.length,
    columns: set.dataset.columns,
    inputs: { kind: "memory", values: inputs },
    ...(window === 1 ? {} : { windows: { size: window, ends: places } }),
    outputs: data.columns.length,
    ...movesOf(data, rows, areCut ? preparation : { ...preparation, cut: [] }),
  };
}

/** [rows of the set, columns] */
export function prepareTable({ dataset }: AlignedSet, { normaliser }: Preparation): Float32Array {
  return inputsAt(
    dataset,
    Uint32Array.from({ length: dataset.rows }, (_, row) => row),
    normaliser,
  );
}

/** In shared memory, so that a training's threads, and several trainings of one table, hold one copy. */
function inputsAt(dataset: Dataset, rows: Uint32Array, normaliser: Normaliser): Float32Array {
  const { columns } = dataset;
  const inputs = new Float32Array(new SharedArrayBuffer(4 * rows.length * columns));
  eachFeatureRow(dataset, rows, (values, offset, index) =>
    prepareInput(values.subarray(offset, offset + columns), normaliser, inputs, index * columns),
  );
  return inputs;
}

/** For lines, which see the newest row of each window alone. */
export function blockOf({ inputs, windows, ...rows }: MemoryRows): RowBlock {
  return { ...rows, inputs: inputs.values, ...(windows === undefined ? {} : { windows }) };
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
