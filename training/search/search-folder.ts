/**
 * A search that can go on where it was stopped: each training's outcome is kept as soon as it is known, and not trained for again. Everything else of a
 * search follows from its seed, so one that was resumed finds what one that never stopped would have.
 *
 * | file | |
 * |---|---|
 * | search.json | what an outcome hangs on, as texts; with others the search is another, and refused |
 * | trainings.ndjson | a line a training: settings, budget, number of the fold, and the loss or why it failed |
 * | found.json | all trials, best first; written at the end |
 */

import { appendFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import { claimFolder, type FolderLock } from "../folder-lock.ts";
import type { TrainOnce } from "./search-settings.ts";
import type { Drawn } from "./space.ts";

const SEARCH_FILE = "search.json";
const TRAININGS_FILE = "trainings.ndjson";
const FOUND_FILE = "found.json";

/** By name: data, family, settings, …, each as a text that a person can compare. */
export type Conditions = Readonly<Record<string, string>>;

const trainingShape = z.strictObject({
  settings: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  budget: z.number(),
  fold: z.int().nonnegative(),
  /** JSON has no such numbers. Null: it failed. */
  loss: z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]).nullable(),
  failure: z.string().nullable(),
});

type Training = z.infer<typeof trainingShape>;

export interface SearchClaim {
  readonly resume: boolean;
  readonly overwrite: boolean;
}

/** Makes the folder this process's own. Throws CommandError where another is at work there, or a search lies there that nobody said to replace. */
export function claimSearch(folder: string, claim: SearchClaim, tell: (message: string) => void): Promise<FolderLock> {
  return claimFolder(folder, { tell, check: () => refuseToReplace(folder, claim) });
}

async function refuseToReplace(folder: string, { resume, overwrite }: SearchClaim): Promise<void> {
  if (overwrite) return;
  if (await holds(folder, FOUND_FILE)) {
    const end = resume ? "there is nothing to resume" : "name another --out, or replace it with --overwrite";
    throw new CommandError(`${folder} holds a search that came to its end: ${end}`);
  }
  if (!resume && (await holds(folder, SEARCH_FILE)))
    throw new CommandError(`${folder} holds a search that was interrupted: go on with --resume, or begin anew with --overwrite`);
}

/** What was trained before, by what it was: see `remembering`. */
export interface KeptTrainings {
  readonly folder: string;
  readonly known: Map<string, Training>;
}

/** Of a new search, or with `resume` of the one that lies there. Throws CommandError where that is none, or of other conditions. */
export async function openTrainings(folder: string, options: { conditions: Conditions; resume: boolean }): Promise<KeptTrainings> {
  const known = new Map<string, Training>();
  if (options.resume) {
    await refuseOthers(folder, options.conditions);
    const trainings = await readTrainings(folder);
    // Without the half line that a killed process may have left.
    await replaceFile(join(folder, TRAININGS_FILE), trainings.map(lineOf).join(""));
    for (const training of trainings) known.set(keyOf(training), training);
  } else {
    for (const file of [SEARCH_FILE, FOUND_FILE, TRAININGS_FILE]) await rm(join(folder, file), { force: true });
    await replaceFile(join(folder, SEARCH_FILE), `${JSON.stringify(options.conditions, null, 2)}\n`);
  }
  return { folder, known };
}

/** Trains what isn't known, and keeps what came of it. Failures of settings are kept too; any other error is none of the search's. */
export function remembering<Fold>({ folder, known }: KeptTrainings, folds: readonly Fold[], trainOnce: TrainOnce<Fold>): TrainOnce<Fold> {
  return async (settings, budget, fold) => {
    const place = { settings, budget, fold: folds.indexOf(fold) };
    const before = known.get(keyOf(place));
    const training = before ?? { ...place, ...(await outcomeOf(() => trainOnce(settings, budget, fold))) };
    if (before === undefined) await appendFile(join(folder, TRAININGS_FILE), lineOf(training));
    if (training.failure !== null) throw new CommandError(training.failure);
    return Number(training.loss ?? Number.NaN);
  };
}

/** The last of a search. */
export async function writeFound(folder: string, found: object): Promise<void> {
  await replaceFile(join(folder, FOUND_FILE), `${JSON.stringify(found, null, 2)}\n`);
}

async function outcomeOf(train: () => Promise<number>): Promise<Pick<Training, "loss" | "failure">> {
  try {
    const loss = await train();
    return { loss: Number.isFinite(loss) ? loss : nameOf(loss), failure: null };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { loss: null, failure: error.message };
  }
}

function nameOf(loss: number): "NaN" | "Infinity" | "-Infinity" {
  if (Number.isNaN(loss)) return "NaN";
  return loss > 0 ? "Infinity" : "-Infinity";
}

async function refuseOthers(folder: string, now: Conditions): Promise<void> {
  const text = await readFile(join(folder, SEARCH_FILE), "utf8").catch(() => null);
  if (text === null) throw new CommandError(`${folder} holds no search to go on with: leave --resume out`);
  const kept = z.record(z.string(), z.string()).safeParse(parseJson(text)).data;
  if (kept === undefined) throw new CommandError(`${join(folder, SEARCH_FILE)} is corrupt: begin anew with --overwrite`);
  const differing = [...new Set([...Object.keys(kept), ...Object.keys(now)])]
    .filter((name) => kept[name] !== now[name])
    .map((name) => `${name} was ${kept[name] ?? "none"}, now ${now[name] ?? "none"}`);
  if (differing.length > 0)
    throw new CommandError(
      `${folder} holds another search (${differing.join("; ")}): resume with the same options, or begin anew with --overwrite`,
    );
}

async function readTrainings(folder: string): Promise<Training[]> {
  const path = join(folder, TRAININGS_FILE);
  const text = await readFile(path, "utf8").catch(() => "");
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, index) => {
    const { data } = trainingShape.safeParse(parseJson(line));
    if (data === undefined) throw new CommandError(`line ${index + 1} of ${path} is no training: begin anew with --overwrite`);
    return data;
  });
}

function keyOf({ settings, budget, fold }: { settings: Drawn; budget: number; fold: number }): string {
  return JSON.stringify([Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1)), budget, fold]);
}

function lineOf(training: Training): string {
  return `${JSON.stringify(training)}\n`;
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

async function holds(folder: string, name: string): Promise<boolean> {
  return (await stat(join(folder, name)).catch(() => null)) !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
