/** The five networks of the race (`npm run bench -- train-nn`), each with the batch it is timed on. */

import type { Network } from "../../training/tensors/training-step.ts";
import { deeplob } from "./deeplob.ts";
import { lstm } from "./lstm.ts";
import { mlp } from "./mlp.ts";
import { resnet1d } from "./resnet1d.ts";
import { transformer } from "./transformer.ts";

export interface BenchNetwork {
  readonly name: string;
  readonly network: Network;
  /** Rows of one step. */
  readonly batch: number;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** What each worker cuts its rows into, one part after the other: for some networks few rows at a time stay in the processor's cache. */
  readonly parts: number;
  /** How a row's numbers lie: `stride` apart are those of the next of `count` channels. */
  readonly channels: { readonly stride: number; readonly count: number };
}

export const BENCH_NETWORKS: readonly BenchNetwork[] = [
  { name: "mlp", network: mlp, batch: 256, shape: [40], classes: 2, parts: 1, channels: { stride: 1, count: 40 } },
  { name: "lstm", network: lstm, batch: 64, shape: [100, 40], classes: 3, parts: 1, channels: { stride: 1, count: 40 } },
  { name: "resnet1d", network: resnet1d, batch: 16, shape: [160, 512], classes: 3, parts: 1, channels: { stride: 512, count: 160 } },
  { name: "deeplob", network: deeplob, batch: 32, shape: [100, 40], classes: 3, parts: 1, channels: { stride: 1, count: 40 } },
  { name: "transformer", network: transformer, batch: 32, shape: [100, 40], classes: 3, parts: 4, channels: { stride: 1, count: 40 } },
];
