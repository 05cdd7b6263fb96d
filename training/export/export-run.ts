/**
 * From a run to what is served: model.onnx and manifest.json. Both runtimes answer the golden vectors before anything is written; where they
 * disagree by more than the tolerance, nothing is. The manifest holds no time of making and no path, so equal runs give equal bytes.
 */

import { createHash } from "node:crypto";
import { rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClassQuestionScore, ModelCalibration, ModelManifest, ModelOutput, Score } from "../../models/contract.ts";
import { MAX_GOLDEN_TOLERANCE, parseManifest } from "../../models/manifest.ts";
import { prepareWindows } from "../../models/prepare.ts";
import { inputShape, outputWidth } from "../../models/shapes.ts";
import type { TrainedTicks } from "../../models/trained-ticks.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import type { ClassScore } from "../evaluate/class-scores.ts";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { makeFolder } from "../make-folder.ts";
import { outputFor } from "../networks/settings.ts";
import { OPSET } from "../onnx/model.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { loadRuntime } from "../runtime/registry.ts";
import type { Run } from "../train/run-folder.ts";
import { familyOf, seenByRun } from "../train/run-rows.ts";
import { goldenInputs } from "./golden.ts";
import { servedFileOf } from "./served-file.ts";

/** By unit, far below what matters; basis points: far below a tick. Two runtimes' float32 kernels differ by less in networks of a few layers. */
const TOLERANCES: Readonly<Record<ModelOutput["unit"], number>> = { bps: 1e-4, probability: 1e-5, normalised: 1e-4, reward: 1e-4 };
/** Deep networks add up rounding: so much of the largest answer is allowed them, and no more than a manifest may ask for. */
const RELATIVE_TOLERANCE = 1e-5;
const MODEL_FILE = "model.onnx";
const MANIFEST_FILE = "manifest.json";
/** Hex digits of the file's hash that make the version: the same weights have the same version, on any machine. */
const VERSION_DIGITS = 12;

export interface ExportOptions {
  readonly id: string;
  /** The dataset of the run: typical golden rows come from it. */
  readonly dataset: Dataset;
  /** Null: the model has not been scored, and its manifest says so. */
  readonly evaluation: Evaluation | null;
  /** From the run's validation rows (evaluate/fit-calibration.ts); null or absent: neither intervals nor probabilities are served. */
  readonly calibration?: ModelCalibration | null;
  /** Of its dataset's markets; null or absent: the manifest doesn't say. */
  readonly ticksBps?: TrainedTicks | null;
}

export interface ExportedModel {
  readonly model: Uint8Array;
  readonly manifest: ModelManifest;
  readonly manifestText: string;
  /** The largest difference between the two runtimes on the golden vectors, in the output's unit. */
  readonly difference: number;
}

/** Builds both files in memory. Throws CommandError when the runtimes disagree. */
export async function exportRun(run: Run, options: ExportOptions): Promise<ExportedModel> {
  const { card } = run;
  const dataset = seenByRun(card, options.dataset);
  if (dataset.card.unit === "class")
    throw new CommandError(
      "the run learnt classes as given, of rows that no market's feed computes: there is nothing to serve, `edgebook evaluate` scores it",
    );
  if (dataset.card.fit !== undefined)
    throw new CommandError(
      `the run's columns (${card.featureSet.id}) were fitted to rows of ${dataset.card.fit.market}, and no feed computes them, so no instance could serve it: \`edgebook evaluate\` scores it. To serve a model, train on one of docs/features.md's sets without a fit, e.g. v2`,
    );
  const { family, settings } = familyOf(card.family, dataset, card.model);
  const output = outputFor(family, settings.answer, card.model.thresholdsBps);
  const columns = card.featureSet.columns.length;
  const shape = inputShape(family, columns).slice(1).map(Number);
  const model = servedFileOf(run, { dataset, family, output, shape });
  const inputs = goldenInputs(dataset, card.normaliser, family.window);
  const prepared = prepareWindows(inputs, card.normaliser, family.window);
  const answer = (runtime: RuntimeName): Promise<number[][]> =>
    answerGolden(model, { runtime, input: { name: family.inputName, shape: [inputs.length, ...shape], data: prepared }, output });
  const outputs = await answer("wasm");
  const difference = largestDifference(outputs, await answer("node"));
  const tolerance = toleranceFor(output, outputs, difference);
  if (!(difference <= tolerance)) {
    throw new CommandError(
      `onnxruntime-node and onnxruntime-web differ by ${difference} ${output.unit} on the golden vectors, more than ${tolerance}: the model is not exported`,
    );
  }
  const sha256 = createHash("sha256").update(model).digest("hex");
  const manifest: ModelManifest = {
    format: "edgebook-model/1",
    id: options.id,
    version: sha256.slice(0, VERSION_DIGITS),
    family: family.id,
    featureSet: { id: card.featureSet.id, fingerprint: card.featureSet.fingerprint, columns: card.featureSet.columns },
    intervalMs: card.intervalMs,
    input: { name: family.inputName, shape: inputShape(family, columns) },
    output,
    ...(card.label === undefined ? {} : { label: card.label }),
    ...(options.calibration == null ? {} : { calibration: options.calibration }),
    normaliser: card.normaliser,
    opset: OPSET,
    artifact: { file: MODEL_FILE, sha256, bytes: model.length },
    trainedOn: {
      source: card.data.source,
      datasetSha256: card.data.sha256,
      from: card.split.trainFrom,
      to: card.split.trainTo,
      rows: card.split.trainRows,
      // Lines draw nothing.
      seed: run.kind === "lines" ? 0 : run.card.settings.seed,
      commit: card.commit,
      ...(options.ticksBps == null ? {} : { ticksBps: options.ticksBps }),
    },
    ...scoresFor(options.evaluation),
    golden: { inputs, outputs, tolerance },
  };
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
  const read = parseManifest(manifestText);
  if ("malformed" in read) throw new Error(`the manifest that was just written is not one: ${read.malformed}`);
  return { model, manifest, manifestText, difference };
}

