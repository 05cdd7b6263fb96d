/**
 * Trees that correct a line: the line is fitted first, on the training rows, and what it leaves of each move there is what the trees learn. Answers are the
 * sums of both.
 *
 * The trees start from 0: the mean of what is left of the training rows is taken off before they learn it, since a constant forecast of a move is a drift
 * that nobody should believe (linear/ridge.ts). Where no round beats the line alone on the validation rows, the correction is nothing.
 */

import type { ModelOutput } from "../../models/contract.ts";
import type { Line } from "../linear/ridge.ts";
import type { TrainedTrees } from "../trees/contract.ts";
import type { PreparedRows } from "./contract.ts";
import { answerLine, type FittedLines, fitLines, type LineSettings } from "./fit-lines.ts";
import { type Asked, askedOf, type RunTreeSettings, TREE_DEFAULTS } from "./fit-trees.ts";

/** Smaller trees, of more rows a leaf than trees alone take: what a line leaves is nearly noise (from a study of two days of real order flow). */
export const CORRECTION_DEFAULTS: RunTreeSettings = {
  ...TREE_DEFAULTS,
  growth: { kind: "leaf-wise", maxLeaves: 15, maxDepth: 64 },
  lambda: 20,
  minRows: 500,
  rowShare: 0.5,
  columnShare: 0.3,
};

/** A line, and the rows that trees which correct it learn from. */
export interface LeftByLine {
  readonly line: FittedLines;
  readonly settings: LineSettings;
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
}

/** Throws CommandError where no line can be fitted. */
export function leftByLine(
  train: PreparedRows,
  validation: PreparedRows,
  { output, settings }: { output: ModelOutput; settings: LineSettings },
): LeftByLine {
  const line = fitLines(train, validation, { output, settings });
  return { line, settings, train: taughtByRest(train, line), validation: leftOf(validation, line) };
}

/** Training rows with what a line leaves of each move, less its mean. */
export function taughtByRest(train: PreparedRows, line: Line): PreparedRows {
  return centred(leftOf(train, line));
}

/** [rows, outputs] of both. */
export function sumOfBoth(line: Line, correction: Float32Array, rows: PreparedRows): Float32Array {
  const sums = answerLine(line, rows);
  for (let cell = 0; cell < sums.length; cell++) sums[cell] = (sums[cell] as number) + (correction[cell] as number);
  return sums;
}

/** Those that make the line worse become nothing. @param validation what the line left there. */
export function withoutHarm(
  trained: readonly (TrainedTrees | null)[],
  validation: PreparedRows,
  output: ModelOutput,
): (TrainedTrees | null)[] {
  const asked = askedOf(output);
  return trained.map((one, index) => {
    if (one === null) return null;
    const best = one.curve[one.bestRound - 1]?.validationLoss ?? Number.POSITIVE_INFINITY;
    if (best < meanSquareOf(validation, asked[index] as Asked)) return one;
    return { ...one, bestRound: 0, ensemble: { ...one.ensemble, base: new Float32Array(one.ensemble.outputs), trees: [] } };
  });
}

function leftOf(rows: PreparedRows, line: Line): PreparedRows {
  const answers = answerLine(line, rows);
  return { ...rows, targets: rows.targets.map((target, cell) => target - (answers[cell] as number)) };
}

/** Each output's mean over the rows that have a target taken off. */
function centred(rows: PreparedRows): PreparedRows {
  const { outputs, mask } = rows;
  const targets = rows.targets.slice();
  for (let output = 0; output < outputs; output++) {
    let [sum, count] = [0, 0];
    for (let cell = output; cell < targets.length; cell += outputs) {
      if (mask[cell] !== 1) continue;
      sum += targets[cell] as number;
      count++;
    }
    const mean = sum / Math.max(1, count);
    for (let cell = output; cell < targets.length; cell += outputs) targets[cell] = (targets[cell] as number) - mean;
  }
  return { ...rows, targets };
}

/** The loss of no correction at all. */
function meanSquareOf({ targets, mask, outputs }: PreparedRows, { from }: Asked): number {
  let [sum, count] = [0, 0];
  for (let cell = from; cell < targets.length; cell += outputs) {
    if (mask[cell] !== 1) continue;
    sum += (targets[cell] as number) * (targets[cell] as number);
    count++;
  }
  return sum / Math.max(1, count);
}
