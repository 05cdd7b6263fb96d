/**
 * The mean log-loss of a logistic line over rows, with its gradient, in float64:
 *
 *   two classes:  one logit z, loss = ln(1 + e^z) - y·z
 *   more:         one logit a class, loss = ln Σ e^z - z of the class (softmax)
 *
 * and λ/2·‖weights‖², the intercepts free. Exponentials are the project's own (core/math/elementary), so that a fit is the same bits on any machine.
 */

import { exponential, logOnePlus, naturalLog } from "../../core/math/elementary.ts";
import { CommandError } from "../command-error.ts";
import { blocksOf, type LinearRows, placeOf, type RowBlock, targetOf, weightOf } from "./rows.ts";

export interface LogisticShape {
  readonly columns: number;
  /** 2 or more. */
  readonly classes: number;
  /** Which target of the rows holds the class. */
  readonly output: number;
}

export interface LossSums {
  /** Weighted sum of the rows' losses, without penalty. */
  readonly loss: number;
  /** Sum of the weights. */
  readonly weight: number;
  /** Weighted rows whose class had not the largest share. */
  readonly wrong: number;
}

/** Where a row's inputs lie: from `base` on. */
export interface RowPlace {
  readonly inputs: RowBlock["inputs"];
  readonly base: number;
  readonly columns: number;
}

/** One logit is enough for two classes. */
export function logitsOf({ classes }: Pick<LogisticShape, "classes">): number {
  return classes === 2 ? 1 : classes;
}

/** Parameters are [logits, columns + 1], the intercept last. */
export function parameterCount(shape: LogisticShape): number {
  return logitsOf(shape) * (shape.columns + 1);
}

/** @param gradient of the sum, not of the mean, added to; null: none is wanted. Inputs must be finite: whoever fits has looked. Throws CommandError where a class is none. */
export function sumLoss(
  rows: LinearRows,
  parameters: Float64Array,
  options: { shape: LogisticShape; gradient: Float64Array | null },
): LossSums {
  const { shape, gradient } = options;
  const { columns } = shape;
  const logits = logitsOf(shape);
  const scores = new Float64Array(logits);
  let loss = 0;
  let total = 0;
  let wrong = 0;
  for (const block of blocksOf(rows)) {
    for (let row = 0; row < block.rows; row++) {
      if (block.mask[row * block.outputs + shape.output] === 0) continue;
      const weight = weightOf(block, row);
      if (weight === 0) continue;
      const actual = classOf(targetOf(block, row, shape.output), shape.classes, row);
      const place = { inputs: block.inputs, base: placeOf(block, row), columns };
      scoreRow(parameters, place, scores);
      if (!isFirst(scores, actual)) wrong += weight;
      loss += weight * (logits === 1 ? binaryLoss(scores, actual) : softmaxLoss(scores, actual));
      total += weight;
      if (gradient !== null) addGradient(gradient, place, { scores, weight });
    }
  }
  return { loss, weight: total, wrong };
}

/** Writes the probabilities of the block's row into `probabilities`, [logits]: of class 1 alone where there are two classes. */
export function writeProbabilities(parameters: Float64Array, place: RowPlace, probabilities: Float64Array): void {
  scoreRow(parameters, place, probabilities);
  // The losses leave the probability less what happened. In class 0 of two nothing is taken off; of more, the one that was is put back.
  if (probabilities.length === 1) binaryLoss(probabilities, 0);
  else softmaxLoss(probabilities, 0);
  if (probabilities.length > 1) probabilities[0] = (probabilities[0] as number) + 1;
}

/** The targets hold classes as whole numbers from 0. */
export function classOf(target: number, classes: number, row: number): number {
  if (!Number.isInteger(target) || target < 0 || target >= classes)
    throw new CommandError(`row ${row} has the class ${target}: classes are whole numbers from 0 to ${classes - 1}`);
  return target;
}

function scoreRow(parameters: Float64Array, { inputs, base: first, columns }: RowPlace, scores: Float64Array): void {
  for (let logit = 0; logit < scores.length; logit++) {
    const base = logit * (columns + 1);
    let score = parameters[base + columns] as number;
    for (let column = 0; column < columns; column++) score += (parameters[base + column] as number) * (inputs[first + column] as number);
    scores[logit] = score;
  }
}

/** A draw is not right: the loss of a line that knows nothing. */
function isFirst(scores: Float64Array, actual: number): boolean {
  if (scores.length === 1) return (scores[0] as number) * (actual === 1 ? 1 : -1) > 0;
  for (let other = 0; other < scores.length; other++)
    if (other !== actual && (scores[other] as number) >= (scores[actual] as number)) return false;
  return true;
}

/** Leaves the probability of class 1 less what happened in `scores`. */
function binaryLoss(scores: Float64Array, actual: number): number {
  const score = scores[0] as number;
  const small = exponential(-Math.abs(score));
  scores[0] = (score >= 0 ? 1 : small) / (1 + small) - actual;
  return Math.max(score, 0) - score * actual + logOnePlus(small);
}

/** Leaves the probabilities less what happened in `scores`. */
function softmaxLoss(scores: Float64Array, actual: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const score of scores) most = Math.max(most, score);
  const own = (scores[actual] as number) - most;
  let sum = 0;
  for (let logit = 0; logit < scores.length; logit++) {
    const share = exponential((scores[logit] as number) - most);
    scores[logit] = share;
    sum += share;
  }
  for (let logit = 0; logit < scores.length; logit++) scores[logit] = (scores[logit] as number) / sum - (logit === actual ? 1 : 0);
  return naturalLog(sum) - own;
}

function addGradient(
  gradient: Float64Array,
  { inputs, base: first, columns }: RowPlace,
  { scores, weight }: { scores: Float64Array; weight: number },
): void {
  for (let logit = 0; logit < scores.length; logit++) {
    const base = logit * (columns + 1);
    const factor = (scores[logit] as number) * weight;
    for (let column = 0; column < columns; column++)
      gradient[base + column] = (gradient[base + column] as number) + factor * (inputs[first + column] as number);
    gradient[base + columns] = (gradient[base + columns] as number) + factor;
  }
}
