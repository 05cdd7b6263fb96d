/**
 * The training loop: AdamW on shuffled minibatches, a learning rate that falls in a straight line to zero, and the parameters of the epoch
 * with the least validation loss. Everything random comes from the seed, so the same data, settings and runtime give the same bytes.
 */

import { Random as SeededRandom } from "../../core/math/random.ts";
import { CommandError } from "../command-error.ts";
import type { Runtime, Session, Tensor } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { ADAMW_DEFAULTS, type AdamwSettings, adamwSchedule } from "../tensors/optimisers/adamw.ts";
import { buildTrainingStep, type Network, type ParameterSlot } from "../tensors/training-step.ts";
import { type Batch, shuffledBatches } from "./batches.ts";
import type { PreparedRows } from "./prepared-rows.ts";

export interface TrainSettings {
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  /** Of the first step. */
  readonly learningRate: number;
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number;
  readonly optimiser: AdamwSettings;
}

export const DEFAULT_TRAIN_SETTINGS: TrainSettings = {
  seed: 1,
  epochs: 20,
  batch: 256,
  learningRate: 1e-3,
  patience: 5,
  optimiser: ADAMW_DEFAULTS,
};

/** Losses are mean squared errors in units of the targets' scale: persistence has about 1. */
export interface EpochScore {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly validationLoss: number;
  readonly learningRate: number;
}

export interface TrainedNetwork {
  readonly parameters: Float32Array;
  readonly slots: readonly ParameterSlot[];
  readonly curve: readonly EpochScore[];
  readonly bestEpoch: number;
}

export interface TrainingTask {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
  readonly settings: TrainSettings;
  /** Called after each batch; `epochs` may be fewer in the end. */
  readonly onBatch?: (done: number, total: number, loss: number) => void;
}

/** Validation rows that are answered in one call. */
const ANSWER_ROWS = 8_192;

/** Throws CommandError when the settings don't fit the data, or the loss is no longer a number. */
export async function trainNetwork(task: TrainingTask): Promise<TrainedNetwork> {
  const { runtime, network, train, settings } = task;
  checkSettings(task);
  const { columns, outputs } = train;
  const step = buildTrainingStep(network, { batch: settings.batch, columns, outputs, optimiser: settings.optimiser });
  const stepSession = await runtime.open(step.model);
  const forward = await runtime.open(buildForwardPass(network, columns));
  const source = new SeededRandom(settings.seed);
  const random = (): number => source.uniform();
  const trainer = new Trainer(stepSession, step.initialise(random), task);
  const curve: EpochScore[] = [];
  let best = { parameters: trainer.parameters, loss: await validationLoss(forward, trainer.parameters, task.validation), epoch: 0 };
  for (let epoch = 1; epoch <= settings.epochs && epoch - best.epoch <= settings.patience; epoch++) {
    const trainLoss = await trainer.epoch(random);
    const loss = await validationLoss(forward, trainer.parameters, task.validation);
    curve.push({ epoch, trainLoss, validationLoss: loss, learningRate: trainer.learningRate });
    if (loss < best.loss) best = { parameters: trainer.parameters, loss, epoch };
  }
  await stepSession.release();
  await forward.release();
  return { parameters: best.parameters, slots: step.slots, curve, bestEpoch: best.epoch };
}

/** The state of training between two steps. */
class Trainer {
  parameters: Float32Array;
  learningRate: number;
  private firstMoment: Float32Array;
  private secondMoment: Float32Array;
  private steps = 0;
  private readonly totalSteps: number;
  private readonly session: Session;
  private readonly task: TrainingTask;
  private readonly schedule: (learningRate: number) => readonly [number, number, number];

  constructor(session: Session, parameters: Float32Array, task: TrainingTask) {
    this.session = session;
    this.parameters = parameters;
    this.firstMoment = new Float32Array(parameters.length);
    this.secondMoment = new Float32Array(parameters.length);
    this.task = task;
    this.learningRate = task.settings.learningRate;
    this.totalSteps = task.settings.epochs * Math.ceil(task.train.rows / task.settings.batch);
    this.schedule = adamwSchedule(task.settings.optimiser);
  }

  /** @returns the mean loss over the rows. */
  async epoch(random: () => number): Promise<number> {
    const { train, settings, onBatch } = this.task;
    let sum = 0;
    for (const batch of shuffledBatches(train, settings.batch, random)) {
      const loss = await this.step(batch);
      sum += loss * batch.rows;
      onBatch?.(this.steps, this.totalSteps, loss);
    }
    return sum / train.rows;
  }

  private async step(batch: Batch): Promise<number> {
    this.learningRate = this.task.settings.learningRate * (1 - this.steps / this.totalSteps);
    this.steps++;
    const flat = (data: Float32Array): Tensor => ({ shape: [data.length], data });
    const answer = await this.session.run({
      features: batch.features,
      targets: batch.targets,
      mask: batch.mask,
      cells: batch.cells,
      parameters: flat(this.parameters),
      first_moment: flat(this.firstMoment),
      second_moment: flat(this.secondMoment),
      schedule: flat(Float32Array.from(this.schedule(this.learningRate))),
    });
    this.parameters = answer.next_parameters as Float32Array;
    this.firstMoment = answer.next_first_moment as Float32Array;
    this.secondMoment = answer.next_second_moment as Float32Array;
    const loss = answer.loss?.[0] ?? Number.NaN;
    if (!Number.isFinite(loss)) throw new CommandError(`the loss became ${loss} at step ${this.steps}: try a smaller --learning-rate`);
    return loss;
  }
}

/** The network's answers to prepared rows, [rows, outputs], in units of the targets' scale. */
export async function answerRows(session: Session, parameters: Float32Array, source: PreparedRows): Promise<Float32Array> {
  const answers = new Float32Array(source.rows * source.outputs);
  for (let first = 0; first < source.rows; first += ANSWER_ROWS) {
    const rows = Math.min(ANSWER_ROWS, source.rows - first);
    const data = source.inputs.subarray(first * source.columns, (first + rows) * source.columns);
    const answer = await session.run({
      features: { shape: [rows, source.columns], data },
      parameters: { shape: [parameters.length], data: parameters },
    });
    answers.set(answer.answer as Float32Array, first * source.outputs);
  }
  return answers;
}

async function validationLoss(session: Session, parameters: Float32Array, validation: PreparedRows): Promise<number> {
  const answers = await answerRows(session, parameters, validation);
  let squares = 0;
  let cells = 0;
  for (let cell = 0; cell < answers.length; cell++) {
    if (validation.mask[cell] === 0) continue;
    const error = (answers[cell] as number) - (validation.targets[cell] as number);
    squares += error * error;
    cells++;
  }
  if (cells === 0) throw new CommandError("no validation row has a target: the feed must be unbroken for longer than the shortest horizon");
  return squares / cells;
}

function checkSettings({ train, settings }: TrainingTask): void {
  const { batch, epochs, learningRate } = settings;
  if (!Number.isSafeInteger(batch) || batch < 1) throw new CommandError(`--batch ${batch} is not a positive whole number`);
  if (!Number.isSafeInteger(epochs) || epochs < 1) throw new CommandError(`--epochs ${epochs} is not a positive whole number`);
  if (!(learningRate > 0)) throw new CommandError(`--learning-rate ${learningRate} is not above 0`);
  if (batch > train.rows)
    throw new CommandError(`--batch ${batch} is more than the ${train.rows} training rows: take at most ${train.rows}`);
}
