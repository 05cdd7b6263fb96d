/** `edgebook compare`: all models fitted on the same rows and scored on the same test rows, side by side. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { currentCommit } from "../commit.ts";
import { type CompareOptions, compareModels } from "../compare/compare-models.ts";
import type { ComparedModel } from "../compare/contract.ts";
import { DEFAULT_VALIDATION_SHARE } from "../compare/folds.ts";
import { type Cut, type Planned, planComparison } from "../compare/plan-comparison.ts";
import { COMBINATIONS, COMPARED_MODELS } from "../compare/registry.ts";
import {
  COMPARISON_FILE,
  COMPARISON_PAGE,
  COMPARISON_TABLES,
  holdsComparison,
  removeComparison,
  writeComparison,
} from "../compare/written-comparison.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import { claimFolder } from "../folder-lock.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { terminalProgress } from "./bars.ts";
import { comparisonText } from "./comparison-text.ts";
import { listenForInterrupt, tellHowToResume } from "./interrupt.ts";
import { collect, countingNumber, jsonOption, moment, positiveNumber } from "./options.ts";
import { print, printJson, when } from "./report.ts";

interface CompareCommandOptions {
  readonly data: readonly string[];
  readonly beside: readonly string[];
  readonly out: string;
  readonly fitUntil?: number;
  readonly testFrom?: number;
  readonly testTo?: number;
  readonly fitShare: number;
  readonly folds?: number;
  readonly walk: "expanding" | "rolling";
  readonly validationShare: number;
  readonly models?: readonly string[];
  readonly only: readonly number[];
  readonly workers?: number;
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly json: boolean;
}

/** Of what is neither given nor found by dates. */
const DEFAULT_FIT_SHARE = 0.7;
const USUAL_THREADS = 2;

export function compareCommand(): Command {
  return new Command("compare")
    .description("Fits all models on the same rows and scores them on the same test rows: compare.json, a page, and a table.")
    .option(
      "--data <dir>",
      "dataset; the first is compared on, others add rows of other features made from the same events (repeatable)",
      collect,
      [],
    )
    .requiredOption("--out <dir>", "folder to write")
    .option(
      "--beside <dir>",
      "the first dataset with targets of another label: lines are scored on both, beside what a smoothed label gives away (repeatable)",
      collect,
      [],
    )
    .option("--fit-until <time>", "rows before it are fitted, e.g. 2026-01-07 or 2026-01-06T12:00Z", moment)
    .option("--test-from <time>", "rows from then on are scored; where fitting ends unless given", moment)
    .option("--test-to <time>", "rows from then on are left out", moment)
    .option("--fit-share <share>", "where no date is given: of the rows, by time", positiveNumber, DEFAULT_FIT_SHARE)
    .addOption(
      new Option("--folds <number>", "walk-forward: the second half of the rows in so many test blocks")
        .argParser(countingNumber)
        .conflicts(["fitUntil", "testFrom", "fitShare"]),
    )
    .addOption(
      new Option("--walk <kind>", "with --folds: all that came before is fitted, or as much as the first fold had")
        .choices(["expanding", "rolling"])
        .default("expanding"),
    )
    .option(
      "--validation-share <share>",
      "of what is fitted, its last part: chooses settings and weights",
      positiveNumber,
      DEFAULT_VALIDATION_SHARE,
    )
    .option("--models <list>", `with commas, of ${COMPARED_MODELS.map(({ id }) => id).join(", ")}; all unless given`, (text: string) =>
      text.split(","),
    )
    .option(
      "--only <seconds>",
      "of these horizons alone (repeatable)",
      (text: string, before: readonly number[]) => [...before, positiveNumber(text)],
      [],
    )
    .option("--workers <number>", "threads (two where there are two cores)", countingNumber)
    .option("--resume", "goes on where a comparison was interrupted: models that are done are kept", false)
    .addOption(new Option("--overwrite", "replaces the comparison in --out").default(false).conflicts("resume"))
    .addOption(jsonOption())
    .action(runCompare);
}

async function runCompare(options: CompareCommandOptions, command: Command): Promise<void> {
  const claim = await claimFolder(options.out, { tell, check: () => refuseToReplace(options) });
  try {
    await compareInto(options, command);
  } finally {
    await claim.release();
  }
}

