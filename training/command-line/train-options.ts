/** The options of `edgebook train` that say how to train, and what they make of the defaults. */

import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type ScheduleKind, type ScheduleSettings, STEP_DEFAULTS } from "../engine/schedule.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../engine/settings.ts";
import { MOST_LAYERS, WIDEST_LAYER } from "../networks/settings.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { OPTIMISER_DEFAULTS, type OptimiserKind, type OptimiserSettings } from "../tensors/optimisers/registry.ts";
import { countingNumber, numberFromZero, positiveNumber, wholeNumber } from "./options.ts";

export interface SettingOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly patience: number;
  readonly optimiser: OptimiserKind;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly nesterov: boolean;
  readonly schedule: ScheduleKind;
  readonly warmup: number;
  readonly everyEpochs: number;
  readonly factor: number;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly workers?: number;
  readonly accumulate: number;
}

/** What was measured to pay for small networks too; more are for large ones, and asked for. */
const USUAL_WORKERS = 2;

const SCHEDULES: readonly ScheduleKind[] = ["linear", "constant", "cosine", "step", "plateau", "one-cycle"];

export function addSettingOptions(command: Command): Command {
  const defaults = DEFAULT_TRAIN_SETTINGS;
  return command
    .option("--seed <number>", "of the first weights and the order of rows", wholeNumber, defaults.seed)
    .option("--epochs <number>", "at most; training stops early when validation no longer improves", countingNumber, defaults.epochs)
    .option("--patience <epochs>", "without a better validation loss, then it stops", countingNumber, defaults.patience)
    .option("--batch <rows>", "rows a step, over all workers", countingNumber, defaults.batch)
    .option(
      "--workers <number>",
      "threads that share each batch; the same number gives the same bits (two where there are two cores; wasm one)",
      countingNumber,
    )
    .option("--accumulate <parts>", "a step's rows in so many parts, one after the other: less memory", countingNumber, defaults.accumulate)
    .addOption(
      new Option("--optimiser <name>", "how a step is made of a gradient")
        .choices(Object.keys(OPTIMISER_DEFAULTS))
        .default(defaults.optimiser.kind),
    )
    .option("--learning-rate <number>", "of the first step; of one-cycle the highest", positiveNumber, defaults.learningRate)
    .option("--weight-decay <number>", "of the matrices (adamw 0.01, else 0)", numberFromZero)
    .option("--momentum <number>", "of sgd (0.9) and rmsprop (0)", numberFromZero)
    .option("--nesterov", "sgd looks one step ahead", false)
    .addOption(new Option("--schedule <name>", "of the learning rate").choices(SCHEDULES).default(defaults.schedule.kind))
    .option("--warmup <steps>", "in which the rate rises to its first value", wholeNumber, defaults.schedule.warmupSteps)
    .option("--every-epochs <number>", "of the schedule step", countingNumber, STEP_DEFAULTS.everyEpochs)
    .option("--factor <number>", "of the schedule step", positiveNumber, STEP_DEFAULTS.factor)
    .option("--clip-norm <number>", "largest length of the whole gradient", positiveNumber)
    .option("--clip-value <number>", "largest size of one number of the gradient", positiveNumber);
}

export function settingsOf(options: SettingOptions, backend: RuntimeName): TrainSettings {
  const { seed, epochs, batch, learningRate, patience, accumulate } = options;
  const workers = options.workers ?? (backend === "wasm" ? 1 : Math.min(availableParallelism(), USUAL_WORKERS, batch));
  return {
    seed,
    epochs,
    batch,
    learningRate,
    patience,
    optimiser: optimiserOf(options),
    schedule: scheduleOf(options),
    clip: { norm: options.clipNorm ?? null, value: options.clipValue ?? null },
    workers,
    accumulate,
  };
}

function optimiserOf({ optimiser, weightDecay, momentum, nesterov }: SettingOptions): OptimiserSettings {
  const base = OPTIMISER_DEFAULTS[optimiser];
  const decayed = { ...base, weightDecay: weightDecay ?? base.weightDecay };
  if (decayed.kind === "sgd") return { ...decayed, momentum: momentum ?? decayed.momentum, isNesterov: nesterov };
  return decayed.kind === "rmsprop" ? { ...decayed, momentum: momentum ?? decayed.momentum } : decayed;
}

function scheduleOf({ schedule, warmup, everyEpochs, factor }: SettingOptions): ScheduleSettings {
  return schedule === "step" ? { kind: schedule, warmupSteps: warmup, everyEpochs, factor } : { kind: schedule, warmupSteps: warmup };
}

/** "256,128": of hidden layers, in the order of the data. */
export function layerWidths(text: string): number[] {
  const widths = text.split(",").map((part) => countingNumber(part.trim()));
  if (widths.length > MOST_LAYERS) throw new InvalidArgumentError(`at most ${MOST_LAYERS} layers are built.`);
  if (widths.some((width) => width > WIDEST_LAYER)) throw new InvalidArgumentError(`a layer is at most ${WIDEST_LAYER} wide.`);
  return widths;
}

export function dropoutShare(text: string): number {
  const share = numberFromZero(text);
  if (share >= 1) throw new InvalidArgumentError("a share below 1 is wanted.");
  return share;
}

/** A bound, or none. No null: commander takes that for an option without a value. */
export function clipBound(text: string): number | "none" {
  return text === "none" ? text : positiveNumber(text);
}
