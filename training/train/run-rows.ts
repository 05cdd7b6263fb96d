/** What every run is made of, whatever is trained: the family checked against the dataset, the split, the statistics, the prepared rows, and what of it the card tells. */

import { horizonsOf } from "../../core/labels/horizons.ts";
import { DEFAULT_LABEL_KIND, type LabelKind, labelColumns, labelKindOf, stepsBehind } from "../../core/labels/moves.ts";
import type { AnswerKind, ModelFamily, ModelOutput } from "../../models/contract.ts";
import { familyAt } from "../../models/forecasts.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { answerOfKind } from "../../models/shapes.ts";
import { CommandError } from "../command-error.ts";
import { describeSource } from "../datasets/card.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { STANDS_FOR } from "../datasets/fi2010-layout.ts";
import { refuseFittedLater } from "../datasets/fit-end.ts";
import { withHorizons } from "../datasets/horizons.ts";
import { servedRowsOf } from "../datasets/phases.ts";
import { trainableFamilies } from "../networks/registry.ts";
import { checkNetworkSettings, defaultSettings, type NetworkSettings } from "../networks/settings.ts";
import type { PreparedRows } from "./contract.ts";
import { fitStatistics, type RowStatistics } from "./fit-statistics.ts";
import { prepareRows, rowsWithHistory } from "./prepared-rows.ts";
import type { CommonCard } from "./run-card.ts";
import { DEFAULT_SHARES, purgeFor, type Split, type SplitSettings, splitByTime } from "./split.ts";

/**
 * A move beyond this many root mean squares counts as one of that size while training, unless a run says otherwise: leaps would rule the loss. At 5 ridge
 * and mlp lost .016 to .026 of their R² at a second, at which leaps can be foreseen; at 20 they keep nearly all of it (training/README.md).
 */
export const TARGET_CLIP = 20;

/** What a run cuts at. */
export interface Cuts {
  /** What moves are cut at while training, in root mean squares; null: nothing. TARGET_CLIP unless told. */
  readonly targetClip?: number | null | undefined;
  /** What inputs are cut at, always, in standard deviations. INPUT_CLIP unless told. */
  readonly inputClip?: number | undefined;
}

export type Shares = Pick<SplitSettings, "trainShare" | "validationShare">;

/** What is trained for a family: a network, or what has a trainer of its own. A line corrected by trees is a run of trees, which has a line besides. */
export type RunKind = "network" | "trees" | "lines" | "corrected";

const OTHER_KINDS: ReadonlyMap<string, RunKind> = new Map([
  ["trees", "trees"],
  ["linear", "lines"],
  ["corrected", "corrected"],
]);

export function kindOfFamily(id: string): RunKind {
  return OTHER_KINDS.get(id) ?? "network";
}

/** Those that learn from datasets of features. */
export function allFamilies(): string[] {
  return [...trainableFamilies(), ...OTHER_KINDS.keys()];
}

/**
 * The family with answers at the dataset's horizons. Throws CommandError when there is no such family, it doesn't learn from feature rows, or the
 * dataset's rows or targets are not those it takes.
 * @param settings null: the family as it is where nothing is said.
 */
export function familyOf(
  id: string,
  { card }: Pick<Dataset, "card">,
  settings: NetworkSettings | null = null,
): { family: ModelFamily; settings: NetworkSettings } {
  const known = MODEL_FAMILIES.get(id);
  if (known === undefined || !allFamilies().includes(id) || known.inputs.kind !== "features")
    throw new CommandError(`there is no model "${id}" to train: choose one of ${allFamilies().join(", ")}`);
  const chosen = settings ?? defaultSettings(known);
  const horizonsMs = horizonsOf(card.targets);
  if (card.unit === "class") refuseMoves(id, chosen);
  const family = familyAt(known, { horizonsMs, asks: chosen.asks ?? (card.unit === "class" ? "move" : null) });
  if (family === null) throw new CommandError(`${id} is not asked ${chosen.asks}: ${askedInstead(known)}`);
  if (chosen.asks !== undefined && chosen.answer !== "classes")
    throw new CommandError(`--asks ${chosen.asks} is of classes, and ${id} is to answer ${chosen.answer}: give --answer classes`);
  if (answerOfKind(family, chosen.answer) === null)
    throw new CommandError(`${id} gives no ${chosen.answer}: choose one of ${family.answers.map(({ kind }) => kind).join(", ")}`);
  refuseSettings(family, chosen);
  const wantedSet = known.inputs.featureSet;
  if (wantedSet !== null && wantedSet !== card.featureSet.id && wantedSet !== STANDS_FOR.get(card.featureSet.id))
    throw new CommandError(
      `${id} reads the features ${wantedSet}, the dataset has ${card.featureSet.id}: make one with \`edgebook dataset --features ${wantedSet}\``,
    );
  const [told, wanted] = [card.targets, labelColumns(horizonsMs)].map((columns) =>
    columns.map(({ target, horizonMs }) => `${target}@${horizonMs}`).join(" "),
  );
  if (told !== wanted) throw new CommandError(`the dataset's targets (${told}) are not those of ${id} (${wanted}): make the dataset again`);
  return { family, settings: chosen };
}

