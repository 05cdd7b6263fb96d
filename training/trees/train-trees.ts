/**
 * Trains boosted trees on histograms, on as many threads as wanted; the model is the same for any number of them.
 *
 * The calling thread is the first of them. Between rounds it gives way to whatever else waits for it, a ctrl-C say; within a round it does not.
 * A stopped training keeps the rounds that are done.
 *
 * Histogram boosting: T. Chen, C. Guestrin, "XGBoost", 2016 (gains, missing values); G. Ke et al., "LightGBM", 2017 (leaf-wise growth, histograms).
 */

import { setImmediate as othersFirst } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { CommandError } from "../command-error.ts";
import { fillAllBins } from "./binning.ts";
import { ABOVE_ALL, Booster, outputsOf, renewalLevel } from "./boosting.ts";
import { checkRows, checkSettings } from "./check-settings.ts";
import type { RoundScore, TrainedTrees, Tree, TreeData, TreeSettings } from "./contract.ts";
import { CrewFailed } from "./crew.ts";
import { compileTreeKernel, type SharedMemory, takeSharedMemory } from "./kernel.ts";
import { type MemoryPlan, planMemory, type RowsPlan } from "./memory-plan.ts";
import { openThread, type ThreadOrder, type TreeThread } from "./tree-thread.ts";

export interface TrainTreesOptions {
  readonly settings: TreeSettings;
  /** Its loss is in the curve, and stops the training early where the settings ask for that. */
  readonly validation?: TreeData | null;
  readonly onRound?: (score: RoundScore) => void;
  readonly signal?: AbortSignal;
}