async function compareInto(options: CompareCommandOptions, command: Command): Promise<void> {
  const models = modelsNamed(options.models);
  const [datasets, beside] = [await readAll(options.data), await readAll(options.beside)];
  const planned = planComparison(datasets, {
    models,
    beside,
    cut: cutOf(options, command),
    validationShare: options.validationShare,
    horizonsMs: options.only.map((seconds) => 1_000 * seconds),
  });
  tellPlan(planned);
  // Not before all that was typed is known to make sense.
  if (options.overwrite) await removeComparison(options.out);
  const progress = terminalProgress();
  const { signal, release } = listenForInterrupt(tell);
  try {
    const comparison = await compareModels({
      ...planned,
      models,
      combinations: COMBINATIONS,
      out: options.out,
      resume: options.resume,
      runtime: await loadRuntime("node"),
      threads: options.workers ?? Math.min(availableParallelism(), USUAL_THREADS),
      progress,
      signal,
      commit: currentCommit(),
      onWarning: tell,
      onModel: tellModels(planned.folds.length),
    });
    await writeComparison(options.out, comparison, typed());
    if (options.json) printJson(comparison);
    else
      print(
        `${comparisonText(comparison)}\nwritten: ${[COMPARISON_FILE, COMPARISON_PAGE, COMPARISON_TABLES].map((file) => join(options.out, file)).join(", ")}`,
      );
  } catch (error) {
    progress.abandon();
    if (!signal.aborted) throw error;
    tellHowToResume("the comparison was interrupted; models that are done are kept", tell);
  } finally {
    release();
  }
}

/** Hours of fitting lie there: they go by name alone. */
async function refuseToReplace({ out, resume, overwrite }: CompareCommandOptions): Promise<void> {
  if (resume && currentCommit()?.endsWith("-dirty") === true)
    throw new CommandError(
      "--resume takes up what this very code fitted, and the code differs from its commit, so nobody can tell: commit it, or start anew with --overwrite",
    );
  if (resume || overwrite || !(await holdsComparison(out))) return;
  throw new CommandError(
    `${out} holds a comparison, or what is left of an interrupted one: go on with --resume, name another --out, or replace it with --overwrite`,
  );
}

/** How long each took, and all so far: the whole of a market's days has an hour. */
function tellModels(folds: number): NonNullable<CompareOptions["onModel"]> {
  const begun = performance.now();
  return ({ id, fold, seconds, isKept }) => {
    const minutes = (performance.now() - begun) / 60_000;
    const which = folds > 1 ? `${id}, fold ${fold + 1}` : id;
    tell(`${which}: ${isKept ? "kept from before" : `${seconds.toFixed(1)} s`} (${minutes.toFixed(1)} min in all)`);
  };
}

async function readAll(folders: readonly string[]): Promise<Dataset[]> {
  const datasets: Dataset[] = [];
  for (const folder of folders) datasets.push(await readDataset(folder));
  return datasets;
}

function cutOf(options: CompareCommandOptions, command: Command): Cut {
  if (options.folds !== undefined) return { kind: "walk", folds: options.folds, walk: options.walk };
  const { fitUntil, testFrom, testTo } = options;
  if (fitUntil === undefined && testFrom === undefined) {
    if (testTo !== undefined) throw new CommandError("--test-to takes --fit-until");
    return { kind: "share", fitShare: options.fitShare };
  }
  if (command.getOptionValueSource("fitShare") === "cli") throw new CommandError("--fit-share is for where no date is given: leave it out");
  const until = fitUntil ?? testFrom ?? 0;
  return { kind: "dated", fitUntil: until, testFrom: testFrom ?? until, ...(testTo === undefined ? {} : { testTo }) };
}

function modelsNamed(ids: readonly string[] | undefined): readonly ComparedModel[] {
  if (ids === undefined) return COMPARED_MODELS;
  const unknown = ids.find((id) => !COMPARED_MODELS.some((model) => model.id === id));
  if (unknown !== undefined)
    throw new CommandError(`there is no model "${unknown}" to compare: choose of ${COMPARED_MODELS.map(({ id }) => id).join(", ")}`);
  return COMPARED_MODELS.filter(({ id }) => ids.includes(id));
}

/** The command, for whoever reads the tables: nothing that says how far it had come. */
function typed(): string {
  const given = process.argv.slice(2).filter((argument) => !["--resume", "--overwrite", "--json"].includes(argument));
  return ["npx edgebook", ...given].join(" ");
}

function tellPlan({ data, folds, protocol }: Planned): void {
  tell(`${data.rows} rows of ${[...data.sets.keys()].join(", ")}; ${protocol}`);
  for (const { fit, validation, test } of folds) {
    const [from, to] = [data.times[test[0] as number] as number, data.times[test.at(-1) as number] as number];
    tell(`${fit.length} rows fit, ${validation.length} validate, ${test.length} are scored (${when(from)} … ${when(to)} UTC)`);
  }
}

function tell(message: string): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  console.error(`edgebook: ${message}`);
}
