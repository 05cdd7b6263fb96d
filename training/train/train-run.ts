/** From a dataset to a run of a network: split, statistics, network, line. The test part is not looked at. */

import { join } from "node:path";
import { horizonsOf } from "../../core/labels/horizons.ts";
import type { ModelFamily } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { removeCheckpoints } from "../engine/checkpoint.ts";
import type { EngineProgress, TrainedNetwork } from "../engine/contract.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { makeFolder } from "../make-folder.ts";
import { lossFor } from "../networks/losses.ts";
import { networkOf, trainableFamilies } from "../networks/registry.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { lossOf } from "../tensors/losses/registry.ts";
import type { Network } from "../tensors/training-step.ts";
import { ignorantAnswers, meanError } from "./baseline.ts";
import { answerBaseline, fitBaseline } from "./baseline-line.ts";
import type { PreparedRows } from "./contract.ts";
import { type HorizonWeights, weightsOfMoves } from "./horizon-weights.ts";
import { shapeOf } from "./prepared-rows.ts";
import type { MovesLoss, NetworkCard } from "./run-card.ts";
import { CHECKPOINT_FILE, writeCurve, writeRun } from "./run-folder.ts";
import { type Cuts, factsOf, familyOf, rowsOfRun } from "./run-rows.ts";
import type { SplitSettings } from "./split.ts";
import { answerRows, trainNetwork } from "./train-network.ts";

export interface TrainRunOptions extends Cuts {
  readonly dataset: Dataset;
  /** Where the dataset lies; remembered so that `evaluate` finds it. */
  readonly dataFolder: string;
  readonly out: string;
  readonly family: string;
  /** What it answers and how large it is; null or absent: the family as it is where nothing is said. */
  readonly model?: NetworkSettings | null;
  readonly runtime: Runtime;
  readonly settings: TrainSettings;
  readonly shares?: Pick<SplitSettings, "trainShare" | "validationShare">;
  readonly progress: Progress;
  /** Of the code that runs; null where unknown. */
  readonly commit: string | null;
  /** Of moves, squared errors unless told. Scores are of squared errors whatever it is. */
  readonly loss?: MovesLoss;
  /** Of moves: what those at each horizon count; all alike unless told. */
  readonly horizonWeights?: HorizonWeights;
  /** Goes on from the checkpoint in `out`. */
  readonly resume?: boolean;
  /** Null: none is written. Otherwise how often, as in engine/contract.ts. */
  readonly checkpoints?: { readonly everySeconds?: number; readonly everySteps?: number } | null;
  /** Stops after the present step; see TrainingInterrupted. */
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
  readonly onCheckpoint?: (path: string) => void;
}

