/**
 * `npm run bench -- train-dataset`: a made-up dataset of v2's columns whose feature rows stay in their file, and the most memory that a line, a network and
 * trees ever held while they were trained on it, each in a process of its own. A line and a network pass where that is at most a third of the
 * dataset's bytes. Trees hold two bytes a number, in bins, where the file has eight: they are shown without a verdict.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { featureSetV2 } from "../core/features/v2/feature-set.ts";
import { Random } from "../core/math/random.ts";
import { DatasetWriter } from "../training/datasets/dataset-writer.ts";
import type { TrainedModel } from "./train-dataset/train-one.ts";

export interface TrainDatasetOptions {
  readonly rows: number;
  readonly models: readonly string[];
  readonly isTextWanted: boolean;
}

const CHILD = fileURLToPath(new URL("train-dataset/train-one.ts", import.meta.url));
const SEED = 31;
const START = 1_767_225_600_000;
const HORIZONS_MS = [1_000, 10_000];
/** Rows between two looks at whether the disk keeps up. */
const STRETCH_ROWS = 10_000;
/** Share of the dataset that may be held. */
const MOST_SHARE = 1 / 3;

export async function benchTrainDataset({ rows, models, isTextWanted }: TrainDatasetOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-train-dataset-"));
  try {
    const data = join(folder, "data");
    const bytes = await writeDataset(data, rows);
    for (const model of models) {
      const { stdout } = await promisify(execFile)(process.execPath, [CHILD, model, data, join(folder, model)]);
      const trained = JSON.parse(stdout) as TrainedModel;
      const share = trained.peakBytes / bytes;
      const result = { name: `train-dataset ${model}`, sizes: { rows, columns: featureSetV2.columns.length, bytes }, ...trained, share };
      const isPassed = model === "trees" ? null : share <= MOST_SHARE;
      process.stdout.write(`${JSON.stringify({ ...result, isPassed })}\n`);
      if (isTextWanted)
        process.stderr.write(
          `${model}: peak ${megabytes(trained.peakBytes)} MB of a dataset of ${megabytes(bytes)} MB, ${trained.seconds.toFixed(0)} s\n`,
        );
      if (isPassed === false) process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rows of which the first column foretells the next move. @returns how many bytes they take. */
async function writeDataset(folder: string, rows: number): Promise<number> {
  const writer = await DatasetWriter.create({ folder, featureSet: featureSetV2, horizonsMs: HORIZONS_MS, command: ["bench"] });
  const part = writer.openPart();
  const random = new Random(SEED);
  const row = new Float64Array(featureSetV2.columns.length);
  let ticks = 1_000_000;
  for (let index = 0; index < rows; index++) {
    for (let column = 0; column < row.length; column++) row[column] = random.normal();
    part.add({ featureTime: START + index * 1_000, row, bidTicks: ticks, askTicks: ticks + 2, isWarm: true, segment: 0 });
    ticks += Math.round(5 * (row[0] as number) + 5 * random.normal());
    if (index % STRETCH_ROWS === 0) await part.drained();
  }
  await writer.closePart(part, { source: "made up", market: "bench:MARKET", frames: rows, malformedFrames: 0, gaps: {} });
  const { files } = await writer.finish();
  return Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
