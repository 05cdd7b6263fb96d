/**
 * Both sides train from the same parameters on the same batches in the same order; what either then makes of items it never saw. With batch norm several
 * workers do other arithmetic: each normalises by its own part of the batch, as PyTorch's DistributedDataParallel does. So such a network is trained
 * by one worker as well, which normalises by the whole batch as the peer does.
 */

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawOrder, randomOfEpoch } from "../../training/engine/noise.ts";
import { planOf } from "../../training/engine/plan-of.ts";
import type { RowSource } from "../../training/engine/row-source.ts";
import { openTeam } from "../../training/engine/team.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { crossEntropy } from "../../training/tensors/losses/cross-entropy.ts";
import type { BenchNetwork } from "../networks/registry.ts";
import { learnableRows } from "./learnable-task.ts";
import { benchSettings } from "./race.ts";
import type { TorchPeer } from "./torch-peer.ts";

/**
 * Enough that the loss has fallen well, and few enough that it still tells how fast: by network. Of DeepLOB the last digits say nothing: between the 20th
 * step and the 60th it falls off a cliff that multiplies any rounding, and its loss then differs between PyTorch's float32 and float64 as it does here.
 */
const TASKS: Readonly<Record<string, { readonly steps: number; readonly strength: number }>> = {
  mlp: { steps: 200, strength: 0.4 },
  lstm: { steps: 100, strength: 0.2 },
  resnet1d: { steps: 24, strength: 0.05 },
  deeplob: { steps: 120, strength: 0.5 },
  transformer: { steps: 60, strength: 0.05 },
};
const HELD_OUT_ITEMS = 256;
const SEED = 1;

export interface SameLossResult {
  readonly steps: number;
  /** Before the first step, over the items held out. */
  readonly startLoss: number;
  readonly ourLoss: number;
  /** Of one worker, where `ourLoss` is of several and the network normalises by its batch; else null. */
  readonly wholeBatchLoss: number | null;
  readonly peerLoss: number | null;
  /** Of our parameters at the end. */
  readonly hash: string;
}

export async function compareLosses(bench: BenchNetwork, torch: TorchPeer | null, workers: number): Promise<SameLossResult> {
  const { steps, strength } = TASKS[bench.name] ?? { steps: 50, strength: 0.2 };
  const items = steps * bench.batch;
  const task: Task = {
    steps,
    strength,
    heldOut: { from: items, to: items + HELD_OUT_ITEMS },
    train: learnableRows(bench, strength, { from: 0, to: items }),
    validation: learnableRows(bench, strength, { from: items, to: items + HELD_OUT_ITEMS }),
  };
  const ours = await trainOurs(bench, task, workers);
  const isOtherArithmetic = workers > 1 && ours.statistics > 0;
  const wholeBatchLoss = isOtherArithmetic ? (await trainOurs(bench, task, 1)).loss : null;
  const peerLoss = torch === null ? null : await askTorch(torch, bench, { ...task, ...ours });
  const { startLoss, loss: ourLoss, hash } = ours;
  return { steps, startLoss, ourLoss, wholeBatchLoss, peerLoss, hash };
}

interface Task {
  readonly steps: number;
  readonly strength: number;
  readonly heldOut: { readonly from: number; readonly to: number };
  readonly train: RowSource;
  readonly validation: RowSource;
}

interface Trained {
  readonly start: Float32Array;
  readonly order: Uint32Array;
  /** How many numbers of a batch are followed. */
  readonly statistics: number;
  readonly startLoss: number;
  readonly loss: number;
  readonly hash: string;
}

async function trainOurs(bench: BenchNetwork, { steps, train, validation }: Task, workers: number): Promise<Trained> {
  const { network, shape } = bench;
  const runtime = await loadRuntime("node");
  const settings = { ...benchSettings(bench, workers), epochs: 1, seed: SEED };
  const { step, plan } = planOf({ runtime, network, loss: crossEntropy, shape, train, validation, settings });
  const { parameters, order, statistics, blockLosses } = plan.shared;
  const start = step.initialise(randomOfEpoch(SEED, 0));
  parameters.set(start);
  drawOrder(order, randomOfEpoch(SEED, 1));
  const team = await openTeam(plan, runtime);
  const score = async (): Promise<number> => {
    await team.obey({ kind: "score" });
    return blockLosses.reduce((sum, loss) => sum + loss, 0) / HELD_OUT_ITEMS;
  };
  try {
    const startLoss = await score();
    await team.obey({ kind: "steps", taken: 0, from: 0, to: steps });
    const loss = await score();
    const bytes = Buffer.from(Float32Array.from(parameters).buffer);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    return { start, order, statistics: statistics.length, startLoss, loss, hash };
  } finally {
    await team.close();
  }
}

async function askTorch(torch: TorchPeer, { name, channels }: BenchNetwork, task: Task & Trained): Promise<number> {
  const { strength, heldOut, start, order } = task;
  const folder = await mkdtemp(join(tmpdir(), "edgebook-train-nn-"));
  try {
    const [parameters, orderFile] = [join(folder, "parameters.f32"), join(folder, "order.u32")];
    await writeFile(parameters, Float32Array.from(start));
    await writeFile(orderFile, Uint32Array.from(order));
    const { stride, count } = channels;
    const request = { do: "train", network: name, stride, channels: count, strength, heldOut };
    const { heldOutLoss } = await torch.ask({ ...request, parameters, order: orderFile });
    return Number(heldOutLoss);
  } finally {
    await rm(folder, { recursive: true });
  }
}
