/**
 * Scores a run on rows that it never saw: the test part of its own dataset, or the whole of another one. Refused: data of the time and market that
 * it was trained on, other features, targets of another label or without one of its horizons, and a run without a test part where no other data are given.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import { freeR2 } from "../../core/labels/averaged.ts";
import { DEFAULT_LABEL_KIND, type LabelKind, labelKindOf } from "../../core/labels/moves.ts";
import { exponential } from "../../core/math/elementary.ts";
import type { ClassesOutput, ModelCalibration } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { type DatasetPart, describeSource } from "../datasets/card.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { fi2010Days } from "../datasets/fi2010-layout.ts";
import { refuseFittedLater } from "../datasets/fit-end.ts";
import { simulatedSeed } from "../datasets/simulated-source.ts";
import type { Runtime } from "../runtime/contract.ts";
import { answerRun, type RunAnswers } from "../train/answer-run.ts";
import { classesOf } from "../train/class-targets.ts";
import { rowsWithHistory } from "../train/prepared-rows.ts";
import type { RunCard } from "../train/run-card.ts";
import type { Run } from "../train/run-folder.ts";
import { familyOf, seenByRun } from "../train/run-rows.ts";
import { splitByTime } from "../train/split.ts";
import { type CalibratedScore, scoreCalibration } from "./calibrated-scores.ts";
import { type ClassScore, scoreQuestion } from "./class-scores.ts";
import { lastClasses } from "./last-classes.ts";
import { type ReconstructionScore, scoreReconstruction } from "./reconstruction-score.ts";
import { type DetailedScore, type OutputRows, scoreOutput } from "./scores.ts";

export interface Evaluation {
  readonly format: "edgebook-scores/1";
  readonly datasetSha256: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly purgeMs: number;
  /** Of the targets that were scored; absent: point. */
  readonly label?: LabelKind;
  /** Of the code that scored, as training/commit.ts tells it. */
  readonly commit: string | null;
  /** Of moves; empty for other answers. */
  readonly scores: readonly DetailedScore[];
  /** What the run's calibration holds here; absent where there is none. */
  readonly calibrated?: readonly CalibratedScore[];
  /** Of a run that answers classes. */
  readonly classes?: readonly ClassScore[];
  /** Of a run that answers reconstructions; null where there are too few rows. */
  readonly reconstruction?: ReconstructionScore | null;
  /** The same for each market and source, where there are several. */
  readonly byPart: readonly {
    readonly market: string;
    readonly source: string;
    readonly rows: number;
    readonly scores: readonly DetailedScore[];
    readonly classes?: readonly ClassScore[];
  }[];
}

/** Above this at five seconds and more, no honest forecast of a liquid market has been seen: look for what leaks. */
const SUSPICIOUS_R2 = 0.4;
export const SUSPICIOUS_FROM_MS = 5_000;

/**
 * @param options.commit of the code that runs; null where unknown.
 * @param options.calibration of the run (fit-calibration.ts), to be judged too; null or absent: none.
 */
export async function evaluateRun(
  run: Run,
  data: Dataset,
  { runtime, commit, calibration = null }: { runtime: Runtime; commit: string | null; calibration?: ModelCalibration | null },
): Promise<Evaluation> {
  const dataset = seenByRun(run.card, data);
  const { family } = familyOf(run.card.family, dataset, run.card.model);
  const label = labelKindOf(run.card);
  const rows = rowsWithHistory(dataset, unseenRows(run.card, dataset), family);
  const answers = await answerRun(run, dataset, { rows, runtime });
  const all = Array.from({ length: rows.length }, (_, index) => index);
  const { parts } = dataset.card;
  const byPart = parts.flatMap((part, partIndex) => {
    const chosen = all.filter((index) => dataset.parts[rows[index] as number] === partIndex);
    return chosen.length === 0
      ? []
      : [{ market: part.market, source: part.source, rows: chosen.length, ...scoresOf(dataset, run, { answers, rows, chosen }) }];
  });
  const times = rows.reduce((range, row) => widen(range, dataset.times[row] as number), {
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
  });
  return {
    format: "edgebook-scores/1",
    datasetSha256: dataset.card.sha256,
    source: describeSource(dataset.card),
    ...times,
    rows: rows.length,
    purgeMs: run.card.split.purgeMs,
    ...(label === DEFAULT_LABEL_KIND ? {} : { label }),
    commit,
    ...scoresOf(dataset, run, { answers, rows, chosen: all }),
    ...(calibration === null
      ? {}
      : { calibrated: calibratedScores(dataset, run, { calibration, scored: { answers, rows, chosen: all } }) }),
    ...(answers.output.unit === "normalised" ? { reconstruction: reconstructionOf(run, answers, family.window) } : {}),
    byPart: parts.length > 1 ? byPart : [],
  };
}

