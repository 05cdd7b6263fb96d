/**
 * What raw answers cost on rows whose targets are known, in the objective's own measure, weighted: mean squared error, mean absolute error, mean
 * pinball loss (R. Koenker, G. Bassett, "Regression quantiles", 1978), or mean negative log-likelihood in nats. The plain reading, in doubles.
 */

import { exponential, logOnePlus, naturalLog } from "../../core/math/elementary.ts";
import type { TreeData, TreeObjective } from "./contract.ts";

/** @param raw [rows, outputs], as rawAnswers gives. Null without rows: there is no mean of nothing. */
export function dataLoss(
  objective: TreeObjective,
  raw: Float32Array,
  { rows, targets, weights }: Omit<TreeData, "features">,
): number | null {
  if (rows === 0) return null;
  const outputs = objective.kind === "multiclass" ? objective.classes : 1;
  if (raw.length !== rows * outputs) throw new RangeError(`${raw.length} answers for ${rows} rows of ${outputs} outputs`);
  let sum = 0;
  let weightSum = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weights === null ? 1 : (weights[row] as number);
    const answer = raw.subarray(row * outputs, (row + 1) * outputs);
    sum += weight * rowLoss(objective, answer, targets[row] as number);
    weightSum += weight;
  }
  return sum / weightSum;
}

function rowLoss(objective: TreeObjective, raw: Float32Array, target: number): number {
  const error = target - (raw[0] as number);
  switch (objective.kind) {
    case "squared-error":
      return error * error;
    case "absolute-error":
      return Math.abs(error);
    case "quantile":
      return error >= 0 ? objective.level * error : (objective.level - 1) * error;
    case "log-loss":
      return softPlus(target === 1 ? -(raw[0] as number) : (raw[0] as number));
    case "multiclass":
      return logSumOfPowers(raw) - (raw[target] as number);
  }
}

/** ln(1 + e^x), without overflow. */
function softPlus(value: number): number {
  return Math.max(value, 0) + logOnePlus(exponential(-Math.abs(value)));
}

function logSumOfPowers(raw: Float32Array): number {
  const largest = raw.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return largest + naturalLog(raw.reduce((sum, value) => sum + exponential(value - largest), 0));
}
