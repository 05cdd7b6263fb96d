/**
 * A wider network of all columns beside a line, taught on the horizons up to half a minute alone, the short ones counting most: long ones, of which little
 * can be known, pull at what the short ones need. One cycle of the learning rate, whose last epoch is kept (the rate has come down to nothing by then), so
 * that validation chooses nothing of it; the answer is the mean of three trainings that differ in their seed. All are trained once more on fit and
 * validation rows. Beyond half a minute ridge answers, which nothing beat there (docs/decisions/0022-forecasting-the-plan.md).
 */

import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../engine/settings.ts";
import { answerRidge, fitRidge, type Line, RIDGE_LAMBDAS } from "../../linear/ridge.ts";
import { besideLine } from "../../networks/beside-line.ts";
import { mlpOf } from "../../networks/mlp.ts";
import { buildForwardPass } from "../../tensors/forward-pass.ts";
import { ADAMW_DEFAULTS } from "../../tensors/optimisers/adam.ts";
import type { Network } from "../../tensors/training-step.ts";
import { shapeOf } from "../../train/prepared-rows.ts";
import { answerRows, type NetworkState, trainNetwork } from "../../train/train-network.ts";
import { noteOf } from "../../train/train-run.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import { blockOf, inBps, type MemoryRows } from "../prepared.ts";
import { refitRidge } from "./lines.ts";
import { everySoMany } from "./networks.ts";
import { prepareRefit, prepareTask, refusalOfSet } from "./task-rows.ts";

export interface WideMlpSettings {
  readonly hidden: readonly number[];
  readonly dropout: number;
  readonly weightDecay: number;
  /** The highest of the cycle. */
  readonly learningRate: number;
  readonly batch: number;
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** What moves over so long, or less, count in the loss; from the shortest. Longer ones than the last are not taught. */
  readonly weights: readonly { readonly upToMs: number; readonly weight: number }[];
}

/** Of 51,427 rows (StandX up to 2026-01-06, v2) twelve epochs had R² .259, .295, .241, .111 of the mid on the validation rows at 1, 5, 10 and 30 s, five .268, .307, .252, .112. */
const SETTINGS: WideMlpSettings = {
  hidden: [256, 128],
  dropout: 0.25,
  weightDecay: 0.05,
  learningRate: 2e-3,
  batch: 1_024,
  epochs: 5,
  seeds: [1, 2, 3],
  weights: [
    { upToMs: 1_000, weight: 2 },
    { upToMs: 5_000, weight: 1 },
    { upToMs: 10_000, weight: 0.5 },
    { upToMs: 30_000, weight: 0.1 },
  ],
};
/** Rows whose loss is told after each epoch: it decides nothing. */
const MOST_TOLD_ROWS = 1_000;

export const wideMlp = wideMlpModel(SETTINGS);

export function wideMlpModel(settings: WideMlpSettings): ComparedModel {
  return {
    id: "wide-mlp",
    kind: "network",
    title: "a 256-128-n network beside a line, horizons to 30 s, mean of three",
    reads: null,
    window: 1,
    settings,
    refusal: (data) =>
      refusalOfSet(data, null) ??
      (taughtOf(data, settings).length === 0 ? `it learns moves over ${longestOf(settings)} s at most, and there are none` : null),
    fit: (task) => fitWideMlp(task, settings),
  };
}

/** An output that is taught, and what it counts. */
interface Taught {
  readonly output: number;
  readonly weight: number;
}

function taughtOf({ columns }: AlignedData, { weights }: WideMlpSettings): Taught[] {
  return columns.flatMap(({ horizonMs }, output) => {
    const weight = weights.find(({ upToMs }) => horizonMs <= upToMs)?.weight;
    return weight === undefined ? [] : [{ output, weight }];
  });
}

function longestOf({ weights }: WideMlpSettings): number {
  return (weights.at(-1)?.upToMs ?? 0) / 1_000;
}

