/**
 * The class that could last be observed when a row was answered: persistence of classes. Of a move over some seconds it is that of the move which has just
 * ended, by the same threshold; of the next change it is the direction of the last one. Nothing is looked at over a gap.
 */

import type { ClassQuestion } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { classesOf, columnOf } from "../train/class-targets.ts";

/** [rows of the dataset] index into the question's labels; -1 where none is known. */
export function lastClasses(dataset: Dataset, question: ClassQuestion, thresholdBps: number): Int8Array {
  return question.asks === "move" ? endedMoves(dataset, question, thresholdBps) : lastChanges(dataset, question);
}

function endedMoves(dataset: Dataset, question: ClassQuestion, thresholdBps: number): Int8Array {
  const steps = question.horizonMs / dataset.card.intervalMs;
  const classes = classesOf(dataset, question, thresholdBps);
  return Int8Array.from({ length: dataset.rows }, (_, row) => (isUnbroken(dataset, row, steps) ? (classes[row - steps] as number) : -1));
}

function lastChanges(dataset: Dataset, question: ClassQuestion): Int8Array {
  const { rows, outputs, targets, mask, card } = dataset;
  const step = columnOf(dataset, { ...question, horizonMs: card.intervalMs });
  const last = new Int8Array(rows).fill(-1);
  for (let row = 1; row < rows; row++) {
    if (!isUnbroken(dataset, row, 1)) continue;
    const before = (row - 1) * outputs + step;
    const move = mask[before] === 1 ? (targets[before] as number) : 0;
    last[row] = move === 0 ? (last[row - 1] as number) : move > 0 ? 1 : 0;
  }
  return last;
}

function isUnbroken({ segments, parts, times, card }: Dataset, row: number, steps: number): boolean {
  const before = row - steps;
  return (
    before >= 0 &&
    segments[before] === segments[row] &&
    parts[before] === parts[row] &&
    (times[row] as number) - (times[before] as number) === steps * card.intervalMs
  );
}
