/**
 * Ridge regression, the line that every network is shown beside: w = (XᵀX + λ n I)⁻¹ Xᵀy per output, on the very inputs that the
 * network gets, without a bias (the inputs are centred, and a constant forecast of a move is a drift that nobody should believe).
 * Fitted on training rows, λ chosen per output on validation rows.
 */

import { solvePositiveDefinite } from "../../core/math/linear-solve.ts";
import type { PreparedRows } from "../train/prepared-rows.ts";

/** Times the number of rows, for inputs of variance 1 (Hoerl and Kennard 1970; the grid of the reference study). */
export const RIDGE_LAMBDAS: readonly number[] = [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3];

export interface Ridge {
  /** [outputs, columns], in units of the targets' scale. */
  readonly weights: Float64Array;
  /** [outputs] the λ that validation chose; null where no line beat "no move", whose weights are then 0. */
  readonly lambdas: readonly (number | null)[];
}

interface Candidate {
  readonly lambda: number | null;
  readonly weights: Float64Array;
  readonly error: number;
}

interface NormalEquations {
  /** XᵀX / n, [columns, columns]. */
  readonly gram: Float64Array;
  /** Xᵀy / n, [columns]. */
  readonly moment: Float64Array;
}

export function fitRidge(train: PreparedRows, validation: PreparedRows): Ridge {
  const { columns, outputs } = train;
  const weights = new Float64Array(outputs * columns);
  const lambdas: (number | null)[] = [];
  for (let output = 0; output < outputs; output++) {
    const equations = normalEquations(train, output);
    const nothing = new Float64Array(columns);
    let best: Candidate = { lambda: null, weights: nothing, error: squaredError(validation, nothing, output) };
    for (const lambda of RIDGE_LAMBDAS) {
      const solved = solveRidge(equations, lambda, columns);
      const error = squaredError(validation, solved, output);
      if (error < best.error) best = { lambda, weights: solved, error };
    }
    weights.set(best.weights, output * columns);
    lambdas.push(best.lambda);
  }
  return { weights, lambdas };
}

/** The solution for one λ, [columns]. */
export function solveRidge({ gram, moment }: NormalEquations, lambda: number, columns: number): Float64Array {
  const regularised = gram.slice();
  for (let column = 0; column < columns; column++)
    regularised[column * columns + column] = (gram[column * columns + column] as number) + lambda;
  const solved = solvePositiveDefinite(regularised, moment, columns);
  // With λ > 0 the matrix is positive definite whatever the data.
  if (solved === null) throw new Error(`ridge with lambda ${lambda} could not be solved`);
  return solved;
}

/** Over the rows that have a target at `output`. */
export function normalEquations(source: PreparedRows, output: number): NormalEquations {
  const { rows, columns, outputs, inputs, targets, mask } = source;
  const gram = new Float64Array(columns * columns);
  const moment = new Float64Array(columns);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (mask[row * outputs + output] === 0) continue;
    count++;
    const target = targets[row * outputs + output] as number;
    const base = row * columns;
    for (let i = 0; i < columns; i++) {
      const value = inputs[base + i] as number;
      moment[i] = (moment[i] as number) + value * target;
      for (let j = 0; j <= i; j++) gram[i * columns + j] = (gram[i * columns + j] as number) + value * (inputs[base + j] as number);
    }
  }
  const share = 1 / Math.max(count, 1);
  for (let i = 0; i < columns; i++) {
    moment[i] = (moment[i] as number) * share;
    for (let j = 0; j <= i; j++) {
      gram[i * columns + j] = (gram[i * columns + j] as number) * share;
      gram[j * columns + i] = gram[i * columns + j] as number;
    }
  }
  return { gram, moment };
}

/** [rows, outputs] in units of the targets' scale. */
export function answerRidge(ridge: Ridge, source: PreparedRows): Float32Array {
  const { rows, columns, outputs, inputs } = source;
  const answers = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let output = 0; output < outputs; output++) {
      let sum = 0;
      for (let column = 0; column < columns; column++) {
        sum += (inputs[row * columns + column] as number) * (ridge.weights[output * columns + column] as number);
      }
      answers[row * outputs + output] = sum;
    }
  }
  return answers;
}

function squaredError(source: PreparedRows, weights: Float64Array, output: number): number {
  const { rows, columns, outputs, inputs, targets, mask } = source;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    if (mask[row * outputs + output] === 0) continue;
    let error = targets[row * outputs + output] as number;
    for (let column = 0; column < columns; column++) error -= (inputs[row * columns + column] as number) * (weights[column] as number);
    sum += error * error;
  }
  return sum;
}
