/**
 * Ridge regression (Hoerl and Kennard 1970), the line that every model is shown beside: w = (XᵀX + λ n I)⁻¹ Xᵀy per output, for a path of λ.
 * Fitted on training rows, λ chosen per output on validation rows, which come later.
 *
 * By default without an intercept: the inputs are centred, and a constant forecast of a move is a drift that nobody should believe. With one, it
 * is not penalised. Where no λ beats the constant alone, the line answers that and its λ is null.
 *
 * Each λ is solved by Cholesky's factors: a path of n penalties costs n/3·columns³, less than the eigenvectors that would make each further
 * one cheap (some 9·columns³) as long as there are fewer than about 25. A constant column gets the weight 0, copies of a column share theirs, and
 * columns may be more than rows: λ > 0 makes each of these solvable. λ = 0 is allowed where the columns alone are enough; a λ that can't be solved in float64 is left out.
 */

import { solvePositiveDefinite } from "../../core/math/linear-solve.ts";
import { CommandError } from "../command-error.ts";
import { type NormalEquations, normalEquations } from "./normal-equations.ts";
import { blocksOf, copyInputs, type LinearRows, placeOf, type RowBlock, targetOf, weightOf, widthOf } from "./rows.ts";

/**
 * Times the number of rows, for inputs of variance 1 (the grid of the reference study). Wide enough: on two days of StandX (v2) the best is 0.001 at 1 s and 3 at
 * 300 s, where 10 is worse again.
 */
export const RIDGE_LAMBDAS: readonly number[] = [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3];

/** What answers rows: inputs · weights + intercept. In units of the targets. */
export interface Line {
  /** [outputs, columns] */
  readonly weights: Float64Array;
  /** [outputs]; left out, all are 0. */
  readonly intercepts?: Float64Array;
}

export interface Ridge extends Line {
  readonly intercepts: Float64Array;
  /** [outputs] the λ that validation chose; null where no line beat the constant, whose weights are then 0. */
  readonly lambdas: readonly (number | null)[];
  /** What validation said of each λ, in the order given, those that can't be solved left out. */
  readonly path: readonly RidgePathPoint[];
}

export interface RidgePathPoint {
  readonly lambda: number;
  /** [outputs] mean squared error over the validation rows; null where none has a target. */
  readonly validationErrors: readonly (number | null)[];
}

export interface RidgeOptions {
  /** 0 or more, in any order. */
  readonly lambdas?: readonly number[];
  readonly hasIntercept?: boolean;
}

interface Candidate extends Line {
  readonly lambda: number | null;
  readonly intercepts: Float64Array;
}

interface PenalisedLine extends Candidate {
  readonly lambda: number;
}

/** Throws CommandError where rows hold no numbers, widths differ, or no λ can be solved. */
export function fitRidge(train: LinearRows, validation: LinearRows, options: RidgeOptions = {}): Ridge {
  const { lambdas = RIDGE_LAMBDAS, hasIntercept = false } = options;
  const wrong = lambdas.find((lambda) => !(lambda >= 0 && lambda < Number.POSITIVE_INFINITY));
  if (wrong !== undefined || lambdas.length === 0) throw new CommandError(`a penalty is 0 or more, not ${wrong ?? "missing"}`);
  const { columns, outputs } = widthOf(train);
  const equations = normalEquations(train, { hasIntercept });
  const constant = constantOf(equations, columns, outputs);
  const lines = lambdas.flatMap((lambda) => lineFor(equations, lambda, { columns, outputs }) ?? []);
  if (lines.length === 0)
    throw new CommandError(
      `none of the penalties ${lambdas.join(", ")} can be solved: columns repeat each other, or their scales lie too far apart`,
    );
  const candidates = [constant, ...lines];
  const { errors, weights: validated } = validationErrors(candidates, validation, { columns, outputs });
  const best = Array.from({ length: outputs }, (_, output) => leastOf(candidates, errors, { output, outputs }));
  const weights = new Float64Array(outputs * columns);
  const intercepts = new Float64Array(outputs);
  for (const [output, candidate] of best.entries()) {
    weights.set(candidate.weights.subarray(output * columns, (output + 1) * columns), output * columns);
    intercepts[output] = candidate.intercepts[output] as number;
  }
  const path = lines.map(({ lambda }, place) => ({
    lambda,
    validationErrors: Array.from(validated, (weight, output) =>
      weight > 0 ? (errors[(place + 1) * outputs + output] as number) / weight : null,
    ),
  }));
  return { weights, intercepts, lambdas: best.map((candidate) => candidate.lambda), path };
}

