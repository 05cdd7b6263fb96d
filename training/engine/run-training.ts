/**
 * The training loop: shuffled batches for some epochs, the loss of the validation rows after each, and in the end the parameters of the epoch where that was
 * least, or where asked those of the last. It stops early when they no longer improve. Same data, network, settings and runtime: same bytes, also when it was interrupted and resumed.
 */

import { CommandError } from "../command-error.ts";
import { createOptimiser } from "../tensors/optimisers/registry.ts";
import type { GradientStep } from "../tensors/training-step.ts";
import { type Checkpoint, type CheckpointHeader, readCheckpoint, refuseToOverwrite, writeCheckpoint } from "./checkpoint.ts";
import { conditionsOf, refuseOthers } from "./conditions.ts";
import { type EngineTask, type EpochScore, type TrainedNetwork, TrainingInterrupted } from "./contract.ts";
import { explainFailure } from "./failure.ts";
import { drawOrder, randomOfEpoch } from "./noise.ts";
import { Pace } from "./pace.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./plan-of.ts";
import { checkFinite } from "./row-source.ts";
import { PLATEAU_FACTOR, PLATEAU_PATIENCE } from "./schedule.ts";
import { checkSettings } from "./settings.ts";
import { CONTROL, NUMBERS, type SharedState } from "./shared-state.ts";
import { openTeam, type Team } from "./team.ts";

/** What an interrupted training may lose when the machine goes down. */
const CHECKPOINT_SECONDS = 60;
/** How often the leader looks at how far the workers are, ms. */
const LOOK_MS = 100;

/** Throws CommandError when settings don't fit the data or the loss is no longer a number, TrainingInterrupted when asked to stop. */
export async function runTraining(task: EngineTask): Promise<TrainedNetwork> {
  checkSettings(task.settings, task.train.ends.length);
  if (totalWeight(task.validation.itemWeights) === 0)
    throw new CommandError("no validation row has a target: the feed must be unbroken for longer than the shortest horizon");
  checkFinite(task.train, "training");
  checkFinite(task.validation, "validation");
  const { step, plan } = planOf(task);
  const conditions = conditionsOf(task, plan);
  const { checkpoint } = task;
  const kept = checkpoint?.resume ? await readCheckpoint(checkpoint.path) : null;
  if (checkpoint !== undefined && !checkpoint.resume) await refuseToOverwrite(checkpoint.path);
  if (kept !== null) refuseOthers(checkpoint?.path ?? "", kept.header.conditions, conditions);
  const team = await openTeam(plan, task.runtime);
  try {
    return await new Training(task, { step, plan, team, conditions }).run(kept);
  } finally {
    await team.close();
  }
}

interface Parts {
  readonly step: GradientStep;
  readonly plan: Plan;
  readonly team: Team;
  readonly conditions: Readonly<Record<string, string>>;
}

interface Best {
  readonly epoch: number;
  readonly loss: number;
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
}

/** The state of a training between two steps, as the leader sees it. */
class Training {
  private readonly task: EngineTask;
  private readonly parts: Parts;
  private readonly shared: SharedState;
  private readonly pace: Pace;
  private curve: EpochScore[] = [];
  private best: Best = { epoch: 0, loss: Number.POSITIVE_INFINITY, parameters: new Float32Array(0), statistics: new Float32Array(0) };
  /** Epochs that are done, and steps of the next one. */
  private epoch = 0;
  private step = 0;
  /** The epoch since which a plateau is counted. */
  private plateauSince = 0;
  private writtenAt = performance.now();

  constructor(task: EngineTask, parts: Parts) {
    this.task = task;
    this.parts = parts;
    this.shared = parts.plan.shared;
    this.pace = new Pace(task.settings, parts.plan);
  }

  async run(kept: Checkpoint | null): Promise<TrainedNetwork> {
    const { settings } = this.task;
    const { step } = this.parts;
    if (kept === null) {
      this.shared.parameters.set(step.initialise(randomOfEpoch(settings.seed, 0)));
      this.keepBest(await this.score());
    } else this.restore(kept);
    while (this.epoch < settings.epochs && !this.isStoppedEarly()) {
      await this.trainEpoch();
      await this.closeEpoch();
    }
    const { parameters, statistics, epoch } = this.task.keeps === "last" ? this.present() : this.best;
    const { slots, statisticSlots } = step;
    return { parameters, slots, statistics, statisticSlots, curve: this.curve, bestEpoch: epoch };
  }

