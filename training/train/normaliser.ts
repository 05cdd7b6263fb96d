/**
 * Statistics of the training rows, and of nothing else: how inputs are normalised and in which unit the network answers.
 */

import { quantile } from "../../core/math/quantile.ts";
import { RunningMoments } from "../../core/math/running-moments.ts";
import type { Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";

/** Order-flow columns have fat tails; beyond five standard deviations a value says "large" and nothing more (quantitative notes, 1.2). */
const CLIP = 5;
/**
 * A column that hardly varied in training says nothing, and its weights were never learnt. Its scale is so large that it is always 0,
 * also at the edge, where it may well vary: the seconds since the last gap do, and a simulated market has no gap but its start.
 */
const SCALE_OF_MUTED = 1e300;
/** A column is muted when fewer rows than this share differ from its median: what so few rows teach is noise. */
const LEAST_VARYING_SHARE = 0.01;

export function fitNormaliser(dataset: Dataset, rows: Uint32Array): Normaliser {
  const mean: number[] = [];
  const scale: number[] = [];
  for (let column = 0; column < dataset.columns; column++) {
    const values = Float64Array.from(rows, (row) => dataset.features[row * dataset.columns + column] as number);
    const moments = new RunningMoments();
    for (const value of values) moments.add(value);
    mean.push(moments.mean ?? 0);
    scale.push(varies(values) ? (moments.standardDeviation ?? SCALE_OF_MUTED) : SCALE_OF_MUTED);
  }
  return { mean, scale, clip: CLIP };
}

/** Columns that training could learn nothing from. */
export function mutedColumns(dataset: Dataset, normaliser: Normaliser): string[] {
  return dataset.card.featureSet.columns.filter((_, column) => normaliser.scale[column] === SCALE_OF_MUTED);
}

function varies(values: Float64Array): boolean {
  const median = quantile(values, 0.5);
  let differing = 0;
  for (const value of values) if (value !== median) differing++;
  return differing > LEAST_VARYING_SHARE * values.length;
}

/** [outputs] root mean square of each target over the training rows that have it; 1 where none moved. */
export function fitTargetScale(dataset: Dataset, rows: Uint32Array): number[] {
  return Array.from({ length: dataset.outputs }, (_, output) => {
    let squares = 0;
    let count = 0;
    for (const row of rows) {
      const cell = row * dataset.outputs + output;
      if (dataset.mask[cell] === 0) continue;
      squares += (dataset.targets[cell] as number) * (dataset.targets[cell] as number);
      count++;
    }
    return squares > 0 ? Math.sqrt(squares / count) : 1;
  });
}
