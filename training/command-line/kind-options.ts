/** The options of `edgebook train` and `search` that are of trees or of lines (a corrected line has those of both), and the refusal of those that are of something else. */

import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { CORRECTION_DEFAULTS } from "../train/correction.ts";
import { LINE_DEFAULTS, type LineSettings } from "../train/fit-lines.ts";
import { type RunObjective, type RunTreeSettings, TREE_DEFAULTS } from "../train/fit-trees.ts";
import type { RunKind } from "../train/run-rows.ts";
import type { TreeGrowth } from "../trees/contract.ts";
import { collect, countingNumber, numberFromZero, positiveNumber } from "./options.ts";

export interface KindOptions {
  readonly seed: number;
  readonly learningRate: number;
  readonly patience: number;
  readonly workers?: number;
  readonly loss?: LossName;
  readonly level?: number;
  readonly rounds: number;
  readonly growth: TreeGrowth["kind"];
  readonly leaves: number;
  readonly depth?: number;
  readonly bins: number;
  readonly lambda: number;
  readonly leafHessian: number;
  readonly leafRows: number;
  readonly leastGain: number;
  readonly rowShare: number;
  readonly columnShare: number;
  readonly monotone: readonly string[];
  readonly lambdas?: readonly number[];
  readonly intercept: boolean;
}

export const LOSS_NAMES = ["squared", "absolute", "huber", "quantile"] as const;
export type LossName = (typeof LOSS_NAMES)[number];

/** Deeper than balanced trees of so many leaves ever get, and where a leaf-wise tree that isn't balanced ends. */
const LEAF_WISE_DEPTH = 64;
const DEPTH_WISE_DEPTH = 6;
const USUAL_LEAVES = mostLeavesOf(TREE_DEFAULTS);
/** What was measured to pay; more are for large data, and asked for. */
const USUAL_THREADS = 2;

/** Which kinds take an option, where not all do. */
const KINDS_OF_OPTION: Readonly<Record<string, readonly RunKind[]>> = {
  ...ofKinds(
    ["network"],
    ["epochs", "batch", "accumulate", "optimiser", "weightDecay", "momentum", "nesterov", "schedule", "warmup", "everyEpochs"],
  ),
  ...ofKinds(
    ["network"],
    ["factor", "clipNorm", "clipValue", "size", "backend", "leastEpochs", "hidden", "dropout", "line", "horizonWeights"],
  ),
  ...ofKinds(["network", "trees", "corrected"], ["seed", "workers", "learningRate", "patience", "resume"]),
  ...ofKinds(["network", "trees"], ["loss"]),
  ...ofKinds(["network", "trees", "lines"], ["targetClip"]),
  ...ofKinds(["trees", "corrected"], ["rounds", "growth", "leaves", "depth", "bins", "lambda", "leafHessian", "leafRows", "leastGain"]),
  ...ofKinds(["trees", "corrected"], ["rowShare", "columnShare", "only", "leastRounds"]),
  ...ofKinds(["trees"], ["monotone", "level"]),
  ...ofKinds(["lines", "corrected"], ["lambdas", "intercept"]),
};

/** Options that another one makes use of, and with which of its values. One that isn't given has its first or usual value. */
const MADE_USE_OF: Readonly<Record<string, { readonly by: string; readonly values: readonly string[] }>> = {
  momentum: { by: "optimiser", values: ["sgd", "rmsprop"] },
  nesterov: { by: "optimiser", values: ["sgd"] },
  everyEpochs: { by: "schedule", values: ["step"] },
  factor: { by: "schedule", values: ["step"] },
  leaves: { by: "growth", values: ["leaf-wise"] },
  hidden: { by: "model", values: ["mlp"] },
  dropout: { by: "model", values: ["mlp"] },
  loss: { by: "answer", values: ["moves"] },
  horizonWeights: { by: "answer", values: ["moves"] },
  targetClip: { by: "answer", values: ["moves"] },
  intercept: { by: "answer", values: ["moves"] },
};

const NAMES: Readonly<Record<RunKind, string>> = {
  network: "networks",
  trees: "trees",
  lines: "lines",
  corrected: "lines corrected by trees",
};

export function addKindOptions(command: Command): Command {
  const trees = TREE_DEFAULTS;
  const other = CORRECTION_DEFAULTS;
  return command
    .option("--rounds <number>", "trees: at most; training stops early when validation no longer improves", countingNumber, trees.rounds)
    .addOption(
      new Option("--growth <name>", "trees: the leaf that gains most first, or level by level")
        .choices(["leaf-wise", "depth-wise"])
        .default("leaf-wise"),
    )
    .option(
      "--leaves <number>",
      `trees: at most, of leaf-wise growth (corrected ${mostLeavesOf(other)})`,
      countingNumber,
      mostLeavesOf(trees),
    )
    .option("--depth <levels>", `trees: at most (leaf-wise ${LEAF_WISE_DEPTH}, depth-wise ${DEPTH_WISE_DEPTH})`, countingNumber)
    .option("--bins <number>", "trees: of each column, 255 at most", countingNumber, trees.maxBins)
    .option("--lambda <number>", `trees: L2 of the leaves' values (corrected ${other.lambda})`, numberFromZero, trees.lambda)
    .option("--leaf-rows <number>", `trees: fewest rows in a leaf (corrected ${other.minRows})`, countingNumber, trees.minRows)
    .option("--leaf-hessian <number>", "trees: least sum of hessians in a leaf", numberFromZero, trees.minHessian)
    .option("--least-gain <number>", "trees: of a split", numberFromZero, trees.minGain)
    .option("--row-share <share>", `trees: of the rows, drawn for each tree (corrected ${other.rowShare})`, positiveNumber, trees.rowShare)
    .option(
      "--column-share <share>",
      `trees: of the columns, drawn for each tree (corrected ${other.columnShare})`,
      positiveNumber,
      trees.columnShare,
    )
    .option("--monotone <column=direction>", "trees: 1: answers never fall as the column rises; -1: never rise (repeatable)", collect, [])
    .option("--level <share>", "trees: of --loss quantile; 0.9: nine of ten moves lie below", positiveNumber)
    .option("--lambdas <list>", "lines: penalties, with commas; validation chooses", penalties)
    .option("--intercept", "lines: of moves, with a drift of their own", LINE_DEFAULTS.hasIntercept);
}

