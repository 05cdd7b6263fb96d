/**
 * Logistic regression of two classes (one logit) or more (softmax), for a path of L2 penalties: from the largest λ to the smallest, each fit
 * beginning where the last one ended, λ chosen by the log-loss of validation rows, which come later.
 *
 *   minimise  Σ weight·loss / Σ weight + λ/2·‖weights‖²,  the intercepts free (scikit-learn's C is 1 / (λ n))
 *
 * By L-BFGS that starts from a bound of the Hessian in place of the unit matrix: it is nowhere above ¼·X̃ᵀX̃ (two classes; ½ for more: Böhning 1992),
 * X̃ being the inputs with a one behind them. That matrix is made in one pass and takes out what makes such fits slow, columns that are nearly
 * copies of each other. Newton's steps would need it anew at each of them.
 *
 * Where a plane parts the classes, the loss falls for ever as the weights grow: λ > 0 bounds them, and `isSeparated` says that it was so. Refused:
 * λ of 0, fewer than two classes among the rows, a class that no row is of (its intercept has no bound).
 */

import { choleskyFactor, solveFactored } from "../../core/math/linear-solve.ts";
import { CommandError } from "../command-error.ts";
import { type Minimum, minimise } from "./lbfgs.ts";
import { classOf, type LogisticShape, logitsOf, parameterCount, sumLoss, writeProbabilities } from "./logistic-loss.ts";
import { normalEquations } from "./normal-equations.ts";
import { blocksOf, copyInputs, type LinearRows, placeOf, type RowBlock, targetOf, weightOf, widthOf } from "./rows.ts";

/** For inputs of variance 1. */
export const LOGISTIC_LAMBDAS: readonly number[] = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0001, 0.00001];

export interface LogisticOptions {
  readonly classes: number;
  /** Which target of the rows holds the class, as a whole number from 0. */
  readonly output?: number;
  /** Above 0. */
  readonly lambdas?: readonly number[];
}

export interface Logistic {
  readonly classes: number;
  /** 1 for two classes: that of class 1 against class 0. */
  readonly logits: number;
  /** [logits, columns] */
  readonly weights: Float64Array;
  /** [logits] */
  readonly intercepts: Float64Array;
  readonly lambda: number;
  /** From the largest λ to the smallest. */
  readonly path: readonly LogisticPathPoint[];
  /** A plane parts the training rows: the weights are as large as the smallest λ lets them be. */
  readonly isSeparated: boolean;
}

export interface LogisticPathPoint {
  readonly lambda: number;
  /** Mean log-loss, without the penalty. */
  readonly trainLoss: number;
  /** Null without validation rows. */
  readonly validationLoss: number | null;
  readonly iterations: number;
  readonly evaluations: number;
  readonly outcome: Minimum["outcome"];
}

/** Beyond it the matrix of the bound costs more than it saves: columns² numbers, and as many products a row. */
const MOST_BOUNDED_COLUMNS = 512;
/** Of the largest part of the gradient where all weights are 0. */
const GRADIENT_TOLERANCE = 1e-7;
/** Each a pass over the rows or two. On 40 columns that lean on each other fits took 10 to 17; without the bound's matrix, up to 78. */
const MAX_ITERATIONS = 500;

/** Throws CommandError where rows can't teach: see above. */
export function fitLogistic(train: LinearRows, validation: LinearRows, options: LogisticOptions): Logistic {
  const shape = { columns: widthOf(train).columns, classes: options.classes, output: options.output ?? 0 };
  const lambdas = [...(options.lambdas ?? LOGISTIC_LAMBDAS)].sort((one, other) => other - one);
  checkLambdas(lambdas, shape);
  checkClasses(classWeights(train, shape));
  classWeights(validation, shape);
  const bound = boundOf(train, shape);
  const path: LogisticPathPoint[] = [];
  let parameters: Float64Array = new Float64Array(parameterCount(shape));
  let best: { parameters: Float64Array; loss: number; lambda: number } | null = null;
  for (const lambda of lambdas) {
    const minimum = fitOne(train, parameters, { shape, lambda, bound });
    parameters = minimum.at;
    const point = pointOf({ train, validation, shape, lambda }, minimum);
    path.push(point);
    // Without validation rows the strongest penalty stands: nothing speaks for a weaker one.
    const loss = point.validationLoss ?? Number.POSITIVE_INFINITY;
    if (best === null || loss < best.loss) best = { parameters, loss, lambda };
  }
  if (best === null) throw new CommandError("a logistic line needs at least one penalty");
  const { wrong } = sumLoss(train, parameters, { shape, gradient: null });
  return { classes: shape.classes, ...cut(best.parameters, shape), lambda: best.lambda, path, isSeparated: wrong === 0 };
}