async function fitWideMlp(task: ModelTask, settings: WideMlpSettings): Promise<FittedModel> {
  const prepared = prepareTask(task, wideMlp);
  const taught = taughtOf(task.data, settings);
  const { columns } = prepared.train;
  const plain = mlpOf({ outputs: taught.length, size: "paper", hidden: settings.hidden, dropout: settings.dropout });
  const network = besideLine(plain, { window: 1, columns, outputs: taught.length });
  const isWhole = taught.length === task.data.columns.length;
  const line = isWhole ? null : fitRidge(blockOf(prepared.train), blockOf(prepared.validation));
  const learn = (train: MemoryRows): Promise<NetworkState[]> => learnAll(task, { network, train, taught, settings });
  const first = await learn(prepared.train);
  const validation = await answersOf(task, { network, taught, states: first, line }, prepared.validation);
  const refit = prepareRefit(task, wideMlp);
  const again = await learn(refit.train);
  const lineAgain = line === null ? null : refitRidge(refit.train, line.lambdas);
  const test = await answersOf(task, { network, taught, states: again, line: lineAgain }, refit.test);
  return {
    validation: inBps(validation, prepared.preparation.targetScale),
    test: inBps(test, refit.preparation.targetScale),
    configurations: line === null ? 1 : RIDGE_LAMBDAS.length,
    isRefitted: true,
    notes: [
      `${first[0]?.parameters.length} parameters; the last of ${settings.epochs} epochs kept; mean of the seeds ${settings.seeds.join(", ")}${isWhole ? "" : `; ridge beyond ${longestOf(settings)} s`}`,
    ],
    // Of a mean of several no graph is made.
    served: null,
  };
}

interface Learning {
  readonly network: Network;
  readonly train: MemoryRows;
  readonly taught: readonly Taught[];
  readonly settings: WideMlpSettings;
}

/** One training a seed. */
async function learnAll(
  { runtime, threads, progress, signal }: ModelTask,
  { network, train, taught, settings }: Learning,
): Promise<NetworkState[]> {
  const rows = taughtRows(train, taught);
  const told = everySoMany(rows, MOST_TOLD_ROWS);
  const states: NetworkState[] = [];
  for (const seed of settings.seeds) {
    const own = trainSettings(settings, { seed, rows: rows.rows, threads });
    progress.start(`wide-mlp on ${rows.rows} rows, seed ${seed}`, own.epochs * Math.ceil(rows.rows / own.batch));
    states.push(
      await trainNetwork({
        ...{ runtime, network, train: rows, validation: told, settings: own, keeps: "last" },
        outputWeights: taught.map(({ weight }) => weight),
        ...(signal === undefined ? {} : { signal }),
        onProgress: (at) => progress.update(at.step, noteOf(at)),
      }),
    );
    progress.stop();
  }
  return states;
}

function trainSettings(
  { weightDecay, learningRate, epochs, ...settings }: WideMlpSettings,
  { seed, rows, threads }: { seed: number; rows: number; threads: number },
): TrainSettings {
  const batch = Math.min(settings.batch, rows);
  return {
    ...DEFAULT_TRAIN_SETTINGS,
    ...{ seed, epochs, batch, learningRate },
    optimiser: { ...ADAMW_DEFAULTS, weightDecay },
    schedule: { kind: "one-cycle", warmupSteps: 0 },
    workers: Math.min(threads, batch),
  };
}

/** The same rows with the outputs that are taught alone. */
function taughtRows(rows: MemoryRows, taught: readonly Taught[]): MemoryRows {
  const pick = (from: Float32Array): Float32Array =>
    Float32Array.from({ length: rows.rows * taught.length }, (_, at) => {
      const row = Math.floor(at / taught.length);
      return from[row * rows.outputs + (taught[at % taught.length] as Taught).output] as number;
    });
  return { ...rows, outputs: taught.length, targets: pick(rows.targets), mask: pick(rows.mask) };
}

interface Answering {
  readonly network: Network;
  readonly taught: readonly Taught[];
  readonly states: readonly NetworkState[];
  /** What answers the outputs that weren't taught; null where all were. */
  readonly line: Line | null;
}

/** [rows, outputs] in units of the moves' sizes. */
async function answersOf({ runtime }: ModelTask, { network, taught, states, line }: Answering, rows: MemoryRows): Promise<Float32Array> {
  const answers = line === null ? new Float32Array(rows.rows * rows.outputs) : Float32Array.from(answerRidge(line, blockOf(rows)));
  const asked = { ...rows, outputs: taught.length };
  const session = await runtime.open(buildForwardPass(network, shapeOf(rows)));
  const own: Float32Array[] = [];
  for (const state of states) own.push(await answerRows(session, state, asked));
  await session.release();
  for (let row = 0; row < rows.rows; row++) {
    for (const [place, { output }] of taught.entries()) {
      const sum = own.reduce((total, one) => total + (one[row * taught.length + place] as number), 0);
      answers[row * rows.outputs + output] = sum / own.length;
    }
  }
  return answers;
}
