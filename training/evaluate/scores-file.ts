/** `scores.json` of a run: written by `evaluate`, read by `export` and `runs`. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import { SCORES_FILE } from "../train/run-folder.ts";
import type { Evaluation } from "./evaluate-run.ts";

export async function writeScores(run: string, evaluation: Evaluation): Promise<void> {
  await writeFile(join(run, SCORES_FILE), `${JSON.stringify(evaluation, null, 2)}\n`);
}

/** Null when the run has not been evaluated. Throws CommandError when the file is not what `evaluate` writes. */
export async function readScores(run: string): Promise<Evaluation | null> {
  const path = join(run, SCORES_FILE);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  const value = parseJson(text);
  if (!isEvaluation(value)) throw new CommandError(`${path} is not what evaluate writes: run \`edgebook evaluate --run ${run}\` again`);
  return value;
}

/** Our own file: its format and lists are looked at, and what goes into a manifest is checked again by the manifest's reader. */
function isEvaluation(value: unknown): value is Evaluation {
  if (typeof value !== "object" || value === null) return false;
  const { format, scores, byPart } = value as Record<string, unknown>;
  return format === "edgebook-scores/1" && Array.isArray(scores) && Array.isArray(byPart);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
