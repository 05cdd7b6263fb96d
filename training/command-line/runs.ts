/** `edgebook runs`: the runs in a folder, side by side. */

import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { differencesBetween, findRuns, midScores, writeComparison } from "../report/comparison.ts";
import { errorText, type RunFacts } from "../report/run-facts.ts";
import { jsonOption } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface RunsOptions {
  readonly json: boolean;
  readonly html?: string;
}

export function runsCommand(): Command {
  return new Command("runs")
    .alias("models")
    .description("Compares the runs in a folder: the settings in which they differ, and their scores beside persistence and ridge.")
    .argument("[dir]", "folder that holds run folders", ".")
    .option("--html <file>", "write a page with their curves over each other")
    .addOption(jsonOption())
    .action(compareRuns);
}

async function compareRuns(folder: string, options: RunsOptions): Promise<void> {
  const runs = await findRuns(folder);
  if (runs.length === 0 && !options.json)
    throw new CommandError(`${folder} holds no run: make one with \`edgebook train --data DIR --out ${folder}/NAME\``);
  if (options.html !== undefined) await writeComparison(runs, options.html);
  if (options.json) printRunsJson(runs);
  else printRuns(runs);
  if (options.html !== undefined && !options.json) print(`written: ${options.html}`);
}

function printRuns(runs: readonly RunFacts[]): void {
  const { names, values } = differencesBetween(runs);
  const rows = runs.map(({ folder, run, evaluation }, index) => {
    const { model, ridge, persistence } = run.card.validation;
    return [
      folder,
      ...(values[index] ?? []),
      [model, ridge, persistence].map(errorText).join(" / "),
      evaluation === null ? "not evaluated" : midScores(evaluation),
    ];
  });
  print(
    table(
      [
        "run",
        ...names,
        "validation error / ridge / persistence",
        "test R² of the mid (ridge), or MCC (logistic line); persistence of moves has 0",
      ],
      rows,
    ),
  );
  if (runs.length > 1 && names.length === 0) print("their settings are the same");
}

function printRunsJson(runs: readonly RunFacts[]): void {
  const { names, values } = differencesBetween(runs);
  printJson(
    runs.map(({ folder, run, evaluation, curve }, index) => ({
      folder,
      card: run.card,
      evaluation,
      curve: curve?.points ?? null,
      differing: Object.fromEntries(names.map((name, place) => [name, values[index]?.[place]])),
    })),
  );
}
