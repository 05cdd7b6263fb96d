/**
 * How wrong an answer is, by the measure its network was trained by, and how wrong one is that knows nothing of the row: "no move" of moves, the training
 * rows' shares of classes, the mean of what is reconstructed. What doesn't beat that has learnt nothing.
 */

import type { ModelOutput } from "../../models/contract.ts";
import type { PreparedRows } from "./contract.ts";

/** A share that is 0 would make one such row's surprise infinite; no class is refused with less than one row. */
const LEAST_SHARE = 1e-9;

/** @param answers [rows, outputs] as the network gives them: classes as logits. */
export function meanError(rows: PreparedRows, answers: Float32Array, output: ModelOutput): number {
  return output.unit === "probability" ? crossEntropy(rows, answers, output) : meanSquaredError(rows, answers);
}

/** [rows, outputs] of the answer that knows nothing of the row. */
export function ignorantAnswers(rows: PreparedRows, train: PreparedRows, output: ModelOutput): Float32Array {
  const answers = new Float32Array(rows.rows * rows.outputs);
  if (output.unit !== "probability") return answers;
  const logits = logarithmsOfShares(train);
  for (let row = 0; row < rows.rows; row++) answers.set(logits, row * rows.outputs);
  return answers;
}

function logarithmsOfShares({ rows, outputs, targets, mask }: PreparedRows): Float32Array {
  const logits = new Float32Array(outputs);
  for (let column = 0; column < outputs; column++) {
    let [found, known] = [0, 0];
    for (let row = 0; row < rows; row++) {
      found += targets[row * outputs + column] as number;
      known += mask[row * outputs + column] as number;
    }
    logits[column] = Math.log(Math.max(found / Math.max(known, 1), LEAST_SHARE));
  }
  return logits;
}

export function meanSquaredError(rows: PreparedRows, answers: Float32Array): number {
  let squares = 0;
  let cells = 0;
  for (let cell = 0; cell < answers.length; cell++) {
    if (rows.mask[cell] === 0) continue;
    const error = (answers[cell] as number) - (rows.targets[cell] as number);
    squares += error * error;
    cells++;
  }
  return squares / Math.max(cells, 1);
}

/** Nats, over the rows and questions that have an answer; each question counts by its labels, as in training. */
function crossEntropy(rows: PreparedRows, answers: Float32Array, { groups }: Extract<ModelOutput, { unit: "probability" }>): number {
  let sum = 0;
  let weight = 0;
  for (let row = 0; row < rows.rows; row++) {
    let from = row * rows.outputs;
    for (const { labels } of groups) {
      const to = from + labels.length;
      if (rows.mask[from] === 1) {
        sum += labels.length * surprise(answers.subarray(from, to), rows.targets.subarray(from, to));
        weight += labels.length;
      }
      from = to;
    }
  }
  return sum / Math.max(weight, 1);
}

function surprise(logits: Float32Array, truth: Float32Array): number {
  const largest = Math.max(...logits);
  const total = logits.reduce((all, logit) => all + Math.exp(logit - largest), 0);
  return largest + Math.log(total) - (logits[truth.indexOf(1)] as number);
}
