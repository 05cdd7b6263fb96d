/** Rows as the network gets them: normalised float32 inputs, targets in units of their own scale, a mask of which targets there are. */

import type { ModelFamily, Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { windowEnds } from "../engine/row-source.ts";

/** Row-major. */
export interface PreparedRows {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  /** [rows, columns]; where there are windows, [table rows, columns] of all that they see. */
  readonly inputs: Float32Array;
  /** Absent: each row is seen alone. */
  readonly windows?: Windows;
  readonly targets: Float32Array;
  readonly mask: Float32Array;
}

/** What is seen with each row: the `size` table rows up to and with it. */
export interface Windows {
  readonly size: number;
  /** [rows] the table row of each. */
  readonly ends: Uint32Array;
}

export interface Preparation {
  readonly family: ModelFamily;
  readonly normaliser: Normaliser;
  /** [outputs] basis points of one unit. */
  readonly targetScale: readonly number[];
  /** Targets are cut at this many units where they train: a few leaps would rule the loss. Null leaves them, as validation must. */
  readonly targetClip: number | null;
}

/** One row's features as the network takes them, without the batch: [columns], or [window, columns]. */
export function shapeOf({ columns, windows }: Pick<PreparedRows, "columns" | "windows">): readonly number[] {
  return windows === undefined ? [columns] : [windows.size, columns];
}

/** Those of `rows` that the family can be fed: with a whole window behind them in their own segment. */
export function rowsWithHistory(dataset: Pick<Dataset, "segments">, rows: Uint32Array, family: Pick<ModelFamily, "window">): Uint32Array {
  return windowEnds(dataset.segments, family.window, rows);
}

/** @param rows ascending; each with a whole window behind it in its own segment, where the window is above 1. */
export function prepareRows(dataset: Dataset, rows: Uint32Array, preparation: Preparation): PreparedRows {
  const { columns, outputs } = dataset;
  const { family, normaliser, targetScale, targetClip } = preparation;
  const clip = targetClip ?? Number.POSITIVE_INFINITY;
  const { window } = family;
  // Windows overlap, so the table is kept once and they are cut out of it when needed.
  const table = window === 1 ? rows : Uint32Array.from({ length: (rows.at(-1) ?? -1) + 1 }, (_, row) => row);
  const inputs = new Float32Array(table.length * columns);
  const targets = new Float32Array(rows.length * outputs);
  const mask = new Float32Array(rows.length * outputs);
  for (const [index, row] of table.entries()) {
    family.prepareInput(dataset.features.subarray(row * columns, (row + 1) * columns), normaliser, inputs, index * columns);
  }
  for (const [index, row] of rows.entries()) {
    for (let output = 0; output < outputs; output++) {
      const move = (dataset.targets[row * outputs + output] as number) / (targetScale[output] as number);
      targets[index * outputs + output] = Math.min(Math.max(move, -clip), clip);
      mask[index * outputs + output] = dataset.mask[row * outputs + output] as number;
    }
  }
  const prepared = { rows: rows.length, columns, outputs, inputs, targets, mask };
  return window === 1 ? prepared : { ...prepared, windows: { size: window, ends: rows } };
}