  private isStoppedEarly(): boolean {
    return this.task.keeps !== "last" && this.epoch + 1 - this.best.epoch > this.task.settings.patience;
  }

  /** From wherever in the epoch it stands to its end, in as many stretches as checkpoints need. */
  private async trainEpoch(): Promise<void> {
    const { settings, checkpoint, signal } = this.task;
    const { plan, team } = this.parts;
    drawOrder(this.shared.order, randomOfEpoch(settings.seed, this.epoch + 1));
    if (this.step === 0) this.shared.numbers[NUMBERS.lossSum] = 0;
    while (this.step < plan.stepsPerEpoch) {
      if (signal?.aborted) await this.interrupt();
      const to = Math.min(plan.stepsPerEpoch, this.step + (checkpoint?.everySteps ?? plan.stepsPerEpoch));
      this.shared.control.fill(0);
      Atomics.store(this.shared.control, CONTROL.done, this.step);
      const watch = setInterval(() => this.look(), LOOK_MS);
      const stop = (): void => this.askToStop();
      signal?.addEventListener("abort", stop);
      try {
        await team.obey({ kind: "steps", taken: this.epoch * plan.stepsPerEpoch, from: this.step, to });
      } finally {
        clearInterval(watch);
        signal?.removeEventListener("abort", stop);
      }
      this.look();
      this.step = Atomics.load(this.shared.control, CONTROL.done);
      if (Atomics.load(this.shared.control, CONTROL.failed) === 1) this.fail();
      if (this.step < plan.stepsPerEpoch && !signal?.aborted && (this.isCheckpointDue() || checkpoint?.everySteps !== undefined))
        await this.checkpointOrWarn();
    }
  }

  private async closeEpoch(): Promise<void> {
    const { settings, train, onEpoch } = this.task;
    const { numbers } = this.shared;
    const validationLoss = await this.score();
    const epoch = this.epoch + 1;
    // Where no row has a target, each batch's loss is 0.
    const trainLoss = (numbers[NUMBERS.lossSum] as number) / (totalWeight(train.itemWeights) || 1);
    this.curve.push({ epoch, trainLoss, validationLoss, learningRate: numbers[NUMBERS.lastRate] as number });
    this.epoch = epoch;
    this.step = 0;
    if (validationLoss < this.best.loss) this.keepBest(validationLoss);
    this.pace.validationLoss = validationLoss;
    if (settings.schedule.kind === "plateau" && epoch - Math.max(this.best.epoch, this.plateauSince) > PLATEAU_PATIENCE) {
      numbers[NUMBERS.plateau] = (numbers[NUMBERS.plateau] as number) * PLATEAU_FACTOR;
      this.plateauSince = epoch;
    }
    await onEpoch?.(this.curve);
    if (this.isCheckpointDue() || this.task.checkpoint?.everySteps !== undefined) await this.checkpointOrWarn();
    if (this.task.signal?.aborted) await this.interrupt();
  }

  private async score(): Promise<number> {
    await this.parts.team.obey({ kind: "score" });
    let sum = 0;
    for (const loss of this.shared.blockLosses) sum += loss;
    const loss = sum / totalWeight(this.task.validation.itemWeights);
    if (Number.isFinite(loss)) return loss;
    const when = this.epoch + (this.step === 0 ? 0 : 1);
    throw new CommandError(`the validation loss became ${loss} after epoch ${when}: ${explainFailure(this.failureFacts())}`);
  }

  private keepBest(loss: number): void {
    this.best = { ...this.present(), loss };
  }

  private present(): Omit<Best, "loss"> {
    const { parameters, statistics } = this.shared;
    return { epoch: this.epoch, parameters: parameters.slice(), statistics: statistics.slice() };
  }

  private look(): void {
    const { control, numbers } = this.shared;
    const done = Atomics.load(control, CONTROL.done);
    if (done === 0) return;
    this.task.onProgress?.(this.pace.at({ epoch: this.epoch, done, loss: numbers[NUMBERS.lastLoss] as number }));
    if (this.isCheckpointDue()) this.askToStop();
  }

  private askToStop(): void {
    Atomics.store(this.shared.control, CONTROL.stop, 1);
  }