/** Throws CommandError where an option was given that this kind of model, or another option, makes nothing of. @param own what the command itself takes, of any kind. */
export function refuseUnused(command: Command, kind: RunKind, { model, own = [] }: { model: string; own?: readonly string[] }): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli") continue;
    const kinds = own.includes(name) ? undefined : KINDS_OF_OPTION[name];
    if (kinds !== undefined && !kinds.includes(kind))
      throw new CommandError(
        `${option.long} is of ${kinds.map((of) => NAMES[of]).join(" and ")}, and ${model} is none of them: leave it out`,
      );
    const { by = "", values = [] } = MADE_USE_OF[name] ?? {};
    const value: unknown = command.getOptionValue(by);
    if (typeof value === "string" && !values.includes(value))
      throw new CommandError(`${option.long} is of --${by} ${values.join(" and ")}, and ${value} makes nothing of it: leave it out`);
  }
}

/** @param given.columns of the dataset, for --monotone. Throws CommandError for settings that don't fit. */
export function treeSettingsOf(
  options: KindOptions,
  { kind, command, columns }: { kind: RunKind; command: Command; columns: readonly string[] },
): RunTreeSettings {
  const usual = kind === "corrected" ? CORRECTION_DEFAULTS : TREE_DEFAULTS;
  const given = <Value>(name: keyof KindOptions, value: Value, otherwise: Value): Value =>
    command.getOptionValueSource(name) === "cli" ? value : otherwise;
  return {
    seed: options.seed,
    objective: objectiveOf(options),
    rounds: given("rounds", options.rounds, usual.rounds),
    learningRate: given("learningRate", options.learningRate, usual.learningRate),
    growth: growthOf({ ...options, leaves: given("leaves", options.leaves, mostLeavesOf(usual)) }),
    maxBins: options.bins,
    lambda: given("lambda", options.lambda, usual.lambda),
    minHessian: options.leafHessian,
    minRows: given("leafRows", options.leafRows, usual.minRows),
    minGain: options.leastGain,
    rowShare: given("rowShare", options.rowShare, usual.rowShare),
    columnShare: given("columnShare", options.columnShare, usual.columnShare),
    monotone: monotoneOf(options.monotone, columns),
    earlyStoppingRounds: given("patience", options.patience, usual.earlyStoppingRounds),
  };
}

export function threadsOf({ workers }: KindOptions): number {
  return workers ?? Math.min(availableParallelism(), USUAL_THREADS);
}

export function lineSettingsOf({ lambdas, intercept }: KindOptions): LineSettings {
  return { lambdas: lambdas ?? null, hasIntercept: intercept };
}

function objectiveOf({ loss, level }: KindOptions): RunObjective {
  if (loss === "huber") throw new CommandError("trees learn by --loss squared, absolute or quantile");
  if (loss !== "quantile" && level !== undefined) throw new CommandError("--level is of --loss quantile");
  if (loss === "quantile") {
    if (level === undefined) throw new CommandError("--loss quantile takes --level, e.g. 0.9: the value below which nine of ten moves lie");
    return { kind: "quantile", level };
  }
  return { kind: loss === "absolute" ? "absolute-error" : "squared-error" };
}

function mostLeavesOf({ growth }: RunTreeSettings): number {
  return growth.kind === "leaf-wise" ? growth.maxLeaves : USUAL_LEAVES;
}

function growthOf({ growth, leaves, depth }: KindOptions): TreeGrowth {
  if (growth === "depth-wise") return { kind: growth, maxDepth: depth ?? DEPTH_WISE_DEPTH };
  return { kind: growth, maxLeaves: leaves, maxDepth: depth ?? LEAF_WISE_DEPTH };
}

function monotoneOf(texts: readonly string[], columns: readonly string[]): (-1 | 0 | 1)[] | null {
  if (texts.length === 0) return null;
  const directions = columns.map((): -1 | 0 | 1 => 0);
  for (const text of texts) {
    const [, name = "", sign] = /^(.+)=(\+?1|-1)$/.exec(text) ?? [];
    const column = columns.indexOf(name);
    if (sign === undefined) throw new CommandError(`--monotone ${text} is not of the form column=1 or column=-1`);
    if (column < 0) throw new CommandError(`--monotone ${text}: the dataset has no column "${name}"`);
    directions[column] = sign === "-1" ? -1 : 1;
  }
  return directions;
}

function penalties(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!values.every((value) => value >= 0 && Number.isFinite(value)))
    throw new InvalidArgumentError("numbers of 0 or more are wanted, with commas.");
  return values;
}

function ofKinds(kinds: readonly RunKind[], names: readonly string[]): Record<string, readonly RunKind[]> {
  return Object.fromEntries(names.map((name) => [name, kinds]));
}
