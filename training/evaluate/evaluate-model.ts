/**
 * Scores an exported model on a dataset of its feature set: what an edge would have answered to these rows. Rows of the time that it was trained, chosen or
 * calibrated on are left out, and told; where none is left it is refused, as are other features, labels, horizons and steps.
 *
 * There is no ridge beside it: a manifest holds none, and nothing is fitted here.
 */

import { applyBins } from "../../core/calibration/by-bins.ts";
import { directionOf } from "../../core/labels/classes.ts";
import { horizonsOf } from "../../core/labels/horizons.ts";
import { type LabelKind, labelKindOf } from "../../core/labels/moves.ts";
import type { ModelManifest, MovesOutput } from "../../models/contract.ts";
import { windowOf } from "../../models/shapes.ts";
import { CommandError } from "../command-error.ts";
import { type DatasetPart, describeSource } from "../datasets/card.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { withHorizons } from "../datasets/horizons.ts";
import { simulatedSeed } from "../datasets/simulated-source.ts";
import { classesOf } from "../train/class-targets.ts";
import { inputsBetween } from "../train/input-table.ts";
import { prepareRows, rowsWithHistory } from "../train/prepared-rows.ts";
import { lookBackOf } from "../train/run-rows.ts";
import { purgeFor } from "../train/split.ts";
import type { CalibratedRows } from "./calibrated-rows.ts";
import { type ClassScore, scoreQuestion } from "./class-scores.ts";
import { type ForecastScore, scoreForecasts } from "./forecast-score.ts";
import { lastClasses } from "./last-classes.ts";
import { answerOf, type OpenModel } from "./model-folder.ts";

export interface ModelEvaluation {
  readonly format: "edgebook-model-scores/1";
  readonly model: Pick<ModelManifest, "id" | "version" | "family">;
  readonly datasetSha256: string;
  readonly source: string;
  readonly label: LabelKind;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** Rows that it may have learnt from, and those near them. */
  readonly leftOut: number;
  readonly commit: string | null;
  /** Of moves. */
  readonly scores: readonly ForecastScore[];
  /** Of classes. */
  readonly classes: readonly ClassScore[];
}

/** Numbers that go in at once: 4 MB. */
const BLOCK_FLOATS = 1_048_576;

export async function evaluateModel(model: OpenModel, data: Dataset, { commit }: { commit: string | null }): Promise<ModelEvaluation> {
  const { manifest, family } = model;
  const { output } = manifest;
  if (output.unit !== "bps" && output.unit !== "probability")
    throw new CommandError(`${manifest.id} answers in ${output.unit}: moves and classes are scored`);
  refuseOthers(manifest, data);
  refuseUnknownEnd(manifest, data);
  const dataset = output.unit === "bps" ? withHorizons(data, horizonsOf(output.columns)) : data;
  const whole = rowsWithHistory(
    dataset,
    Uint32Array.from({ length: dataset.rows }, (_, row) => row),
    family,
  );
  const rows = whole.filter((row) => !mayBeSeen(model, dataset, row));
  if (rows.length === 0)
    throw new CommandError(
      `${manifest.id} was trained on ${manifest.trainedOn.source} at this time: scores on it would say nothing. Take other data`,
    );
  const answers = await answersTo(model, dataset, rows);
  const times = Array.from(rows, (row) => dataset.times[row] as number);
  return {
    format: "edgebook-model-scores/1",
    model: { id: manifest.id, version: manifest.version, family: manifest.family },
    datasetSha256: data.card.sha256,
    source: describeSource(data.card),
    label: labelKindOf(manifest),
    from: times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY),
    to: times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY),
    rows: rows.length,
    leftOut: whole.length - rows.length,
    commit,
    scores: output.unit === "bps" ? moveScores(dataset, { rows, answers, output, manifest }) : [],
    classes: output.unit === "bps" ? [] : classScores(dataset, { rows, answers, output }),
  };
}

function refuseOthers({ featureSet, intervalMs, ...manifest }: ModelManifest, { card }: Dataset): void {
  if (card.featureSet.fingerprint !== featureSet.fingerprint)
    throw new CommandError(
      `the dataset has the features ${card.featureSet.id} ${card.featureSet.fingerprint}, the model reads ${featureSet.id} ${featureSet.fingerprint}: make one with \`edgebook dataset --features ${featureSet.id}\``,
    );
  if (card.intervalMs !== intervalMs)
    throw new CommandError(`the dataset has rows of ${card.intervalMs} ms, the model reads ${intervalMs}`);
  const [label, wanted] = [labelKindOf(card), labelKindOf(manifest)];
  if (label !== wanted)
    throw new CommandError(
      `the dataset has ${label} targets, the model answers ${wanted} ones: make one with \`edgebook dataset --label ${wanted}\``,
    );
}

/**
 * Of the model's own data, or of a time that it may know: what it was trained on, what chose it and what calibrated it. Where it was scored on its own data
 * these end before that; else a calibration tells their end.
 */
function mayBeSeen({ manifest, family }: OpenModel, dataset: Dataset, row: number): boolean {
  const { trainedOn, calibration } = manifest;
  const { card } = dataset;
  const time = dataset.times[row] as number;
  const testedFrom = testedFromOf(manifest);
  if (card.sha256 === trainedOn.datasetSha256 && testedFrom !== null) return time < testedFrom;
  if (isOtherSimulation(trainedOn.source, card.parts[dataset.parts[row] as number])) return false;
  const purge = purgeFor(horizonsOf(card.targets), lookBackOf(dataset, family));
  const to = Math.max(trainedOn.to, calibration?.to ?? trainedOn.to);
  return time > trainedOn.from - purge && time < Math.max(to + purge, testedFrom ?? 0);
}

