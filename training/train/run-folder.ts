/**
 * A run is a folder that says all of how a model came to be, so that evaluation and export need nothing else. What was trained is of a kind: a
 * network, trees or lines; run.json says which.
 *
 * | file | |
 * |---|---|
 * | run.json | settings, dataset (its hash, and where it was), boundaries of the split, normaliser, target scale, hashes of the other files |
 * | metrics.ndjson | one line an epoch of a network, a round of each ensemble, a penalty of lines |
 * | weights.f32 | the parameters, then the running statistics where the network has any, flat, as run.json's slots cut them |
 * | ensemble-NN.trees | of trees: one for each move or question that was asked for (trees/tree-file.ts) |
 * | lines.f64 | of lines, and of trees that correct some: [outputs, columns] weights, then [outputs] intercepts |
 * | checkpoint | of a training that goes on, or was interrupted: see engine/checkpoint.ts; gone when it is done |
 * | ridge.f64 | the line fitted on the same rows. Of moves: [outputs, columns]. Of classes, logistic: [labels, columns] weights, [labels] intercepts |
 * | importance.json | what trees look at |
 * | scores.json | written by `evaluate` |
 * | environment.json | what it was made on (report/environment.ts) |
 * | report.html | written by `report` |
 * | lock-… | of the process that trains; see folder-lock.ts |
 *
 * Nothing in it depends on when or how fast it was made: the same code, data, settings and runtime give the same bytes.
 */

import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { EpochScore } from "../engine/contract.ts";
import { claimFolder, type FolderLock } from "../folder-lock.ts";
import type { Line } from "../linear/ridge.ts";
import { makeFolder } from "../make-folder.ts";
import type { TreeEnsemble } from "../trees/contract.ts";
import { encodeTrees, parseTrees } from "../trees/tree-file.ts";
import { type LinesCard, type NetworkCard, type RunCard, runShape, type TreesCard } from "./run-card.ts";

const RUN_FILE = "run.json";
export const METRICS_FILE = "metrics.ndjson";
const WEIGHTS_FILE = "weights.f32";
const LINES_FILE = "lines.f64";
const RIDGE_FILE = "ridge.f64";
export const SCORES_FILE = "scores.json";
export const REPORT_FILE = "report.html";
/** Where a run's checkpoint lies in its folder. */
export const CHECKPOINT_FILE = "checkpoint";
/** All of the table above but the ensembles and the lock. */
const OWN_FILES: ReadonlySet<string> = new Set([
  RUN_FILE,
  METRICS_FILE,
  WEIGHTS_FILE,
  LINES_FILE,
  RIDGE_FILE,
  SCORES_FILE,
  REPORT_FILE,
  "importance.json",
  "environment.json",
  ...["", ".previous", ".tmp"].map((end) => `${CHECKPOINT_FILE}${end}`),
]);
const ENSEMBLE_FILE = /^ensemble-\d+\.trees$/;

export interface NetworkRun {
  readonly kind: "network";
  readonly card: NetworkCard;
  readonly parameters: Float32Array;
  /** Running statistics, flat; empty where the network has none. */
  readonly statistics: Float32Array;
  readonly ridgeWeights: Float64Array;
}

export interface TreesRun {
  readonly kind: "trees";
  readonly card: TreesCard;
  /** As in the card. */
  readonly ensembles: readonly (TreeEnsemble | null)[];
  /** What they correct: answers are the sums. Null: they answer alone. */
  readonly line: Required<Line> | null;
  readonly ridgeWeights: Float64Array;
}

export interface LinesRun {
  readonly kind: "lines";
  readonly card: LinesCard;
  /** [outputs, columns] */
  readonly weights: Float64Array;
  /** [outputs] */
  readonly intercepts: Float64Array;
  readonly ridgeWeights: Float64Array;
}

export type Run = NetworkRun | TreesRun | LinesRun;

