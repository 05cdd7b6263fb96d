/**
 * Rows as the network gets them: normalised float32 inputs, what is to be answered, a mask of which answers there are. Moves are in units of their own
 * scale; of classes the one that was is 1; a reconstruction is of the inputs themselves.
 */

import type { ModelFamily, ModelOutput, Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { eachFeatureRow } from "../datasets/feature-rows.ts";
import { windowEnds } from "../engine/row-source.ts";
import { classTargets } from "./class-targets.ts";
import type { PreparedRows } from "./contract.ts";
import { allInputs, floatsOf } from "./input-table.ts";

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
  return windows === undefined || windows.size === 1 ? [columns] : [windows.size, columns];
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
  const { output } = preparation;
  const seen = { rows: rows.length, columns: dataset.columns, ...inputsOf(dataset, rows, preparation) };
  if (output?.unit === "normalised") return { ...seen, ...reconstruction(seen) };
  if (output?.unit === "probability") return { ...seen, ...classes(dataset, rows, output.groups) };
  return { ...seen, ...moves(dataset, rows, preparation) };
}

function inputsOf(dataset: Dataset, rows: Uint32Array, { family, normaliser }: Preparation): Pick<PreparedRows, "inputs" | "windows"> {
  const { columns, features } = dataset;
  const { window } = family;
  if (features.kind === "file") return { inputs: { kind: "raw", path: features.path, normaliser }, windows: { size: window, ends: rows } };
  // Windows overlap, so the table is kept once and they are cut out of it when needed.
  const table = window === 1 ? rows : Uint32Array.from({ length: (rows.at(-1) ?? -1) + 1 }, (_, row) => row);
  const values = new Float32Array(table.length * columns);
  eachFeatureRow(dataset, table, (raw, offset, index) =>
    family.prepareInput(raw.subarray(offset, offset + columns), normaliser, values, index * columns),
  );
  return { inputs: { kind: "memory", values }, ...(window === 1 ? {} : { windows: { size: window, ends: rows } }) };
}

function moves(dataset: Dataset, rows: Uint32Array, { targetScale, targetClip }: Pick<Preparation, "targetScale" | "targetClip">): Answers {
  const { outputs } = dataset;
  const clip = targetClip ?? Number.POSITIVE_INFINITY;
  const targets = sharedFloats(rows.length * outputs);
  const mask = sharedFloats(rows.length * outputs);
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
    const picked = sharedFloats(rows.length * all.width);
    for (const [index, row] of rows.entries()) picked.set(from.subarray(row * all.width, (row + 1) * all.width), index * all.width);
    return picked;
  };
  return { outputs: all.width, targets: pick(all.targets), mask: pick(all.mask) };
}

/** Where the engine's workers see them (engine/row-source.ts): elsewhere they would be copied. */
function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** In memory whatever the inputs are: what is trained on lies there. */
function reconstruction(seen: Omit<PreparedRows, "outputs" | "targets" | "mask">): Answers {
  const targets = allInputs(seen).slice();
  return { outputs: floatsOf(seen), targets, mask: new Float32Array(targets.length).fill(1) };
}
