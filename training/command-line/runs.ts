/** `edgebook runs`: the runs in a folder, with how they scored. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import { readScores } from "../evaluate/scores-file.ts";
import { type RunCard, readRun } from "../train/run-folder.ts";
import { jsonOption } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface ListedRun {
  readonly folder: string;
  readonly card: RunCard;
  readonly evaluation: Evaluation | null;
}

export function runsCommand(): Command {
  return new Command("runs")
    .alias("models")
    .description("Lists the runs in a folder with their scores of the mid.")
    .argument("[dir]", "folder that holds run folders", ".")
    .addOption(jsonOption())
    .action(listRuns);
}

async function listRuns(folder: string, options: { json: boolean }): Promise<void> {
  const runs = await findRuns(folder);
  if (options.json) {
    printJson(runs);
    return;
  }
  if (runs.length === 0) throw new CommandError(`${folder} holds no run: make one with \`edgebook train --data DIR --out ${folder}/NAME\``);
  const rows = runs.map(({ folder: name, card, evaluation }) => [
    name,
    card.family,
    card.data.source,
    String(card.split.trainRows),
    `${card.settings.seed}`,
    `${card.validation.network.toFixed(5)} / ${card.validation.ridge.toFixed(5)}`,
    evaluation === null ? "not evaluated" : midScores(evaluation),
  ]);
  print(table(["run", "model", "data", "rows", "seed", "validation error / ridge", "test R² of the mid (ridge)"], rows));
}

async function findRuns(folder: string): Promise<ListedRun[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new CommandError(`there is no folder ${folder}`);
  });
  const runs: ListedRun[] = [];
  for (const entry of entries.filter((item) => item.isDirectory())) {
    const path = join(folder, entry.name);
    const run = await readRun(path).catch(() => null);
    if (run === null) continue;
    runs.push({ folder: path, card: run.card, evaluation: await readScores(path) });
  }
  return runs;
}

function midScores(evaluation: Evaluation): string {
  return evaluation.scores
    .filter((score) => score.target === "mid")
    .map((score) => `${score.horizonMs / 1_000} s ${score.r2.toFixed(3)} (${score.ridgeR2.toFixed(3)})`)
    .join(", ");
}