/** What looks too good to be true, as sentences. */
export function suspicionsOf(evaluation: Evaluation): string[] {
  return evaluation.scores
    .filter(({ horizonMs, r2 }) => horizonMs >= SUSPICIOUS_FROM_MS && r2 > suspiciousR2(evaluation, horizonMs))
    .map(
      ({ target, horizonMs, r2 }) =>
        `R² ${r2.toFixed(3)} of ${target} at ${horizonMs / 1_000} s is above ${suspiciousR2(evaluation, horizonMs).toFixed(2)}: suspect a leak. \`edgebook evaluate --leak-check\` asks whether the scoring sees labels; whether a column knows the future, look at the columns`,
    );
}

/** Of smoothed targets so much of what the past alone doesn't explain of a random walk's. */
export function suspiciousR2(evaluation: Pick<Evaluation, "label">, horizonMs: number): number {
  const free = labelKindOf(evaluation) === "smoothed" ? freeR2(horizonMs / FEATURE_INTERVAL_MS) : 0;
  return free + (1 - free) * SUSPICIOUS_R2;
}

/** Row numbers that the run has not seen. Throws CommandError when the data were, or can't be, fed to it. */
export function unseenRows(card: RunCard, dataset: Dataset): Uint32Array {
  if (dataset.card.featureSet.fingerprint !== card.featureSet.fingerprint) {
    throw new CommandError(
      `the dataset has the features ${dataset.card.featureSet.id} ${dataset.card.featureSet.fingerprint}, the run was trained on ${card.featureSet.id} ${card.featureSet.fingerprint}: make a dataset with the same, or train again`,
    );
  }
  const [label, trained] = [labelKindOf(dataset.card), labelKindOf(card)];
  if (label !== trained)
    throw new CommandError(
      `the dataset has ${label} targets, the run was trained on ${trained} ones: make a dataset with --label ${trained}, or train again`,
    );
  if (dataset.card.sha256 === card.data.sha256) {
    const { test } = splitByTime(dataset.times, card.split);
    if (test.length === 0) throw new CommandError("this run kept no test part: give it other data with --data DIR");
    return test;
  }
  refuseFittedLater(dataset.card, dataset.card.from);
  const seen = dataset.card.parts.find((part) => isSeen(card, part));
  if (seen !== undefined) {
    throw new CommandError(
      `the run was trained on ${seen.market} (${seen.source}) at that time: scores on it would say nothing. Take other data, or the run's own dataset, whose test part is kept apart`,
    );
  }
  return Uint32Array.from({ length: dataset.rows }, (_, row) => row);
}

/** Simulated markets share their clock and their names; what sets two apart is the seed. A shorter run of a seed is the beginning of a longer one. */
function isSeen(card: RunCard, part: DatasetPart): boolean {
  return card.data.markets.some((known) => {
    const [days, trained] = [fi2010Days(part.source), fi2010Days(known.source)];
    if (days !== null && trained !== null) return days.first <= trained.last && trained.first <= days.last;
    if (known.market !== part.market || part.from > known.to + card.split.purgeMs || part.to < known.from - card.split.purgeMs)
      return false;
    const [own, other] = [simulatedSeed(part.source), simulatedSeed(known.source)];
    return own !== null && other !== null ? own === other : true;
  });
}

interface Scored {
  readonly answers: RunAnswers;
  /** All rows that were answered. */
  readonly rows: Uint32Array;
  /** Which of them (indexes into rows) to score. */
  readonly chosen: readonly number[];
}

function scoresOf(dataset: Dataset, run: Run, scored: Scored): { scores: DetailedScore[]; classes?: ClassScore[] } {
  const { output } = scored.answers;
  if (output.unit === "bps") return { scores: moveScores(dataset, run, scored) };
  return { scores: [], ...(output.unit === "probability" ? { classes: classScores(dataset, output, scored) } : {}) };
}

