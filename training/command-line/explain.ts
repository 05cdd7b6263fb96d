/** `edgebook explain`: which columns a run of trees rests on, in all and output by output. */

import { Command } from "commander";
import { type Explanation, explainRun } from "../train/explain-run.ts";
import { readRun } from "../train/run-folder.ts";
import { type Importance, readImportance } from "../train/run-importance.ts";
import { terminalProgress } from "./bars.ts";
import { trainingDataset } from "./evaluate.ts";
import { countingNumber, jsonOption } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface ExplainOptions {
  readonly run: string;
  readonly rows: number;
  readonly json: boolean;
}

/** Of the tables; --json holds all. */
const SHOWN_COLUMNS = 15;
/** Outputs side by side in one table. */
const OUTPUTS_A_TABLE = 6;

export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "Shows what a run of trees looks at: importance by gain, splits and permutation, and the mean size of what each column adds to an answer (SHAP).",
    )
    .requiredOption("--run <dir>", "run made by `edgebook train --model trees`, or `corrected`")
    .option("--rows <number>", "to explain, spread over the validation part", countingNumber, 500)
    .addOption(jsonOption())
    .action(runExplain);
}

async function runExplain({ run: folder, rows, json }: ExplainOptions): Promise<void> {
  const run = await readRun(folder);
  const explanation = explainRun(run, await trainingDataset(run), { rows, progress: terminalProgress() });
  const importance = await readImportance(folder);
  if (json) printJson({ importance, shap: explanation });
  else printExplanation(explanation, importance);
}

function printExplanation(explanation: Explanation, importance: readonly Importance[]): void {
  const { columns, outputs, unit, rows, isOfCorrection } = explanation;
  const names = topColumns(explanation);
  if (importance.length > 0) {
    const head = importance.map(({ measure }) => measure);
    print(
      table(
        ["column", ...head],
        names.map((name) => [name, ...importance.map((one) => numberText(one.columns.find(({ column }) => column === name)?.value ?? 0))]),
      ),
    );
  }
  if (isOfCorrection) print("all of this is of what the trees add to their line, whose weights `edgebook report` shows");
  print(`mean |SHAP| over ${rows} validation rows, in ${unit}: what each column adds to an answer, or takes from it`);
  for (let first = 0; first < outputs.length; first += OUTPUTS_A_TABLE) {
    const some = outputs.slice(first, first + OUTPUTS_A_TABLE);
    const body = names.map((name) => [name, ...some.map(({ meanSizes }) => numberText(meanSizes[columns.indexOf(name)] ?? 0))]);
    print(
      table(
        ["column", ...some.map(({ name }) => name)],
        [...body, ["the mean answer", ...some.map(({ expected }) => numberText(expected))]],
      ),
    );
  }
  if (names.length < columns.length) print(`the ${names.length} largest of ${columns.length} columns; --json holds all`);
}

/** By their mean size over all outputs, each counted by its own total. */
function topColumns({ columns, outputs }: Explanation): string[] {
  const shares = columns.map((_, column) =>
    outputs.reduce((sum, { meanSizes }) => {
      const total = meanSizes.reduce((all, size) => all + size, 0);
      return sum + (total > 0 ? (meanSizes[column] ?? 0) / total : 0);
    }, 0),
  );
  const order = [...columns.keys()].toSorted((one, other) => (shares[other] as number) - (shares[one] as number));
  return order.slice(0, SHOWN_COLUMNS).map((column) => columns[column] as string);
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