/** [rows, outputs] in units of the targets. */
export function answerRidge(line: Line, source: Pick<RowBlock, "rows" | "columns" | "outputs" | "inputs" | "windows">): Float32Array {
  const { rows, columns, outputs, inputs } = source;
  const answers = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    const base = placeOf(source, row);
    for (let output = 0; output < outputs; output++) {
      let sum = line.intercepts?.[output] ?? 0;
      for (let column = 0; column < columns; column++) {
        sum += (inputs[base + column] as number) * (line.weights[output * columns + column] as number);
      }
      answers[row * outputs + output] = sum;
    }
  }
  return answers;
}

/** Null when the matrix is not positive definite in float64. */
function lineFor(equations: readonly NormalEquations[], lambda: number, shape: { columns: number; outputs: number }): PenalisedLine | null {
  const { columns, outputs } = shape;
  const weights = new Float64Array(outputs * columns);
  const intercepts = new Float64Array(outputs);
  for (const { members, gram, moments, inputMeans, targetMeans } of equations) {
    const regularised = gram.slice();
    for (let column = 0; column < columns; column++)
      regularised[column * columns + column] = (gram[column * columns + column] as number) + lambda;
    const solved = solvePositiveDefinite(regularised, moments, columns);
    if (solved === null) return null;
    for (const [place, output] of members.entries()) {
      let intercept = targetMeans[place] as number;
      for (let column = 0; column < columns; column++) {
        const weight = solved[column * members.length + place] as number;
        weights[output * columns + column] = weight;
        intercept -= weight * (inputMeans[column] as number);
      }
      intercepts[output] = intercept;
    }
  }
  return { lambda, weights, intercepts };
}

/** No weights: the mean where there is an intercept, else 0. */
function constantOf(equations: readonly NormalEquations[], columns: number, outputs: number): Candidate {
  const intercepts = new Float64Array(outputs);
  for (const { members, targetMeans } of equations)
    for (const [place, output] of members.entries()) intercepts[output] = targetMeans[place] as number;
  return { lambda: null, weights: new Float64Array(outputs * columns), intercepts };
}

/** All candidates in one pass. @returns errors [candidates, outputs], weighted sums of squares; weights [outputs]. */
function validationErrors(
  candidates: readonly Candidate[],
  validation: LinearRows,
  { columns, outputs }: { columns: number; outputs: number },
): { errors: Float64Array; weights: Float64Array } {
  const errors = new Float64Array(candidates.length * outputs);
  const weights = new Float64Array(outputs);
  const inputs = new Float64Array(columns);
  for (const block of blocksOf(validation)) {
    if (block.columns !== columns || block.outputs !== outputs)
      throw new CommandError(
        `validation rows of ${block.columns} columns and ${block.outputs} outputs for a line of ${columns} and ${outputs}`,
      );
    for (let row = 0; row < block.rows; row++) {
      const weight = weightOf(block, row);
      if (weight === 0) continue;
      copyInputs(block, row, inputs);
      for (let output = 0; output < outputs; output++) {
        if (block.mask[row * outputs + output] === 0) continue;
        const target = targetOf(block, row, output);
        weights[output] = (weights[output] as number) + weight;
        for (const [place, candidate] of candidates.entries()) {
          const error = target - answerOf(candidate, inputs, output);
          const cell = place * outputs + output;
          errors[cell] = (errors[cell] as number) + error * error * weight;
        }
      }
    }
  }
  return { errors, weights };
}

function answerOf({ weights, intercepts }: Candidate, inputs: Float64Array, output: number): number {
  const columns = inputs.length;
  let sum = intercepts[output] as number;
  for (let column = 0; column < columns; column++) sum += (inputs[column] as number) * (weights[output * columns + column] as number);
  return sum;
}

/** The first of those with the least error; without validation rows the constant. */
function leastOf(
  candidates: readonly Candidate[],
  errors: Float64Array,
  { output, outputs }: { output: number; outputs: number },
): Candidate {
  let best = 0;
  for (let place = 1; place < candidates.length; place++)
    if ((errors[place * outputs + output] as number) < (errors[best * outputs + output] as number)) best = place;
  return candidates[best] as Candidate;
}
