/**
 * Reads what travels beside a model file: the manifest, and the pointer to the active one. Both are hostile until read here.
 *
 * Refused, with the first field at fault: text that is not JSON, unknown or missing fields, numbers that are not finite, a scale that is not
 * positive, and counts that contradict each other (columns, normaliser, input shape, golden vectors), rows that the family doesn't read and
 * answers that it doesn't give, and a calibration of what it doesn't answer (calibration-claims.ts).
 * The hash, the fingerprint and the golden outputs are judged by who has the file, the feature set and a runtime.
 */

import { z } from "zod";
import { horizonFault, horizonsOf } from "../core/labels/horizons.ts";
import { LABEL_KINDS } from "../core/labels/moves.ts";
import { findCalibrationContradiction } from "./calibration-claims.ts";
import {
  type ActiveModel,
  CLASS_ASKS,
  type ClassQuestionScore,
  FORECAST_TARGETS,
  type ModelFamily,
  type ModelManifest,
  type ModelOutput,
} from "./contract.ts";
import { familyAt } from "./forecasts.ts";
import { MODEL_FAMILIES } from "./registry.ts";
import { answerOfKind, inputShape, kindOf, outputOf, outputWidth } from "./shapes.ts";

/** Far above any model here; a bound so that a hostile manifest costs little. */
const MAX_COLUMNS = 4_096;
/** Rows times columns of a window; the widest here has 512 x 180. */
const MAX_WINDOW_NUMBERS = 131_072;
const MAX_GOLDEN = 256;
/** A hundred times what `export` writes of moves, which is far above what runtimes differ by. A file that asks for more wants no check. */
export const MAX_GOLDEN_TOLERANCE = 1e-2;
/** Bins of a calibration; ten are made where nothing else is said. */
const MAX_BINS = 1_000;
/** Beyond these lengths a text is no manifest of ours. */
const MAX_MANIFEST_CHARACTERS = 4_000_000;
const MAX_POINTER_CHARACTERS = 4_000;

/** Of a model: it becomes part of a key. */
export const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

/** A commit's hash, with "-dirty" behind it where tracked files differed from it. */
export const COMMIT_PATTERN = /^[0-9a-f]{40}(-dirty)?$/;

const name = z.string().regex(PLAIN_NAME, "not a plain name");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256 in lower-case hex");
const count = z.int().nonnegative();
const source = z.string().min(1).max(2_000);
const commit = z.string().regex(COMMIT_PATTERN, "not a commit's 40 hex digits").nullable();
const numbers = z.array(z.number()).min(1).max(MAX_COLUMNS);
/** Judged in one loop: of windows there are tens of thousands of numbers, which a schema for each takes most of a cold start's parsing for. */
const vector = z.custom<readonly number[]>(isVector, `not 1 to ${MAX_WINDOW_NUMBERS} finite numbers`);
const vectors = z.array(vector).min(1).max(MAX_GOLDEN);
const label = z.string().min(1).max(80);

const outputColumn = z.strictObject({
  target: z.enum(FORECAST_TARGETS),
  horizonMs: z.int().positive(),
  // Left out, not undefined: JSON knows no undefined.
  market: z.string().min(1).max(80).exactOptional(),
});

const classGroup = z.strictObject({
  asks: z.enum(CLASS_ASKS),
  target: z.enum(FORECAST_TARGETS),
  horizonMs: z.int().positive(),
  labels: z.array(label).min(2).max(80),
  thresholdBps: z.number().nonnegative(),
});

const output = z.discriminatedUnion("unit", [
  z.strictObject({ name, unit: z.literal("bps"), columns: z.array(outputColumn).min(1).max(MAX_COLUMNS) }),
  z.strictObject({ name, unit: z.literal("probability"), groups: z.array(classGroup).min(1).max(MAX_COLUMNS) }),
  z.strictObject({ name, unit: z.literal("normalised") }),
  z.strictObject({ name, unit: z.literal("reward"), actions: z.array(label).min(2).max(MAX_COLUMNS) }),
]);

