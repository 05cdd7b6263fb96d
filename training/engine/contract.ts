/** What a training is given and what it gives. */

import type { Runtime } from "../runtime/contract.ts";
import type { Loss } from "../tensors/losses/contract.ts";
import type { Network, ParameterSlot } from "../tensors/training-step.ts";
import type { RowSource } from "./row-source.ts";
import type { TrainSettings } from "./settings.ts";

/** Losses are weighted means; those of squared errors in units of the targets' scale, where persistence has about 1. */
export interface EpochScore {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly validationLoss: number;
  /** Of the last step. */
  readonly learningRate: number;
}

export interface TrainedNetwork {
  readonly parameters: Float32Array;
  readonly slots: readonly ParameterSlot[];
  /** Running statistics, flat; empty where the network has none. */
  readonly statistics: Float32Array;
  readonly statisticSlots: readonly ParameterSlot[];
  readonly curve: readonly EpochScore[];
  /** The one whose parameters these are. 0: no epoch was better than the first weights. */
  readonly bestEpoch: number;
}

export interface EngineProgress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps since the start of the training, and how many there would be without early stopping. */
  readonly step: number;
  readonly totalSteps: number;
  /** Of the last step. */
  readonly loss: number;
  /** Null before the first epoch's end. */
  readonly validationLoss: number | null;
  readonly rowsPerSecond: number;
  /** Null before there is a rate to tell it from. */
  readonly secondsLeft: number | null;
}

export interface CheckpointOptions {
  readonly path: string;
  /** Goes on from what lies there, rather than from the start. */
  readonly resume: boolean;
  /** Seconds between two; a minute unless told. */
  readonly everySeconds?: number;
  /** Steps between two, besides. */
  readonly everySteps?: number;
}

export interface EngineTask {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly loss: Loss;
  /** Of one item's features, as the network takes them; its size is window times columns. */
  readonly shape: readonly number[];
  readonly train: RowSource;
  readonly validation: RowSource;
  readonly settings: TrainSettings;
  /** Which epoch's parameters come of it: that of the least validation loss, unless told; or the last one's, and none is left out, for schedules that settle at their end. */
  readonly keeps?: "best" | "last";
  /** Says which data these are, e.g. the dataset's hash: a checkpoint of other data is refused. */
  readonly data: string;
  readonly checkpoint?: CheckpointOptions;
  /** Stops after the present step; see TrainingInterrupted. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: EngineProgress) => void;
  /** Awaited: the training goes on when it is done. */
  readonly onEpoch?: (curve: readonly EpochScore[]) => Promise<void>;
  /** After each checkpoint that was written. */
  readonly onCheckpoint?: (path: string) => void;
  /** What a person should know though training goes on, e.g. that a checkpoint couldn't be written. */
  readonly onWarning?: (message: string) => void;
}

/** Training was asked to stop, and did, between two steps. */
export class TrainingInterrupted extends Error {
  override readonly name = "TrainingInterrupted";
  /** Where its state was written; null where no checkpoint was wanted. */
  readonly checkpoint: string | null;

  constructor(at: { epoch: number; step: number }, checkpoint: string | null) {
    super(`training was interrupted in epoch ${at.epoch}, after ${at.step} of its steps`);
    this.checkpoint = checkpoint;
  }
}
