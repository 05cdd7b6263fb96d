/** A training as a process of its own, to be killed: writes a line after each checkpoint. Arguments: the dataset's folder, the run's. */

import { readDataset } from "../../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../../training/engine/settings.ts";
import { silent } from "../../../training/progress.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { type TrainRunOptions, trainRun } from "../../../training/train/train-run.ts";

/** 21 steps an epoch of the test's 1,000 rows. */
const SETTINGS: TrainSettings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 6, batch: 32, workers: 2 };

export async function steppingRun(data: string, out: string): Promise<TrainRunOptions> {
  const [dataset, runtime] = [await readDataset(data), await loadRuntime("node")];
  const options = { dataset, dataFolder: data, out, family: "mlp", runtime, settings: SETTINGS, progress: silent, commit: null };
  return { ...options, checkpoints: { everySteps: 4 } };
}

const [script, data, out] = process.argv.slice(1);
if (script === import.meta.filename && data !== undefined && out !== undefined)
  await trainRun({ ...(await steppingRun(data, out)), onCheckpoint: () => process.stdout.write("written\n") });
