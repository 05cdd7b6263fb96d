/**
 * How the models in workers/inference/shipped came to be, as code: data from the simulator, training by the WebAssembly runtime, scores on
 * seeds that training never saw, export. Nothing in it depends on the machine or the time, so anyone gets the same bytes.
 *
 * One forecasts, and carries a calibration of its validation rows; a smaller one, of the same rows, says which way the mid goes: the signal's.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelSlot } from "../../models/roles.ts";
import { trainedTicks } from "../../models/trained-ticks.ts";
import { buildDataset } from "../datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import { withHorizons } from "../datasets/horizons.ts";
import { parseSimulation, simulatedSource } from "../datasets/simulated-source.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../engine/settings.ts";
import { type Evaluation, evaluateRun } from "../evaluate/evaluate-run.ts";
import { fitCalibration } from "../evaluate/fit-calibration.ts";
import { type ExportedModel, exportRun, writeExport } from "../export/export-run.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import { SHIPPED_FOLDERS } from "../publish/shipped-models.ts";
import type { Runtime } from "../runtime/contract.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { readRun } from "../train/run-folder.ts";
import { trainRun } from "../train/train-run.ts";

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

interface Recipe {
  readonly slot: ModelSlot;
  readonly id: string;
  /** Null: the mlp as it is where nothing is said. */
  readonly model: NetworkSettings | null;
  readonly horizonsMs: readonly number[];
  readonly epochs: number;
}

const SHIPPED_RECIPES: readonly Recipe[] = [
  {
    slot: "forecast",
    id: "mlp-simulated",
    model: null,
    horizonsMs: HORIZONS_MS,
    epochs: DEFAULT_TRAIN_SETTINGS.epochs,
  },
  {
    slot: "signal",
    id: "mlp-signal-simulated",
    model: { answer: "classes", size: "paper", hidden: [16] },
    // A signal is of the shortest one. At 1 s it would have expired whenever its row is a second old.
    horizonsMs: [5_000],
    epochs: 6,
  },
];

export interface Reproduced {
  readonly recipe: Recipe;
  readonly exported: ExportedModel;
  readonly evaluation: Evaluation;
}

/** Makes the models in `folder` (datasets, and a folder for each slot with its run and export lie there afterwards). */
export async function makeShippedModels(folder: string, progress: Progress): Promise<Reproduced[]> {
  const dataFolder = join(folder, "training-data");
  const dataset = await simulatedDataset(dataFolder, { markets: TRAINING_MARKETS, progress });
  const test = await simulatedDataset(join(folder, "test-data"), { markets: TEST_MARKETS, progress });
  const runtime = await loadRuntime("wasm");
  const made: Reproduced[] = [];
  for (const recipe of SHIPPED_RECIPES)
    made.push(await makeModel(recipe, { folder: join(folder, recipe.slot), dataFolder, dataset, test, runtime, progress }));
  return made;
}

/** @returns the shipped files that are not, byte for byte, what was made; empty when all are. */
export async function differencesFromShipped(folder: string): Promise<string[]> {
  const differing: string[] = [];
  for (const { slot } of SHIPPED_RECIPES) {
    for (const file of SHIPPED_FILES) {
      const made = await readFile(join(folder, slot, "export", file));
      const shipped = await readFile(join(SHIPPED_FOLDERS[slot], file)).catch(() => null);
      if (shipped === null) differing.push(`${slot}: ${file} is not there`);
      else if (!made.equals(shipped)) differing.push(`${slot}: ${file} differs at byte ${firstDifference(made, shipped)}`);
    }
  }
  return differing;
}

interface Making {
  readonly folder: string;
  readonly dataFolder: string;
  readonly dataset: Dataset;
  readonly test: Dataset;
  readonly runtime: Runtime;
  readonly progress: Progress;
}

async function makeModel(recipe: Recipe, { folder, dataFolder, dataset, test, runtime, progress }: Making): Promise<Reproduced> {
  const runFolder = join(folder, "run");
  await trainRun({
    dataset: withHorizons(dataset, recipe.horizonsMs),
    dataFolder,
    out: runFolder,
    family: "mlp",
    model: recipe.model,
    runtime,
    settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: recipe.epochs },
    shares: SHARES,
    ...CUTS,
    progress,
    // The model ships in the commit that makes it: no file can hold the hash of its own commit.
    commit: null,
  });
  const run = await readRun(runFolder);
  const calibration = await fitCalibration(run, dataset, { runtime });
  const evaluation = await evaluateRun(run, test, { runtime, commit: null, calibration });
  const ticksBps = trainedTicks(dataset.card.parts.map(({ midTicks }) => midTicks));
  const exported = await exportRun(run, { id: recipe.id, dataset, evaluation, calibration, ticksBps });
  await writeExport(join(folder, "export"), exported);
  return { recipe, exported, evaluation };
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
