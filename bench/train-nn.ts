/**
 * `npm run bench -- train-nn`: milliseconds a training step (forward, backward, AdamW) of five networks, beside PyTorch in the same run, in turns; and whether
 * both come to the same loss on a task that can be learnt, from the same start over the same batches.
 *
 * `share` is our time over PyTorch's, the median over rounds: below 1, ours is faster. PyTorch is at the best of four settings of its threads for each network.
 * Our steps gather their rows from a table of random ones, PyTorch's take one of four batches that lie ready.
 */

import { BENCH_NETWORKS, type BenchNetwork } from "./networks/registry.ts";
import { type BenchResult, median, pairedRatio } from "./report.ts";
import { type Lane, type RaceResult, race, tenth, timeShare } from "./train-nn/race.ts";
import { compareLosses, type SameLossResult } from "./train-nn/same-loss.ts";
import { openTorchPeer, TORCH_SETTINGS } from "./train-nn/torch-peer.ts";

export interface TrainNnOptions {
  /** Names; empty for all. */
  readonly models: readonly string[];
  readonly workers: number;
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
  readonly isTextWanted: boolean;
}

export async function benchTrainNn(options: TrainNnOptions): Promise<void> {
  const unknown = options.models.filter((name) => !BENCH_NETWORKS.some((bench) => bench.name === name));
  if (unknown.length > 0)
    throw new Error(`no network ${unknown.join(", ")}: choose of ${BENCH_NETWORKS.map(({ name }) => name).join(", ")}`);
  const say = (text: string): void => {
    if (options.isTextWanted) process.stderr.write(`${text}\n`);
  };
  const torch = (await Promise.all(TORCH_SETTINGS.map(openTorchPeer))).filter((peer) => peer !== null);
  if (torch.length === 0) say("PyTorch isn't installed (EDGEBOOK_PYTHON names the Python to ask, else python3): ours is timed alone");
  try {
    for (const bench of BENCH_NETWORKS.filter(({ name }) => options.models.length === 0 || options.models.includes(name))) {
      const raced = await race(bench, torch, options);
      const losses = await compareLosses(bench, torch[0] ?? null, options.workers);
      process.stdout.write(`${JSON.stringify(resultOf(bench, raced, losses))}\n`);
      say(textOf(bench, raced, losses));
    }
  } finally {
    for (const peer of torch) peer.close();
  }
}

function resultOf({ name, batch, shape }: BenchNetwork, { ours, peers }: RaceResult, losses: SameLossResult): BenchResult {
  const [peer] = peers;
  return {
    name: `train-nn ${name}`,
    sizes: { batch, numbersInRow: shape.reduce((product, dimension) => product * dimension, 1), rounds: ours.ms.length },
    seconds: median(ours.ms) / 1_000,
    ...(peer === undefined ? {} : { ratio: pairedRatio(ours.ms, peer.ms), peer: `${peer.name}, ${peer.setting}` }),
    hash: losses.hash,
    lanes: [ours, ...peers].map((lane) => ({
      name: lane.name,
      setting: lane.setting,
      medianMs: median(lane.ms),
      tenthMs: tenth(lane.ms),
      ...(lane === ours ? {} : { share: timeShare(ours, lane) }),
    })),
    losses,
  };
}

function textOf({ name }: BenchNetwork, { ours, peers }: RaceResult, losses: SameLossResult): string {
  const times = (lane: Lane): string => `${median(lane.ms).toFixed(3)} ms a step (tenth ${tenth(lane.ms).toFixed(3)})`;
  const beside = peers.map((peer) => `  ${peer.name}, ${peer.setting}: ${times(peer)}: our share ${timeShare(ours, peer).toFixed(2)}`);
  const { steps, startLoss, ourLoss, wholeBatchLoss, peerLoss } = losses;
  const beyond = (loss: number): string => (peerLoss === null ? "" : ` (${signed(loss - peerLoss)})`);
  const whole =
    wholeBatchLoss === null ? "" : `; by one worker, normalised by whole batches, ${wholeBatchLoss.toFixed(6)}${beyond(wholeBatchLoss)}`;
  const theirs = peerLoss === null ? "" : `, PyTorch's ${peerLoss.toFixed(6)}`;
  return [
    `${name}: ${ours.setting} ${times(ours)}`,
    ...beside,
    `  held-out loss after ${steps} steps: from ${startLoss.toFixed(4)} to ${ourLoss.toFixed(6)}${beyond(ourLoss)}${whole}${theirs}`,
  ].join("\n");
}

function signed(value: number): string {
  return `${value < 0 ? "" : "+"}${value.toPrecision(2)}`;
}