/** Trains and writes the run folder. Throws CommandError when the data can't be trained on. */
export async function trainRun(options: TrainRunOptions): Promise<{ card: NetworkCard; trained: TrainedNetwork }> {
  const { dataset, runtime, settings, progress } = options;
  const { family, network, settings: model } = familyFor(options.family, dataset, options.model ?? null);
  refuseForMoves(options, model);
  const outputWeights = options.horizonWeights === undefined ? undefined : weightsOfMoves(options.horizonWeights, dataset.card.targets);
  const rows = rowsOfRun(dataset, {
    family,
    model,
    ...(options.shares === undefined ? {} : { shares: options.shares }),
    targetClip: options.targetClip,
    inputClip: options.inputClip,
  });
  const { train, validation, shares, purgeMs } = rows;
  const { output } = rows.statistics;
  const checkpoint = join(options.out, CHECKPOINT_FILE);
  await makeFolder(options.out);
  progress.start(`training ${family.id} on ${train.rows} rows`, settings.epochs * Math.ceil(train.rows / settings.batch));
  const trained = await trainNetwork({
    runtime,
    network,
    loss: options.loss === undefined ? lossFor(family.id, output) : lossOf(options.loss),
    train,
    validation,
    settings,
    outputWeights,
    // Rows and their order hang on the split too; the rest of what is prepared follows from these.
    data: `${dataset.card.sha256} ${JSON.stringify({ ...shares, purgeMs, horizonsMs: horizonsOf(dataset.card.targets), asks: model.asks, outputWeights, targetClip: rows.targetClip, inputClip: rows.statistics.normaliser.clip })}`,
    ...(options.checkpoints === null ? {} : { checkpoint: { path: checkpoint, resume: options.resume ?? false, ...options.checkpoints } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
    ...(options.onCheckpoint === undefined ? {} : { onCheckpoint: options.onCheckpoint }),
    onProgress: (at) => progress.update(at.step, noteOf(at)),
    // For whoever follows it from outside; the run itself is written at the end, and says so where it can't be.
    onEpoch: (curve) => writeCurve(options.out, curve).catch(() => undefined),
  });
  progress.stop();
  const line = fitBaseline(train, validation, output);
  const beside = answerBaseline(line?.weights ?? new Float64Array(0), validation);
  const answers = await networkAnswers({ runtime, network, trained, validation });
  const card = await writeRun(options.out, {
    card: {
      ...factsOf(dataset, rows, options),
      backend: runtime.name,
      settings,
      ...(options.loss === undefined ? {} : { loss: options.loss }),
      ...(outputWeights === undefined ? {} : { outputWeights }),
      slots: trained.slots.map((slot) => ({ ...slot, shape: [...slot.shape] })),
      ...(trained.statisticSlots.length > 0
        ? { statisticSlots: trained.statisticSlots.map((slot) => ({ ...slot, shape: [...slot.shape] })) }
        : {}),
      ridgeLambdas: [...(line?.lambdas ?? [])],
      bestEpoch: trained.bestEpoch,
      validation: {
        model: meanError(validation, answers, output),
        ridge: beside === null ? null : meanError(validation, beside, output),
        persistence: meanError(validation, ignorantAnswers(validation, train, output), output),
      },
    },
    parameters: trained.parameters,
    statistics: trained.statistics,
    ridgeWeights: line?.weights ?? new Float64Array(0),
    curve: trained.curve,
  });
  await removeCheckpoints(checkpoint);
  return { card, trained };
}

/** As familyOf, with its network. Throws CommandError also where what is trained for the family is no network. */
export function familyFor(
  id: string,
  dataset: Pick<Dataset, "card" | "columns">,
  settings: NetworkSettings | null = null,
): { family: ModelFamily; network: Network; settings: NetworkSettings } {
  const { family, settings: chosen } = familyOf(id, dataset, settings);
  const network = networkOf(family, chosen, dataset.columns);
  if (network === null) throw new CommandError(`${id} has no network: choose one of ${trainableFamilies().join(", ")}`);
  return { family, network, settings: chosen };
}

function refuseForMoves({ loss, horizonWeights }: Pick<TrainRunOptions, "loss" | "horizonWeights">, { answer }: NetworkSettings): void {
  if (answer === "moves") return;
  if (loss !== undefined) throw new CommandError(`${answer} have a loss of their own: leave --loss out`);
  if (horizonWeights !== undefined)
    throw new CommandError(`the horizons of moves have weights, and it is to answer ${answer}: leave --horizon-weights out`);
}

async function networkAnswers(task: {
  runtime: Runtime;
  network: Network;
  trained: TrainedNetwork;
  validation: PreparedRows;
}): Promise<Float32Array> {
  const session = await task.runtime.open(buildForwardPass(task.network, shapeOf(task.validation)));
  const answers = await answerRows(session, task.trained, task.validation);
  await session.release();
  return answers;
}

/** "epoch 3/20, loss 0.9312, validation 0.9415, 812k rows/s, 1 min 5 s left" */
export function noteOf({ epoch, epochs, loss, validationLoss, rowsPerSecond, secondsLeft }: EngineProgress): string {
  const speed = rowsPerSecond >= 10_000 ? `${Math.round(rowsPerSecond / 1_000)}k` : `${Math.round(rowsPerSecond)}`;
  const parts = [`epoch ${epoch}/${epochs}`, `loss ${loss.toFixed(4)}`];
  if (validationLoss !== null) parts.push(`validation ${validationLoss.toFixed(4)}`);
  parts.push(`${speed} rows/s`);
  if (secondsLeft !== null) parts.push(`${durationOf(secondsLeft)} left`);
  return parts.join(", ");
}

function durationOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3_600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