/** Writes the folder, run.json last. Scores and the page of an earlier run there are removed: they are not this one's. */
export async function writeRun(
  folder: string,
  run: {
    card: Omit<NetworkCard, "files" | "kind">;
    parameters: Float32Array;
    statistics: Float32Array;
    ridgeWeights: Float64Array;
    curve: readonly EpochScore[];
  },
): Promise<NetworkCard> {
  const weights = Buffer.concat([bytesOf(run.parameters), bytesOf(run.statistics)]);
  const ridge = bytesOf(run.ridgeWeights);
  const files = { [WEIGHTS_FILE]: weights, [RIDGE_FILE]: ridge };
  const card: NetworkCard = { ...run.card, kind: "network", files: { weights: sha256Of(weights), ridge: sha256Of(ridge) } };
  return writeFolder(folder, { card, files, metrics: run.curve });
}

export async function writeTreesRun(
  folder: string,
  run: {
    card: Omit<TreesCard, "files" | "kind" | "ensembles">;
    ensembles: readonly ({ readonly ensemble: TreeEnsemble; readonly rounds: number; readonly bestRound: number } | null)[];
    line: Required<Line> | null;
    ridgeWeights: Float64Array;
    metrics: readonly object[];
  },
): Promise<TreesCard> {
  const ridge = bytesOf(run.ridgeWeights);
  const files: Record<string, Uint8Array> = { [RIDGE_FILE]: ridge };
  const lines = run.line === null ? null : bytesOfLines(run.line);
  if (lines !== null) files[LINES_FILE] = lines;
  const ensembles = run.ensembles.map((trained, index) => {
    if (trained === null) return null;
    const bytes = encodeTrees(trained.ensemble);
    files[ensembleFile(index)] = bytes;
    return { sha256: sha256Of(bytes), rounds: trained.rounds, bestRound: trained.bestRound };
  });
  const hashes = { ridge: sha256Of(ridge), ...(lines === null ? {} : { lines: sha256Of(lines) }) };
  const card: TreesCard = { ...run.card, kind: "trees", ensembles, files: hashes };
  return writeFolder(folder, { card, files, metrics: run.metrics });
}

export async function writeLinesRun(
  folder: string,
  run: {
    card: Omit<LinesCard, "files" | "kind">;
    weights: Float64Array;
    intercepts: Float64Array;
    ridgeWeights: Float64Array;
    metrics: readonly object[];
  },
): Promise<LinesCard> {
  const lines = bytesOfLines(run);
  const ridge = bytesOf(run.ridgeWeights);
  const card: LinesCard = { ...run.card, kind: "lines", files: { lines: sha256Of(lines), ridge: sha256Of(ridge) } };
  return writeFolder(folder, { card, files: { [LINES_FILE]: lines, [RIDGE_FILE]: ridge }, metrics: run.metrics });
}

