/** What a run answers to prepared rows, whatever was trained: moves and reconstructions in their own units, classes as logits. And the line beside it. */

import type { ModelOutput } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { outputFor } from "../networks/settings.ts";
import type { Runtime } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { answerBaseline } from "./baseline-line.ts";
import type { PreparedRows } from "./contract.ts";
import { sumOfBoth } from "./correction.ts";
import { answerLine } from "./fit-lines.ts";
import { answerTrees, askedOf } from "./fit-trees.ts";
import { prepareRows, shapeOf } from "./prepared-rows.ts";
import type { Run } from "./run-folder.ts";
import { familyOf, seenByRun } from "./run-rows.ts";
import { answerRows } from "./train-network.ts";
import { familyFor } from "./train-run.ts";

export interface RunAnswers {
  readonly output: ModelOutput;
  readonly prepared: PreparedRows;
  /** [rows, outputs] */
  readonly model: Float32Array;
  /** [rows, outputs]; null where the run has no line. */
  readonly line: Float32Array | null;
  /** [outputs] of moves, or [questions] of classes: false where a run of trees wasn't asked for it. */
  readonly isAnswered: readonly boolean[];
}

/** @param options.rows ascending, with the family's history. */
export async function answerRun(run: Run, data: Dataset, options: { rows: Uint32Array; runtime: Runtime }): Promise<RunAnswers> {
  const { card } = run;
  const dataset = seenByRun(card, data);
  const { family, settings } = familyOf(card.family, dataset, card.model);
  const output = outputFor(family, settings.answer, card.model.thresholdsBps);
  const { normaliser, targetScale } = card;
  const prepared = prepareRows(dataset, options.rows, { family, output, normaliser, targetScale, targetClip: null });
  const model = await modelAnswers(run, dataset, { prepared, output, runtime: options.runtime });
  const count = output.unit === "normalised" || output.unit === "reward" ? 1 : askedOf(output).length;
  const isAnswered = Array.from({ length: count }, (_, index) => run.kind !== "trees" || run.ensembles[index] !== null);
  return { output, prepared, model, line: answerBaseline(run.ridgeWeights, prepared), isAnswered };
}

async function modelAnswers(
  run: Run,
  dataset: Dataset,
  { prepared, output, runtime }: { prepared: PreparedRows; output: ModelOutput; runtime: Runtime },
): Promise<Float32Array> {
  if (run.kind === "trees") {
    const answers = answerTrees(run.ensembles, prepared, askedOf(output));
    return run.line === null ? answers : sumOfBoth(run.line, answers, prepared);
  }
  if (run.kind === "lines") return answerLine(run, prepared);
  const { network } = familyFor(run.card.family, dataset, run.card.model);
  const session = await runtime.open(buildForwardPass(network, shapeOf(prepared)));
  const answers = await answerRows(session, run, prepared);
  await session.release();
  return answers;
}
