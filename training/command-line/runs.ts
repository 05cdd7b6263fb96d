/** `edgebook runs`: the runs in a folder, side by side. */

import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { columnsOf, fittingColumns, namedColumns } from "../report/run-columns.ts";
import type { RunFacts } from "../report/run-facts.ts";
import { differencesBetween, findRuns } from "../report/side-by-side.ts";
import { jsonOption } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface RunsOptions {
  readonly json: boolean;
  readonly html?: string;
  readonly columns?: string;
}

/** Where nobody says how wide the screen is, as in a pipe. */
const USUAL_WIDTH = 120;

export function runsCommand(): Command {
  return new Command("runs")
    .description("Compares the runs in a folder: the settings in which they differ, and their scores beside persistence and ridge.")
    .argument("[dir]", "folder that holds run folders", ".")
    .option("--columns <names>", "with commas, or all; as many as the terminal has room for unless given")
    .option("--html <file>", "write a page with their curves over each other")
    .addOption(jsonOption())
    .action(compareRuns);
}

async function compareRuns(folder: string, options: RunsOptions): Promise<void> {
  const runs = await findRuns(folder);
  if (runs.length === 0 && !options.json)
    throw new CommandError(`${folder} holds no run: make one with \`edgebook train --data DIR --out ${folder}/NAME\``);
  if (options.html !== undefined) {
    // What draws is large, and nothing else here needs it.
    const { writeRunsPage } = await import("../report/runs-page.ts");
    await writeRunsPage(runs, options.html);
  }
  if (options.json) printRunsJson(runs);
  else printRuns(runs, options);
  if (options.html !== undefined && !options.json) print(`written: ${options.html}`);
}

function printRuns(runs: readonly RunFacts[], { columns: names }: RunsOptions): void {
  const all = columnsOf(runs);
  const shown = names === undefined ? fittingColumns(all, process.stdout.columns ?? USUAL_WIDTH) : namedColumns(all, names);
  const rows = runs.map((_, index) => shown.map(({ cells }) => cells[index] ?? ""));
  const heads = shown.map(({ name }) => name);
  print(table(heads, rows));
  print("error: on the validation rows, of the model, of the line beside it, and of what knows nothing of the row (of moves, persistence)");
  print("test: R² of the mid, persistence has 0; of classes Matthews' correlation; the line's in brackets");
  const left = all.filter((column) => !shown.includes(column)).map(({ name }) => name);
  if (names === undefined && left.length > 0) print(`no room for ${left.join(", ")}: --columns "NAME, …" or all, or --json`);
  if (runs.length > 1 && differencesBetween(runs).names.length === 0) print("their settings are the same");
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