const score = z.strictObject({
  ...outputColumn.shape,
  rows: count,
  r2: z.number().max(1),
  r2Low: z.number().max(1),
  r2High: z.number().max(1),
  ridgeR2: z.number().max(1),
  directionHitRate: z.number().min(0).max(1).nullable(),
  moves: count,
});

const correlation = z.number().min(-1).max(1).nullable();
const share = z.number().min(0).max(1);

const classScore = z.strictObject({
  ...classGroup.pick({ asks: true, target: true, horizonMs: true }).shape,
  rows: count,
  accuracy: share,
  macroF1: share,
  mcc: correlation,
  mccLow: correlation,
  mccHigh: correlation,
  // Of float32 probabilities, which may sum to a little more than 1: no bound is sharp.
  logLoss: z.number(),
  brier: z.number().nonnegative(),
  persistenceMcc: correlation,
  logisticMcc: correlation,
  logisticLogLoss: z.number().nullable(),
  majorityLogLoss: z.number(),
});

const calibrationBin = z.strictObject({
  upToBps: z.number().nullable(),
  lowBps: z.number(),
  highBps: z.number(),
  down: share,
  flat: share,
  up: share,
  rows: z.int().positive(),
});

const calibration = z.strictObject({
  from: z.number(),
  to: z.number(),
  rows: z.int().positive(),
  coverage: z.number().gt(0).lt(1),
  outputs: z
    .array(
      z.strictObject({
        target: z.enum(FORECAST_TARGETS),
        horizonMs: z.int().positive(),
        thresholdBps: z.number().nonnegative(),
        bins: z.array(calibrationBin).min(1).max(MAX_BINS),
      }),
    )
    .min(1)
    .max(MAX_COLUMNS),
});

const manifestShape: z.ZodType<ModelManifest> = z.strictObject({
  format: z.literal("edgebook-model/1"),
  id: name,
  version: name,
  family: name,
  featureSet: z.strictObject({
    id: z.string().min(1).max(80),
    fingerprint: z.string().regex(/^[0-9a-f]{16}$/, "not 16 lower-case hex digits"),
    columns: z.array(z.string().min(1).max(80)).min(1).max(MAX_COLUMNS),
  }),
  intervalMs: z.int().positive(),
  input: z.strictObject({
    name,
    shape: z
      .array(z.union([z.int().positive(), z.literal("batch")]))
      .min(1)
      .max(8),
  }),
  output,
  label: z.enum(LABEL_KINDS).exactOptional(),
  calibration: calibration.exactOptional(),
  normaliser: z.strictObject({ mean: numbers, scale: z.array(z.number().positive()).min(1).max(MAX_COLUMNS), clip: z.number().positive() }),
  opset: z.int().positive(),
  artifact: z.strictObject({ file: z.literal("model.onnx"), sha256, bytes: z.int().positive() }),
  trainedOn: z.strictObject({
    source,
    datasetSha256: sha256,
    from: z.number(),
    to: z.number(),
    rows: z.int().positive(),
    seed: z.int(),
    commit,
    ticksBps: z
      .strictObject({ low: z.number().positive(), high: z.number().positive() })
      .refine(({ low, high }) => low <= high, "low above high")
      .exactOptional(),
  }),
  scores: z.array(score).max(MAX_COLUMNS),
  classScores: z.array(classScore).max(MAX_COLUMNS).exactOptional(),
  scoredOn: z
    .strictObject({
      source,
      datasetSha256: sha256,
      from: z.number(),
      to: z.number(),
      rows: count,
      purgeMs: z.number().nonnegative(),
      commit,
    })
    .nullable(),
  golden: z.strictObject({ inputs: vectors, outputs: vectors, tolerance: z.number().positive().max(MAX_GOLDEN_TOLERANCE) }),
});

const activeShape: z.ZodType<ActiveModel> = z.strictObject({ id: name, version: name, manifestSha256: sha256 });

/** @returns the manifest, or the first thing wrong with it. */
export function parseManifest(text: string): { manifest: ModelManifest } | { malformed: string } {
  const read = parseShape(text, manifestShape, MAX_MANIFEST_CHARACTERS);
  if ("malformed" in read) return read;
  const contradiction = findContradiction(read.value);
  return contradiction === null ? { manifest: read.value } : { malformed: contradiction };
}

