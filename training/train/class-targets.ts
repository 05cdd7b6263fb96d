/**
 * Class targets from a dataset's moves: thresholds from training rows alone, then for each row the class of each question, as probabilities of which one is 1.
 *
 * Refused: a question whose training rows lack one of its classes, since a class never seen can't be learnt and its logit would only drift.
 */

import { balancedThreshold, directionOf, nextChanges } from "../../core/labels/classes.ts";
import type { ClassQuestion } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";

export interface ClassTargets {
  /** All labels of all questions. */
  readonly width: number;
  /** [rows, width] 1 at the class that was. */
  readonly targets: Float32Array;
  /** [rows, width] 1 over a question's labels where it has a class. */
  readonly mask: Float32Array;
}

/** [questions] 0 for those without a "flat". @param rows the training rows, and no other. */
export function fitThresholds(dataset: Dataset, rows: Uint32Array, questions: readonly ClassQuestion[]): number[] {
  return questions.map((question) => {
    // Given classes are 1, 0 and -1: beyond 0 is what they say.
    if (question.asks === "next-change" || dataset.card.unit === "class") return 0;
    const column = columnOf(dataset, question);
    const { outputs, targets, mask } = dataset;
    const known = rows.filter((row) => mask[row * outputs + column] === 1);
    const threshold = balancedThreshold(Float64Array.from(known, (row) => targets[row * outputs + column] as number));
    if (threshold === null) throw new CommandError(`no training row knows ${describe(question)}: record or simulate longer`);
    return threshold;
  });
}

/** Of all rows of the dataset. */
export function classTargets(dataset: Dataset, questions: readonly ClassQuestion[], thresholdsBps: readonly number[]): ClassTargets {
  const width = questions.reduce((sum, { labels }) => sum + labels.length, 0);
  const targets = new Float32Array(dataset.rows * width);
  const mask = new Float32Array(dataset.rows * width);
  let offset = 0;
  for (const [index, question] of questions.entries()) {
    const classes = classesOf(dataset, question, thresholdsBps[index] ?? 0);
    const labels = question.labels.length;
    for (let row = 0; row < dataset.rows; row++) {
      const known = classes[row] as number;
      if (known < 0) continue;
      const from = row * width + offset;
      targets[from + known] = 1;
      mask.fill(1, from, from + labels);
    }
    offset += labels;
  }
  return { width, targets, mask };
}

/** Throws CommandError where a class has no training row. */
export function checkClasses({ targets, width }: ClassTargets, rows: Uint32Array, questions: readonly ClassQuestion[]): void {
  let column = 0;
  for (const question of questions) {
    for (const label of question.labels) {
      if (!rows.some((row) => targets[row * width + column] === 1)) {
        throw new CommandError(
          `of ${rows.length} training rows none is "${label}" for ${describe(question)}: a class that is never seen can't be learnt. Record or simulate longer`,
        );
      }
      column++;
    }
  }
}

/** [rows] index into the question's labels; -1 where there is no class. */
export function classesOf(dataset: Dataset, question: ClassQuestion, thresholdBps: number): Int8Array {
  const { rows, outputs, targets, mask, card } = dataset;
  if (question.asks === "next-change") {
    const step = columnOf(dataset, { ...question, horizonMs: card.intervalMs });
    const pick = (from: ArrayLike<number>): Float64Array =>
      Float64Array.from({ length: rows }, (_, row) => from[row * outputs + step] as number);
    return nextChanges({ moves: pick(targets), mask: pick(mask) }, question.horizonMs / card.intervalMs);
  }
  const column = columnOf(dataset, question);
  return Int8Array.from({ length: rows }, (_, row) => {
    const cell = row * outputs + column;
    return mask[cell] === 1 ? directionOf(targets[cell] as number, thresholdBps) : -1;
  });
}

/** The target of the dataset that a question is answered by. */
export function columnOf(dataset: Dataset, { target, horizonMs }: Pick<ClassQuestion, "target" | "horizonMs">): number {
  const column = dataset.card.targets.findIndex((each) => each.target === target && each.horizonMs === horizonMs);
  if (column < 0)
    throw new CommandError(
      `the dataset has no moves of ${target} at ${horizonMs} ms: give --horizons that one too, or make a dataset that has it`,
    );
  return column;
}

function describe({ asks, target, horizonMs }: ClassQuestion): string {
  return asks === "move" ? `where the ${target} goes in ${horizonMs / 1_000} s` : `which way the ${target} goes next`;
}
