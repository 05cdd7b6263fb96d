/**
 * Both sides train from the same parameters on the same batches in the same order; what either then makes of items it never saw. With batch norm they are
 * not quite the same: each of our workers normalises by its own part of the batch.
 */

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawOrder, randomOfEpoch } from "../../training/engine/noise.ts";
import { planOf } from "../../training/engine/plan-of.ts";
import { openTeam } from "../../training/engine/team.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { crossEntropy } from "../../training/tensors/losses/cross-entropy.ts";
import type { BenchNetwork } from "../networks/registry.ts";
import { learnableRows } from "./learnable-task.ts";
import { benchSettings } from "./race.ts";
import type { TorchPeer } from "./torch-peer.ts";

/** Enough that the loss has fallen well, and few enough that it still tells how fast: by network. */
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
  readonly peerLoss: number | null;
  /** Of our parameters at the end. */
  readonly hash: string;
}

export async function compareLosses(bench: BenchNetwork, torch: TorchPeer | null, workers: number): Promise<SameLossResult> {
  const { network, shape, batch, name, channels } = bench;
  const { steps, strength } = TASKS[name] ?? { steps: 50, strength: 0.2 };
  const items = steps * batch;
  const heldOut = { from: items, to: items + HELD_OUT_ITEMS };
  const runtime = await loadRuntime("node");
  const train = learnableRows(bench, strength, { from: 0, to: items });
  const validation = learnableRows(bench, strength, heldOut);
  const settings = { ...benchSettings(bench, workers), epochs: 1, seed: SEED };
  const { step, plan } = planOf({ runtime, network, loss: crossEntropy, shape, train, validation, settings });
  const start = step.initialise(randomOfEpoch(SEED, 0));
  plan.shared.parameters.set(start);
  drawOrder(plan.shared.order, randomOfEpoch(SEED, 1));
  const team = await openTeam(plan, runtime);
  const score = async (): Promise<number> => {
    await team.obey({ kind: "score" });
    return plan.shared.blockLosses.reduce((sum, loss) => sum + loss, 0) / HELD_OUT_ITEMS;
  };
  try {
    const startLoss = await score();
    await team.obey({ kind: "steps", taken: 0, from: 0, to: steps });
    const ourLoss = await score();
    const request = { do: "train", network: name, ...channelsOf(channels), strength, heldOut };
    const peerLoss = torch === null ? null : await askTorch(torch, request, { start, order: plan.shared.order });
    const hash = createHash("sha256")
      .update(Buffer.from(Float32Array.from(plan.shared.parameters).buffer))
      .digest("hex")
      .slice(0, 16);
    return { steps, startLoss, ourLoss, peerLoss, hash };
  } finally {
    await team.close();
  }
}

function channelsOf({ stride, count }: BenchNetwork["channels"]): { stride: number; channels: number } {
  return { stride, channels: count };
}

async function askTorch(
  torch: TorchPeer,
  request: Readonly<Record<string, unknown>>,
  { start, order }: { start: Float32Array; order: Uint32Array },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-train-nn-"));
  try {
    const [parameters, orderFile] = [join(folder, "parameters.f32"), join(folder, "order.u32")];
    await writeFile(parameters, Float32Array.from(start));
    await writeFile(orderFile, Uint32Array.from(order));
    const { heldOutLoss } = await torch.ask({ ...request, parameters, order: orderFile });
    return Number(heldOutLoss);
  } finally {
    await rm(folder, { recursive: true });
  }
}
