/**
 * Which columns an ensemble rests on, three ways, since each misleads where another doesn't:
 *
 * - gain: what the loss fell by at the column's splits while training; favours columns with many different values, and counts what was overfitted;
 * - splits: how often it was asked for;
 * - permutation (L. Breiman, "Random forests", 2001, section 10): by how much the loss on given rows rises when the column's values are dealt to
 *   other rows. Columns that say the same thing share it, and none of them may seem to matter.
 *
 * Of single answers, shap.ts.
 */

import { Random } from "../../core/math/random.ts";
import { rawAnswers } from "./answer.ts";
import type { TreeData, TreeEnsemble } from "./contract.ts";
import { dataLoss } from "./data-loss.ts";

export interface SplitImportance {
  /** [columns] sum of the gains of its splits. */
  readonly gain: Float64Array;
  /** [columns] how many splits ask for it. */
  readonly splits: Uint32Array;
}

export function splitImportance({ columns, trees }: TreeEnsemble): SplitImportance {
  const gain = new Float64Array(columns);
  const splits = new Uint32Array(columns);
  for (const { feature, gain: gained } of trees) {
    for (let node = 0; node < feature.length; node++) {
      const column = feature[node] as number;
      if (column < 0) continue;
      gain[column] = (gain[column] as number) + (gained[node] as number);
      splits[column] = (splits[column] as number) + 1;
    }
  }
  return { gain, splits };
}

export interface PermutationOptions {
  readonly seed: number;
  /** How often each column is dealt anew; from 2 on there is a spread. */
  readonly repeats: number;
}

export interface PermutationImportance {
  /** The loss of the rows as they are. */
  readonly loss: number;
  /** [columns] mean rise of the loss over the repeats; about 0, or below, for a column of no use. */
  readonly rise: Float64Array;
  /** [columns] standard deviation of the rise over the repeats; null from one repeat. */
  readonly spread: Float64Array | null;
}

/**
 * A column that no split asks for has rise 0 and costs nothing; each other one costs `repeats` answers to all rows. Each column draws from a seed
 * of its own, so that its numbers don't depend on which others there are. Throws without rows or repeats.
 */
export function permutationImportance(
  ensemble: TreeEnsemble,
  data: TreeData,
  { seed, repeats }: PermutationOptions,
): PermutationImportance {
  if (!Number.isSafeInteger(repeats) || repeats < 1) throw new RangeError(`a column is dealt a whole number of times, not ${repeats}`);
  const lossOf = (features: Float32Array): number => {
    const loss = dataLoss(ensemble.objective, rawAnswers(ensemble, { ...data, features }), data);
    if (loss === null) throw new RangeError("no rows to deal");
    return loss;
  };
  const loss = lossOf(data.features);
  const { splits } = splitImportance(ensemble);
  const rise = new Float64Array(ensemble.columns);
  const spread = new Float64Array(ensemble.columns);
  const features = data.features.slice();
  for (let column = 0; column < ensemble.columns; column++) {
    if (splits[column] === 0) continue;
    const random = new Random(seed + column);
    const rises = Array.from({ length: repeats }, () => {
      dealColumn(features, { ...data, column }, random);
      return lossOf(features) - loss;
    });
    restoreColumn(features, data, column);
    rise[column] = meanOf(rises);
    spread[column] = deviationOf(rises);
  }
  return { loss, rise, spread: repeats === 1 ? null : spread };
}

/** Exchanges the column's values among the rows, each order alike likely (R. Durstenfeld, 1964). */
function dealColumn(
  features: Float32Array,
  { rows, columns, column }: { rows: number; columns: number; column: number },
  random: Random,
): void {
  for (let last = rows - 1; last > 0; last--) {
    const here = last * columns + column;
    const there = random.integerBelow(last + 1) * columns + column;
    const kept = features[here] as number;
    features[here] = features[there] as number;
    features[there] = kept;
  }
}

function restoreColumn(features: Float32Array, { columns, features: original }: TreeData, column: number): void {
  for (let cell = column; cell < features.length; cell += columns) features[cell] = original[cell] as number;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: divided by one less than its size; 0 for a sample of one, which has none. */
function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1));
}
