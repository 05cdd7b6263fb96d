/**
 * FI-2010's matrices as a dataset: rows of its own layout, and targets that are classes as given, of the mid alone. A file is a part and one segment: where a
 * stock or a day ends within it, the files don't say, so windows and last classes reach over such ends, as in everything published on them.
 */

import { rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { labelColumns } from "../../core/labels/moves.ts";
import type { InputLayout } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { makeFolder } from "../make-folder.ts";
import type { Progress } from "../progress.ts";
import {
  CARD_FILE,
  DATASET_FILES,
  DATASET_FORMAT,
  type DatasetCard,
  type DatasetFile,
  type DatasetPart,
  datasetHash,
  type StoredFile,
} from "./card.ts";
import { EVENT_MS, FI2010_HORIZONS_MS, FI2010_INTERVAL_MS, type Fi2010File, fi2010File } from "./fi2010-layout.ts";
import { type Fi2010Matrix, readFi2010 } from "./fi2010-matrix.ts";
import { HashedFile } from "./hashed-file.ts";

/** Rows turned from columns and written at a time. */
const BLOCK_ROWS = 4_096;
/** From the beginning of one test day to the next: longer than any file. */
const FOLD_MS = 10_000_000 * EVENT_MS;

export interface Fi2010Options {
  readonly files: readonly string[];
  readonly layout: InputLayout;
  readonly folder: string;
  readonly command: readonly string[];
  readonly progress: Progress;
}

/** Throws CommandError for a file that is none of the benchmark, by its name or by what is in it; nothing is left behind then. */
export async function buildFi2010(options: Fi2010Options): Promise<DatasetCard> {
  const { folder, layout } = options;
  const sources = sourcesOf(options.files);
  await makeFolder(folder);
  await rm(join(folder, CARD_FILE), { force: true });
  const open = (file: DatasetFile): HashedFile => new HashedFile(join(folder, DATASET_FILES[file]));
  const files: Files = {
    features: open("features"),
    targets: open("targets"),
    mask: open("mask"),
    times: open("times"),
    segments: open("segments"),
  };
  try {
    const parts: DatasetPart[] = [];
    let firstRow = 0;
    for (const source of sources) {
      const matrix = await read(source.path, options);
      const from = source.told.part === "train" ? 0 : source.told.fold * FOLD_MS;
      await write(files, matrix, { from, segment: parts.length });
      parts.push(partOf(source, matrix.rows, { from, firstRow }));
      firstRow += matrix.rows;
    }
    const stored = Object.fromEntries(await closed(files)) as Record<DatasetFile, StoredFile>;
    const card = cardOf(layout, { parts, files: stored, command: [...options.command] });
    const path = join(folder, CARD_FILE);
    await writeFile(`${path}.tmp`, `${JSON.stringify(card, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
    return card;
  } catch (error) {
    for (const file of Object.values(files)) await file.discard();
    throw error;
  }
}

type Files = Record<DatasetFile, HashedFile>;

interface Source {
  readonly path: string;
  readonly told: Fi2010File;
}

function sourcesOf(paths: readonly string[]): Source[] {
  if (paths.length === 0) throw new CommandError("nothing to read: name files of FI-2010, as Train_Dst_NoAuction_ZScore_CF_7.txt");
  const sources = paths.map((path) => {
    const told = fi2010File(path);
    if (told === null)
      throw new CommandError(
        `${path}: its name should say which days it holds, as Train_Dst_NoAuction_ZScore_CF_7.txt or Test_Dst_NoAuction_ZScore_CF_7.txt`,
      );
    return { path, told };
  });
  const trains = sources.filter(({ told }) => told.part === "train");
  if (trains.length > 1)
    throw new CommandError(`${trains.map(({ path }) => basename(path)).join(" and ")} hold the same days: name one file to train on`);
  if (trains.length === 1 && sources.length > 1)
    throw new CommandError("files to train on and to test on are two datasets: each is normalised by the days before it");
  if (new Set(sources.map(({ told }) => told.fold)).size < sources.length) throw new CommandError("a test day is named twice");
  return sources.toSorted((one, other) => one.told.fold - other.told.fold);
}

async function read(path: string, { layout, progress }: Fi2010Options): Promise<Fi2010Matrix> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new CommandError(`there is no file ${path}`);
  let done = 0;
  progress.start(`reading ${basename(path)}`, found.size);
  const matrix = await readFi2010(path, layout.columns.length, (bytes) => {
    done += bytes;
    progress.update(done);
  }).finally(() => progress.stop());
  return matrix;
}

async function write(files: Files, matrix: Fi2010Matrix, { from, segment }: { from: number; segment: number }): Promise<void> {
  for (let first = 0; first < matrix.rows; first += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, matrix.rows - first);
    await files.features.write(turned(matrix.features, { first, rows }));
    const { targets, mask } = targetsOf(matrix.directions, { first, rows });
    await files.targets.write(targets);
    await files.mask.write(mask);
    await files.times.write(Float64Array.from({ length: rows }, (_, row) => from + (first + row) * FI2010_INTERVAL_MS));
    await files.segments.write(new Uint32Array(rows).fill(segment));
  }
}

/** [rows, columns] of [columns][rows]. */
function turned(columns: readonly Float64Array[], { first, rows }: { first: number; rows: number }): Float64Array {
  const values = new Float64Array(rows * columns.length);
  for (const [column, own] of columns.entries())
    for (let row = 0; row < rows; row++) values[row * columns.length + column] = own[first + row] as number;
  return values;
}

/** Of bid and ask nothing is known: they stand there since every dataset has the three. */
function targetsOf(
  directions: readonly Float64Array[],
  { first, rows }: { first: number; rows: number },
): { targets: Float64Array; mask: Uint8Array } {
  const columns = labelColumns(FI2010_HORIZONS_MS);
  const targets = new Float64Array(rows * columns.length);
  const mask = new Uint8Array(rows * columns.length);
  for (const [output, { target, horizonMs }] of columns.entries()) {
    const own = directions[FI2010_HORIZONS_MS.indexOf(horizonMs)];
    if (target !== "mid" || own === undefined) continue;
    for (let row = 0; row < rows; row++) {
      targets[row * columns.length + output] = own[first + row] as number;
      mask[row * columns.length + output] = 1;
    }
  }
  return { targets, mask };
}

async function closed(files: Files): Promise<[string, StoredFile][]> {
  const stored: [string, StoredFile][] = [];
  for (const [name, file] of Object.entries(files)) stored.push([name, await file.close()]);
  return stored;
}

function partOf({ path, told }: Source, rows: number, { from, firstRow }: { from: number; firstRow: number }): DatasetPart {
  return {
    source: basename(path),
    market: `fi2010:${told.variant}`,
    from,
    to: from + (rows - 1) * FI2010_INTERVAL_MS,
    firstRow,
    rows,
    segments: 1,
    coverage: 1,
    coldRows: 0,
    frames: rows,
    malformedFrames: 0,
    gaps: {},
  };
}

function cardOf(layout: InputLayout, { parts, files, command }: Pick<DatasetCard, "parts" | "files" | "command">): DatasetCard {
  const { id, fingerprint, columns } = layout;
  const unsigned = {
    format: DATASET_FORMAT,
    featureSet: { id, fingerprint, columns: [...columns], warmupMs: 0 },
    intervalMs: FI2010_INTERVAL_MS,
    clock: "events" as const,
    targets: labelColumns(FI2010_HORIZONS_MS),
    // The mean of the next events against the price now.
    label: "anchored" as const,
    unit: "class" as const,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    from: Math.min(...parts.map(({ from }) => from)),
    to: Math.max(...parts.map(({ to }) => to)),
    parts,
    files,
  };
  return { ...unsigned, sha256: datasetHash(unsigned), command: [...command] };
}
