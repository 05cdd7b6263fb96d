/**
 * Rows as the network gets them: normalised float32 inputs, what is to be answered, a mask of which answers there are. Moves are in units of their own
 * scale; of classes the one that was is 1; a reconstruction is of the inputs themselves.
 */

import type { ModelFamily, ModelOutput, Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { windowEnds } from "../engine/row-source.ts";
import { classTargets } from "./class-targets.ts";

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
  /** Its window is how much of the past each row is seen with. */
  readonly family: ModelFamily;
  readonly normaliser: Normaliser;
  /** What is answered, with the thresholds of its classes; the dataset's moves unless told. */
  readonly output?: ModelOutput;
  /** [outputs] basis points of one unit of each move. */
  readonly targetScale: readonly number[];
  /** Moves are cut at this many units where they train: a few leaps would rule the loss. Null leaves them, as validation must. */
  readonly targetClip: number | null;
}

type Answers = Pick<PreparedRows, "outputs" | "targets" | "mask">;

/** One row's features as the network takes them, without the batch: [columns], or [window, columns]. */
export function shapeOf({ columns, windows }: Pick<PreparedRows, "columns" | "windows">): readonly number[] {
  return windows === undefined ? [columns] : [windows.size, columns];
}

/** Those of `rows` (ascending) that have the family's whole window behind them in their own segment. */
export function rowsWithHistory(
  dataset: Pick<Dataset, "segments">,
  rows: Uint32Array,
  { window }: Pick<ModelFamily, "window">,
): Uint32Array {
  return window === 1 ? rows : windowEnds(dataset.segments, window, rows);
}

/** @param rows ascending, as `rowsWithHistory` gives them. */
export function prepareRows(dataset: Dataset, rows: Uint32Array, preparation: Preparation): PreparedRows {
  const { columns } = dataset;
  const { family, normaliser, output } = preparation;
  const { window } = family;
  // Windows overlap, so the table is kept once and they are cut out of it when needed.
  const table = window === 1 ? rows : Uint32Array.from({ length: (rows.at(-1) ?? -1) + 1 }, (_, row) => row);
  const inputs = new Float32Array(table.length * columns);
  for (const [index, row] of table.entries()) {
    family.prepareInput(dataset.features.subarray(row * columns, (row + 1) * columns), normaliser, inputs, index * columns);
  }
  const seen = { rows: rows.length, columns, inputs, ...(window === 1 ? {} : { windows: { size: window, ends: rows } }) };
  if (output?.unit === "normalised") return { ...seen, ...reconstruction(inputs, rows, { columns, window }) };
  if (output?.unit === "probability") return { ...seen, ...classes(dataset, rows, output.groups) };
  return { ...seen, ...moves(dataset, rows, preparation) };
}

function moves(dataset: Dataset, rows: Uint32Array, { targetScale, targetClip }: Preparation): Answers {
  const { outputs } = dataset;
  const clip = targetClip ?? Number.POSITIVE_INFINITY;
  const targets = new Float32Array(rows.length * outputs);
  const mask = new Float32Array(rows.length * outputs);
  for (const [index, row] of rows.entries()) {
    for (let output = 0; output < outputs; output++) {
      const move = (dataset.targets[row * outputs + output] as number) / (targetScale[output] as number);
      targets[index * outputs + output] = Math.min(Math.max(move, -clip), clip);
      mask[index * outputs + output] = dataset.mask[row * outputs + output] as number;
    }
  }
  return { outputs, targets, mask };
}

function classes(dataset: Dataset, rows: Uint32Array, groups: Extract<ModelOutput, { unit: "probability" }>["groups"]): Answers {
  const all = classTargets(
    dataset,
    groups,
    groups.map(({ thresholdBps }) => thresholdBps),
  );
  const pick = (from: Float32Array): Float32Array => {
    const picked = new Float32Array(rows.length * all.width);
    for (const [index, row] of rows.entries()) picked.set(from.subarray(row * all.width, (row + 1) * all.width), index * all.width);
    return picked;
  };
  return { outputs: all.width, targets: pick(all.targets), mask: pick(all.mask) };
}

function reconstruction(inputs: Float32Array, rows: Uint32Array, { columns, window }: { columns: number; window: number }): Answers {
  const outputs = window * columns;
  const targets = new Float32Array(rows.length * outputs);
  for (const [index, row] of rows.entries()) {
    const end = ((window === 1 ? index : row) + 1) * columns;
    targets.set(inputs.subarray(end - outputs, end), index * outputs);
  }
  return { outputs, targets, mask: new Float32Array(targets.length).fill(1) };
}
