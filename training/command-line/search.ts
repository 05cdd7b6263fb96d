/** `edgebook search`: which settings to train with. */

import { readFile, writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { loadFastestRuntime, loadRuntime } from "../runtime/registry.ts";
import { NETWORK_SPACE, networkTrials } from "../search/network-trials.ts";
import { LINE_SPACE, lineTrials, TREE_SPACE, type Trials, treeTrials } from "../search/other-trials.ts";
import { type SearchResult, searchSettings, type Trial } from "../search/search-settings.ts";
import { drawnFrom, withDrawn } from "../search/settings-path.ts";
import { type Drawn, parseSpace, type Space } from "../search/space.ts";
import { allFamilies, kindOfFamily, type RunKind } from "../train/run-rows.ts";
import { DEFAULT_SHARES } from "../train/split.ts";
import { terminalProgress } from "./bars.ts";
import { addKindOptions, type KindOptions, lineSettingsOf, refuseUnused, threadsOf, treeSettingsOf } from "./kind-options.ts";
import { backendOption, countingNumber, jsonOption, positiveNumber, wholeNumber } from "./options.ts";
import { print, printJson, table } from "./report.ts";
import { addSettingOptions, type SettingOptions, settingsOf } from "./train-options.ts";

interface SearchCommandOptions extends SettingOptions, KindOptions {
  readonly data: string;
  readonly model: string;
  readonly configurations: number;
  readonly folds: number;
  readonly leastEpochs: number;
  readonly leastRounds: number;
  readonly halving: number;
  readonly space?: string;
  readonly out?: string;
  readonly trainShare: number;
  readonly validationShare: number;
  readonly backend: RuntimeName;
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

const BUDGET_COLUMN: Readonly<Record<RunKind, string>> = { network: "loss after epochs", trees: "loss after rounds", lines: "loss" };

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
    .option("--out <file>", "write all trials as JSON");
  return addKindOptions(addSettingOptions(command))
    .addOption(new Option("--loss <name>", "trees: of moves, what is made small").choices(["squared", "absolute", "quantile"]))
    .option("--train-share <share>", "as for `train`", positiveNumber, DEFAULT_SHARES.trainShare)
    .option("--validation-share <share>", "as for `train`", positiveNumber, DEFAULT_SHARES.validationShare)
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(runSearch);
}

interface Task {
  readonly space: Space;
  readonly trials: Trials;
  readonly budgets: { readonly least: number; readonly most: number };
  /** Null: the settings as they stand are none of the space. */
  readonly usual: Drawn | null;
}

async function runSearch(options: SearchCommandOptions, command: Command): Promise<void> {
  const { model: family, seed, configurations } = options;
  const kind = kindOfFamily(family);
  refuseUnused(command, kind, family);
  const dataset = await readDataset(options.data);
  const { space, trials, budgets, usual } = await TASKS[kind](options, dataset, command);
  const progress = terminalProgress();
  progress.start("trying settings", null);
  const result = await searchSettings({
    space,
    ...trials,
    configurations,
    seed,
    budgets: { ...budgets, factor: options.halving },
    ...(usual === null ? {} : { first: [usual] }),
    onTrained: (done, total) => progress.update(done, `${done} of ${total} trainings`),
  }).finally(() => progress.stop());
  const found = { ...result, data: dataset.card.sha256, family, seed, space };
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(found, null, 2)}\n`);
  if (options.json) printJson(found);
  else printResult(result, options, kind);
}

type TaskOf = (options: SearchCommandOptions, dataset: Dataset, command: Command) => Promise<Task>;

const TASKS: Readonly<Record<RunKind, TaskOf>> = {
  async network(options, dataset) {
    const { model: family, trainShare, validationShare, folds } = options;
    const runtime = options.backend === "wasm" ? await loadRuntime("wasm") : await loadFastestRuntime(warn);
    const settings = settingsOf(runtime.name === "wasm" ? { ...options, workers: 1 } : options, runtime.name);
    const space = await spaceFor(options, settings, NETWORK_SPACE);
    const trials = networkTrials({ dataset, family, runtime, settings, shares: { trainShare, validationShare }, folds });
    const budgets = { least: options.leastEpochs, most: options.epochs };
    return { space, trials, budgets, usual: drawnFrom(settings, Object.keys(space)) };
  },
  async trees(options, dataset, command) {
    const { model: family, trainShare, validationShare, folds } = options;
    const settings = treeSettingsOf(options, command, dataset.card.featureSet.columns);
    const space = await spaceFor(options, settings, TREE_SPACE);
    const trials = treeTrials({ dataset, family, settings, threads: threadsOf(options), shares: { trainShare, validationShare }, folds });
    const budgets = { least: Math.min(options.leastRounds, options.rounds), most: options.rounds };
    return { space, trials, budgets, usual: drawnFrom(settings, Object.keys(space)) };
  },
  async lines(options, dataset) {
    const { model: family, trainShare, validationShare, folds } = options;
    const settings = { lambda: 1 };
    const space = await spaceFor(options, settings, LINE_SPACE);
    const trials = lineTrials({ dataset, family, settings: lineSettingsOf(options), shares: { trainShare, validationShare }, folds });
    return { space, trials, budgets: { least: 1, most: 1 }, usual: null };
  },
};

async function spaceFor(options: SearchCommandOptions, settings: object, usual: Space): Promise<Space> {
  return options.space === undefined ? usual : readSpace(options.space, settings);
}

function warn(message: string): void {
  console.error(`edgebook: ${message}`);
}

async function readSpace(path: string, settings: object): Promise<Space> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) throw new CommandError(`there is no file ${path}`);
  const read = parseSpace(parseJson(text));
  if ("malformed" in read) throw new CommandError(`${path} is no space of settings: ${read.malformed}`);
  for (const [name, dimension] of Object.entries(read.space))
    withDrawn(settings, { [name]: dimension.kind === "choice" ? (dimension.values[0] ?? null) : dimension.low });
  return read.space;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function printResult(result: SearchResult, options: SearchCommandOptions, kind: RunKind): void {
  const { best, trials, configurations, trainings, failed } = result;
  const names = Object.keys(best.settings);
  const budget = kind === "lines" ? "" : ` --${kind === "trees" ? "rounds" : "epochs"} ${best.rounds.at(-1)?.budget}`;
  const rows = trials
    .slice(0, SHOWN_TRIALS)
    .map((trial) => [...names.map((name) => String(trial.settings[name])), outcomeOf(trial, kind), foldsOf(trial)]);
  print(table([...names, BUDGET_COLUMN[kind], "of each fold"], rows));
  print(
    `${configurations} configurations tried in ${trainings} trainings${failed > 0 ? `, ${failed} failed` : ""}: the best of so many is partly luck, and its loss no score`,
  );
  print(`next: edgebook train --data ${options.data} --model ${options.model} ${optionsOf(best.settings, kind)}${budget} --out RUN`);
}

function outcomeOf({ rounds, failure }: Trial, kind: RunKind): string {
  if (failure !== null) return failure;
  return rounds.map(({ loss, budget }) => (kind === "lines" ? loss.toFixed(5) : `${loss.toFixed(5)} after ${budget}`)).join(", ");
}

function foldsOf({ rounds }: Trial): string {
  return (rounds.at(-1)?.losses ?? []).map((loss) => loss.toFixed(4)).join(" ");
}

function optionsOf(settings: Drawn, kind: RunKind): string {
  const known: Readonly<Record<string, string>> = { ...OPTION_OF, lambda: kind === "lines" ? "--lambdas" : "--lambda" };
  return Object.entries(settings)
    .flatMap(([name, value]) => (known[name] === undefined || value === null ? [] : [`${known[name]} ${value}`]))
    .join(" ");
}