async function writeFolder<Card extends RunCard>(
  folder: string,
  run: { card: Card; files: Readonly<Record<string, Uint8Array>>; metrics: readonly object[] },
): Promise<Card> {
  await makeFolder(folder);
  for (const stale of [RUN_FILE, SCORES_FILE, REPORT_FILE]) await rm(join(folder, stale), { force: true });
  for (const [name, bytes] of Object.entries(run.files)) await writeFile(join(folder, name), bytes);
  await writeCurve(folder, run.metrics);
  const path = join(folder, RUN_FILE);
  await writeFile(`${path}.tmp`, `${JSON.stringify(run.card, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
  return run.card;
}

/**
 * Throws CommandError where a training that is to go on has come to its end: "train from the start", as is said where there is neither, would lose it.
 */
export async function refuseFinished(folder: string): Promise<void> {
  if ((await holds(folder, RUN_FILE)) && !(await holds(folder, CHECKPOINT_FILE)) && !(await holds(folder, `${CHECKPOINT_FILE}.previous`)))
    throw new CommandError(`${folder} holds a run that came to its end: there is nothing to resume; another one wants another --out`);
}

export interface Claim {
  /** Goes on with a training that was interrupted. */
  readonly resume: boolean;
  /** What lies there may be replaced. */
  readonly overwrite: boolean;
}

/**
 * Makes the folder this process's own, for a training. Throws CommandError where another one is at work there, and where a run lies there that nobody
 * said to replace. What is left of an interrupted training the training itself refuses to write over.
 */
export function claimRun(folder: string, { resume, overwrite }: Claim, tell: (message: string) => void): Promise<FolderLock> {
  return claimFolder(folder, {
    tell,
    async check() {
      if (resume) await refuseFinished(folder);
      else if (!overwrite) await refuseToReplace(folder);
    },
  });
}

async function refuseToReplace(folder: string): Promise<void> {
  if (!(await holds(folder, RUN_FILE))) return;
  throw new CommandError(`${folder} holds a run that came to its end: name another --out, or replace it with --overwrite`);
}

/** Removes a run, or what is left of an interrupted one; run.json first, so that no half of one is taken for a whole. Other files stay. */
export async function removeRun(folder: string): Promise<void> {
  const names = await readdir(folder);
  const own = [RUN_FILE, ...names.filter((name) => OWN_FILES.has(name) || ENSEMBLE_FILE.test(name))];
  for (const name of own) await rm(join(folder, name), { force: true });
}

async function holds(folder: string, name: string): Promise<boolean> {
  return (await stat(join(folder, name)).catch(() => null)) !== null;
}

/** Also after each epoch, so that a training can be followed from outside. */
export async function writeCurve(folder: string, curve: readonly object[]): Promise<void> {
  await makeFolder(folder);
  await writeFile(join(folder, METRICS_FILE), curve.map((epoch) => `${JSON.stringify(epoch)}\n`).join(""));
}

/** Throws CommandError when the folder holds no run, or a broken one. */
export async function readRun(folder: string): Promise<Run> {
  const path = join(folder, RUN_FILE);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null)
    throw new CommandError(`${folder} holds no ${RUN_FILE}: make the run with \`edgebook train --data DIR --out ${folder}\``);
  const json = parseJson(text);
  if (json === null) throw new CommandError(`${path} is not a run (not JSON): train again`);
  const parsed = runShape.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CommandError(`${path} is not a run (${issue?.path.join(".")}: ${issue?.message}): train again`);
  }
  const card = parsed.data;
  const ridgeWeights = new Float64Array(await readVerified(join(folder, RIDGE_FILE), card.files.ridge));
  if (card.kind === "trees") {
    const { lines } = card.files;
    const line = lines === undefined ? null : await readLines(folder, card, lines);
    return { kind: card.kind, card, ensembles: await readEnsembles(folder, card), line, ridgeWeights };
  }
  if (card.kind === "lines") return { kind: card.kind, card, ...(await readLines(folder, card, card.files.lines)), ridgeWeights };
  const flat = new Float32Array(await readVerified(join(folder, WEIGHTS_FILE), card.files.weights));
  const count = card.slots.reduce((sum, slot) => sum + slot.size, 0);
  return { kind: card.kind, card, parameters: flat.slice(0, count), statistics: flat.slice(count), ridgeWeights };
}

async function readEnsembles(folder: string, card: TreesCard): Promise<(TreeEnsemble | null)[]> {
  const ensembles: (TreeEnsemble | null)[] = [];
  for (const [index, known] of card.ensembles.entries()) {
    const path = join(folder, ensembleFile(index));
    const parsed = known === null ? null : parseTrees(new Uint8Array(await readVerified(path, known.sha256)));
    if (parsed !== null && "malformed" in parsed) throw new CommandError(`${path} is no ensemble (${parsed.malformed}): train again`);
    ensembles.push(parsed === null ? null : parsed.ensemble);
  }
  return ensembles;
}

async function readLines(folder: string, { featureSet }: Pick<RunCard, "featureSet">, sha256: string): Promise<Required<Line>> {
  const flat = new Float64Array(await readVerified(join(folder, LINES_FILE), sha256));
  const outputs = flat.length / (featureSet.columns.length + 1);
  const split = flat.length - outputs;
  return { weights: flat.slice(0, split), intercepts: flat.slice(split) };
}

function bytesOfLines({ weights, intercepts }: Required<Line>): Uint8Array {
  return Buffer.concat([bytesOf(weights), bytesOf(intercepts)]);
}

/** From 1, as people count. */
function ensembleFile(index: number): string {
  return `ensemble-${String(index + 1).padStart(2, "0")}.trees`;
}

async function readVerified(path: string, sha256: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) throw new CommandError(`${path} is missing: train again`);
  if (sha256Of(bytes) !== sha256) throw new CommandError(`${path} is corrupt (its hash is not the one in ${RUN_FILE}): train again`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function bytesOf(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
