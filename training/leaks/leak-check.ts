/**
 * The alarm for leaks: train once more on labels that belong to other rows (each part's labels turned round by a day, or by half its length where it is shorter than two), and score on the
 * true test labels. Nothing can be learnt that way, so a skill that is clearly above zero means that the scoring itself sees the answer: a split
 * that overlaps, statistics of the test rows, labels among the inputs.
 *
 * What it can't see is a feature that knows its own row's future: with turned labels that knowledge is worth nothing. The project's own features
 * are held to their past by test/core/features-v1.test.ts (rows of a prefix are the first rows of the whole); of columns of another making dataset-leaks.ts and
 * cut-history.ts ask it.
 */

import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { type Evaluation, evaluateRun } from "../evaluate/evaluate-run.ts";
import { outputFor } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { prepareRows, rowsWithHistory } from "../train/prepared-rows.ts";
import type { Run } from "../train/run-folder.ts";
import { familyOf, seenByRun } from "../train/run-rows.ts";
import { splitByTime } from "../train/split.ts";
import { trainAgain } from "../train/train-again.ts";
import { turnLabels } from "./moved-rows.ts";

/** A dozen outputs and more are tried at once, so one interval may lie just above zero by chance; a leak gives far more skill than this. */
const LARGEST_CHANCE_R2 = 0.003;
/** What one weight explains of n numbers that have nothing to do with it: 1/n on the average, less than so many nineteen times in twenty (χ² of one degree, 3.84). */
const CHANCE_OF_ONE_WEIGHT = 4;

export interface LeakCheck {
  readonly isClean: boolean;
  /** Of moves R², of classes Matthews' correlation. */
  readonly measure: "R²" | "MCC";
  /** The largest that the model got from labels of other rows. */
  readonly largest: number;
  readonly evaluation: Evaluation;
}

/** @param options.training the dataset of the run. @param options.test what to score on; may be the same. */
export async function checkForLeaks(
  run: Run,
  options: { training: Dataset; test: Dataset; runtime: Runtime; progress: Progress },
): Promise<LeakCheck> {
  const { test, runtime, progress } = options;
  const { intervalMs } = test.card;
  const training = seenByRun(run.card, options.training);
  const { answer } = run.card.model;
  if (answer !== "moves" && answer !== "classes") throw new CommandError(`a run that answers ${answer} has no labels that could leak`);
  const { family, settings } = familyOf(run.card.family, training, run.card.model);
  const output = outputFor(family, settings.answer, run.card.model.thresholdsBps);
  const turned = turnLabels(training);
  const split = splitByTime(training.times, run.card.split);
  const { normaliser, targetScale, targetClip } = run.card;
  const preparation = { family, output, normaliser, targetScale };
  const trained = rowsWithHistory(turned, split.train, family);
  const train = prepareRows(turned, trained, { ...preparation, targetClip });
  const validation = prepareRows(turned, rowsWithHistory(turned, split.validation, family), { ...preparation, targetClip: null });
  const shuffled = await trainAgain(run, { dataset: training, output, train, validation, runtime, progress });
  const evaluation = await evaluateRun(shuffled, test, { runtime, commit: run.card.commit });
  const skills =
    answer === "moves"
      ? evaluation.scores.map((score) => ({ skill: score.r2, low: score.r2Low, chance: chanceR2(score, intervalMs) }))
      : (evaluation.classes ?? []).map(({ model, intervals, ...score }) => ({
          skill: model.mcc ?? 0,
          low: intervals.mcc?.low ?? 0,
          // A correlation whose square that is.
          chance: Math.sqrt(chanceR2(score, intervalMs)),
        }));
  return {
    isClean: skills.every(({ skill, low, chance }) => low <= 0 || skill <= chance),
    measure: answer === "moves" ? "R²" : "MCC",
    largest: Math.max(...skills.map(({ skill }) => skill)),
    evaluation,
  };
}

/**
 * The largest R² that other rows' labels may give. Rows that share a horizon are one observation: a drift of the training rows that the test rows happen
 * to share explains a lot of half an hour's moves over 30 s, and nothing leaks there.
 */
export function chanceR2({ rows, horizonMs }: { readonly rows: number; readonly horizonMs: number }, intervalMs: number): number {
  const observations = (rows * intervalMs) / Math.max(horizonMs, intervalMs);
  return Math.max(LARGEST_CHANCE_R2, CHANCE_OF_ONE_WEIGHT / Math.max(observations, 1));
}
