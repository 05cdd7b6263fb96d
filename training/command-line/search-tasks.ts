/** What `edgebook search` is to try, by the kind of model: the space of settings, the trainings on folds, and their budgets. */

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { loadFastestRuntime, loadRuntime } from "../runtime/registry.ts";
import { NETWORK_SPACE, networkTrials } from "../search/network-trials.ts";
import { LINE_SPACE, lineTrials, type Trials, treeSpaceOf, treeTrials } from "../search/other-trials.ts";
import { drawnFrom, withDrawn } from "../search/settings-path.ts";
import { type Drawn, parseSpace, type Space } from "../search/space.ts";
import type { LineSettings } from "../train/fit-lines.ts";
import type { RunKind } from "../train/run-rows.ts";
import { type KindOptions, lineSettingsOf, threadsOf, treeSettingsOf } from "./kind-options.ts";
import { type SettingOptions, settingsOf } from "./train-options.ts";

export interface SearchOptions extends SettingOptions, KindOptions {
  readonly data: string;
  readonly model: string;
  readonly folds: number;
  readonly leastEpochs: number;
  readonly leastRounds: number;
  readonly space?: string;
  readonly trainShare: number;
  readonly validationShare: number;
  readonly backend: RuntimeName;
}

export interface SearchTask {
  readonly space: Space;
  readonly trials: Trials;
  readonly budgets: { readonly least: number; readonly most: number };
  /** Null: the settings as they stand are none of the space. */
  readonly usual: Drawn | null;
  /** What isn't drawn, and what computes it: the outcome of a training hangs on both. */
  readonly settings: object;
  readonly backend: string;
}

interface Given {
  readonly dataset: Dataset;
  readonly command: Command;
  readonly signal: AbortSignal;
}

type TaskOf = (options: SearchOptions, given: Given) => Promise<SearchTask>;

export function taskOf(kind: RunKind, options: SearchOptions, given: Given): Promise<SearchTask> {
  return TASKS[kind](options, given);
}

const TASKS: Readonly<Record<RunKind, TaskOf>> = {
  async network(options, { dataset, signal }) {
    const { model: family, trainShare, validationShare, folds } = options;
    const runtime = options.backend === "wasm" ? await loadRuntime("wasm") : await loadFastestRuntime(warn);
    const settings = settingsOf(runtime.name === "wasm" ? { ...options, workers: 1 } : options, runtime.name);
    const space = await spaceFor(options, settings, NETWORK_SPACE);
    const trials = networkTrials({ dataset, family, runtime, settings, shares: { trainShare, validationShare }, folds, signal });
    const budgets = { least: options.leastEpochs, most: options.epochs };
    return { space, trials, budgets, usual: drawnFrom(settings, Object.keys(space)), settings, backend: runtime.name };
  },
  trees: (options, given) => treesTask(options, given),
  corrected: (options, given) => treesTask(options, given, lineSettingsOf(options)),
  async lines(options, { dataset }) {
    const { model: family, trainShare, validationShare, folds } = options;
    const space = await spaceFor(options, { lambda: 1 }, LINE_SPACE);
    const settings = lineSettingsOf(options);
    const trials = lineTrials({ dataset, family, settings, shares: { trainShare, validationShare }, folds });
    return { space, trials, budgets: { least: 1, most: 1 }, usual: null, settings, backend: "lines" };
  },
};

/** @param line what the trees correct. */
async function treesTask(options: SearchOptions, { dataset, command, signal }: Given, line?: LineSettings): Promise<SearchTask> {
  const { model: family, trainShare, validationShare, folds } = options;
  const kind = line === undefined ? "trees" : "corrected";
  const settings = treeSettingsOf(options, { kind, command, columns: dataset.card.featureSet.columns });
  const space = await spaceFor(options, settings, treeSpaceOf(settings.growth.kind));
  const told = line === undefined ? {} : { line };
  const shares = { trainShare, validationShare };
  const trials = treeTrials({ dataset, family, settings, ...told, threads: threadsOf(options), shares, folds, signal });
  const budgets = { least: Math.min(options.leastRounds, options.rounds), most: options.rounds };
  return { space, trials, budgets, usual: drawnFrom(settings, Object.keys(space)), settings: { ...settings, ...told }, backend: kind };
}

async function spaceFor(options: SearchOptions, settings: object, usual: Space): Promise<Space> {
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
