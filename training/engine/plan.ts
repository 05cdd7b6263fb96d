/** What a worker is told at its start: data alone, since it crosses to another thread. */

import type { RuntimeName } from "../runtime/contract.ts";
import type { NormLimit } from "../tensors/max-norm.ts";
import type { RowSource } from "./row-source.ts";
import type { TrainSettings } from "./settings.ts";
import type { SharedState } from "./shared-state.ts";

export interface Plan {
  readonly runtime: RuntimeName;
  /** Of a worker's part of a step; see tensors/training-step.ts. */
  readonly gradientModel: Uint8Array;
  /** Of a block of validation rows; see tensors/scoring-pass.ts. */
  readonly scoringModel: Uint8Array;
  readonly shape: readonly number[];
  /** Rows of one call of each. */
  readonly partRows: number;
  readonly blockRows: number;
  readonly noiseCount: number;
  readonly decayed: Float32Array;
  readonly normLimits: readonly NormLimit[];
  readonly settings: TrainSettings;
  readonly train: RowSource;
  readonly validation: RowSource;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly shared: SharedState;
}

/** Steps [from, to) of an epoch, counted from 1; `taken` steps were taken in the epochs before it. */
export interface StepsCommand {
  readonly kind: "steps";
  readonly taken: number;
  readonly from: number;
  readonly to: number;
}

export type Command = StepsCommand | { readonly kind: "score" };
