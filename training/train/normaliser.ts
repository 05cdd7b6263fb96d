/**
 * Statistics of the training rows, and of nothing else: how inputs are normalised and in which unit the network answers.
 */

import { RunningMoments } from "../../core/math/running-moments.ts";
import type { Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";

/** Order-flow columns have fat tails; beyond five standard deviations a value says "large" and nothing more (quantitative notes, 1.2). */
const CLIP = 5;
/**
 * A column that did not vary in training says nothing, and its weights were never learnt. Its scale is so large that it is always 0,
 * also at the edge, where it may well vary.
 */
const SCALE_OF_CONSTANT = 1e300;
/** Below this share of its own size, a spread is rounding. */
const SMALLEST_SPREAD = 1e-12;

export function fitNormaliser(dataset: Dataset, rows: Uint32Array): Normaliser {
  const mean: number[] = [];
  const scale: number[] = [];
  for (let column = 0; column < dataset.columns; column++) {
    const moments = new RunningMoments();
    for (const row of rows) moments.add(dataset.features[row * dataset.columns + column] as number);
    const spread = moments.standardDeviation ?? 0;
    mean.push(moments.mean ?? 0);
    scale.push(spread > SMALLEST_SPREAD * Math.abs(moments.mean ?? 0) ? spread : SCALE_OF_CONSTANT);
  }
  return { mean, scale, clip: CLIP };
}

/** Columns that training could learn nothing from. */
export function constantColumns(dataset: Dataset, normaliser: Normaliser): string[] {
  return dataset.card.featureSet.columns.filter((_, column) => normaliser.scale[column] === SCALE_OF_CONSTANT);
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
