/** From a dataset to a run: split, statistics, network, ridge. The test part is not looked at. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFamily, ModelOutput } from "../../models/contract.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { answerOfKind } from "../../models/shapes.ts";
import { CommandError } from "../command-error.ts";
import { describeSource } from "../datasets/card.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { removeCheckpoints } from "../engine/checkpoint.ts";
import type { EngineProgress, TrainedNetwork } from "../engine/contract.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { answerRidge, fitRidge } from "../linear/ridge.ts";
import { lossFor } from "../networks/losses.ts";
import { networkOf, trainableFamilies } from "../networks/registry.ts";
import { defaultSettings, type NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { lossOf } from "../tensors/losses/registry.ts";
import type { Network } from "../tensors/training-step.ts";
import { ignorantAnswers, meanError, meanSquaredError } from "./baseline.ts";
import { fitStatistics } from "./fit-statistics.ts";
import { type PreparedRows, prepareRows, rowsWithHistory, shapeOf } from "./prepared-rows.ts";
import { type MovesLoss, type RunCard, writeCurve, writeRun } from "./run-folder.ts";
import { DEFAULT_SHARES, purgeFor, type Split, type SplitSettings, splitByTime } from "./split.ts";
import { answerRows, trainNetwork } from "./train-network.ts";

/** A move beyond this many root mean squares counts as one of that size while training: leaps would rule the loss. */
const TARGET_CLIP = 5;

export interface TrainRunOptions {
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
  /** Goes on from the checkpoint in `out`. */
  readonly resume?: boolean;
  /** Null: none is written. Otherwise how often, as in engine/contract.ts. */
  readonly checkpoints?: { readonly everySeconds?: number; readonly everySteps?: number } | null;
  /** Stops after the present step; see TrainingInterrupted. */
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
  readonly onCheckpoint?: (path: string) => void;
}

/** Where a run's checkpoint lies in its folder. */
const CHECKPOINT_FILE = "checkpoint";

