/**
 * What an ensemble answers, bit for bit as onnxruntime does on one thread: leaves are added in float32, from 0, in the order of the trees;
 * the base comes last (onnxruntime 1.30, core/providers/cpu/ml/tree_ensemble_aggregator.h, TreeAggregatorSum::FinalizeScores). A sum of two
 * float32 in double, rounded to float32, is the float32 sum: 53 bits are more than twice 24 and two.
 *
 * Probabilities are computed in double by the elementary functions of core/ and rounded once: the same bits on any machine, and within 2e-7 of
 * what a runtime's own float32 kernels say.
 */

import { exponential } from "../../core/math/elementary.ts";
import type { TreeData, TreeEnsemble, TreeObjective } from "./contract.ts";
import { leafOf } from "./route.ts";

/** Rows to be answered; see TreeData. */
export type FeatureRows = Pick<TreeData, "rows" | "columns" | "features">;

/** Tree by tree over a block of rows, so that both stay in the cache. */
const BLOCK_ROWS = 256;

/** @returns [rows, outputs] sums: the value itself, log-odds, or what softmax takes. Throws when the rows have other columns. */
export function rawAnswers(ensemble: TreeEnsemble, data: FeatureRows): Float32Array {
  checkColumns(ensemble, data);
  const { rows, columns, features } = data;
  const { outputs, base } = ensemble;
  const sums = new Float32Array(rows * outputs);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const end = Math.min(rows, first + BLOCK_ROWS);
    for (const tree of ensemble.trees) {
      for (let row = first; row < end; row++) {
        const cell = row * outputs + tree.output;
        sums[cell] = (sums[cell] as number) + (tree.value[leafOf(tree, features, row * columns)] as number);
      }
    }
  }
  for (let cell = 0; cell < sums.length; cell++) sums[cell] = (sums[cell] as number) + (base[cell % outputs] as number);
  return sums;
}

/** @returns [rows, outputs] what the exported model says: probabilities where the objective has them, else the sums. */
export function answers(ensemble: TreeEnsemble, data: FeatureRows): Float32Array {
  const raw = rawAnswers(ensemble, data);
  return hasProbabilities(ensemble.objective) ? probabilitiesOf(ensemble.objective, raw) : raw;
}

export function hasProbabilities(objective: TreeObjective): boolean {
  return objective.kind === "log-loss" || objective.kind === "multiclass";
}

/** Log-loss: that the target is 1, [rows, 1]. Multiclass: of each class, [rows, classes], which add up to 1. Throws for other objectives. */
export function probabilitiesOf(objective: TreeObjective, raw: Float32Array): Float32Array {
  if (objective.kind === "log-loss") return raw.map(logistic);
  if (objective.kind === "multiclass") return softmax(raw, objective.classes);
  throw new TypeError(`${objective.kind} has no probabilities`);
}

/** 1 / (1 + e^-x), by the exponential that can't overflow. */
export function logistic(value: number): number {
  const small = exponential(-Math.abs(value));
  return value < 0 ? small / (1 + small) : 1 / (1 + small);
}

function softmax(raw: Float32Array, classes: number): Float32Array {
  const shares = new Float32Array(raw.length);
  const powers = new Float64Array(classes);
  for (let first = 0; first < raw.length; first += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < classes; index++) largest = Math.max(largest, raw[first + index] as number);
    let sum = 0;
    for (let index = 0; index < classes; index++) {
      const power = exponential((raw[first + index] as number) - largest);
      powers[index] = power;
      sum += power;
    }
    for (let index = 0; index < classes; index++) shares[first + index] = (powers[index] as number) / sum;
  }
  return shares;
}

export function checkColumns(ensemble: TreeEnsemble, { rows, columns, features }: FeatureRows): void {
  if (columns !== ensemble.columns)
    throw new RangeError(`the rows have ${columns} columns, the ensemble was trained on ${ensemble.columns}`);
  if (features.length !== rows * columns) throw new RangeError(`${features.length} numbers are not ${rows} rows of ${columns} columns`);
}
