/**
 * The alarm for leaks: train once more on labels that belong to other rows (each part's labels turned round by half its length), and score on the
 * true test labels. Nothing can be learnt that way, so a skill that is clearly above zero means that the scoring itself sees the answer: a split
 * that overlaps, statistics of the test rows, labels among the inputs.
 *
 * What it can't see is a feature that knows its own row's future: with turned labels that knowledge is worth nothing. The project's own features
 * are held to their past by test/core/features-v1.test.ts (rows of a prefix are the first rows of the whole); columns of another making have to be.
 */

import type { Dataset } from "../datasets/dataset-reader.ts";
import { fitRidge } from "../linear/ridge.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { prepareRows, rowsWithHistory } from "../train/prepared-rows.ts";
import type { Run } from "../train/run-folder.ts";
import { splitByTime } from "../train/split.ts";
import { trainNetwork } from "../train/train-network.ts";
import { familyFor } from "../train/train-run.ts";
import { type Evaluation, evaluateRun, refuseUnscorable } from "./evaluate-run.ts";

/** Twelve outputs are tried at once, so one interval may lie just above zero by chance; a leak gives far more skill than this. */
const LARGEST_CHANCE_R2 = 0.003;

export interface LeakCheck {
  readonly isClean: boolean;
  /** The largest R² that the network got from labels of other rows. */
  readonly largestR2: number;
  readonly evaluation: Evaluation;
}

/** @param options.training the dataset of the run. @param options.test what to score on; may be the same. */
export async function checkForLeaks(
  run: Run,
  options: { training: Dataset; test: Dataset; runtime: Runtime; progress: Progress },
): Promise<LeakCheck> {
  const { training, test, runtime, progress } = options;
  const { family, network } = familyFor(run.card.family, training, run.card.model);
  refuseUnscorable(run.card);
  const turned = turnLabels(training);
  const split = splitByTime(training.times, run.card.split);
  const { normaliser, targetScale, targetClip, settings } = run.card;
  const train = prepareRows(turned, rowsWithHistory(turned, split.train, family), { family, normaliser, targetScale, targetClip });
  const validation = prepareRows(turned, rowsWithHistory(turned, split.validation, family), {
    family,
    normaliser,
    targetScale,
    targetClip: null,
  });
  progress.start("training on labels of other rows", settings.epochs * Math.ceil(train.rows / settings.batch));
  const trained = await trainNetwork({ runtime, network, train, validation, settings, onProgress: ({ step }) => progress.update(step) });
  progress.stop();
  const shuffled: Run = {
    card: run.card,
    parameters: trained.parameters,
    statistics: trained.statistics,
    ridgeWeights: fitRidge(train, validation).weights,
  };
  const evaluation = await evaluateRun(shuffled, test, { runtime, commit: run.card.commit });
  const largestR2 = Math.max(...evaluation.scores.map((score) => score.r2));
  const isClean = evaluation.scores.every((score) => score.r2Low <= 0 || score.r2 <= LARGEST_CHANCE_R2);
  return { isClean, largestR2, evaluation };
}

/** The same rows with the labels (and their mask) of rows half a part away. */
export function turnLabels(dataset: Dataset): Dataset {
  const { outputs } = dataset;
  const targets = new Float64Array(dataset.targets.length);
  const mask = new Uint8Array(dataset.mask.length);
  for (const { firstRow, rows } of dataset.card.parts) {
    for (let row = 0; row < rows; row++) {
      const from = (firstRow + ((row + Math.floor(rows / 2)) % rows)) * outputs;
      const to = (firstRow + row) * outputs;
      targets.set(dataset.targets.subarray(from, from + outputs), to);
      mask.set(dataset.mask.subarray(from, from + outputs), to);
    }
  }
  return { ...dataset, targets, mask };
}