/** [rows, logits] the probability of class 1, or of each class where there are more than two. */
export function answerLogistic(
  line: Pick<Logistic, "weights" | "intercepts">,
  source: Pick<RowBlock, "rows" | "columns" | "inputs" | "windows">,
): Float32Array {
  const { rows, columns, inputs } = source;
  const logits = line.intercepts.length;
  const parameters = joined(line, columns);
  const probabilities = new Float64Array(logits);
  const answers = new Float32Array(rows * logits);
  for (let row = 0; row < rows; row++) {
    writeProbabilities(parameters, { inputs, base: placeOf(source, row), columns }, probabilities);
    answers.set(probabilities, row * logits);
  }
  return answers;
}

/** What a person should know of the fit before they believe it, as sentences. */
export function remarksOn({ isSeparated, lambda, path }: Logistic): string[] {
  const unfinished = path.filter(({ outcome }) => outcome === "iteration-limit").map((point) => point.lambda);
  return [
    ...(isSeparated
      ? [
          `a plane parts the classes of the training rows wholly: without a penalty the weights would grow for ever; λ ${lambda} holds them. Look for a column that knows the answer`,
        ]
      : []),
    ...(unfinished.length > 0 ? [`not at the minimum after ${MAX_ITERATIONS} steps: λ ${unfinished.join(", ")}`] : []),
  ];
}

function fitOne(
  train: LinearRows,
  start: Float64Array,
  { shape, lambda, bound }: { shape: LogisticShape; lambda: number; bound: Float64Array | null },
): Minimum {
  const evaluate = (parameters: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    const { loss, weight } = sumLoss(train, parameters, { shape, gradient });
    let penalty = 0;
    for (let at = 0; at < parameters.length; at++) {
      const value = at % (shape.columns + 1) === shape.columns ? 0 : (parameters[at] as number);
      penalty += value * value;
      gradient[at] = (gradient[at] as number) / weight + lambda * value;
    }
    return loss / weight + (lambda / 2) * penalty;
  };
  const atZero = new Float64Array(start.length);
  evaluate(new Float64Array(start.length), atZero);
  const gradientTolerance = GRADIENT_TOLERANCE * atZero.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
  const precondition = preconditioner(bound, { shape, lambda });
  return minimise({ evaluate }, start, {
    gradientTolerance,
    maxIterations: MAX_ITERATIONS,
    ...(precondition === null ? {} : { precondition }),
  });
}

/** X̃ᵀX̃ / weight, [columns + 1, columns + 1]; null where it would be too large. */
function boundOf(train: LinearRows, { columns, output }: LogisticShape): Float64Array | null {
  if (columns > MOST_BOUNDED_COLUMNS) return null;
  const equations = normalEquations(only(train, output), { hasIntercept: true })[0];
  if (equations === undefined) return null;
  const { gram, inputMeans } = equations;
  const size = columns + 1;
  const bound = new Float64Array(size * size).fill(1);
  for (let i = 0; i < columns; i++) {
    const mean = inputMeans[i] as number;
    for (let j = 0; j < columns; j++) bound[i * size + j] = (gram[i * columns + j] as number) + mean * (inputMeans[j] as number);
    bound[i * size + columns] = mean;
    bound[columns * size + i] = mean;
  }
  return bound;
}

/** The rows with that target alone. */
function only(rows: LinearRows, output: number): LinearRows {
  const alone = (block: RowBlock): RowBlock => {
    const at = (row: number): number => row * block.outputs + output;
    const mask = Uint8Array.from({ length: block.rows }, (_, row) => Number(block.mask[at(row)] !== 0));
    return { ...block, outputs: 1, mask, targets: Float64Array.from(mask, (_, row) => block.targets[at(row)] as number) };
  };
  return {
    *[Symbol.iterator]() {
      for (const block of blocksOf(rows)) yield block.outputs === 1 ? block : alone(block);
    },
  };
}

