/** What a report is made of: all that lies in a run's folder. Only run.json must be there. */

import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import { readScores } from "../evaluate/scores-file.ts";
import { type Run, readRun } from "../train/run-folder.ts";
import { type Curve, readCurve } from "./curve.ts";
import { type Importance, readImportance } from "./importance.ts";

const ENVIRONMENT_FILE = "environment.json";

export interface RunFacts {
  readonly folder: string;
  readonly name: string;
  readonly run: Run;
  readonly curve: Curve | null;
  /** Null: never scored. */
  readonly evaluation: Evaluation | null;
  readonly importance: Importance | null;
  /** What the run was made on, where it says so. */
  readonly environment: Readonly<Record<string, string>> | null;
}

/** Throws CommandError when the folder holds no run, or a broken one. */
export async function readRunFacts(folder: string): Promise<RunFacts> {
  const run = await readRun(folder);
  return {
    folder,
    name: basename(resolve(folder)),
    run,
    curve: await readCurve(folder),
    evaluation: await readScores(folder),
    importance: await readImportance(folder),
    environment: await readEnvironment(folder),
  };
}

/** An error as it is shown; a run of another kind of answer may have no ridge line. */
export function errorText(error: number | null): string {
  return error === null ? "none" : error.toFixed(5);
}

/** Longer lists are counted, not shown. */
const LONGEST_LIST = 12;

/** Nested settings as "optimiser.weightDecay": "0.01". */
export function flatten(value: unknown, prefix = ""): [string, string][] {
  if (Array.isArray(value)) return [[prefix, value.length > LONGEST_LIST ? `${value.length} entries` : value.map(textOf).join(", ")]];
  if (typeof value !== "object" || value === null) return [[prefix, textOf(value)]];
  return Object.entries(value).flatMap(([key, nested]) => flatten(nested, prefix === "" ? key : `${prefix}.${key}`));
}

function textOf(value: unknown): string {
  if (value === null) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function readEnvironment(folder: string): Promise<Record<string, string> | null> {
  const text = await readFile(join(folder, ENVIRONMENT_FILE), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return Object.fromEntries(flatten(z.record(z.string(), z.unknown()).parse(JSON.parse(text))));
  } catch {
    return null;
  }
}
