/** What a report is made of: all that lies in a run's folder. Only run.json must be there. */

import { basename, resolve } from "node:path";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import { readScores } from "../evaluate/scores-file.ts";
import { type Run, readRun } from "../train/run-folder.ts";
import { type Importance, readImportance } from "../train/run-importance.ts";
import { type Curve, readCurve } from "./curve.ts";
import { readEnvironment } from "./environment.ts";

export interface RunFacts {
  readonly folder: string;
  readonly name: string;
  readonly run: Run;
  readonly curve: Curve | null;
  /** Null: never scored. */
  readonly evaluation: Evaluation | null;
  readonly importance: readonly Importance[];
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
