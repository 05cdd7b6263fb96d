/**
 * Reads a dataset folder, and believes nothing: each file's length and hash must be the card's, and each number finite. What is refused
 * says which file and what to do.
 *
 * Feature rows that are more than memory allows are proved in one pass and stay in their file (feature-rows.ts). The rest is held: 20 bytes a row, and 9 a target.
 */

import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { constrainedMemory } from "node:process";
import { CommandError } from "../command-error.ts";
import { CARD_FILE, DATASET_FILES, type DatasetCard, type DatasetFile, datasetHash, parseCard, type StoredFile } from "./card.ts";
import { blockRowsFor, type FeatureRows, featureRange } from "./feature-rows.ts";
import { isShifted, servedRowsOf } from "./phases.ts";

/** A dataset. Row-major; see card.ts for the shapes. */
export interface Dataset {
  readonly card: DatasetCard;
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly features: FeatureRows;
  readonly targets: Float64Array;
  readonly mask: Uint8Array;
  readonly times: Float64Array;
  readonly segments: Uint32Array;
  /** [rows] index into card.parts. */
  readonly parts: Uint32Array;
}

export interface ReadDatasetOptions {
  /** Feature rows of more bytes stay in their file; a quarter of the machine's memory unless told, since what is prepared of them lies beside them. */
  readonly memoryBytes?: number;
  /** `all`: also rows of other phases of the second, which may teach and nothing else (phases.ts). `served`, unless told: whole seconds alone. */
  readonly phases?: "served" | "all";
}

/** At a time: a whole file would be refused above 2 GiB, and be held twice. */
const READ_BYTES = 16 << 20;

/** Throws CommandError when the folder is no dataset, or a broken one. */
export async function readDataset(
  folder: string,
  { memoryBytes = memoryShare(), phases = "served" }: ReadDatasetOptions = {},
): Promise<Dataset> {
  const card = await readCard(folder);
  const read = (file: DatasetFile): Promise<ArrayBuffer> => readVerified(folder, file, card);
  const columns = card.featureSet.columns.length;
  const outputs = card.targets.length;
  const dataset: Dataset = {
    card,
    rows: card.rows,
    columns,
    outputs,
    features: await readFeatures(folder, card, memoryBytes),
    targets: new Float64Array(await read("targets")),
    mask: new Uint8Array(await read("mask")),
    times: new Float64Array(await read("times")),
    segments: new Uint32Array(await read("segments")),
    parts: partOfEachRow(folder, card),
  };
  checkLengths(folder, dataset);
  checkFinite(folder, "targets", { values: dataset.targets, from: 0, card });
  return phases === "all" ? dataset : servedPart(dataset);
}

/** The dataset's whole seconds, under the same name; the very dataset where it has no others. Throws CommandError where they don't stand first. */
export function servedPart(dataset: Dataset): Dataset {
  const { card, columns, outputs, features, targets, mask, times, segments, parts } = dataset;
  const rows = servedRowsOf(card);
  if (rows === card.rows) return dataset;
  const served = card.parts.filter((part) => !isShifted(part));
  if (rows === 0 || served.some(({ firstRow }) => firstRow > rows))
    throw new CommandError("the dataset's whole seconds don't stand before its other phases: make the dataset again");
  return {
    ...dataset,
    card: { ...card, rows, parts: served, from: Math.min(...served.map(({ from }) => from)), to: Math.max(...served.map(({ to }) => to)) },
    rows,
    features: features.kind === "memory" ? { kind: "memory", values: features.values.subarray(0, rows * columns) } : features,
    targets: targets.subarray(0, rows * outputs),
    mask: mask.subarray(0, rows * outputs),
    times: times.subarray(0, rows),
    segments: segments.subarray(0, rows),
    parts: parts.subarray(0, rows),
  };
}

/** Of what the process may have: a container's limit, else the machine. */
function memoryShare(): number {
  const limit = constrainedMemory();
  return (limit > 0 ? Math.min(limit, totalmem()) : totalmem()) / 4;
}

export async function readCard(folder: string): Promise<DatasetCard> {
  const path = join(folder, CARD_FILE);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null)
    throw new CommandError(
      `${folder} holds no ${CARD_FILE}: make the dataset with \`edgebook dataset --out ${folder}\` (an interrupted one has to be made again)`,
    );
  const parsed = parseCard(text);
  if ("malformed" in parsed) throw new CommandError(`${path} is not a dataset card (${parsed.malformed}): make the dataset again`);
  if (datasetHash(parsed.card) !== parsed.card.sha256)
    throw new CommandError(`${path} has been changed since it was written: make the dataset again`);
  return parsed.card;
}

