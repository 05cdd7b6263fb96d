/** Trains one model on a dataset whose feature rows stay in their file, and tells the most memory that this process, with all its threads, ever held. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { trainTreesRun } from "../../training/train/train-trees-run.ts";

export interface TrainedModel {
  readonly seconds: number;
  readonly peakBytes: number;
  /** Of the run's card, which holds its files' hashes and its errors. */
  readonly hash: string;
}

const TREE_ROUNDS = 10;

const [model = "", dataFolder = "", out = ""] = process.argv.slice(2);
const start = performance.now();
const dataset = await readDataset(dataFolder, { memoryBytes: 0 });
const task = { dataset, dataFolder: "data", out, family: model, progress: silent, commit: null };
if (model === "linear") await fitLinesRun({ ...task, settings: LINE_DEFAULTS });
else if (model === "trees")
  await trainTreesRun({ ...task, settings: { ...TREE_DEFAULTS, rounds: TREE_ROUNDS }, threads: 2, only: ["mid@1000"] });
else {
  const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, workers: 2 };
  await trainRun({ ...task, runtime: await loadRuntime("node"), settings, checkpoints: null });
}
const trained: TrainedModel = {
  seconds: (performance.now() - start) / 1_000,
  // getrusage's, which Node gives in KiB.
  peakBytes: process.resourceUsage().maxRSS * 1_024,
  hash: createHash("sha256")
    .update(await readFile(join(out, "run.json")))
    .digest("hex")
    .slice(0, 16),
};
process.stdout.write(JSON.stringify(trained));