function refuseSettings(family: ModelFamily, settings: NetworkSettings): void {
  try {
    checkNetworkSettings(family, settings);
  } catch (error) {
    throw error instanceof RangeError ? new CommandError(error.message) : error;
  }
}

/** Of given classes nobody knows how far the price went, nor when it went next. */
function refuseMoves(id: string, { answer, asks }: NetworkSettings): void {
  if (answer === "moves" || asks === "next-change")
    throw new CommandError(
      `the dataset holds classes of moves as given, and ${id} is to answer ${answer === "moves" ? "moves" : "which change comes next"}: give --answer classes --asks move`,
    );
}

function askedInstead({ forecasts }: ModelFamily): string {
  return forecasts === null ? "its answers are always the same" : `choose one of ${forecasts.asks.join(", ")}`;
}

/** The dataset as a run sees it, with the targets of the run's horizons alone. Throws CommandError where it lacks one. */
export function seenByRun({ outputs }: Pick<CommonCard, "outputs">, dataset: Dataset): Dataset {
  return withHorizons(dataset, horizonsOf(outputs));
}

/** How far back a row sees, in ms: it is seen with its window, and the oldest of that with its warm-up; a smoothed target begins a horizon before its row. */
export function lookBackOf({ card }: Pick<Dataset, "card">, { window }: Pick<ModelFamily, "window">): number {
  const { featureSet, intervalMs, targets } = card;
  const steps = Math.max(...targets.map(({ horizonMs }) => horizonMs)) / intervalMs;
  return Math.max(featureSet.warmupMs + (window - 1) * intervalMs, stepsBehind(labelKindOf(card), steps) * intervalMs);
}

export interface RunRows {
  readonly family: ModelFamily;
  readonly model: NetworkSettings;
  readonly shares: Shares;
  readonly purgeMs: number;
  readonly split: Split;
  readonly statistics: RowStatistics;
  /** What its moves are cut at, in root mean squares; null: they are as they are. */
  readonly targetClip: number | null;
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
}

/**
 * @param only the moves or questions that are trained, e.g. "mid@5000"; all unless told.
 * Throws CommandError where too few rows are left, or a class or a move has none.
 */
export function rowsOfRun(
  dataset: Dataset,
  { family, model, ...options }: { family: ModelFamily; model: NetworkSettings; shares?: Shares; only?: readonly string[] } & Cuts,
): RunRows {
  const { targetClip = TARGET_CLIP, inputClip } = options;
  const shares = options.shares ?? DEFAULT_SHARES;
  const horizons = dataset.card.targets.map((column) => column.horizonMs);
  const purgeMs = purgeFor(horizons, lookBackOf(dataset, family));
  const split = splitWithHistory(
    dataset,
    splitByTime(dataset.times, { ...shares, purgeMs, servedRows: servedRowsOf(dataset.card) }),
    family,
  );
  refuseFittedLater(dataset.card, split.validationFrom);
  const parts = preparedParts(dataset, split, { family, answer: model.answer, targetClip, inputClip });
  if (model.answer === "moves") refuseUnanswered(dataset, parts, options.only ?? []);
  return { family, model, shares, purgeMs, split, targetClip, ...parts };
}

/** A move of which no row tells would be forecast all the same, by what the weights began with. */
function refuseUnanswered(dataset: Dataset, { train, validation }: Pick<RunRows, "train" | "validation">, only: readonly string[]): void {
  for (const [output, { target, horizonMs }] of dataset.card.targets.entries()) {
    if (only.length > 0 && !only.includes(`${target}@${horizonMs}`)) continue;
    const part = hasAnswer(train, output) ? (hasAnswer(validation, output) ? null : "validate") : "train";
    if (part === null) continue;
    throw new CommandError(
      `no row to ${part} on tells where the ${target} is ${horizonMs / 1_000} s later: no stretch without a gap is so long. ${withoutHorizon(dataset, horizonMs)}Record longer; of imported events \`edgebook dataset --over-gaps-from ${horizonMs}\` lets such targets reach over silences`,
    );
  }
}

