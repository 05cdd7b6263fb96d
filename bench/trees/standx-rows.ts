/**
 * Real features: the StandX book, imported, played through BitMEX's protocol, recorded, and made into a dataset by the code that runs at the edge.
 * The target is the mid's move ten seconds on. Folds walk forward: earlier rows train, the next stretch tests, and between them lies a gap as long as
 * the longest horizon.
 */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runImport } from "../../archive/import/run-import.ts";
import { standx } from "../../archive/import/standx.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { silent } from "../../training/progress.ts";
import type { TreeData } from "../../training/trees/contract.ts";
import { playTape } from "../circle/play-tape.ts";
import { STANDX_FOLDER } from "../standx.ts";
import type { Drawn } from "./data-sets.ts";

const SILENCE_MS = 2_000;
const HORIZON_MS = 10_000;
/** Of the rows, by time: where a fold's training ends, and the fold before ends testing. */
const FOLD_ENDS = [0.4, 0.55, 0.7, 0.85, 1] as const;
/** No model looks farther ahead than 300 s: rows nearer to the split than that may share their future with the other side. */
const PURGE_MS = 300_000;

/** @returns null where the recordings are absent. */
export async function standxRows(hours: number): Promise<Drawn[] | null> {
  if (!existsSync(STANDX_FOLDER)) return null;
  const out = mkdtempSync(join(tmpdir(), "edgebook-standx-rows-"));
  try {
    const files = readdirSync(STANDX_FOLDER)
      .filter((name) => /^(diffL20|trades)_/.test(name))
      .map((name) => join(STANDX_FOLDER, name));
    const options = { out, grids: new Map(), sides: "inferred", progress: silent, market: null, venue: null, intervalMs: null } as const;
    const [imported] = (await runImport(standx, files, options)).markets;
    if (imported === undefined) throw new Error("the import found no market");
    const { days } = await playTape({ events: imported.file, out, silenceMs: SILENCE_MS, hours });
    const sources = await fileSources(days, { venue: null, market: null, grids: new Map() });
    const folder = join(out, "dataset");
    await buildDataset({ sources, folder, horizonsMs: [HORIZON_MS], label: "point", command: ["bench"], progress: silent });
    return folds(await readDataset(folder));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function folds(dataset: Dataset): Drawn[] {
  const { outputs, mask, times } = dataset;
  const output = dataset.card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === HORIZON_MS);
  if (output < 0) throw new Error(`no target of the mid in ${HORIZON_MS} ms`);
  const known = Array.from({ length: dataset.rows }, (_, row) => row).filter((row) => mask[row * outputs + output] === 1);
  return FOLD_ENDS.slice(1).map((end, fold) => {
    const first = Math.floor(known.length * (FOLD_ENDS[fold] as number));
    const testRows = known.slice(first, Math.floor(known.length * end));
    const trainUntil = (times[known[first] as number] as number) - PURGE_MS;
    const trainRows = known.slice(0, first).filter((row) => (times[row] as number) < trainUntil);
    return { train: rowsOf(dataset, trainRows, output), test: rowsOf(dataset, testRows, output) };
  });
}

function rowsOf(dataset: Dataset, rows: readonly number[], output: number): TreeData {
  const { columns, outputs, targets } = dataset;
  const features = allFeatures(dataset);
  return {
    rows: rows.length,
    columns,
    features: Float32Array.from({ length: rows.length * columns }, (_, cell) => {
      const row = rows[Math.floor(cell / columns)] as number;
      return features[row * columns + (cell % columns)] as number;
    }),
    targets: Float32Array.from(rows, (row) => targets[row * outputs + output] as number),
    weights: null,
  };
}
