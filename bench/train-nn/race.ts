/**
 * Steps of ours and of PyTorch's, timed in turn. PyTorch comes twice: with the AdamW that `torch.optim.AdamW(parameters)` is, and with its fused one; each at
 * the setting of threads that a short trial finds to be its best for this network.
 */

import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../training/engine/settings.ts";
import { openStepTimer } from "../../training/engine/step-timer.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { crossEntropy } from "../../training/tensors/losses/cross-entropy.ts";
import type { BenchNetwork } from "../networks/registry.ts";
import { median } from "../report.ts";
import { showSetting, type TorchPeer } from "./torch-peer.ts";

export interface RaceOptions {
  readonly workers: number;
  readonly rounds: number;
  /** Of one turn of one side. */
  readonly seconds: number;
}

/** Milliseconds a step, one number a round. */
export interface Lane {
  readonly name: string;
  readonly setting: string;
  readonly ms: readonly number[];
}

export interface RaceResult {
  readonly ours: Lane;
  /** Empty without PyTorch. */
  readonly peers: readonly Lane[];
}

export function benchSettings({ batch, parts }: BenchNetwork, workers: number): TrainSettings {
  return {
    ...DEFAULT_TRAIN_SETTINGS,
    batch,
    workers,
    accumulate: parts,
    epochs: 1_000_000,
    schedule: { kind: "constant", warmupSteps: 0 },
  };
}

const WARM_UP_STEPS = 5;
const TRIAL_SECONDS = 0.5;

export async function race(bench: BenchNetwork, torch: readonly TorchPeer[], options: RaceOptions): Promise<RaceResult> {
  const { network, shape, classes } = bench;
  const timer = await openStepTimer({
    runtime: await loadRuntime("node"),
    network,
    loss: crossEntropy,
    shape,
    outputs: classes,
    settings: benchSettings(bench, options.workers),
  });
  try {
    await timer.time(WARM_UP_STEPS);
    const { msPerStep } = await timer.time(WARM_UP_STEPS);
    const steps = Math.max(1, Math.round((1_000 * options.seconds) / msPerStep));
    const own: RacingLane = {
      name: "ours",
      setting: `${options.workers} workers`,
      ms: [],
      turn: async () => (await timer.time(steps)).msPerStep,
    };
    const lanes = [own];
    for (const isFused of torch.length === 0 ? [] : [false, true])
      lanes.push(await bestPeer(bench, torch, { isFused, seconds: options.seconds }));
    for (let round = 0; round < options.rounds; round++) {
      for (let turn = 0; turn < lanes.length; turn++) {
        const lane = lanes[(turn + round) % lanes.length] as RacingLane;
        lane.ms.push(await lane.turn());
      }
    }
    return { ours: own, peers: lanes.slice(1) };
  } finally {
    await timer.close();
  }
}

interface RacingLane extends Lane {
  readonly ms: number[];
  readonly turn: () => Promise<number>;
}

/** A process holds one network at a time: two lanes may share one, so each turn opens its own first, untimed. */
async function bestPeer(
  bench: BenchNetwork,
  torch: readonly TorchPeer[],
  options: { isFused: boolean; seconds: number },
): Promise<RacingLane> {
  let best: { peer: TorchPeer; ms: number } | null = null;
  const turn = async (peer: TorchPeer, seconds: number): Promise<number> => {
    await peer.ask({ do: "open", network: bench.name, isFused: options.isFused });
    const { milliseconds } = await peer.ask({ do: "time", seconds });
    const each = milliseconds as number[];
    return each.reduce((sum, ms) => sum + ms, 0) / each.length;
  };
  for (const peer of torch) {
    const ms = await turn(peer, TRIAL_SECONDS);
    if (best === null || ms < best.ms) best = { peer, ms };
  }
  if (best === null) throw new Error("no PyTorch to race");
  const { peer } = best;
  const name = `PyTorch ${peer.version}, ${options.isFused ? "fused AdamW" : "AdamW"}`;
  return { name, setting: showSetting(peer.setting), ms: [], turn: () => turn(peer, options.seconds) };
}

export function tenth(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
}

/** Median over rounds of our time over the peer's: below 1, ours is faster. */
export function timeShare(ours: Lane, peer: Lane): number {
  return median(ours.ms.map((ms, round) => ms / (peer.ms[round] as number)));
}