/** @returns the pointer to the served model, or the first thing wrong with it. */
export function parseActiveModel(text: string): { active: ActiveModel } | { malformed: string } {
  const read = parseShape(text, activeShape, MAX_POINTER_CHARACTERS);
  return "malformed" in read ? read : { active: read.value };
}

function parseShape<T>(text: string, shape: z.ZodType<T>, maxCharacters: number): { value: T } | { malformed: string } {
  if (text.length > maxCharacters) return { malformed: `${text.length} characters, more than ${maxCharacters}` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { malformed: `not JSON: ${text.slice(0, 60)}` };
  }
  const result = shape.safeParse(json);
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0];
  return { malformed: issue === undefined ? "not of this shape" : `${issue.path.join(".") || "(root)"}: ${issue.message}` };
}

function isVector(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 1 && value.length <= MAX_WINDOW_NUMBERS && value.every(Number.isFinite);
}

/** What the shape alone can't say: counts that must agree. Null when they do. */
function findContradiction(manifest: ModelManifest): string | null {
  for (const range of ["trainedOn", "scoredOn"] as const) {
    const { from, to } = manifest[range] ?? { from: 0, to: 0 };
    if (from > to) return `${range}: from ${from} lies after to ${to}`;
  }
  const family = MODEL_FAMILIES.get(manifest.family);
  if (family === undefined) return `family: "${manifest.family}" is not known here`;
  return (
    findInputContradiction(manifest, family) ??
    findOutputContradiction(manifest.output, family) ??
    findScoreContradiction(manifest) ??
    findCalibrationContradiction(manifest) ??
    findGoldenContradiction(manifest, family)
  );
}

function findInputContradiction(manifest: ModelManifest, family: ModelFamily): string | null {
  const columns = manifest.featureSet.columns.length;
  if (new Set(manifest.featureSet.columns).size !== columns) return "featureSet.columns: a name stands twice";
  const wrongRows = findRowContradiction(manifest, family);
  if (wrongRows !== null) return wrongRows;
  if (manifest.normaliser.mean.length !== columns)
    return `normaliser.mean: ${manifest.normaliser.mean.length} numbers for ${columns} columns`;
  if (manifest.normaliser.scale.length !== columns)
    return `normaliser.scale: ${manifest.normaliser.scale.length} numbers for ${columns} columns`;
  if (manifest.input.name !== family.inputName) return `input.name: "${manifest.input.name}", this family has "${family.inputName}"`;
  const shape = inputShape(family, columns).join(" x ");
  return manifest.input.shape.join(" x ") === shape ? null : `input.shape: ${manifest.input.shape.join(" x ")}, this family has ${shape}`;
}

/** Rows of a set that the family can't read, or of a layout that isn't its own. Whether a feature set is computed here, the loader judges. */
function findRowContradiction({ featureSet, intervalMs }: ModelManifest, { inputs, columns }: ModelFamily): string | null {
  if (columns !== null && featureSet.columns.length !== columns)
    return `featureSet.columns: ${featureSet.columns.length}, this family takes ${columns}`;
  if (inputs.kind === "features") {
    return inputs.featureSet === null || inputs.featureSet === featureSet.id
      ? null
      : `featureSet.id: "${featureSet.id}", this family reads "${inputs.featureSet}"`;
  }
  const { layout } = inputs;
  if (featureSet.fingerprint !== layout.fingerprint)
    return `featureSet.fingerprint: ${featureSet.fingerprint}, this family's own layout ${layout.id} has ${layout.fingerprint}`;
  if (intervalMs !== layout.intervalMs) return `intervalMs: ${intervalMs}, this family's own layout has ${layout.intervalMs}`;
  const at = layout.columns.findIndex((column, index) => column !== featureSet.columns[index]);
  return at < 0 ? null : `featureSet.columns.${at}: not that of this family's own layout`;
}

