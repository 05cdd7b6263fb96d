/** All that is learnt of training rows before a network sees them: statistics of the inputs, scales of the moves, thresholds of the classes. */

import type { AnswerKind, ModelFamily, ModelOutput, Normaliser } from "../../models/contract.ts";
import { outputOf } from "../../models/shapes.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { answerFor } from "../networks/settings.ts";
import { checkClasses, classTargets, fitThresholds } from "./class-targets.ts";
import { fitNormaliser, fitTargetScale } from "./normaliser.ts";

export interface RowStatistics {
  readonly family: ModelFamily;
  readonly output: ModelOutput;
  readonly normaliser: Normaliser;
  /** [outputs] of moves; empty for other answers. */
  readonly targetScale: number[];
}

/** @param model.inputClip INPUT_CLIP unless told. Throws CommandError where a class has no training row. */
export function fitStatistics(
  dataset: Dataset,
  rows: Uint32Array,
  model: { family: ModelFamily; answer: AnswerKind; inputClip?: number | undefined },
): RowStatistics {
  const { family, inputClip } = model;
  const output = outputOfTraining(dataset, rows, model);
  const targetScale = output.unit === "bps" ? fitTargetScale(dataset, rows) : [];
  return { family, output, normaliser: fitNormaliser(dataset, rows, inputClip), targetScale };
}

function outputOfTraining(dataset: Dataset, rows: Uint32Array, model: { family: ModelFamily; answer: AnswerKind }): ModelOutput {
  const answer = answerFor(model.family, model.answer);
  if (answer.kind !== "classes") return outputOf(answer, []);
  const thresholds = fitThresholds(dataset, rows, answer.questions);
  checkClasses(classTargets(dataset, answer.questions, thresholds), rows, answer.questions);
  return outputOf(answer, thresholds);
}