  private isCheckpointDue(): boolean {
    const { checkpoint } = this.task;
    if (checkpoint === undefined) return false;
    return performance.now() - this.writtenAt > 1_000 * (checkpoint.everySeconds ?? CHECKPOINT_SECONDS);
  }

  private async interrupt(): Promise<never> {
    const { checkpoint } = this.task;
    if (!this.isSound()) throw new CommandError(`training was stopped, and can't go on: ${explainFailure(this.failureFacts())}`);
    if (checkpoint !== undefined) await writeCheckpoint(checkpoint.path, this.checkpoint());
    throw new TrainingInterrupted({ epoch: this.epoch + 1, step: this.step }, checkpoint?.path ?? null);
  }

  /** A full disk doesn't end a training: the last checkpoint is still there, and the next may find room. */
  private async checkpointOrWarn(): Promise<void> {
    const { checkpoint, onWarning, onCheckpoint } = this.task;
    this.writtenAt = performance.now();
    if (checkpoint === undefined || !this.isSound()) return;
    try {
      await writeCheckpoint(checkpoint.path, this.checkpoint());
      onCheckpoint?.(checkpoint.path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      onWarning?.(`no checkpoint could be written (${reason}): training goes on, and could only be resumed from the one before`);
    }
  }

  /** Weights may be no numbers though the loss before them was one: they are never kept over good ones. */
  private isSound(): boolean {
    return this.shared.parameters.every(Number.isFinite);
  }

  private checkpoint(): Checkpoint {
    const { numbers, parameters, state, statistics } = this.shared;
    const { best } = this;
    const slots = createOptimiser(this.task.settings.optimiser).slots;
    const header: CheckpointHeader = {
      conditions: this.parts.conditions,
      epoch: this.epoch,
      step: this.step,
      lossSum: numbers[NUMBERS.lossSum] as number,
      lastRate: numbers[NUMBERS.lastRate] as number,
      plateau: { share: numbers[NUMBERS.plateau] as number, since: this.plateauSince },
      best: { epoch: best.epoch, loss: best.loss },
      curve: this.curve,
    };
    const vectors = new Map([
      ["parameters", parameters],
      ...state.map((values, index): [string, Float32Array] => [`state.${slots[index]}`, values]),
      ["statistics", statistics],
      ["best.parameters", best.parameters],
      ["best.statistics", best.statistics],
    ]);
    return { header, vectors };
  }

  private restore({ header, vectors }: Checkpoint): void {
    const { numbers } = this.shared;
    const own = this.checkpoint();
    for (const [name, values] of own.vectors) {
      const kept = vectors.get(name);
      const isBest = name.startsWith("best.");
      const length = isBest ? own.vectors.get(name.slice("best.".length))?.length : values.length;
      if (kept?.length !== length) {
        const what = kept === undefined ? `no ${name}` : `${kept.length} numbers of ${name}, not ${length}`;
        throw new CommandError(`the checkpoint has ${what}: train from the start`);
      }
      if (!isBest && kept !== undefined) values.set(kept);
    }
    this.epoch = header.epoch;
    this.step = header.step;
    this.curve = [...header.curve];
    this.plateauSince = header.plateau.since;
    numbers[NUMBERS.lossSum] = header.lossSum;
    numbers[NUMBERS.lastRate] = header.lastRate;
    numbers[NUMBERS.plateau] = header.plateau.share;
    const [parameters, statistics] = [vectors.get("best.parameters"), vectors.get("best.statistics")];
    if (parameters === undefined || statistics === undefined)
      throw new CommandError("the checkpoint has no best weights: train from the start");
    this.best = { ...header.best, parameters, statistics };
  }

  private fail(): never {
    const { plan } = this.parts;
    let loss = 0;
    for (const part of this.shared.losses) loss += part;
    const step = this.epoch * plan.stepsPerEpoch + this.step + 1;
    throw new CommandError(`the loss became ${loss} at step ${step}: ${explainFailure(this.failureFacts())}`);
  }

  private failureFacts(): Parameters<typeof explainFailure>[0] {
    const { step } = this.parts;
    return { slots: step.slots, shared: this.shared, checkpoint: this.task.checkpoint?.path ?? null };
  }
}

function totalWeight(itemWeights: Float64Array): number {
  let sum = 0;
  for (const weight of itemWeights) sum += weight;
  return sum;
}
