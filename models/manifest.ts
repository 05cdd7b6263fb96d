/**
 * Reads what travels beside a model file: the manifest, and the pointer to the active one. Both are hostile until read here.
 *
 * Refused, with the first field at fault: text that is not JSON, unknown or missing fields, numbers that are not finite, a scale that is not
 * positive, and counts that contradict each other (columns, normaliser, input shape, golden vectors, outputs of the family).
 * The hash, the fingerprint and the golden outputs are judged by who has the file, the feature set and a runtime.
 */

import { z } from "zod";
import { type ActiveModel, FORECAST_TARGETS, type ModelManifest } from "./contract.ts";
import { MODEL_FAMILIES } from "./registry.ts";

/** Far above any model here; a bound so that a hostile manifest costs little. */
const MAX_COLUMNS = 4_096;
const MAX_GOLDEN = 256;
/** Basis points: a hundred times what `export` writes, which is far above what runtimes differ by. A file that asks for more wants no check. */
const MAX_GOLDEN_TOLERANCE = 1e-2;
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
const vectors = z.array(numbers).min(1).max(MAX_GOLDEN);

const outputColumn = z.strictObject({ target: z.enum(FORECAST_TARGETS), horizonMs: z.int().positive() });

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
  output: z.strictObject({ name, columns: z.array(outputColumn).min(1).max(MAX_COLUMNS), unit: z.literal("bps") }),
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
  }),
  scores: z.array(score).max(MAX_COLUMNS),
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

/** What the shape alone can't say: counts that must agree. Null when they do. */
function findContradiction(manifest: ModelManifest): string | null {
  for (const range of ["trainedOn", "scoredOn"] as const) {
    const { from, to } = manifest[range] ?? { from: 0, to: 0 };
    if (from > to) return `${range}: from ${from} lies after to ${to}`;
  }
  const columns = manifest.featureSet.columns.length;
  const outputs = manifest.output.columns.length;
  const family = MODEL_FAMILIES.get(manifest.family);
  if (family === undefined) return `family: "${manifest.family}" is not known here`;
  if (new Set(manifest.featureSet.columns).size !== columns) return "featureSet.columns: a name stands twice";
  if (manifest.normaliser.mean.length !== columns)
    return `normaliser.mean: ${manifest.normaliser.mean.length} numbers for ${columns} columns`;
  if (manifest.normaliser.scale.length !== columns)
    return `normaliser.scale: ${manifest.normaliser.scale.length} numbers for ${columns} columns`;
  if (manifest.input.name !== family.inputName) return `input.name: "${manifest.input.name}", this family has "${family.inputName}"`;
  if (manifest.output.name !== family.outputName) return `output.name: "${manifest.output.name}", this family has "${family.outputName}"`;
  const shape = family.inputShape(columns).join(" x ");
  if (manifest.input.shape.join(" x ") !== shape) return `input.shape: ${manifest.input.shape.join(" x ")}, this family has ${shape}`;
  if (outputs !== family.outputs.length) return `output.columns: ${outputs}, this family has ${family.outputs.length}`;
  for (const [index, column] of family.outputs.entries()) {
    const told = manifest.output.columns[index];
    if (told?.target !== column.target || told.horizonMs !== column.horizonMs) return `output.columns.${index}: not in this family's order`;
  }
  return findGoldenContradiction(manifest, columns, outputs);
}

function findGoldenContradiction({ golden }: ModelManifest, columns: number, outputs: number): string | null {
  if (golden.inputs.length !== golden.outputs.length) return `golden: ${golden.inputs.length} inputs, ${golden.outputs.length} outputs`;
  const input = golden.inputs.findIndex((row) => row.length !== columns);
  if (input >= 0) return `golden.inputs.${input}: ${golden.inputs[input]?.length} numbers for ${columns} columns`;
  const output = golden.outputs.findIndex((row) => row.length !== outputs);
  return output >= 0 ? `golden.outputs.${output}: ${golden.outputs[output]?.length} numbers for ${outputs} outputs` : null;
}
