/**
 * Golden vectors: raw rows and what the exported file answers to them, so that whoever loads it can prove that it computes what was
 * trained. Typical rows, and extreme ones: beyond the clip on either side, the mean itself, zeros, and huge numbers.
 */

import type { Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";

const TYPICAL_ROWS = 5;
/** No feature of ours comes near it; a decoder's mistake might. */
const HUGE = 1e9;

/** @returns [vectors][columns]. The typical rows are spread evenly over the dataset. */
export function goldenInputs(dataset: Dataset, normaliser: Normaliser): number[][] {
  const { columns, rows, features } = dataset;
  const typical = Array.from({ length: TYPICAL_ROWS }, (_, index) => {
    const row = Math.floor(((index + 0.5) * rows) / TYPICAL_ROWS);
    return Array.from(features.subarray(row * columns, (row + 1) * columns));
  });
  const mean = [...normaliser.mean];
  const beyond = (sign: number): number[] =>
    mean.map((value, column) => clean(value + sign * (normaliser.clip + 1) * spreadOf(normaliser, column)));
  const constant = (value: number): number[] => mean.map(() => value);
  const alternating = mean.map((_, column) => (column % 2 === 0 ? HUGE : -HUGE));
  return [...typical, mean, constant(0), beyond(1), beyond(-1), constant(HUGE), constant(-HUGE), alternating];
}

/** A muted column's scale is no spread: any step shows there that it stays mute. */
function spreadOf(normaliser: Normaliser, column: number): number {
  const scale = normaliser.scale[column] as number;
  return scale > HUGE ? 1 : scale;
}

/** JSON has no negative zero. */
function clean(value: number): number {
  return value === 0 ? 0 : value;
}
