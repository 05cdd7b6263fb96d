/**
 * Golden vectors: raw windows and what the exported file answers to them, so that whoever loads it can prove that it computes what was
 * trained. Typical ones, and extreme ones: beyond the clip on either side, the mean itself, zeros, and huge numbers. Of wide windows there
 * are fewer, since a manifest is read at each start.
 */

import type { Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { featureRange } from "../datasets/feature-rows.ts";
import { windowEnds } from "../engine/row-source.ts";

const TYPICAL_ROWS = 5;
/** No feature of ours comes near it; a decoder's mistake might. */
const HUGE = 1e9;
/** Numbers of all vectors together: some megabytes of JSON. */
const MOST_NUMBERS = 100_000;
const FEWEST_VECTORS = 2;

/** @returns [vectors][window x columns], oldest row first. The typical ones are spread evenly over the dataset's whole windows. */
export function goldenInputs(dataset: Dataset, normaliser: Normaliser, window: number): number[][] {
  const { columns } = dataset;
  const ends = windowEnds(dataset.segments, window);
  const typical = Array.from({ length: ends.length === 0 ? 0 : TYPICAL_ROWS }, (_, index) => {
    const end = (ends[Math.floor(((index + 0.5) * ends.length) / TYPICAL_ROWS)] as number) + 1;
    return Array.from(featureRange(dataset, { first: end - window, count: window }));
  });
  const extreme = extremeRows(normaliser).map((row) => Array.from({ length: window }, () => row).flat());
  const most = Math.max(FEWEST_VECTORS, Math.floor(MOST_NUMBERS / (window * columns)));
  return alternate(typical, extreme, most);
}

/** [vectors][columns] */
export function extremeRows(normaliser: Normaliser): number[][] {
  const mean = [...normaliser.mean];
  const beyond = (sign: number): number[] =>
    mean.map((value, column) => clean(value + sign * (normaliser.clip + 1) * spreadOf(normaliser, column)));
  const constant = (value: number): number[] => mean.map(() => value);
  const alternating = mean.map((_, column) => (column % 2 === 0 ? HUGE : -HUGE));
  return [mean, constant(0), beyond(1), beyond(-1), constant(HUGE), constant(-HUGE), alternating];
}

/** All of both where there is room; else by turns, so that some of each remain. */
function alternate(typical: number[][], extreme: number[][], most: number): number[][] {
  if (typical.length + extreme.length <= most) return [...typical, ...extreme];
  const mixed = extreme.flatMap((vector, index) => [...typical.slice(index, index + 1), vector]);
  return mixed.slice(0, most);
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
