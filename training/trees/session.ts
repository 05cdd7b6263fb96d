/**
 * One training from rows to ensembles: the memory, the threads, the bins, then target after target on the same bins.
 *
 * This thread has the rows and says when a target is done; the workers (tree-worker.ts) take the same steps.
 */

import { setImmediate as othersFirst } from "node:timers/promises";
import { CommandError } from "../command-error.ts";
import { copyRows, fillAllBins } from "./binning.ts";
import { ABOVE_ALL, Booster } from "./boosting.ts";
import type { RoundScore, TrainedTrees, TrainTreesForTargetsOptions, Tree, TreeRows, TreeTarget } from "./contract.ts";
import { CrewFailed } from "./crew.ts";
import { compileTreeKernel, type SharedMemory, takeSharedMemory } from "./kernel.ts";
import { type MemoryPlan, planMemory, type RowsPlan } from "./memory-plan.ts";
import { hasOwnHessians, outputsOf, renewalLevel } from "./objectives.ts";
import { type OpenThread, openThread, type TreeThread, threadFor } from "./tree-thread.ts";
import { startWatch } from "./watch.ts";

/** Everything in it was checked. */
export interface Session extends TrainTreesForTargetsOptions {
  readonly features: TreeRows;
  readonly validation: TreeRows | null;
}

export async function runSession(session: Session): Promise<TrainedTrees[]> {
  const { features, validation, targets, settings } = session;
  const isWeighted = features.weights !== null;
  const objectives = targets.map(({ objective }) => objective);
  const plan = planMemory(
    {
      rows: features.rows,
      columns: features.columns,
      validationRows: validation?.rows ?? 0,
      isWeighted,
      isValidationWeighted: validation !== null && validation.weights !== null,
      outputs: Math.max(...objectives.map(outputsOf)),
      hasHessians: objectives.some((objective) => hasOwnHessians(objective, isWeighted)),
    },
    settings,
  );
  const order = {
    module: compileTreeKernel(),
    memory: takeMemory(plan),
    plan,
    columns: features.columns,
    objectives,
    settings,
    done: targets.map((_, at) => session.from?.[at]?.rounds ?? []),
  };
  const watch = startWatch(order);
  const thread = openThread({ ...order, thread: 0 });
  try {
    prepare(thread, session);
    await watch.atWork();
    return await boostAll(thread, session);
  } catch (error) {
    if (error instanceof CrewFailed) {
      await watch.atWork();
      throw (await watch.failure()) ?? error;
    }
    thread.crew.fail();
    throw error;
  } finally {
    await watch.close();
  }
}

function takeMemory(plan: MemoryPlan): SharedMemory {
  try {
    return takeSharedMemory(plan.bytes);
  } catch (error) {
    const reason = `the system gives no ${(plan.bytes / 2 ** 30).toFixed(1)} GiB of memory: take fewer rows or columns, or smaller trees`;
    throw new CommandError(reason, { cause: error });
  }
}

/** Bins and all else that doesn't need the other threads. */
function prepare(thread: OpenThread, { features, validation }: Session): void {
  const { plan, settings, buffer } = thread;
  fillWeights(thread, plan.training, features);
  if (validation !== null) fillWeights(thread, plan.validation, validation);
  if (settings.monotone !== null) new Int8Array(buffer, plan.monotone, features.columns).set(settings.monotone);
  fillAllBins(thread, { training: features, validation });
  refuseInfinite(thread, features, validation);
}

async function boostAll(thread: OpenThread, session: Session): Promise<TrainedTrees[]> {
  const trained: TrainedTrees[] = [];
  for (let at = 0; at < session.targets.length; at++) {
    const one = await boostTarget(threadFor(thread, at), { session, at });
    trained.push(one);
    if (!one.isStopped) await session.onTarget?.(one, at);
  }
  return trained;
}