/** Trains and writes the run folder. Throws CommandError when the data can't be trained on. */
export async function trainRun(options: TrainRunOptions): Promise<{ card: RunCard; trained: TrainedNetwork }> {
  const { dataset, runtime, settings, progress } = options;
  const { family, network, settings: model } = familyFor(options.family, dataset, options.model ?? null);
  if (options.loss !== undefined && model.answer !== "moves")
    throw new CommandError(`${model.answer} have a loss of their own: leave --loss out`);
  const shares = options.shares ?? DEFAULT_SHARES;
  const horizons = dataset.card.targets.map((column) => column.horizonMs);
  const purgeMs = purgeFor(horizons, lookBackOf(dataset, family));
  const split = rowsOfSplit(dataset, splitByTime(dataset.times, { ...shares, purgeMs }), family);
  const statistics = fitStatistics(dataset, split.train, { family, answer: model.answer });
  const train = prepareRows(dataset, split.train, { ...statistics, targetClip: TARGET_CLIP });
  const validation = prepareRows(dataset, split.validation, { ...statistics, targetClip: null });
  const { output, normaliser, targetScale } = statistics;
  const checkpoint = join(options.out, CHECKPOINT_FILE);
  await mkdir(options.out, { recursive: true });
  progress.start(`training ${family.id} on ${train.rows} rows`, settings.epochs * Math.ceil(train.rows / settings.batch));
  const trained = await trainNetwork({
    runtime,
    network,
    loss: options.loss === undefined ? lossFor(output) : lossOf(options.loss),
    train,
    validation,
    settings,
    // Rows and their order hang on the split too; the rest of what is prepared follows from the two.
    data: `${dataset.card.sha256} ${JSON.stringify({ ...shares, purgeMs })}`,
    ...(options.checkpoints === null ? {} : { checkpoint: { path: checkpoint, resume: options.resume ?? false, ...options.checkpoints } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
    ...(options.onCheckpoint === undefined ? {} : { onCheckpoint: options.onCheckpoint }),
    onProgress: (at) => progress.update(at.step, noteOf(at)),
    // For whoever follows it from outside; the run itself is written at the end, and says so where it can't be.
    onEpoch: (curve) => writeCurve(options.out, curve).catch(() => undefined),
  });
  progress.stop();
  const ridge = output.unit === "bps" ? fitRidge(train, validation) : null;
  const answers = await networkAnswers({ runtime, network, trained, validation });
  const card = await writeRun(options.out, {
    card: {
      format: "edgebook-run/2",
      commit: options.commit,
      family: family.id,
      model: { ...model, thresholdsBps: thresholdsOf(output) },
      backend: runtime.name,
      settings,
      ...(options.loss === undefined ? {} : { loss: options.loss }),
      data: dataFacts(dataset, options.dataFolder),
      featureSet: dataset.card.featureSet,
      intervalMs: dataset.card.intervalMs,
      outputs: dataset.card.targets,
      split: { ...shares, purgeMs, ...splitFacts(dataset, split) },
      normaliser: { mean: [...normaliser.mean], scale: [...normaliser.scale], clip: normaliser.clip },
      targetScale,
      targetClip: TARGET_CLIP,
      slots: trained.slots.map((slot) => ({ ...slot, shape: [...slot.shape] })),
      ...(trained.statisticSlots.length > 0
        ? { statisticSlots: trained.statisticSlots.map((slot) => ({ ...slot, shape: [...slot.shape] })) }
        : {}),
      ridgeLambdas: [...(ridge?.lambdas ?? [])],
      bestEpoch: trained.bestEpoch,
      validation: {
        network: meanError(validation, answers, output),
        ridge: ridge === null ? null : meanSquaredError(validation, answerRidge(ridge, validation)),
        persistence: meanError(validation, ignorantAnswers(validation, train, output), output),
      },
    },
    parameters: trained.parameters,
    statistics: trained.statistics,
    ridgeWeights: ridge?.weights ?? new Float64Array(0),
    curve: trained.curve,
  });
  await removeCheckpoints(checkpoint);
  return { card, trained };
}

/**
 * Throws CommandError when there is no such family, it doesn't learn from feature rows, or the dataset's rows or targets are not those it takes.
 * @param settings null: the family as it is where nothing is said.
 */
export function familyFor(
  id: string,
  dataset: Pick<Dataset, "card" | "columns">,
  settings: NetworkSettings | null = null,
): { family: ModelFamily; network: Network; settings: NetworkSettings } {
  const family = MODEL_FAMILIES.get(id);
  if (family === undefined || !trainableFamilies().includes(id) || family.inputs.kind !== "features")
    throw new CommandError(`there is no model "${id}" to train: choose one of ${trainableFamilies().join(", ")}`);
  const chosen = settings ?? defaultSettings(family);
  if (answerOfKind(family, chosen.answer) === null)
    throw new CommandError(`${id} gives no ${chosen.answer}: choose one of ${family.answers.map(({ kind }) => kind).join(", ")}`);
  const { featureSet } = dataset.card;
  const wantedSet = family.inputs.featureSet;
  if (wantedSet !== null && wantedSet !== featureSet.id)
    throw new CommandError(
      `${id} reads the features ${wantedSet}, the dataset has ${featureSet.id}: make one with \`edgebook dataset --features ${wantedSet}\``,
    );
  const told = dataset.card.targets.map(({ target, horizonMs }) => `${target}@${horizonMs}`).join(" ");
  const wanted = forecastColumns()
    .map(({ target, horizonMs }) => `${target}@${horizonMs}`)
    .join(" ");
  if (told !== wanted) throw new CommandError(`the dataset's targets (${told}) are not those of ${id} (${wanted}): make the dataset again`);
  const network = networkOf(family, chosen, dataset.columns);
  if (network === null) throw new Error(`${id} is trainable and has no network`);
  return { family, network, settings: chosen };
}

/** How far a row sees: it is seen with its window, and the oldest of that with its warm-up. */
export function lookBackOf({ card }: Pick<Dataset, "card">, { window }: Pick<ModelFamily, "window">): number {
  return card.featureSet.warmupMs + (window - 1) * card.intervalMs;
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

/** With rows that have a whole window behind them alone. */
function rowsOfSplit(dataset: Dataset, split: Split, family: ModelFamily): Split {
  const [train, validation] = [rowsWithHistory(dataset, split.train, family), rowsWithHistory(dataset, split.validation, family)];
  if (train.length === 0 || validation.length === 0)
    throw new CommandError(
      `no row to ${train.length === 0 ? "train" : "validate"} on has ${family.window} rows before the next gap: record or simulate longer`,
    );
  return { ...split, train, validation };
}

function thresholdsOf(output: ModelOutput): number[] {
  return output.unit === "probability" ? output.groups.map(({ thresholdBps }) => thresholdBps) : [];
}

function dataFacts(dataset: Dataset, folder: string): RunCard["data"] {
  return {
    folder,
    sha256: dataset.card.sha256,
    source: describeSource(dataset.card),
    markets: dataset.card.parts.map(({ market, source, from, to }) => ({ market, source, from, to })),
  };
}

function splitFacts(dataset: Dataset, split: Split): Omit<RunCard["split"], "trainShare" | "validationShare" | "purgeMs"> {
  let trainFrom = Number.POSITIVE_INFINITY;
  let trainTo = Number.NEGATIVE_INFINITY;
  for (const row of split.train) {
    const time = dataset.times[row] as number;
    trainFrom = Math.min(trainFrom, time);
    trainTo = Math.max(trainTo, time);
  }
  const { validationFrom, testFrom } = split;
  return { validationFrom, testFrom, trainRows: split.train.length, validationRows: split.validation.length, trainFrom, trainTo };
}
