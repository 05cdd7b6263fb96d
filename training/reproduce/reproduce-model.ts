/**
 * How the model in workers/inference/shipped came to be, as code: data from the simulator, training by the WebAssembly runtime, scores on
 * seeds that training never saw, export. Nothing in it depends on the machine or the time, so anyone gets the same bytes.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDataset } from "../datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import { parseSimulation, simulatedSource } from "../datasets/simulated-source.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../engine/settings.ts";
import { type Evaluation, evaluateRun } from "../evaluate/evaluate-run.ts";
import { type ExportedModel, exportRun, writeExport } from "../export/export-run.ts";
import type { Progress } from "../progress.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { readRun } from "../train/run-folder.ts";
import { trainRun } from "../train/train-run.ts";

export const SHIPPED_FOLDER = fileURLToPath(new URL("../../workers/inference/shipped/", import.meta.url));
const MODEL_ID = "mlp-simulated";
/** Both presets, so that one model serves both generated markets of `npm start`. */
const TRAINING_MARKETS = ["large-tick:101:30", "small-tick:102:30"];
/** Other seeds: other markets of the same kind. */
const TEST_MARKETS = ["large-tick:201:6", "small-tick:202:6"];
/** Of the model as it was made: datasets have other horizons and another label by now where nothing is said. */
const HORIZONS_MS = [1_000, 5_000, 10_000, 30_000];
/** Likewise: what inputs and moves were cut at. */
const CUTS = { inputClip: 5, targetClip: 5 };
/** The test is a dataset of its own, so nothing is kept back here. */
const SHARES = { trainShare: 0.8, validationShare: 0.2 };
const SHIPPED_FILES = ["model.onnx", "manifest.json"] as const;

export interface Reproduced {
  readonly exported: ExportedModel;
  readonly evaluation: Evaluation;
}

/** Makes the model in `folder` (datasets, run and export lie there afterwards). */
export async function makeShippedModel(folder: string, progress: Progress): Promise<Reproduced> {
  const dataset = await simulatedDataset(join(folder, "training-data"), { markets: TRAINING_MARKETS, progress });
  const test = await simulatedDataset(join(folder, "test-data"), { markets: TEST_MARKETS, progress });
  const runtime = await loadRuntime("wasm");
  const runFolder = join(folder, "run");
  await trainRun({
    dataset,
    dataFolder: join(folder, "training-data"),
    out: runFolder,
    family: "mlp",
    runtime,
    settings: DEFAULT_TRAIN_SETTINGS,
    shares: SHARES,
    ...CUTS,
    progress,
    // The model ships in the commit that makes it: no file can hold the hash of its own commit.
    commit: null,
  });
  const run = await readRun(runFolder);
  const evaluation = await evaluateRun(run, test, { runtime, commit: null });
  const exported = await exportRun(run, { id: MODEL_ID, dataset, evaluation });
  await writeExport(join(folder, "export"), exported);
  return { exported, evaluation };
}

/** @returns the shipped files that are not, byte for byte, what was made; empty when all are. */
export async function differencesFromShipped(folder: string): Promise<string[]> {
  const differing: string[] = [];
  for (const file of SHIPPED_FILES) {
    const made = await readFile(join(folder, "export", file));
    const shipped = await readFile(join(SHIPPED_FOLDER, file)).catch(() => null);
    if (shipped === null) differing.push(`${file} is not there`);
    else if (!made.equals(shipped)) differing.push(`${file} differs at byte ${firstDifference(made, shipped)}`);
  }
  return differing;
}

async function simulatedDataset(folder: string, options: { markets: readonly string[]; progress: Progress }): Promise<Dataset> {
  const sources = options.markets.map((text) => simulatedSource(parseSimulation(text)));
  await buildDataset({
    sources,
    folder,
    horizonsMs: HORIZONS_MS,
    label: "point",
    command: ["edgebook", "reproduce"],
    progress: options.progress,
  });
  return readDataset(folder);
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length : at;
}
