/**
 * Aligned rows as models take them: normalised by statistics of the fit rows alone, moves in units of their own size. What teaches is cut as a run of
 * training cuts it; what chooses and what is scored are the moves as they are.
 */

import type { Normaliser } from "../../models/contract.ts";
import { prepareInput } from "../../models/prepare.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { eachFeatureRow } from "../datasets/feature-rows.ts";
import type { MemoryTable } from "../engine/row-source.ts";
import type { RowBlock } from "../linear/rows.ts";
import type { PreparedRows } from "../train/contract.ts";
import { fitNormaliser } from "../train/normaliser.ts";
import type { AlignedData, AlignedSet } from "./aligned-data.ts";

export interface Preparation {
  readonly normaliser: Normaliser;
  /** [outputs] root mean square of the fit rows' moves, bps. */
  readonly targetScale: readonly number[];
}

/** From the fit rows, and no other. */
export function fitPreparation(data: AlignedData, set: AlignedSet, fit: Uint32Array): Preparation {
  const normaliser = fitNormaliser(
    set.dataset,
    fit.map((row) => set.rows[row] as number),
  );
  return { normaliser, targetScale: data.columns.map((_, output) => rootMeanSquare(knownMoves(data, fit, output))) };
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
  /** All rows of the set, as `prepareTable` made them by the same normaliser; where there are windows, and made here where it isn't given. */
  readonly table?: Float32Array;
  /** Moves are cut at so many of their root mean squares; absent: not at all, as what is scored must be. */
  readonly targetClip?: number;
}

/** Rows for any trainer, in memory: several models pass over them. */
export interface MemoryRows extends PreparedRows {
  readonly inputs: MemoryTable;
}

export function prepareAligned(data: AlignedData, set: AlignedSet, rows: Uint32Array, wanted: RowsWanted): MemoryRows {
  const { preparation, window } = wanted;
  const places = rows.map((row) => set.rows[row] as number);
  const inputs = window === 1 ? inputsAt(set.dataset, places, preparation.normaliser) : (wanted.table ?? prepareTable(set, preparation));
  return {
    rows: rows.length,
    columns: set.dataset.columns,
    inputs: { kind: "memory", values: inputs },
    ...(window === 1 ? {} : { windows: { size: window, ends: places } }),
    outputs: data.columns.length,
    ...movesOf(data, rows, wanted),
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
  { preparation: { targetScale }, targetClip = Number.POSITIVE_INFINITY }: RowsWanted,
): Pick<PreparedRows, "targets" | "mask"> {
  const outputs = columns.length;
  const moves = { targets: new Float32Array(rows.length * outputs), mask: new Float32Array(rows.length * outputs) };
  for (const [index, row] of rows.entries()) {
    for (let output = 0; output < outputs; output++) {
      const move = (targets[row * outputs + output] as number) / (targetScale[output] as number);
      moves.targets[index * outputs + output] = Math.min(Math.max(move, -targetClip), targetClip);
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
