/**
 * `npm run bench -- train-memory`: an epoch of DeepLOB over 500,000 windows of 100 x 40 whose rows lie in a file, and the most memory that the process, with
 * all its threads, ever held. As windows of their own the same rows would be 8 GB; cut from the file when a step needs them they are its 80 MB.
 */

import { createHash } from "node:crypto";
import { once } from "node:events";

import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { drawOrder, randomOfEpoch } from "../training/engine/noise.ts";
import { planOf } from "../training/engine/plan-of.ts";
import { createRowSource, type RowSource } from "../training/engine/row-source.ts";
import { NUMBERS } from "../training/engine/shared-state.ts";
import { openTeam } from "../training/engine/team.ts";
import { loadRuntime } from "../training/runtime/registry.ts";
import { crossEntropy } from "../training/tensors/losses/cross-entropy.ts";
import { BENCH_NETWORKS, type BenchNetwork } from "./networks/registry.ts";
import { seededBits, seededUniform } from "./seeded-numbers.ts";
import { benchSettings } from "./train-nn/race.ts";

export interface TrainMemoryOptions {
  readonly windows: number;
  /** Stops after so many; null for the whole epoch. */
  readonly steps: number | null;
  readonly workers: number;
  readonly isTextWanted: boolean;
}

const LIMIT_BYTES = 2e9;
const SEEDS = { rows: 21, labels: 22 };
const SEED = 1;
/** Rows written at a time, and steps between two lines of progress. */
const CHUNK_ROWS = 10_000;
const STRETCH_STEPS = 500;
const HELD_OUT = 64;

export async function benchTrainMemory(options: TrainMemoryOptions): Promise<void> {
  const bench = BENCH_NETWORKS.find(({ name }) => name === "deeplob");
  if (bench === undefined) throw new Error("there is no deeplob to train");
  const folder = await mkdtemp(join(tmpdir(), "edgebook-train-memory-"));
  try {
    const path = join(folder, "rows.f32");
    const [window, columns] = bench.shape as [number, number];
    await writeRows(path, options.windows + HELD_OUT + window - 1, columns);
    const result = await trainFrom(path, bench, options);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (result.peakBytes > LIMIT_BYTES) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function trainFrom(path: string, bench: BenchNetwork, { windows, steps, workers, isTextWanted }: TrainMemoryOptions) {
  const runtime = await loadRuntime("node");
  const train = windowsOf(path, bench, { from: 0, to: windows });
  const validation = windowsOf(path, bench, { from: windows, to: windows + HELD_OUT });
  const settings = { ...benchSettings(bench, workers), epochs: 1, seed: SEED };
  const { step, plan } = planOf({ runtime, network: bench.network, loss: crossEntropy, shape: bench.shape, train, validation, settings });
  plan.shared.parameters.set(step.initialise(randomOfEpoch(SEED, 0)));
  drawOrder(plan.shared.order, randomOfEpoch(SEED, 1));
  const last = Math.min(steps ?? plan.stepsPerEpoch, plan.stepsPerEpoch);
  const team = await openTeam(plan, runtime);
  const start = performance.now();
  for (let from = 0; from < last; from += STRETCH_STEPS) {
    const to = Math.min(from + STRETCH_STEPS, last);
    await team.obey({ kind: "steps", taken: 0, from, to });
    if (isTextWanted) process.stderr.write(`${to} of ${plan.stepsPerEpoch} steps, peak ${megabytes(peakBytes())} MB\n`);
  }
  const seconds = (performance.now() - start) / 1_000;
  await team.close();
  const isWhole = last === plan.stepsPerEpoch;
  if (isTextWanted) {
    const part = isWhole ? "the whole epoch" : `${last} of the epoch's ${plan.stepsPerEpoch} steps: the rest was not run`;
    process.stderr.write(
      `${part}, ${windows} windows in the file: peak ${megabytes(peakBytes())} MB (limit ${megabytes(LIMIT_BYTES)}), ${seconds.toFixed(1)} s\n`,
    );
  }
  return {
    name: "train-memory deeplob",
    sizes: { windows, steps: last, stepsOfEpoch: plan.stepsPerEpoch, workers },
    seconds,
    isWhole,
    peakBytes: peakBytes(),
    lastLoss: plan.shared.numbers[NUMBERS.lastLoss],
    hash: createHash("sha256").update(Float32Array.from(plan.shared.parameters)).digest("hex").slice(0, 16),
  };
}

/** Windows [from, to), each ending `window - 1` rows behind the one of its number. */
function windowsOf(path: string, { shape, classes }: BenchNetwork, { from, to }: { from: number; to: number }): RowSource {
  const [window, columns] = shape as [number, number];
  const items = to - from;
  const targets = new Float32Array(items * classes);
  for (let item = 0; item < items; item++) targets[item * classes + (seededBits(SEEDS.labels, from + item) % classes)] = 1;
  return createRowSource({
    table: { kind: "file", path, offset: 0 },
    tableRows: to + window - 1,
    columns,
    window,
    ends: Uint32Array.from({ length: items }, (_, item) => from + item + window - 1),
    outputs: classes,
    targets,
    weights: new Float32Array(items).fill(1),
    weightsPer: "row",
  });
}

async function writeRows(path: string, rows: number, columns: number): Promise<void> {
  const file = createWriteStream(path);
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - first) * columns;
    const values = Float32Array.from({ length: count }, (_, at) => seededUniform(SEEDS.rows, first * columns + at));
    if (!file.write(new Uint8Array(values.buffer))) await once(file, "drain");
  }
  file.end();
  await finished(file);
}

/** The most that was ever resident, of all threads together: getrusage's, which Node gives in KiB. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1_024;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
