/** `edgebook search`: which settings to train with. */

import { Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { readDataset } from "../datasets/dataset-reader.ts";
import { withHorizons } from "../datasets/horizons.ts";
import { TrainingInterrupted } from "../engine/contract.ts";
import { claimSearch, openTrainings, remembering, writeFound } from "../search/search-folder.ts";
import { SearchInterrupted, type SearchResult, searchSettings, type TrainOnce, type Trial } from "../search/search-settings.ts";
import type { Drawn } from "../search/space.ts";
import { allFamilies, kindOfFamily, type RunKind } from "../train/run-rows.ts";
import { DEFAULT_SHARES } from "../train/split.ts";
import { terminalProgress } from "./bars.ts";
import { listenForInterrupt, tellHowToResume, tellItIsGone } from "./interrupt.ts";
import { addKindOptions, refuseUnused } from "./kind-options.ts";
import { backendOption, countingNumber, horizonsOption, jsonOption, positiveNumber, wholeNumber } from "./options.ts";
import { print, printJson, table } from "./report.ts";
import { type SearchOptions, type SearchTask, taskOf } from "./search-tasks.ts";
import { addSettingOptions } from "./train-options.ts";

interface SearchCommandOptions extends SearchOptions {
  readonly configurations: number;
  readonly halving: number;
  readonly out?: string;
  readonly horizons?: readonly number[];
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly json: boolean;
}

/** Of the table; the file and --json hold all. */
const SHOWN_TRIALS = 10;
/** How `train` is told what was found. Settings without an option are in the file. */
const OPTION_OF: Readonly<Record<string, string>> = {
  learningRate: "--learning-rate",
  batch: "--batch",
  patience: "--patience",
  accumulate: "--accumulate",
  "optimiser.weightDecay": "--weight-decay",
  "optimiser.momentum": "--momentum",
  "schedule.warmupSteps": "--warmup",
  "clip.norm": "--clip-norm",
  "clip.value": "--clip-value",
  "growth.maxLeaves": "--leaves",
  "growth.maxDepth": "--depth",
  maxBins: "--bins",
  minRows: "--leaf-rows",
  minHessian: "--leaf-hessian",
  minGain: "--least-gain",
  rowShare: "--row-share",
  columnShare: "--column-share",
};

/** Of the search, or said of what was found in another way. */
const OF_SEARCH: ReadonlySet<string> = new Set([
  ...["data", "model", "configurations", "folds", "leastEpochs", "leastRounds", "halving", "space"],
  ...["out", "resume", "overwrite", "json", "epochs", "rounds"],
]);

const BUDGET_COLUMN: Readonly<Record<RunKind, string>> = {
  network: "loss after epochs",
  trees: "loss after rounds",
  lines: "loss",
  corrected: "loss after rounds",
};

export function searchCommand(): Command {
  const command = new Command("search")
    .description(
      "Tries settings on walk-forward folds inside the training part: many for a few epochs or rounds, the best third of them for longer, and so on. Neither the validation nor the test part of `train` is looked at.",
    )
    .requiredOption("--data <dir>", "dataset made by `edgebook dataset`")
    .option("--model <family>", `one of ${allFamilies().join(", ")}`, "mlp")
    .option("--configurations <number>", "how many are drawn, besides the usual settings", wholeNumber, 18)
    .option("--folds <number>", "each is trained once for each configuration and budget", wholeNumber, 3)
    .option("--least-epochs <number>", "that all are tried with; the last with --epochs", wholeNumber, 2)
    .option("--least-rounds <number>", "trees: that all are tried with; the last with --rounds", countingNumber, 50)
    .option("--halving <factor>", "times fewer configurations, and more epochs or rounds, from one round to the next", positiveNumber, 3)
    .option(
      "--space <file>",
      'JSON: {"learningRate": {"kind": "logarithmic", "low": 1e-4, "high": 1e-2}, "batch": {"kind": "choice", "values": [64, 256]}}; kinds: choice, linear, logarithmic, whole',
    )
    .option("--out <dir>", "keep each training there, so that it can go on after a stop, and in the end all trials as found.json")
    .option("--resume", "goes on with the search in --out, with the same options", false)
    .addOption(new Option("--overwrite", "replaces the search in --out").default(false).conflicts("resume"));
  return addKindOptions(addSettingOptions(command))
    .addOption(horizonsOption("some of the dataset's, as for `train`; all unless given"))
    .addOption(new Option("--loss <name>", "trees: of moves, what is made small").choices(["squared", "absolute", "quantile"]))
    .option("--train-share <share>", "as for `train`", positiveNumber, DEFAULT_SHARES.trainShare)
    .option("--validation-share <share>", "as for `train`", positiveNumber, DEFAULT_SHARES.validationShare)
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(runSearch);
}

async function runSearch(options: SearchCommandOptions, command: Command): Promise<void> {
  const kind = kindOfFamily(options.model);
  refuseUnused(command, kind, { model: options.model, own: ["resume"] });
  if (options.out === undefined && (options.resume || options.overwrite))
    throw new CommandError(`${options.resume ? "--resume" : "--overwrite"} is of a search that is kept: give --out`);
  const claim = options.out === undefined ? null : await claimSearch(options.out, options, warn);
  const { signal, release } = listenForInterrupt(warn);
  try {
    await searchInto(options, { kind, command, signal });
  } catch (error) {
    if (!(error instanceof SearchInterrupted || error instanceof TrainingInterrupted)) throw error;
    if (options.out === undefined) tellItIsGone("the search was interrupted, and nothing of it is kept without --out", warn);
    else tellHowToResume("the search was interrupted; all trainings so far are kept", warn);
  } finally {
    release();
    await claim?.release();
  }
}

async function searchInto(
  options: SearchCommandOptions,
  { kind, command, signal }: { kind: RunKind; command: Command; signal: AbortSignal },
): Promise<void> {
  const { model: family, seed, configurations, out } = options;
  const data = await readDataset(options.data);
  const dataset = options.horizons === undefined ? data : withHorizons(data, options.horizons);
  const task = await taskOf(kind, options, { dataset, command, signal });
  const { space, trials, usual } = task;
  const budgets = { ...task.budgets, factor: options.halving };
  const conditions = { data: dataset.card.sha256, ...conditionsOf(options, task) };
  const kept = out === undefined ? null : await openTrainings(out, { conditions, resume: options.resume });
  const trainOnce = stoppingAt(signal, trials.trainOnce);
  const progress = terminalProgress();
  progress.start("trying settings", null);
  const result = await searchSettings({
    space,
    folds: trials.folds,
    trainOnce: kept === null ? trainOnce : remembering(kept, trials.folds, trainOnce),
    configurations,
    seed,
    budgets,
    ...(usual === null ? {} : { first: [usual] }),
    onTrained: (done, total) => progress.update(done, `${done} of ${total} trainings`),
  }).finally(() => progress.stop());
  const found = { ...result, data: dataset.card.sha256, family, seed, space };
  if (out !== undefined) await writeFound(out, found);
  if (options.json) printJson(found);
  else printResult(result, options, { kind, command });
}

/** All that the outcome of a training hangs on, and which trainings there are. */
function conditionsOf(options: SearchCommandOptions, { space, budgets, settings, backend }: SearchTask): Record<string, string> {
  const { model, seed, configurations, folds, halving, trainShare, validationShare, horizons } = options;
  const all = {
    model,
    ...(horizons === undefined ? {} : { horizons }),
    seed,
    configurations,
    folds,
    halving,
    trainShare,
    validationShare,
    space,
    budgets,
    settings,
    backend,
  };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
}

/** A signal is heard between two trainings, which may both be over without a turn of the event loop. */
function stoppingAt<Fold>(signal: AbortSignal, trainOnce: TrainOnce<Fold>): TrainOnce<Fold> {
  return async (...training) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new SearchInterrupted();
    return trainOnce(...training);
  };
}