/** Throws CommandError for rows and settings that nothing can be made of. */
export async function trainTrees(data: TreeData, options: TrainTreesOptions): Promise<TrainedTrees> {
  const validation = options.validation ?? null;
  const settings = checkAll(data, validation, options.settings);
  const plan = planMemory(
    {
      rows: data.rows,
      columns: data.columns,
      validationRows: validation?.rows ?? 0,
      isWeighted: data.weights !== null,
      isValidationWeighted: validation !== null && validation.weights !== null,
      outputs: outputsOf(settings.objective),
      hasHessians: data.weights !== null || settings.objective.kind === "log-loss" || settings.objective.kind === "multiclass",
    },
    settings,
  );
  const order = { module: compileTreeKernel(), memory: takeMemory(plan), plan, columns: data.columns, settings };
  const failures: Error[] = [];
  const workers = Array.from({ length: settings.threads - 1 }, (_, at) => startWorker({ ...order, thread: at + 1 }, failures));
  const thread = openThread({ ...order, thread: 0 });
  try {
    return await run(thread, { data, validation, options });
  } catch (error) {
    if (!(error instanceof CrewFailed)) {
      thread.crew.fail();
      throw error;
    }
    // Why, the worker that failed says, as soon as it is listened to.
    await Promise.all(workers.map(({ ended }) => ended));
    throw failures[0] ?? error;
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
}

interface Run {
  readonly data: TreeData;
  readonly validation: TreeData | null;
  readonly options: TrainTreesOptions;
}

function checkAll(data: TreeData, validation: TreeData | null, settings: TreeSettings): TreeSettings {
  checkSettings(settings, data.columns);
  checkRows(data, settings, "training");
  if (validation !== null) {
    checkRows(validation, settings, "validation");
    if (validation.columns !== data.columns) {
      throw new CommandError(`validation rows have ${validation.columns} columns, training rows ${data.columns}: prepare both alike`);
    }
  } else if (settings.earlyStoppingRounds !== null) {
    throw new CommandError("stopping early needs validation rows: give some, or set earlyStoppingRounds to null");
  }
  return settings;
}

function takeMemory(plan: MemoryPlan): SharedMemory {
  try {
    return takeSharedMemory(plan.bytes);
  } catch (error) {
    const reason = `the system gives no ${(plan.bytes / 2 ** 30).toFixed(1)} GiB of memory: take fewer rows or columns, or smaller trees`;
    throw new CommandError(reason, { cause: error });
  }
}

interface Started {
  readonly worker: Worker;
  readonly ended: Promise<void>;
}

function startWorker(order: ThreadOrder, failures: Error[]): Started {
  const worker = new Worker(new URL("./tree-worker.ts", import.meta.url), { workerData: order });
  worker.on("error", (error: Error) => failures.push(error));
  return { worker, ended: new Promise((resolve) => worker.once("exit", () => resolve())) };
}

async function run(thread: TreeThread, { data, validation, options }: Run): Promise<TrainedTrees> {
  const { plan, crew, settings } = thread;
  fillRows(thread, plan.training, data);
  if (validation !== null) fillRows(thread, plan.validation, validation);
  if (settings.monotone !== null) new Int8Array(thread.buffer, plan.monotone, data.columns).set(settings.monotone);
  const base = startAnswers(thread, validation);
  fillAllBins(thread, { training: data, validation });
  refuseInfinite(thread, data, validation);
  crew.meet();
  const booster = new Booster(thread);
  const rounds: (readonly Tree[])[] = [];
  const curve: RoundScore[] = [];
  let best = { round: 0, loss: Number.POSITIVE_INFINITY };
  for (;;) {
    const score = booster.score();
    refuseOverflow(booster, score);
    if (score.round > 0) {
      curve.push(score);
      options.onRound?.(score);
      if (score.validationLoss !== null && score.validationLoss < best.loss) best = { round: score.round, loss: score.validationLoss };
    }
    await othersFirst();
    const isOverdue = settings.earlyStoppingRounds !== null && score.round - best.round >= settings.earlyStoppingRounds;
    if (score.round >= settings.rounds || isOverdue || options.signal?.aborted === true) crew.stop();
    crew.meet();
    if (crew.isStopped) break;
    rounds.push(booster.boost());
  }
  const bestRound = settings.earlyStoppingRounds === null ? rounds.length : best.round;
  return {
    ensemble: {
      objective: settings.objective,
      columns: data.columns,
      outputs: base.length,
      base,
      trees: rounds.slice(0, bestRound).flat(),
    },
    curve,
    bestRound,
  };
}

/** What float32 doesn't hold would be infinite in a tree, and no tree is written with that. */
function refuseOverflow({ isRepresentable }: Booster, { round, trainLoss, validationLoss }: RoundScore): void {
  if (isRepresentable && Number.isFinite(trainLoss) && Number.isFinite(validationLoss ?? 0)) return;
  const losses = `the loss is ${trainLoss}${validationLoss === null ? "" : `, of validation rows ${validationLoss}`}`;
  throw new CommandError(`targets or weights are beyond what float32 sums hold (after round ${round} ${losses}): scale them down`);
}

function fillRows({ buffer }: TreeThread, plan: RowsPlan, data: TreeData): void {
  new Float32Array(buffer, plan.targets, data.rows).set(data.targets.subarray(0, data.rows));
  if (data.weights !== null) new Float32Array(buffer, plan.weights, data.rows).set(data.weights.subarray(0, data.rows));
}

/** Starts all answers at the constants that fit the training rows best. @returns them. */
function startAnswers(thread: TreeThread, validation: TreeData | null): Float32Array {
  const { plan, buffer } = thread;
  const base = bestConstants(thread);
  for (const rows of validation === null ? [plan.training] : [plan.training, plan.validation]) {
    base.forEach((value, output) => {
      new Float32Array(buffer, rows.answers + output * rows.outputBytes, rows.rows).fill(value);
    });
  }
  return base;
}

function bestConstants({ plan, kernel, buffer, settings }: TreeThread): Float32Array {
  const { rows, targets: targetsAt, weights: weightsAt } = plan.training;
  const { objective } = settings;
  const level = renewalLevel(objective);
  if (level !== null) {
    const sums = plan.scratch[0]?.quantileSums ?? 0;
    return Float32Array.of(kernel.weightedQuantile(level, 0, rows, targetsAt, 0, weightsAt, plan.quanta[0], sums));
  }
  const targets = new Float32Array(buffer, targetsAt, rows);
  const weights = weightsAt === 0 ? null : new Float32Array(buffer, weightsAt, rows);
  const totals = new Float64Array(outputsOf(objective));
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weights?.[row] ?? 1;
    const target = targets[row] as number;
    total += weight;
    if (objective.kind === "multiclass") totals[target] = (totals[target] as number) + weight;
    else totals[0] = (totals[0] as number) + weight * target;
  }
  if (objective.kind === "log-loss") return Float32Array.from(totals, (ones) => Math.log(ones / (total - ones)));
  return Float32Array.from(totals, (sum) => (objective.kind === "multiclass" ? Math.log(sum / total) : sum / total));
}

/** What reaches the last float32 can't be told from what is above all. The kernel only notes the column: where in it, is looked up now. */
function refuseInfinite({ plan, buffer, columns }: TreeThread, training: TreeData, validation: TreeData | null): void {
  const flags = new Uint8Array(buffer, plan.flags, columns);
  const column = flags.findIndex((flag) => (flag & 2) !== 0);
  if (column < 0) return;
  for (const data of validation === null ? [training] : [training, validation]) {
    for (let row = 0; row < data.rows; row++) {
      const value = data.features[row * columns + column] as number;
      if (Math.abs(value) < ABOVE_ALL || Number.isNaN(value)) continue;
      throw new CommandError(
        `column ${column} of ${data === training ? "training" : "validation"} row ${row} is ${value}: make it a number, or NaN if it is missing`,
      );
    }
  }
}
