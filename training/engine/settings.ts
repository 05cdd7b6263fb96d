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
  /** Of the first step, before warm-up. */
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
  if (!(learningRate > 0)) throw new CommandError(`--learning-rate ${learningRate} is not above 0`);
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

function whole(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new CommandError(`${option} ${value} is not a positive whole number`);
}