function withoutHorizon({ card }: Dataset, horizonMs: number): string {
  const others = horizonsOf(card.targets).filter((other) => other < horizonMs);
  return others.length === 0 ? "" : `Leave it out with \`--horizons ${others.join(",")}\`. `;
}

function hasAnswer({ rows, outputs, mask }: PreparedRows, output: number): boolean {
  for (let row = 0; row < rows; row++) if (mask[row * outputs + output] === 1) return true;
  return false;
}

/** Statistics of the training rows, and both parts prepared by them. */
export function preparedParts(
  dataset: Dataset,
  rows: Pick<Split, "train" | "validation">,
  { targetClip = TARGET_CLIP, ...model }: { family: ModelFamily; answer: AnswerKind } & Cuts,
): Pick<RunRows, "statistics" | "train" | "validation"> {
  const statistics = fitStatistics(dataset, rows.train, model);
  const train = prepareRows(dataset, rows.train, { ...statistics, targetClip });
  const validation = prepareRows(dataset, rows.validation, { ...statistics, targetClip: null });
  return { statistics, train, validation };
}

/** All of the card that doesn't hang on what was trained. */
export function factsOf(
  dataset: Dataset,
  rows: RunRows,
  options: { dataFolder: string; commit: string | null },
): Omit<CommonCard, "ridgeLambdas" | "validation"> {
  const { output, normaliser, targetScale } = rows.statistics;
  return {
    format: "edgebook-run/2",
    commit: options.commit,
    family: rows.family.id,
    model: { ...rows.model, thresholdsBps: thresholdsOf(output) },
    data: dataFacts(dataset, options.dataFolder),
    featureSet: dataset.card.featureSet,
    intervalMs: dataset.card.intervalMs,
    outputs: dataset.card.targets,
    ...labelFact(dataset.card.label),
    split: { ...rows.shares, purgeMs: rows.purgeMs, ...splitFacts(dataset, rows.split) },
    normaliser: { mean: [...normaliser.mean], scale: [...normaliser.scale], clip: normaliser.clip },
    targetScale,
    targetClip: rows.targetClip,
  };
}

/** With rows that have a whole window behind them alone. */
function splitWithHistory(dataset: Dataset, split: Split, family: ModelFamily): Split {
  const [train, validation] = [rowsWithHistory(dataset, split.train, family), rowsWithHistory(dataset, split.validation, family)];
  if (train.length === 0 || validation.length === 0)
    throw new CommandError(
      `no row to ${train.length === 0 ? "train" : "validate"} on has ${family.window} rows before the next gap: record or simulate longer`,
    );
  return { ...split, train, validation };
}

/** Said only where it isn't what silence means. */
function labelFact(label: LabelKind = DEFAULT_LABEL_KIND): Pick<CommonCard, "label"> {
  return label === DEFAULT_LABEL_KIND ? {} : { label };
}

function thresholdsOf(output: ModelOutput): number[] {
  return output.unit === "probability" ? output.groups.map(({ thresholdBps }) => thresholdBps) : [];
}

function dataFacts(dataset: Dataset, folder: string): CommonCard["data"] {
  return {
    folder,
    sha256: dataset.card.sha256,
    source: describeSource(dataset.card),
    markets: dataset.card.parts.map(({ market, source, from, to }) => ({ market, source, from, to })),
  };
}

/** How many of the rows are of each phase of the second. */
function phasesOfRows({ card, parts }: Dataset, rows: Uint32Array): { phaseMs: number; rows: number }[] {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const { phaseMs = 0 } = card.parts[parts[row] as number] ?? {};
    counts.set(phaseMs, (counts.get(phaseMs) ?? 0) + 1);
  }
  return [...counts].map(([phaseMs, count]) => ({ phaseMs, rows: count }));
}

function splitFacts(dataset: Dataset, split: Split): Omit<CommonCard["split"], "trainShare" | "validationShare" | "purgeMs"> {
  let trainFrom = Number.POSITIVE_INFINITY;
  let trainTo = Number.NEGATIVE_INFINITY;
  for (const row of split.train) {
    const time = dataset.times[row] as number;
    trainFrom = Math.min(trainFrom, time);
    trainTo = Math.max(trainTo, time);
  }
  const { validationFrom, testFrom } = split;
  const phases = phasesOfRows(dataset, split.train);
  return {
    ...(phases.length > 1 ? { trainPhases: phases } : {}),
    validationFrom,
    testFrom,
    trainRows: split.train.length,
    validationRows: split.validation.length,
    trainFrom,
    trainTo,
  };
}