/** (share·X̃ᵀX̃ + λ I)⁻¹ for each logit's part of a gradient; null where that can't be factored. */
function preconditioner(
  bound: Float64Array | null,
  { shape, lambda }: { shape: LogisticShape; lambda: number },
): ((gradient: Float64Array) => Float64Array) | null {
  if (bound === null) return null;
  const size = shape.columns + 1;
  const share = shape.classes === 2 ? 1 / 4 : 1 / 2;
  const matrix = bound.map((value, cell) => share * value + (cell % (size + 1) === 0 && cell < size * size - 1 ? lambda : 0));
  const factor = choleskyFactor(matrix, size);
  if (factor === null) return null;
  return (gradient) => {
    const made = new Float64Array(gradient.length);
    for (let base = 0; base < gradient.length; base += size)
      made.set(solveFactored(factor, gradient.subarray(base, base + size), size), base);
    return made;
  };
}

function pointOf(
  fit: { train: LinearRows; validation: LinearRows; shape: LogisticShape; lambda: number },
  minimum: Minimum,
): LogisticPathPoint {
  const meanLoss = (rows: LinearRows): number | null => {
    const { loss, weight } = sumLoss(rows, minimum.at, { shape: fit.shape, gradient: null });
    return weight > 0 ? loss / weight : null;
  };
  const { iterations, evaluations, outcome } = minimum;
  return {
    lambda: fit.lambda,
    trainLoss: meanLoss(fit.train) ?? 0,
    validationLoss: meanLoss(fit.validation),
    iterations,
    evaluations,
    outcome,
  };
}

function cut(parameters: Float64Array, shape: LogisticShape): Pick<Logistic, "logits" | "weights" | "intercepts"> {
  const { columns } = shape;
  const logits = logitsOf(shape);
  const weights = new Float64Array(logits * columns);
  const intercepts = new Float64Array(logits);
  for (let logit = 0; logit < logits; logit++) {
    const base = logit * (columns + 1);
    weights.set(parameters.subarray(base, base + columns), logit * columns);
    intercepts[logit] = parameters[base + columns] as number;
  }
  return { logits, weights, intercepts };
}

function joined({ weights, intercepts }: Pick<Logistic, "weights" | "intercepts">, columns: number): Float64Array {
  const parameters = new Float64Array(weights.length + intercepts.length);
  for (let logit = 0; logit < intercepts.length; logit++) {
    parameters.set(weights.subarray(logit * columns, (logit + 1) * columns), logit * (columns + 1));
    parameters[logit * (columns + 1) + columns] = intercepts[logit] as number;
  }
  return parameters;
}

function checkLambdas(lambdas: readonly number[], { classes }: LogisticShape): void {
  const wrong = lambdas.find((lambda) => !(lambda > 0 && lambda < Number.POSITIVE_INFINITY));
  if (wrong !== undefined)
    throw new CommandError(`a logistic line's penalty is above 0, not ${wrong}: without one, classes that a plane parts have no answer`);
  if (!Number.isSafeInteger(classes) || classes < 2)
    throw new CommandError(`a logistic line tells 2 classes apart or more, not ${classes}`);
}

/** [classes] sums of weights. Looks at every number once, so that the passes needn't. */
function classWeights(rows: LinearRows, { columns, classes, output }: LogisticShape): Float64Array {
  const weights = new Float64Array(classes);
  const inputs = new Float64Array(columns);
  for (const block of blocksOf(rows)) {
    if (block.columns !== columns) throw new CommandError(`rows of ${block.columns} columns among rows of ${columns}`);
    for (let row = 0; row < block.rows; row++) {
      if (block.mask[row * block.outputs + output] === 0) continue;
      copyInputs(block, row, inputs);
      const actual = classOf(targetOf(block, row, output), classes, row);
      weights[actual] = (weights[actual] as number) + weightOf(block, row);
    }
  }
  return weights;
}

function checkClasses(weights: Float64Array): void {
  const seen = [...weights.keys()].filter((of) => (weights[of] as number) > 0);
  if (seen.length === 0) throw new CommandError("no training row has a class");
  if (seen.length === 1) throw new CommandError(`all training rows are of class ${seen[0]}: there is nothing to tell apart`);
  const missing = weights.indexOf(0);
  if (missing >= 0)
    throw new CommandError(`no training row is of class ${missing} of ${weights.length}: take it out, or train on a longer time`);
}
