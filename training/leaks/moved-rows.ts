/** Datasets whose labels or features are those of other rows: what a leak detector teaches a line, to see whether it learns what it shouldn't. */

import { MS_PER_DAY } from "../../core/units/time.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { allFeatures } from "../datasets/feature-rows.ts";

/**
 * The same rows with the labels (and their mask) of rows far away in the same part, which are turned round: by a day's rows, so that hours of the day
 * meet their like, or by half the part where it is shorter than two days.
 */
export function turnLabels(dataset: Dataset): Dataset {
  const { outputs, card } = dataset;
  const targets = new Float64Array(dataset.targets.length);
  const mask = new Uint8Array(dataset.mask.length);
  for (const { firstRow, rows } of card.parts) {
    const turn = rowsTurned(rows, card.intervalMs);
    for (let row = 0; row < rows; row++) {
      const from = (firstRow + ((row + turn) % rows)) * outputs;
      const to = (firstRow + row) * outputs;
      targets.set(dataset.targets.subarray(from, from + outputs), to);
      mask.set(dataset.mask.subarray(from, from + outputs), to);
    }
  }
  return { ...dataset, targets, mask };
}

/** How many rows a part of so many is turned by. */
export function rowsTurned(rows: number, intervalMs: number): number {
  const aDay = MS_PER_DAY / intervalMs;
  return rows >= 2 * aDay ? aDay : Math.floor(rows / 2);
}

/**
 * Each row with the features of its neighbour in the same segment: the next one's (`later`) or the last one's (`earlier`). A row without
 * that neighbour keeps its features and loses its targets, so that nothing is learnt or scored there.
 */
export function shiftFeatures(dataset: Dataset, to: "later" | "earlier"): Dataset {
  const { rows, columns, outputs, segments, parts } = dataset;
  const step = to === "later" ? 1 : -1;
  const all = allFeatures(dataset);
  const features = all.slice();
  const mask = dataset.mask.slice();
  for (let row = 0; row < rows; row++) {
    const other = row + step;
    if (segments[row] === segments[other] && parts[row] === parts[other])
      features.set(all.subarray(other * columns, (other + 1) * columns), row * columns);
    else mask.fill(0, row * outputs, (row + 1) * outputs);
  }
  return { ...dataset, features: { kind: "memory", values: features }, mask };
}
