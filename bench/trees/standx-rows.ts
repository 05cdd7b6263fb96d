/**
 * Real features: the StandX book, imported, played through BitMEX's protocol, recorded, and made into a dataset by the code that runs at the edge.
 * The target is the mid's move ten seconds on. Earlier rows train, later ones test, and between them lies a gap longer than any horizon.
 */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runImport } from "../../archive/import/run-import.ts";
import { standx } from "../../archive/import/standx.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import type { TreeData } from "../../training/trees/contract.ts";
import { playTape } from "../circle/play-tape.ts";
import { STANDX_FOLDER } from "../standx.ts";

const SILENCE_MS = 2_000;
const HORIZON_MS = 10_000;
/** Of the rows, by time. */
const TRAINING_SHARE = 0.75;
/** Longest horizon of any target is 300 s: rows nearer to the split than that share their future with the other side. */
const PURGE_MS = 300_000;

export interface SplitRows {
  readonly train: TreeData;
  readonly test: TreeData;
}

/** @returns null where the recordings are absent. */
export async function standxRows(hours: number): Promise<SplitRows | null> {
  if (!existsSync(STANDX_FOLDER)) return null;
  const out = mkdtempSync(join(tmpdir(), "edgebook-standx-rows-"));
  const progress = { start: () => {}, update: () => {}, stop: () => {} };
  try {
    const files = readdirSync(STANDX_FOLDER)
      .filter((name) => /^(diffL20|trades)_/.test(name))
      .map((name) => join(STANDX_FOLDER, name));
    const options = { out, grids: new Map(), sides: "inferred", progress, market: null, venue: null, intervalMs: null } as const;
    const [imported] = (await runImport(standx, files, options)).markets;
    if (imported === undefined) throw new Error("the import found no market");
    const { days } = await playTape({ events: imported.file, out, silenceMs: SILENCE_MS, hours });
    const sources = await fileSources(days, { venue: null, market: null, grids: new Map() });
    const folder = join(out, "dataset");
    await buildDataset({ sources, folder, command: ["bench"], progress });
    return split(await readDataset(folder));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function split(dataset: Dataset): SplitRows {
  const output = dataset.card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === HORIZON_MS);
  if (output < 0) throw new Error(`no target of the mid in ${HORIZON_MS} ms`);
  const known = Array.from({ length: dataset.rows }, (_, row) => row).filter((row) => dataset.mask[row * dataset.outputs + output] === 1);
  const at = dataset.times[known[Math.floor(known.length * TRAINING_SHARE)] as number] as number;
  const rowsOf = (rows: readonly number[]): TreeData => ({
    rows: rows.length,
    columns: dataset.columns,
    features: Float32Array.from({ length: rows.length * dataset.columns }, (_, cell) => {
      const row = rows[Math.floor(cell / dataset.columns)] as number;
      return dataset.features[row * dataset.columns + (cell % dataset.columns)] as number;
    }),
    targets: Float32Array.from(rows, (row) => dataset.targets[row * dataset.outputs + output] as number),
    weights: null,
  });
  return {
    train: rowsOf(known.filter((row) => (dataset.times[row] as number) < at - PURGE_MS)),
    test: rowsOf(known.filter((row) => (dataset.times[row] as number) >= at)),
  };
}
