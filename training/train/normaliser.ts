/**
 * Statistics of the training rows, and of nothing else: how inputs are normalised and in which unit the network answers.
 */

import { RunningMoments } from "../../core/math/running-moments.ts";
import type { Normaliser } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { eachFeatureRow, type FeatureTable } from "../datasets/feature-rows.ts";

/**
 * Order-flow columns have fat tails; beyond so many standard deviations a value says "large" and nothing more, unless a run says otherwise. At 5, as the
 * quantitative notes have it (1.2), ridge on StandX before 2026-01-07 had .002 to .003 less R² at every horizon (docs/decisions/0022).
 */
export const INPUT_CLIP = 10;
/**
 * A column that hardly varied in training says nothing, and its weights were never learnt. Its scale is so large that it is always 0,
 * also at the edge, where it may well vary: the seconds since the last gap do, and a simulated market has no gap but its start.
 */
const SCALE_OF_MUTED = 1e300;
/** A column is muted when fewer rows than this share differ from its commonest value (which is then its median): what so few rows teach is noise. */
const LEAST_VARYING_SHARE = 0.01;

/** In two passes over the rows. @param clip what its inputs are cut at, in standard deviations. */
export function fitNormaliser(dataset: FeatureTable, rows: Uint32Array, clip = INPUT_CLIP): Normaliser {
  const columns = Array.from({ length: dataset.columns }, () => new ColumnVariety());
  eachFeatureRow(dataset, rows, (values, offset) => {
    for (let column = 0; column < columns.length; column++) columns[column]?.see(values[offset + column] as number);
  });
  const common = Float64Array.from(columns, (column) => column.mostCommon);
  const differing = new Float64Array(columns.length);
  eachFeatureRow(dataset, rows, (values, offset) => {
    for (let column = 0; column < common.length; column++)
      if (values[offset + column] !== common[column]) differing[column] = (differing[column] as number) + 1;
  });
  const varies = (column: number): boolean => (differing[column] as number) > LEAST_VARYING_SHARE * rows.length;
  return {
    mean: columns.map(({ moments }) => moments.mean ?? 0),
    scale: columns.map(({ moments }, column) => (varies(column) ? (moments.standardDeviation ?? SCALE_OF_MUTED) : SCALE_OF_MUTED)),
    clip,
  };
}

/** Moments of a column, and the value that more than half of its rows have, if there is one: found by letting unlike values cancel each other out (Boyer and Moore 1981). */
class ColumnVariety {
  readonly moments = new RunningMoments();
  mostCommon = 0;
  private lead = 0;

  see(value: number): void {
    this.moments.add(value);
    if (this.lead === 0) this.mostCommon = value;
    this.lead += value === this.mostCommon ? 1 : -1;
  }
}

/** Columns that training could learn nothing from. */
export function mutedColumns(dataset: Dataset, normaliser: Normaliser): string[] {
  return dataset.card.featureSet.columns.filter((_, column) => normaliser.scale[column] === SCALE_OF_MUTED);
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
