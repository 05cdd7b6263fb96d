/** Everything that a training's outcome depends on besides data, network and runtime. */

import { CommandError } from "../command-error.ts";
import { ADAMW_DEFAULTS } from "../tensors/optimisers/adam.ts";
import type { OptimiserSettings } from "../tensors/optimisers/registry.ts";
import { DEFAULT_SCHEDULE, type ScheduleSettings } from "./schedule.ts";

export interface TrainSettings {
  readonly seed: number;
  readonly epochs: number;
  /** Rows a step, over all workers. */
  readonly batch: number;
  /** Of the first step, after warm-up; of one cycle the highest. */
  readonly learningRate: number;
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number;
  readonly optimiser: OptimiserSettings;
  readonly schedule: ScheduleSettings;
  /** Largest norm of the whole gradient and largest size of one element; null for no bound. The elements are cut first. */
  readonly clip: { readonly norm: number | null; readonly value: number | null };
  /** Threads that share each batch. Sums over them have a fixed order: the same number gives the same bits, another may give other last bits. */
  readonly workers: number;
  /** Parts that each worker cuts its share into, one after the other: the same step in less memory. */
  readonly accumulate: number;
}

export const DEFAULT_TRAIN_SETTINGS: TrainSettings = {
  seed: 1,
  epochs: 20,
  batch: 256,
  learningRate: 1e-3,
  patience: 5,
  optimiser: ADAMW_DEFAULTS,
  schedule: DEFAULT_SCHEDULE,
  clip: { norm: null, value: null },
  workers: 1,
  accumulate: 1,
};

/** More threads than this would each have a handful of rows, and every barrier waits for the slowest. */
const MOST_WORKERS = 64;

/** Throws CommandError with the option to change. */
export function checkSettings(settings: TrainSettings, rows: number): void {
  const { batch, epochs, learningRate, workers, accumulate, clip, patience } = settings;
  whole("--batch", batch);
  whole("--epochs", epochs);
  whole("--workers", workers);
  whole("--accumulate", accumulate);
  whole("--patience", patience);
  whole("--seed", settings.seed, 0);
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY))
    throw new CommandError(`--learning-rate ${learningRate} is not a number above 0`);
  checkSchedule(settings.schedule);
  checkOptimiser(settings.optimiser);
  if (rows === 0) throw new CommandError("there is no row to train on");
  if (batch > rows) throw new CommandError(`--batch ${batch} is more than the ${rows} training rows: take at most ${rows}`);
  if (workers > MOST_WORKERS) throw new CommandError(`--workers ${workers} is more than ${MOST_WORKERS}`);
  if (workers * accumulate > batch) {
    throw new CommandError(
      `--batch ${batch} can't be shared by ${workers} workers in ${accumulate} parts: take a larger batch or fewer workers`,
    );
  }
  for (const [name, bound] of Object.entries(clip)) {
    if (bound !== null && !(bound > 0)) throw new CommandError(`--clip-${name} ${bound} is not above 0`);
  }
}

function checkSchedule(schedule: ScheduleSettings): void {
  whole("--warmup", schedule.warmupSteps, 0);
  if (schedule.kind === "one-cycle" && schedule.warmupSteps > 0) throw new CommandError("one-cycle warms up by itself: leave --warmup out");
  if (schedule.kind !== "step") return;
  whole("--every-epochs", schedule.everyEpochs);
  const { factor } = schedule;
  if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) throw new CommandError(`--factor ${factor} is not a number above 0`);
}

/** What is kept of the past is a share of it, below all: of all, nothing new would come in, or the sum would never end. */
function checkOptimiser({ weightDecay, ...settings }: OptimiserSettings): void {
  if (!(weightDecay >= 0 && weightDecay < Number.POSITIVE_INFINITY))
    throw new CommandError(`--weight-decay ${weightDecay} is not a number from 0 on`);
  const shares = Object.entries(settings).filter(([name]) => ["beta1", "beta2", "smoothing", "momentum"].includes(name));
  for (const [name, share] of shares) {
    if (!(Number(share) >= 0 && Number(share) < 1)) throw new CommandError(`the optimiser's ${name} ${share} doesn't lie in [0, 1)`);
  }
}

function whole(option: string, value: number, least: 0 | 1 = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new CommandError(`${option} ${value} is not a ${least === 0 ? "whole number from 0 on" : "positive whole number"}`);
}