async function readFeatures(folder: string, card: DatasetCard, memoryBytes: number): Promise<FeatureRows> {
  if (card.files.features.bytes > memoryBytes) return proveFeatures(folder, card);
  const values = new Float64Array(await readVerified(folder, "features", card));
  checkFinite(folder, "features", { values, from: 0, card });
  return { kind: "memory", values };
}

/** One pass: hash and numbers. */
async function proveFeatures(folder: string, card: DatasetCard): Promise<FeatureRows> {
  const path = join(folder, DATASET_FILES.features);
  const found = await stat(path).catch(() => null);
  checkBytes(path, found?.size ?? null, card.files.features);
  const features: FeatureRows = { kind: "file", path };
  const columns = card.featureSet.columns.length;
  const blockRows = blockRowsFor(columns);
  const hash = createHash("sha256");
  // A file that isn't so long as the card's rows want is refused by its length, behind.
  const rows = Math.floor(card.files.features.bytes / (8 * columns));
  for (let first = 0; first < rows; first += blockRows) {
    const values = featureRange({ features, columns }, { first, count: Math.min(blockRows, rows - first) });
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    checkFinite(folder, "features", { values, from: first * columns, card });
  }
  if (rows * 8 * columns === card.files.features.bytes) checkHash(path, hash.digest("hex"), card.files.features);
  return features;
}

async function readVerified(folder: string, file: DatasetFile, card: DatasetCard): Promise<ArrayBuffer> {
  const path = join(folder, DATASET_FILES[file]);
  const told = card.files[file];
  const found = await stat(path).catch(() => null);
  checkBytes(path, found?.size ?? null, told);
  const bytes = new Uint8Array(told.bytes);
  const hash = createHash("sha256");
  const opened = await open(path);
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await opened.read(bytes, done, Math.min(READ_BYTES, bytes.length - done), done);
      if (bytesRead === 0) throw new CommandError(`${path} was changed while it was read: make the dataset again`);
      hash.update(bytes.subarray(done, done + bytesRead));
      done += bytesRead;
    }
  } finally {
    await opened.close();
  }
  checkHash(path, hash.digest("hex"), told);
  return bytes.buffer;
}

/** @param bytes null: there is no such file. */
function checkBytes(path: string, bytes: number | null, told: StoredFile): void {
  if (bytes === null) throw new CommandError(`${path} is missing: make the dataset again`);
  if (bytes !== told.bytes) throw new CommandError(`${path} has ${bytes} bytes where its card says ${told.bytes}: make the dataset again`);
}

function checkHash(path: string, sha256: string, told: StoredFile): void {
  if (sha256 !== told.sha256) throw new CommandError(`${path} is corrupt (its hash is not the card's): make the dataset again`);
}

function partOfEachRow(folder: string, card: DatasetCard): Uint32Array {
  const parts = new Uint32Array(card.rows);
  let next = 0;
  for (const [index, part] of card.parts.entries()) {
    if (part.firstRow !== next)
      throw new CommandError(`${folder}: part ${index} does not follow the one before it: make the dataset again`);
    next += part.rows;
    parts.fill(index, part.firstRow, next);
  }
  if (next !== card.rows) throw new CommandError(`${folder}: the parts have ${next} rows, the card ${card.rows}: make the dataset again`);
  return parts;
}

function checkLengths(folder: string, dataset: Dataset): void {
  const { card, rows, columns, outputs, targets, mask, times, segments } = dataset;
  const isWhole =
    card.files.features.bytes === 8 * rows * columns &&
    targets.length === rows * outputs &&
    mask.length === rows * outputs &&
    times.length === rows &&
    segments.length === rows;
  if (!isWhole) throw new CommandError(`${folder}: the files don't have the ${rows} rows that the card tells of: make the dataset again`);
}

/** @param options.from how many numbers of the file lie before these. */
function checkFinite(
  folder: string,
  file: "features" | "targets",
  { values, from, card }: { values: Float64Array; from: number; card: DatasetCard },
): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const { columns } = card.featureSet;
  const width = file === "features" ? columns.length : card.targets.length;
  const what = file === "features" ? `${values[at]} in column ${columns[(from + at) % width]}` : `the target ${values[at]}`;
  throw new CommandError(`${folder}: row ${Math.floor((from + at) / width)} has ${what}: a dataset holds finite numbers only`);
}
