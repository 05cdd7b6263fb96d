/**
 * Runs side by side: the settings in which they differ, the validation errors and the scores beside ridge, and their curves over each other.
 * What they have in common is not shown: a table of it hides what matters.
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import { flatten } from "./flatten.ts";
import { type RunFacts, readRunFacts } from "./run-facts.ts";
import { signed } from "./signed.ts";

/** Every run in a folder, in order of name. What can't be read is no run. Throws CommandError when there is no such folder. */
export async function findRuns(folder: string): Promise<RunFacts[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new CommandError(`there is no folder ${folder}`);
  });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const runs: RunFacts[] = [];
  for (const name of names.toSorted()) {
    const run = await readRunFacts(join(folder, name)).catch((error: unknown) => {
      if (error instanceof CommandError) return null;
      throw error;
    });
    if (run !== null) runs.push(run);
  }
  return runs;
}

export interface Differences {
  /** Names of the settings in which the runs differ, in the order of the first. */
  readonly names: readonly string[];
  /** [runs][names] "–" where a run has no such setting. */
  readonly values: readonly (readonly string[])[];
}

const ABSENT = "–";

export function differencesBetween(runs: readonly RunFacts[]): Differences {
  const settings = runs.map(settingsOf);
  const names = [...new Set(settings.flatMap((of) => [...of.keys()]))].filter((name) =>
    isDiffering(runs.map(({ run }, index) => ({ kind: run.kind, value: settings[index]?.get(name) ?? ABSENT }))),
  );
  return { names, values: settings.map((of) => names.map((name) => of.get(name) ?? ABSENT)) };
}

/** What only another kind of model has is no difference, but for runs of one kind. */
function isDiffering(values: readonly { kind: string; value: string }[]): boolean {
  if (new Set(values.flatMap(({ value }) => (value === ABSENT ? [] : [value]))).size > 1) return true;
  return values.some(({ kind, value }) => values.some((other) => other.kind === kind && other.value !== value));
}

/** R² of the mid by horizon, ridge's in brackets; of classes Matthews' correlation, the logistic line's in brackets. */
export function midScores(evaluation: Evaluation): string {
  const { classes, reconstruction } = evaluation;
  if (classes !== undefined)
    return classes
      .map(({ horizonMs, model, logistic }) => `${horizonMs / 1_000} s MCC ${shown(model.mcc)} (${shown(logistic?.mcc ?? null)})`)
      .join(", ");
  if (reconstruction !== undefined) return reconstruction === null ? "too few rows" : `R² beside the mean ${shown(reconstruction.r2)}`;
  return evaluation.scores
    .filter((score) => score.target === "mid")
    .map((score) => `${score.horizonMs / 1_000} s ${shown(score.r2)} (${shown(score.ridgeR2)})`)
    .join(", ");
}

function shown(value: number | null): string {
  return value === null ? "–" : signed(value, 3);
}

/** Twelve digits tell any two hashes apart, and are short enough to read. */
const HASH_DIGITS = 12;

function settingsOf({ run }: RunFacts): Map<string, string> {
  const { family, commit, data, featureSet, model, settings, split } = run.card;
  return new Map([
    ["model", family],
    ["data", `${data.source} ${data.sha256.slice(0, HASH_DIGITS)}`],
    ["features", `${featureSet.id} ${featureSet.fingerprint}`],
    ["training rows", String(split.trainRows)],
    ["answer", model.answer],
    ...(run.kind === "network" ? ([["backend", run.card.backend]] satisfies [string, string][]) : []),
    ["commit", commit === null ? "unknown" : commit.slice(0, HASH_DIGITS) + (commit.endsWith("-dirty") ? "-dirty" : "")],
    ...flatten(settings),
    ...(run.card.kind === "trees" && run.card.line !== undefined ? flatten(run.card.line, "line") : []),
  ]);
}