/** Of the questions that the run was trained for. */
function classScores(dataset: Dataset, { groups }: ClassesOutput, { answers, rows, chosen }: Scored): ClassScore[] {
  const { intervalMs } = dataset.card;
  let from = 0;
  return groups.flatMap((group, question) => {
    const { thresholdBps, ...asked } = group;
    const cells = { from, width: group.labels.length, outputs: answers.prepared.outputs };
    from += cells.width;
    if (answers.isAnswered[question] === false) return [];
    const classes = classesOf(dataset, asked, thresholdBps);
    const last = lastClasses(dataset, asked, thresholdBps);
    const known = chosen.filter((index) => (classes[rows[index] as number] as number) >= 0);
    const score = scoreQuestion(
      asked,
      {
        actual: Int8Array.from(known, (index) => classes[rows[index] as number] as number),
        last: Int8Array.from(known, (index) => last[rows[index] as number] as number),
        probabilities: probabilitiesOf(answers.model, known, cells),
        logistic: answers.line === null ? null : probabilitiesOf(answers.line, known, cells),
      },
      intervalMs,
    );
    return score === null ? [] : [score];
  });
}

/** [chosen, width] softmax of the logits. */
function probabilitiesOf(
  logits: Float32Array,
  chosen: readonly number[],
  { from, width, outputs }: { from: number; width: number; outputs: number },
): Float64Array {
  const probabilities = new Float64Array(chosen.length * width);
  for (const [index, row] of chosen.entries()) {
    const own = Float64Array.from(logits.subarray(row * outputs + from, row * outputs + from + width));
    const largest = Math.max(...own);
    const powers = own.map((logit) => exponential(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    probabilities.set(
      powers.map((power) => power / sum),
      index * width,
    );
  }
  return probabilities;
}

function reconstructionOf({ card }: Run, { prepared, model }: RunAnswers, window: number): ReconstructionScore | null {
  const { rows, targets } = prepared;
  const { intervalMs } = card;
  return scoreReconstruction(
    { rows, targets, answers: model, columns: card.featureSet.columns },
    { windowMs: window * intervalMs, intervalMs },
  );
}

/** Of the moves that the run was trained for. */
function moveScores(dataset: Dataset, { card }: Run, scored: Scored): DetailedScore[] {
  return dataset.card.targets.flatMap((column, output) => {
    if (scored.answers.isAnswered[output] === false) return [];
    const scale = card.targetScale[output] as number;
    const score = scoreOutput(column, outputRows(dataset, scored, { output, scale }), dataset.card.intervalMs);
    return score === null ? [] : [score];
  });
}

function calibratedScores(
  dataset: Dataset,
  { card }: Run,
  { calibration, scored }: { calibration: ModelCalibration; scored: Scored },
): CalibratedScore[] {
  const { coverage } = calibration;
  const { intervalMs, targets } = dataset.card;
  return calibration.outputs.flatMap((calibrated) => {
    const output = targets.findIndex(({ target, horizonMs }) => target === calibrated.target && horizonMs === calibrated.horizonMs);
    if (output < 0) return [];
    const rows = outputRows(dataset, scored, { output, scale: card.targetScale[output] as number });
    return scoreCalibration(calibrated, rows, { coverage, intervalMs }) ?? [];
  });
}

function outputRows(dataset: Dataset, { answers, rows, chosen }: Scored, { output, scale }: { output: number; scale: number }): OutputRows {
  const { outputs } = dataset;
  const scored = chosen.filter((index) => dataset.mask[(rows[index] as number) * outputs + output] === 1);
  const inBps = (from: Float32Array | null): Float64Array =>
    Float64Array.from(scored, (index) => (from?.[index * outputs + output] ?? 0) * scale);
  return {
    actual: Float64Array.from(scored, (index) => dataset.targets[(rows[index] as number) * outputs + output] as number),
    predicted: inBps(answers.model),
    ridge: inBps(answers.line),
    times: Float64Array.from(scored, (index) => dataset.times[rows[index] as number] as number),
    priceTicks: pricesOf(
      dataset,
      scored.map((index) => rows[index] as number),
    ),
  };
}

/** [rows] the mean price of the part that each is of; null where one has none. */
function pricesOf({ card, parts }: Dataset, rows: readonly number[]): Float64Array | null {
  const prices = Float64Array.from(rows, (row) => card.parts[parts[row] as number]?.midTicks ?? Number.NaN);
  return prices.includes(Number.NaN) ? null : prices;
}

function widen(range: { from: number; to: number }, time: number): { from: number; to: number } {
  return { from: Math.min(range.from, time), to: Math.max(range.to, time) };
}
