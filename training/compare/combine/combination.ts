/** What is made of the forecasts of others, by what the validation rows say of them and nothing else. */

import type { AlignedData } from "../aligned-data.ts";

export interface Forecasts {
  readonly id: string;
  /** [validation rows, outputs] bps */
  readonly validation: Float32Array;
  /** [test rows, outputs] bps */
  readonly test: Float32Array;
}

export interface CombinationTask {
  /** With the test rows' targets taken out. */
  readonly data: AlignedData;
  readonly validation: Uint32Array;
  readonly members: readonly Forecasts[];
}

export interface Combined extends Omit<Forecasts, "id"> {
  readonly configurations: number;
  readonly notes: readonly string[];
}

export interface Combination {
  readonly id: string;
  readonly title: string;
  readonly settings: unknown;
  combine(task: CombinationTask): Combined;
}
