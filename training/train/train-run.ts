/** From a dataset to a run: split, statistics, network, ridge. The test part is not looked at. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFamily } from "../../models/contract.ts";
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
import { networkOf, trainableFamilies } from "../networks/registry.ts";
import { defaultSettings, type NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { lossOf } from "../tensors/losses/registry.ts";
import type { Network } from "../tensors/training-step.ts";
import { fitNormaliser, fitTargetScale } from "./normaliser.ts";
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
  readonly runtime: Runtime;
  readonly settings: TrainSettings;
  readonly shares?: Pick<SplitSettings, "trainShare" | "validationShare">;
  readonly progress: Progress;
  /** Of the code that runs; null where unknown. */
  readonly commit: string | null;
  /** Squared errors unless told. Scores are of squared errors whatever it is. */
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
  const { family, network, settings: built } = familyFor(options.family, dataset);
  if (built.answer !== "moves")
    throw new CommandError(`${family.id} answers ${built.answer}, and this command trains moves so far: choose another model`);
  const shares = options.shares ?? DEFAULT_SHARES;
  const horizons = dataset.card.targets.map((column) => column.horizonMs);
  const purgeMs = purgeFor(horizons, dataset.card.featureSet.warmupMs);
  const parts = splitByTime(dataset.times, { ...shares, purgeMs });
  const whole = (part: "train" | "validation"): Uint32Array => {
    const rows = rowsWithHistory(dataset, parts[part], family);
    if (rows.length > 0) return rows;
    throw new CommandError(
      `no row to ${part === "train" ? "train" : "validate"} on has ${family.window} rows before the next gap: record or simulate longer`,
    );
  };
  const split = { ...parts, train: whole("train"), validation: whole("validation") };
  const loss = options.loss ?? { id: "squared" };
  const statistics = { family, normaliser: fitNormaliser(dataset, split.train), targetScale: fitTargetScale(dataset, split.train) };
  const train = prepareRows(dataset, split.train, { ...statistics, targetClip: TARGET_CLIP });
  const validation = prepareRows(dataset, split.validation, { ...statistics, targetClip: null });
  const checkpoint = join(options.out, CHECKPOINT_FILE);
  await mkdir(options.out, { recursive: true });
  progress.start(`training ${family.id} on ${train.rows} rows`, settings.epochs * Math.ceil(train.rows / settings.batch));
  const trained = await trainNetwork({
    runtime,
    network,
    train,
    validation,
    settings,
    loss: lossOf(loss),
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
  const ridge = fitRidge(train, validation);
  const answers = await networkAnswers({ runtime, network, trained, validation });
  const { normaliser, targetScale } = statistics;
  const card = await writeRun(options.out, {
    card: {
      format: "edgebook-run/2",
      commit: options.commit,
      family: family.id,
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
      ridgeLambdas: [...ridge.lambdas],
      bestEpoch: trained.bestEpoch,
      validation: {
        network: meanSquaredError(validation, answers),
        ridge: meanSquaredError(validation, answerRidge(ridge, validation)),
        persistence: meanSquaredError(validation, new Float32Array(answers.length)),
      },
    },
    parameters: trained.parameters,
    statistics: trained.statistics,
    ridgeWeights: ridge.weights,
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

function meanSquaredError(rows: PreparedRows, answers: Float32Array): number {
  let squares = 0;
  let cells = 0;
  for (let cell = 0; cell < answers.length; cell++) {
    if (rows.mask[cell] === 0) continue;
    const error = (answers[cell] as number) - (rows.targets[cell] as number);
    squares += error * error;
    cells++;
  }
  return squares / Math.max(cells, 1);
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