/** The manifest's answer must be one that the family gives, piece by piece; only the thresholds are the manifest's own, and a forecaster's horizons and question. */
function findOutputContradiction(told: ModelOutput, known: ModelFamily): string | null {
  const family = askedLike(told, known);
  if ("malformed" in family) return family.malformed;
  const answer = answerOfKind(family, kindOf(told));
  if (answer === null) return `output.unit: "${told.unit}", this family gives no ${kindOf(told)}`;
  const expected = outputOf(answer, told.unit === "probability" ? told.groups.map((group) => group.thresholdBps) : []);
  if (told.name !== expected.name) return `output.name: "${told.name}", this family has "${expected.name}"`;
  const [own, theirs] = [piecesOf(told), piecesOf(expected)];
  if (own.pieces.length !== theirs.pieces.length)
    return `output.${own.list}: ${own.pieces.length}, this family has ${theirs.pieces.length}`;
  const at = own.pieces.findIndex((piece, index) => piece !== theirs.pieces[index]);
  if (at >= 0) return `output.${own.list}.${at}: not in this family's order`;
  const unasked = told.unit === "probability" ? told.groups.findIndex(hasThresholdUnasked) : -1;
  return unasked >= 0 ? `output.groups.${unasked}.thresholdBps: a threshold, and no class for what stays within it` : null;
}

/** A forecaster as if it had been asked what the manifest answers; other families as they are. */
function askedLike(told: ModelOutput, family: ModelFamily): ModelFamily | { malformed: string } {
  if (family.forecasts === null || (told.unit !== "bps" && told.unit !== "probability")) return family;
  const [list, pieces] = told.unit === "bps" ? ["columns", told.columns] : ["groups", told.groups];
  const horizonsMs = horizonsOf(pieces);
  const fault = horizonFault(horizonsMs);
  if (fault !== null) return { malformed: `output.${list}: ${fault}` };
  const asks = told.unit === "probability" ? (told.groups[0]?.asks ?? null) : null;
  return familyAt(family, { horizonsMs, asks }) ?? { malformed: `output.groups.0.asks: "${asks}", this family doesn't answer that` };
}

/** Each piece as a text that is equal where all its fields are, in whichever order a file has them. */
function piecesOf(output: ModelOutput): { list: string; pieces: readonly string[] } {
  const sorted = (piece: object): string => JSON.stringify(Object.entries(piece).sort());
  if (output.unit === "bps") return { list: "columns", pieces: output.columns.map(sorted) };
  if (output.unit === "probability") return { list: "groups", pieces: output.groups.map(sorted) };
  return { list: "actions", pieces: output.unit === "reward" ? output.actions : [] };
}

function hasThresholdUnasked({ labels, thresholdBps }: { labels: readonly string[]; thresholdBps: number }): boolean {
  return labels.length === 2 && thresholdBps !== 0;
}

/** A score of what isn't asked would be shown as the skill of an answer that nobody gets. */
function findScoreContradiction({ classScores = [], output: told }: ModelManifest): string | null {
  const asked = told.unit === "probability" ? told.groups : [];
  const isAsked = (score: ClassQuestionScore): boolean =>
    asked.some(({ asks, target, horizonMs }) => asks === score.asks && target === score.target && horizonMs === score.horizonMs);
  const at = classScores.findIndex((score) => !isAsked(score));
  return at >= 0 ? `classScores.${at}: of a question that this model doesn't answer` : null;
}

function findGoldenContradiction({ golden, featureSet, output: told }: ModelManifest, { window }: ModelFamily): string | null {
  const columns = featureSet.columns.length;
  const numbersIn = window * columns;
  const numbersOut = outputWidth(told, numbersIn);
  if (golden.inputs.length !== golden.outputs.length) return `golden: ${golden.inputs.length} inputs, ${golden.outputs.length} outputs`;
  const of = window === 1 ? `${columns} columns` : `${window} rows of ${columns} columns`;
  const wrongIn = golden.inputs.findIndex((row) => row.length !== numbersIn);
  if (wrongIn >= 0) return `golden.inputs.${wrongIn}: ${golden.inputs[wrongIn]?.length} numbers for ${of}`;
  const wrongOut = golden.outputs.findIndex((row) => row.length !== numbersOut);
  return wrongOut >= 0 ? `golden.outputs.${wrongOut}: ${golden.outputs[wrongOut]?.length} numbers for ${numbersOut} outputs` : null;
}