function warn(message: string): void {
  console.error(`edgebook: ${message}`);
}

function printResult(result: SearchResult, options: SearchCommandOptions, { kind, command }: { kind: RunKind; command: Command }): void {
  const { best, trials, configurations, trainings, failed } = result;
  const names = Object.keys(best.settings);
  const budget = kind === "lines" ? [] : [`--${kind === "network" ? "epochs" : "rounds"} ${best.rounds.at(-1)?.budget}`];
  const rows = trials
    .slice(0, SHOWN_TRIALS)
    .map((trial) => [...names.map((name) => String(trial.settings[name])), outcomeOf(trial, kind), foldsOf(trial)]);
  print(table([...names, BUDGET_COLUMN[kind], "of each fold"], rows));
  print(
    `${configurations} configurations tried in ${trainings} trainings${failed > 0 ? `, ${failed} failed` : ""}: the best of so many is partly luck, and its loss no score`,
  );
  const found = [...optionsOf(best.settings, kind), ...budget, ...givenBesides(best.settings, { kind, command })];
  print(`next: edgebook train --data ${options.data} --model ${options.model} ${found.join(" ")} --out RUN`);
}

function outcomeOf({ rounds, failure }: Trial, kind: RunKind): string {
  if (failure !== null) return failure;
  return rounds.map(({ loss, budget }) => (kind === "lines" ? loss.toFixed(5) : `${loss.toFixed(5)} after ${budget}`)).join(", ");
}

function foldsOf({ rounds }: Trial): string {
  return (rounds.at(-1)?.losses ?? []).map((loss) => loss.toFixed(4)).join(" ");
}

function optionsOf(settings: Drawn, kind: RunKind): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const option = optionOf(name, kind);
    return option === null || value === null ? [] : [`${option} ${value}`];
  });
}

function optionOf(setting: string, kind: RunKind): string | null {
  if (setting === "lambda") return kind === "lines" ? "--lambdas" : "--lambda";
  return OPTION_OF[setting] ?? null;
}

/** What the trainings of the search were told besides: without it `train` would train with something else. */
function givenBesides(drawn: Drawn, { kind, command }: { kind: RunKind; command: Command }): string[] {
  const found = new Set(Object.keys(drawn).map((name) => optionOf(name, kind)));
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (OF_SEARCH.has(name) || found.has(option.long ?? null) || command.getOptionValueSource(name) !== "cli") return [];
    const value: unknown = command.getOptionValue(name);
    if (value === true) return [`${option.long}`];
    return (Array.isArray(value) && name !== "lambdas" && name !== "horizons" ? value : [value]).map((one) => `${option.long} ${one}`);
  });
}