async function boostTarget(thread: TreeThread, { session, at }: { session: Session; at: number }): Promise<TrainedTrees> {
  const { crew, settings, columns } = thread;
  const base = fillTarget(thread, session.targets[at] as TreeTarget);
  crew.meet();
  const booster = new Booster(thread);
  const rounds: (readonly Tree[])[] = [...(thread.done[at] ?? [])];
  booster.catchUp(rounds);
  // The last round is scored again: its gradients are wanted.
  const curve: RoundScore[] = (session.from?.[at]?.curve ?? []).slice(0, Math.max(0, rounds.length - 1));
  let best = curve.reduce(betterOf, { round: 0, loss: Number.POSITIVE_INFINITY });
  let isDone = false;
  const { objective } = settings;
  const soFar = (): TrainedTrees => {
    const bestRound = settings.earlyStoppingRounds === null ? rounds.length : best.round;
    const ensemble = { objective, columns, outputs: base.length, base, trees: rounds.slice(0, bestRound).flat() };
    return { ensemble, curve, bestRound, rounds, isStopped: !isDone };
  };
  for (;;) {
    const score = booster.score();
    refuseOverflow(booster, score);
    if (score.round > 0) {
      curve.push(score);
      session.onRound?.(score, at);
      best = betterOf(best, score);
    }
    await othersFirst();
    await session.onPause?.(soFar, at);
    const isOverdue = settings.earlyStoppingRounds !== null && score.round - best.round >= settings.earlyStoppingRounds;
    isDone = score.round >= settings.rounds || isOverdue;
    if (isDone || session.signal?.aborted === true) crew.finish(at);
    crew.meet();
    if (crew.isFinished(at)) break;
    rounds.push(booster.boost());
  }
  return soFar();
}

interface BestRound {
  readonly round: number;
  readonly loss: number;
}

function betterOf(best: BestRound, { round, validationLoss }: RoundScore): BestRound {
  return validationLoss !== null && validationLoss < best.loss ? { round, loss: validationLoss } : best;
}

/** What float32 doesn't hold would be infinite in a tree, and no tree is written with that. */
function refuseOverflow({ isRepresentable }: Booster, { round, trainLoss, validationLoss }: RoundScore): void {
  if (isRepresentable && Number.isFinite(trainLoss) && Number.isFinite(validationLoss ?? 0)) return;
  const losses = `the loss is ${trainLoss}${validationLoss === null ? "" : `, of validation rows ${validationLoss}`}`;
  throw new CommandError(`targets or weights are beyond what float32 sums hold (after round ${round} ${losses}): scale them down`);
}

function fillWeights({ buffer }: OpenThread, plan: RowsPlan, { rows, weights }: TreeRows): void {
  if (weights !== null) new Float32Array(buffer, plan.weights, rows).set(weights.subarray(0, rows));
}

/** Starts all answers at the constants that fit the training rows best. @returns them. */
function fillTarget(thread: TreeThread, { training, validation }: TreeTarget): Float32Array {
  const { plan, buffer } = thread;
  new Float32Array(buffer, plan.training.targets, plan.training.rows).set(training.subarray(0, plan.training.rows));
  if (validation !== null) {
    new Float32Array(buffer, plan.validation.targets, plan.validation.rows).set(validation.subarray(0, plan.validation.rows));
  }
  const base = bestConstants(thread);
  for (const rows of [plan.training, plan.validation]) {
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
function refuseInfinite({ plan, buffer, columns }: OpenThread, training: TreeRows, validation: TreeRows | null): void {
  const flags = new Uint8Array(buffer, plan.flags, columns);
  const column = flags.findIndex((flag) => (flag & 2) !== 0);
  if (column < 0) return;
  for (const data of validation === null ? [training] : [training, validation]) {
    const values = new Float32Array(columns);
    for (let row = 0; row < data.rows; row++) {
      copyRows(data, { first: row, count: 1 }, values);
      const value = values[column] as number;
      if (Math.abs(value) < ABOVE_ALL || Number.isNaN(value)) continue;
      throw new CommandError(
        `column ${column} of ${data === training ? "training" : "validation"} row ${row} is ${value}: make it a number, or NaN if it is missing`,
      );
    }
  }
}
