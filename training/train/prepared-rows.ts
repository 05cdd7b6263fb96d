/** Rows as the network gets them: normalised float32 inputs, targets in units of their own scale, a mask of which targets there are. */

import type { ModelFamily, Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";

/** Row-major. */
export interface PreparedRows {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly mask: Float32Array;
}

export interface Preparation {
  readonly family: ModelFamily;
  readonly normaliser: Normaliser;
  /** [outputs] basis points of one unit. */
  readonly targetScale: readonly number[];
  /** Targets are cut at this many units where they train: a few leaps would rule the loss. Null leaves them, as validation must. */
  readonly targetClip: number | null;
}

export function prepareRows(dataset: Dataset, rows: Uint32Array, preparation: Preparation): PreparedRows {
  const { columns, outputs } = dataset;
  const { family, normaliser, targetScale, targetClip } = preparation;
  const clip = targetClip ?? Number.POSITIVE_INFINITY;
  const inputs = new Float32Array(rows.length * columns);
  const targets = new Float32Array(rows.length * outputs);
  const mask = new Float32Array(rows.length * outputs);
  for (const [index, row] of rows.entries()) {
    family.prepareInput(dataset.features.subarray(row * columns, (row + 1) * columns), normaliser, inputs, index * columns);
    for (let output = 0; output < outputs; output++) {
      const move = (dataset.targets[row * outputs + output] as number) / (targetScale[output] as number);
      targets[index * outputs + output] = Math.min(Math.max(move, -clip), clip);
      mask[index * outputs + output] = dataset.mask[row * outputs + output] as number;
    }
  }
  return { rows: rows.length, columns, outputs, inputs, targets, mask };
}