/** Throws CommandError where a model lies in the folder: another one in its place would be served under its name. */
export async function refuseExported(folder: string): Promise<void> {
  for (const file of [MANIFEST_FILE, MODEL_FILE]) {
    if ((await stat(join(folder, file)).catch(() => null)) === null) continue;
    throw new CommandError(`${folder} holds an exported model: name another --out, or replace it with --overwrite`);
  }
}

/** The manifest is written last: a folder with one is whole. */
export async function writeExport(folder: string, exported: ExportedModel): Promise<void> {
  await makeFolder(folder);
  await writeFile(join(folder, MODEL_FILE), exported.model);
  const path = join(folder, MANIFEST_FILE);
  await writeFile(`${path}.tmp`, exported.manifestText);
  await rename(`${path}.tmp`, path);
}

/** What its unit allows, or, where the runtimes don't agree so far, what the size of the answers does; an answer that is no number has none. */
function toleranceFor(output: ModelOutput, answers: number[][], difference: number): number {
  const usual = TOLERANCES[output.unit];
  if (difference <= usual || difference === Number.POSITIVE_INFINITY) return usual;
  const largest = answers.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Math.min(Math.max(usual, RELATIVE_TOLERANCE * largest), MAX_GOLDEN_TOLERANCE);
}

async function answerGolden(
  model: Uint8Array,
  options: { runtime: RuntimeName; input: { name: string; shape: readonly number[]; data: Float32Array }; output: ModelOutput },
): Promise<number[][]> {
  const { input, output } = options;
  const session = await (await loadRuntime(options.runtime)).open(model);
  const answer = await session.run({ [input.name]: input });
  await session.release();
  const flat = Array.from(answer[output.name] as Float32Array);
  const [rows = 0, ...sizes] = input.shape;
  const width = outputWidth(
    output,
    sizes.reduce((product, size) => product * size, 1),
  );
  return Array.from({ length: rows }, (_, row) => flat.slice(row * width, (row + 1) * width));
}

/** Infinity when an answer is missing or not a number. */
function largestDifference(one: number[][], other: number[][]): number {
  let largest = 0;
  for (const [row, values] of one.entries()) {
    for (const [column, value] of values.entries()) {
      const difference = Math.abs(value - (other[row]?.[column] ?? Number.NaN));
      if (!(difference <= Number.MAX_VALUE)) return Number.POSITIVE_INFINITY;
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}

/** Of reconstructions scores.json of the run tells. */
export function hasManifestScores({ reconstruction }: Evaluation): boolean {
  return reconstruction === undefined;
}

function scoresFor(evaluation: Evaluation | null): Pick<ModelManifest, "scores" | "classScores" | "scoredOn"> {
  // A manifest has room for scores of moves and classes alone.
  if (evaluation === null || !hasManifestScores(evaluation)) return { scores: [], scoredOn: null };
  const { source, datasetSha256, from, to, rows, purgeMs, commit, classes } = evaluation;
  const scoredOn = { source, datasetSha256, from, to, rows, purgeMs, commit };
  if (classes !== undefined) return { scores: [], classScores: classes.map(classScoreFor), scoredOn };
  return { scores: evaluation.scores.map(scoreFor), scoredOn };
}

function scoreFor({ target, horizonMs, rows, r2, r2Low, r2High, ridgeR2, directionHitRate, moves }: DetailedScore): Score {
  return { target, horizonMs, rows, r2, r2Low, r2High, ridgeR2, directionHitRate, moves };
}

function classScoreFor(score: ClassScore): ClassQuestionScore {
  const { asks, target, horizonMs, rows, model, intervals, persistence, logistic, majority } = score;
  const { accuracy, macroF1, mcc } = model;
  return {
    asks,
    target,
    horizonMs,
    rows,
    accuracy,
    macroF1,
    mcc,
    mccLow: intervals.mcc?.low ?? null,
    mccHigh: intervals.mcc?.high ?? null,
    logLoss: known(model.logLoss),
    brier: known(model.brier),
    persistenceMcc: persistence.mcc,
    logisticMcc: logistic?.mcc ?? null,
    logisticLogLoss: logistic?.logLoss ?? null,
    majorityLogLoss: known(majority.logLoss),
  };
}

/** Whatever gives probabilities has it. */
function known(measure: number | null): number {
  if (measure === null) throw new Error("a model of classes was scored without its probabilities");
  return measure;
}
