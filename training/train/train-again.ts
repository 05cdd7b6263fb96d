/** A run's own training once more, with its settings, on other rows: what the alarm for leaks asks for. Nothing is written. */

import type { ModelOutput } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { lossFor } from "../networks/losses.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { lossOf } from "../tensors/losses/registry.ts";
import { fitBaseline } from "./baseline-line.ts";
import type { PreparedRows } from "./contract.ts";
import { leftByLine, withoutHarm } from "./correction.ts";
import { fitLines } from "./fit-lines.ts";
import { fitTrees } from "./fit-trees.ts";
import type { NetworkRun, Run, TreesRun } from "./run-folder.ts";
import { trainNetwork } from "./train-network.ts";
import { familyFor } from "./train-run.ts";

export interface TrainAgainOptions {
  readonly dataset: Pick<Dataset, "card" | "columns">;
  readonly output: ModelOutput;
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
  readonly runtime: Runtime;
  readonly progress: Progress;
}

/** The same run with what these rows taught. */
export async function trainAgain(run: Run, options: TrainAgainOptions): Promise<Run> {
  const { output, train, validation } = options;
  const ridgeWeights = fitBaseline(train, validation, output)?.weights ?? new Float64Array(0);
  if (run.kind === "network") return { ...run, ...(await networkAgain(run, options)), ridgeWeights };
  if (run.kind === "trees") return { ...run, ...(await treesAgain(run, options)), ridgeWeights };
  const { weights, intercepts } = fitLines(train, validation, { output, settings: run.card.settings });
  return { ...run, weights, intercepts, ridgeWeights };
}

async function networkAgain(run: NetworkRun, options: TrainAgainOptions): Promise<Pick<NetworkRun, "parameters" | "statistics">> {
  const { card } = run;
  const { dataset, output, train, validation, runtime, progress } = options;
  const { network } = familyFor(card.family, dataset, card.model);
  const { settings } = card;
  const loss = card.loss === undefined ? lossFor(card.family, output) : lossOf(card.loss);
  progress.start("training on labels of other rows", settings.epochs * Math.ceil(train.rows / settings.batch));
  const { parameters, statistics } = await trainNetwork({
    runtime,
    network,
    loss,
    train,
    validation,
    settings,
    outputWeights: card.outputWeights,
    onProgress: ({ step }) => progress.update(step),
  });
  progress.stop();
  return { parameters, statistics };
}

async function treesAgain({ card, ensembles }: TreesRun, options: TrainAgainOptions): Promise<Pick<TreesRun, "ensembles" | "line">> {
  const { output, progress } = options;
  const left = card.line === undefined ? null : leftByLine(options.train, options.validation, { output, settings: card.line });
  const { train, validation } = left ?? options;
  const { settings } = card;
  const wanted = ensembles.map((ensemble) => ensemble !== null);
  const before = (ensemble: number): number => wanted.slice(0, ensemble).filter(Boolean).length * settings.rounds;
  progress.start("training on labels of other rows", before(wanted.length));
  const onRound = (ensemble: number, { round }: { round: number }): void => progress.update(before(ensemble) + round);
  const { trained } = await fitTrees(train, validation, { output, settings, threads: 1, wanted, onRound });
  progress.stop();
  const kept = left === null ? trained : withoutHarm(trained, validation, output);
  return { ensembles: kept.map((one) => one?.ensemble ?? null), line: left?.line ?? null };
}
