/** The skill of a ridge line on the rows of a dataset that come last, split as a run's: quick enough to be asked of a dataset changed in several ways. */

import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { type DetailedScore, scoreOutput } from "../evaluate/scores.ts";
import { fitRidge } from "../linear/ridge.ts";
import type { PreparedRows } from "../train/contract.ts";
import { answerLine } from "../train/fit-lines.ts";
import { linearRows } from "../train/input-table.ts";
import { prepareRows } from "../train/prepared-rows.ts";
import { familyOf, rowsOfRun } from "../train/run-rows.ts";

/**
 * Fits on the training and validation rows of `learnt` and scores on the test rows of `scored`, which has the same rows with other numbers or is the same dataset.
 * @returns the scores of the mid, from the shortest horizon. Throws CommandError where there are too few rows to score.
 */
export function lineSkill(learnt: Dataset, scored: Dataset = learnt): readonly DetailedScore[] {
  const { family, settings } = familyOf("linear", learnt);
  const { train, validation, statistics, split } = rowsOfRun(learnt, { family, model: settings });
  const line = fitRidge(linearRows(train), linearRows(validation));
  const test = prepareRows(scored, split.test, { ...statistics, targetClip: null });
  const answers = answerLine(line, test);
  const scores = learnt.card.targets.flatMap((column, output) => {
    if (column.target !== "mid") return [];
    const rows = rowsOfOutput(test, answers, { output, scale: statistics.targetScale[output] ?? 1 });
    return scoreOutput(column, rows, learnt.card.intervalMs) ?? [];
  });
  if (scores.length === 0) throw new CommandError("too few rows to score a line on: record or simulate longer");
  return scores.toSorted((one, other) => one.horizonMs - other.horizonMs);
}

/** Those with a target, in basis points. Ridge beside itself. */
function rowsOfOutput(
  { rows, outputs, targets, mask }: PreparedRows,
  answers: Float32Array,
  { output, scale }: { output: number; scale: number },
): { actual: Float64Array; predicted: Float64Array; ridge: Float64Array } {
  const cells = Array.from({ length: rows }, (_, row) => row * outputs + output).filter((cell) => mask[cell] === 1);
  const actual = Float64Array.from(cells, (cell) => (targets[cell] as number) * scale);
  const predicted = Float64Array.from(cells, (cell) => (answers[cell] as number) * scale);
  return { actual, predicted, ridge: predicted };
}