/** Where the test part of its own data begins; null: nothing tells. */
function testedFromOf({ trainedOn, scoredOn }: ModelManifest): number | null {
  return scoredOn?.datasetSha256 === trainedOn.datasetSha256 ? scoredOn.from : null;
}

/** A class has no calibration, and who wasn't scored no test part: nothing then tells the rows that stopped its training, or chose its penalty. */
function refuseUnknownEnd(manifest: ModelManifest, { card }: Dataset): void {
  const isKnown = manifest.calibration !== undefined || testedFromOf(manifest) !== null;
  if (card.sha256 !== manifest.trainedOn.datasetSha256 || isKnown) return;
  throw new CommandError(
    `${manifest.id} was trained on this dataset, and its manifest doesn't say which rows chose it: score the run with \`edgebook evaluate\` and export it again, or take other data`,
  );
}

/** Simulated markets share their clock; what sets two apart is the seed. */
function isOtherSimulation(source: string, part: DatasetPart | undefined): boolean {
  const [own, other] = [simulatedSeed(source), simulatedSeed(part?.source ?? "")];
  return own !== other;
}

async function answersTo(model: OpenModel, dataset: Dataset, rows: Uint32Array): Promise<Float32Array> {
  const { manifest, family } = model;
  const { normaliser } = manifest;
  // In basis points already: the file answers in the manifest's units.
  const targetScale = dataset.card.targets.map(() => 1);
  const prepared = prepareRows(dataset, rows, { family, normaliser, targetScale, targetClip: null });
  const block = Math.max(1, Math.floor(BLOCK_FLOATS / (windowOf(manifest) * dataset.columns)));
  const answers: Float32Array[] = [];
  for (let first = 0; first < rows.length; first += block) {
    const count = Math.min(block, rows.length - first);
    answers.push(await answerOf(model, inputsBetween(prepared, { first, count }), count));
  }
  const all = new Float32Array(answers.reduce((sum, part) => sum + part.length, 0));
  let done = 0;
  for (const part of answers) {
    all.set(part, done);
    done += part.length;
  }
  return all;
}

interface Answered<Output> {
  readonly rows: Uint32Array;
  /** [rows, outputs] */
  readonly answers: Float32Array;
  readonly output: Output;
}

function moveScores(
  dataset: Dataset,
  { rows, answers, output, manifest }: Answered<MovesOutput> & { manifest: ModelManifest },
): ForecastScore[] {
  const { outputs, card, mask, targets } = dataset;
  return output.columns.flatMap(({ target, horizonMs }, place) => {
    const column = card.targets.findIndex((one) => one.target === target && one.horizonMs === horizonMs);
    if (column < 0) throw new CommandError(`the dataset has no moves of the ${target} over ${horizonMs / 1_000} s`);
    const known = Array.from(rows.keys()).filter((at) => mask[(rows[at] as number) * outputs + column] === 1);
    const actual = Float64Array.from(known, (at) => targets[(rows[at] as number) * outputs + column] as number);
    const predicted = Float64Array.from(known, (at) => answers[at * output.columns.length + place] as number);
    const said = calibratedBy(manifest, { target, horizonMs }, { actual, predicted });
    const times = Float64Array.from(known, (at) => dataset.times[rows[at] as number] as number);
    return scoreForecasts({ target, horizonMs }, { times, actual, predicted, ridge: null, said }, card.intervalMs) ?? [];
  });
}

/** By the manifest's own calibration; null: it has none. */
function calibratedBy(
  { calibration }: ModelManifest,
  { target, horizonMs }: { target: string; horizonMs: number },
  { actual, predicted }: { actual: Float64Array; predicted: Float64Array },
): CalibratedRows | null {
  const own = calibration?.outputs.find((one) => one.target === target && one.horizonMs === horizonMs);
  if (own === undefined || calibration === undefined) return null;
  const read = Array.from(predicted, (forecast) => applyBins(own, forecast));
  return {
    wanted: calibration.coverage,
    probabilities: Float64Array.from(read.flatMap(({ down, flat, up }) => [down, flat, up])),
    low: Float64Array.from(read, ({ lowBps }) => lowBps),
    high: Float64Array.from(read, ({ highBps }) => highBps),
    came: Int8Array.from(actual, (move) => directionOf(move, own.thresholdBps)),
  };
}

function classScores(
  dataset: Dataset,
  { rows, answers, output }: Answered<Extract<ModelManifest["output"], { unit: "probability" }>>,
): ClassScore[] {
  const width = output.groups.reduce((sum, { labels }) => sum + labels.length, 0);
  let from = 0;
  return output.groups.flatMap(({ thresholdBps, ...question }) => {
    const first = from;
    from += question.labels.length;
    const classes = classesOf(dataset, question, thresholdBps);
    const last = lastClasses(dataset, question, thresholdBps);
    const known = Array.from(rows.keys()).filter((at) => (classes[rows[at] as number] as number) >= 0);
    const pick = (of: Int8Array): Int8Array => Int8Array.from(known, (at) => of[rows[at] as number] as number);
    const probabilities = Float64Array.from(known.flatMap((at) => [...answers.subarray(at * width + first, at * width + from)]));
    return (
      scoreQuestion(question, { actual: pick(classes), last: pick(last), probabilities, logistic: null }, dataset.card.intervalMs) ?? []
    );
  });
}
