/** Lines as a model of its own: ridge for moves, and for classes a logistic line for each question. Both with a path of penalties, of which validation chooses. */

import type { ClassesOutput, ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { fitLogistic, LOGISTIC_LAMBDAS, remarksOn } from "../linear/logistic.ts";
import { answerRidge, fitRidge, type Line, RIDGE_LAMBDAS } from "../linear/ridge.ts";
import { blocksOf, type LinearRows } from "../linear/rows.ts";
import type { PreparedRows } from "./contract.ts";
import { linearRows } from "./input-table.ts";

export interface LineSettings {
  /** Null: those that suit the answer. */
  readonly lambdas: readonly number[] | null;
  /** Of moves; a line for classes always has one. */
  readonly hasIntercept: boolean;
}

export const LINE_DEFAULTS: LineSettings = { lambdas: null, hasIntercept: false };

export interface PenaltyScore {
  readonly lambda: number;
  /** Null: not told. */
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
}

export interface FittedLines {
  /** [outputs, columns]; of classes one line a label, which answers its logit. */
  readonly weights: Float64Array;
  /** [outputs] */
  readonly intercepts: Float64Array;
  /** Of each move or question; null: the constant alone. */
  readonly lambdas: readonly (number | null)[];
  /** Means over the moves or questions, from the largest penalty to the smallest. */
  readonly path: readonly PenaltyScore[];
  /** What a person should know before they believe it. */
  readonly remarks: readonly string[];
}

export function lambdasFor(output: ModelOutput, { lambdas }: LineSettings): readonly number[] {
  return lambdas ?? (output.unit === "probability" ? LOGISTIC_LAMBDAS : RIDGE_LAMBDAS);
}

/** Throws CommandError where the rows can't teach, or lines give no such answer. */
export function fitLines(
  train: PreparedRows,
  validation: PreparedRows,
  { output, settings }: { output: ModelOutput; settings: LineSettings },
): FittedLines {
  const lambdas = lambdasFor(output, settings);
  if (output.unit === "probability") return fitClassLines(train, validation, { output, lambdas });
  if (output.unit !== "bps") throw new CommandError(`lines answer moves and classes, not ${output.name}`);
  const { weights, intercepts, path, ...line } = fitRidge(linearRows(train), linearRows(validation), {
    lambdas,
    hasIntercept: settings.hasIntercept,
  });
  const scores = path.map(({ lambda, validationErrors }) => ({ lambda, trainLoss: null, validationLoss: meanOf(validationErrors) }));
  return { weights, intercepts, lambdas: line.lambdas, path: fromLargest(scores), remarks: [] };
}

export function fitClassLines(
  train: PreparedRows,
  validation: PreparedRows,
  { output, lambdas }: { output: ClassesOutput; lambdas: readonly number[] },
): FittedLines {
  const { columns } = train;
  const [known, later] = [withClasses(train, output), withClasses(validation, output)];
  const lines = output.groups.map(({ labels }, question) =>
    fitLogistic(known, later, { classes: labels.length, output: question, lambdas }),
  );
  // One logit of two classes is that of the second against the first, whose own is 0.
  const widened = lines.map(({ logits, weights, intercepts, classes }) => ({
    weights: [...new Array<number>((classes - logits) * columns).fill(0), ...weights],
    intercepts: [...new Array<number>(classes - logits).fill(0), ...intercepts],
  }));
  const path = lambdas.map((lambda) => {
    const points = lines.flatMap((line) => line.path.find((point) => point.lambda === lambda) ?? []);
    return {
      lambda,
      trainLoss: meanOf(points.map(({ trainLoss }) => trainLoss)),
      validationLoss: meanOf(points.map(({ validationLoss }) => validationLoss)),
    };
  });
  return {
    weights: Float64Array.from(widened.flatMap(({ weights }) => weights)),
    intercepts: Float64Array.from(widened.flatMap(({ intercepts }) => intercepts)),
    lambdas: lines.map(({ lambda }) => lambda),
    path: fromLargest(path),
    remarks: lines.flatMap(remarksOn),
  };
}

/** [rows, outputs] what a line answers to prepared rows, in units of the targets' scale, or logits. */
export function answerLine(line: Line, rows: PreparedRows): Float32Array {
  const answers = new Float32Array(rows.rows * rows.outputs);
  let done = 0;
  for (const block of blocksOf(linearRows(rows))) {
    answers.set(answerRidge(line, block), done);
    done += block.rows * rows.outputs;
  }
  return answers;
}

/** The same rows with the number of the class of each question in place of one cell a label. */
function withClasses(rows: PreparedRows, { groups }: ClassesOutput): LinearRows {
  const targets = new Float32Array(rows.rows * groups.length);
  const mask = new Float32Array(rows.rows * groups.length);
  for (let row = 0; row < rows.rows; row++) {
    let from = row * rows.outputs;
    for (const [question, { labels }] of groups.entries()) {
      const cell = row * groups.length + question;
      mask[cell] = rows.mask[from] as number;
      targets[cell] = Math.max(0, rows.targets.subarray(from, from + labels.length).indexOf(1));
      from += labels.length;
    }
  }
  return linearRows({ ...rows, outputs: groups.length, targets, mask });
}

function fromLargest(path: readonly PenaltyScore[]): PenaltyScore[] {
  return path.toSorted((one, other) => other.lambda - one.lambda);
}

/** Of those that are there; null where none is. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
