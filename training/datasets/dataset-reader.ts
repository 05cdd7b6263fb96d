/**
 * Reads a dataset folder, and believes nothing: each file's length and hash must be the card's, and each number finite. What is refused
 * says which file and what to do.
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import { CARD_FILE, DATASET_FILES, type DatasetCard, type DatasetFile, datasetHash, parseCard } from "./card.ts";

/** A dataset in memory. Row-major; see card.ts for the shapes. */
export interface Dataset {
  readonly card: DatasetCard;
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly features: Float64Array;
  readonly targets: Float64Array;
  readonly mask: Uint8Array;
  readonly times: Float64Array;
  readonly segments: Uint32Array;
  /** [rows] index into card.parts. */
  readonly parts: Uint32Array;
}

/** Throws CommandError when the folder is no dataset, or a broken one. */
export async function readDataset(folder: string): Promise<Dataset> {
  const card = await readCard(folder);
  const read = (file: DatasetFile): Promise<ArrayBuffer> => readVerified(folder, file, card);
  const columns = card.featureSet.columns.length;
  const outputs = card.targets.length;
  const dataset: Dataset = {
    card,
    rows: card.rows,
    columns,
    outputs,
    features: new Float64Array(await read("features")),
    targets: new Float64Array(await read("targets")),
    mask: new Uint8Array(await read("mask")),
    times: new Float64Array(await read("times")),
    segments: new Uint32Array(await read("segments")),
    parts: partOfEachRow(folder, card),
  };
  checkLengths(folder, dataset);
  checkFinite(folder, dataset);
  return dataset;
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

async function readVerified(folder: string, file: DatasetFile, card: DatasetCard): Promise<ArrayBuffer> {
  const path = join(folder, DATASET_FILES[file]);
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) throw new CommandError(`${path} is missing: make the dataset again`);
  const told = card.files[file];
  if (bytes.length !== told.bytes)
    throw new CommandError(`${path} has ${bytes.length} bytes where its card says ${told.bytes}: make the dataset again`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== told.sha256) throw new CommandError(`${path} is corrupt (its hash is not the card's): make the dataset again`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
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
  const { rows, columns, outputs, features, targets, mask, times, segments } = dataset;
  const isWhole =
    features.length === rows * columns &&
    targets.length === rows * outputs &&
    mask.length === rows * outputs &&
    times.length === rows &&
    segments.length === rows;
  if (!isWhole) throw new CommandError(`${folder}: the files don't have the ${rows} rows that the card tells of: make the dataset again`);
}

function checkFinite(folder: string, dataset: Dataset): void {
  const { columns, outputs, card } = dataset;
  const feature = dataset.features.findIndex((value) => !Number.isFinite(value));
  if (feature >= 0) {
    const column = card.featureSet.columns[feature % columns];
    throw new CommandError(
      `${folder}: row ${Math.floor(feature / columns)} has ${dataset.features[feature]} in column ${column}: a dataset holds finite numbers only`,
    );
  }
  const target = dataset.targets.findIndex((value) => !Number.isFinite(value));
  if (target >= 0) {
    throw new CommandError(
      `${folder}: row ${Math.floor(target / outputs)} has the target ${dataset.targets[target]}: a dataset holds finite numbers only`,
    );
  }
}
