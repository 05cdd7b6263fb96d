/**
 * A run is a folder that says all of how a model came to be, so that evaluation and export need nothing else:
 *
 * | file | |
 * |---|---|
 * | run.json | settings, dataset (its hash, and where it was), boundaries of the split, normaliser, target scale, hashes of the other files |
 * | metrics.ndjson | one line an epoch |
 * | weights.f32 | the parameters, then the running statistics where the network has any, flat, as run.json's slots cut them |
 * | checkpoint | of a training that goes on, or was interrupted: see engine/checkpoint.ts; gone when it is done |
 * | ridge.f64 | [outputs, columns] the line fitted on the same rows |
 * | scores.json | written by `evaluate` |
 *
 * Nothing in it depends on when or how fast it was made: the same code, data, settings and runtime give the same bytes.
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { COMMIT_PATTERN } from "../../models/manifest.ts";
import { CommandError } from "../command-error.ts";
import type { EpochScore } from "../engine/contract.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { networkSettingsShape } from "../networks/settings.ts";

const RUN_FILE = "run.json";
export const METRICS_FILE = "metrics.ndjson";
const WEIGHTS_FILE = "weights.f32";
const RIDGE_FILE = "ridge.f64";
export const SCORES_FILE = "scores.json";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const finite = z.array(z.number());
const outputs = z.array(z.strictObject({ target: z.enum(["bid", "mid", "ask"]), horizonMs: z.int().positive() })).min(1);

/** Of moves, in units of the targets' scale. */
const movesLoss = z.discriminatedUnion("id", [
  z.strictObject({ id: z.enum(["squared", "absolute"]) }),
  z.strictObject({ id: z.literal("huber"), delta: z.number() }),
]);

export type MovesLoss = z.infer<typeof movesLoss>;

const slots = z.array(z.strictObject({ name: z.string(), shape: z.array(z.int()), offset: z.int(), size: z.int() }));

const runShape = z.strictObject({
  format: z.literal("edgebook-run/2"),
  /** Of the code, as training/commit.ts tells it. */
  commit: z.string().regex(COMMIT_PATTERN).nullable(),
  family: z.string(),
  /** How the family was built, and what the training rows called flat, by question of its classes. */
  model: z.strictObject({ ...networkSettingsShape.shape, thresholdsBps: finite }),
  backend: z.enum(["node", "wasm"]),
  settings: z.strictObject({
    seed: z.int(),
    epochs: z.int(),
    batch: z.int(),
    learningRate: z.number(),
    patience: z.int(),
    optimiser: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.enum(["adamw", "adam"]),
        beta1: z.number(),
        beta2: z.number(),
        epsilon: z.number(),
        weightDecay: z.number(),
      }),
      z.strictObject({
        kind: z.literal("rmsprop"),
        smoothing: z.number(),
        epsilon: z.number(),
        momentum: z.number(),
        weightDecay: z.number(),
      }),
      z.strictObject({ kind: z.literal("sgd"), momentum: z.number(), isNesterov: z.boolean(), weightDecay: z.number() }),
    ]),
    schedule: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.enum(["constant", "linear", "cosine", "plateau"]), warmupSteps: z.int() }),
      z.strictObject({ kind: z.literal("step"), warmupSteps: z.int(), everyEpochs: z.int(), factor: z.number() }),
    ]),
    clip: z.strictObject({ norm: z.number().nullable(), value: z.number().nullable() }),
    workers: z.int(),
    accumulate: z.int(),
  } satisfies Record<keyof TrainSettings, z.ZodType>),
  /** Absent: squared errors. */
  loss: movesLoss.optional(),
  data: z.strictObject({
    folder: z.string(),
    sha256,
    source: z.string(),
    markets: z.array(z.strictObject({ market: z.string(), source: z.string(), from: z.number(), to: z.number() })),
  }),
  featureSet: z.strictObject({ id: z.string(), fingerprint: z.string(), columns: z.array(z.string()), warmupMs: z.number() }),
  intervalMs: z.int(),
  outputs,
  split: z.strictObject({
    trainShare: z.number(),
    validationShare: z.number(),
    purgeMs: z.number(),
    validationFrom: z.number(),
    testFrom: z.number().nullable(),
    trainRows: z.int(),
    validationRows: z.int(),
    trainFrom: z.number(),
    trainTo: z.number(),
  }),
  normaliser: z.strictObject({ mean: finite, scale: finite, clip: z.number() }),
  targetScale: finite,
  targetClip: z.number(),
  slots,
  /** Of running statistics; absent: the network has none. */
  statisticSlots: slots.optional(),
  ridgeLambdas: z.array(z.number().nullable()),
  bestEpoch: z.int(),
  /**
   * Over the validation cells: of moves the mean squared error in units of the targets' scale. Of classes the cross-entropy in nats, of a reconstruction the
   * mean squared error; `persistence` is then what knows nothing of the row (baseline.ts), and there is no ridge.
   */
  validation: z.strictObject({ network: z.number(), ridge: z.number().nullable(), persistence: z.number() }),
  files: z.strictObject({ weights: sha256, ridge: sha256 }),
});

export type RunCard = z.infer<typeof runShape>;

export interface Run {
  readonly card: RunCard;
  readonly parameters: Float32Array;
  /** Running statistics, flat; empty where the network has none. */
  readonly statistics: Float32Array;
  readonly ridgeWeights: Float64Array;
}

/** Writes the folder, run.json last. Scores of an earlier run there are removed: they are not this one's. */
export async function writeRun(
  folder: string,
  run: {
    card: Omit<RunCard, "files">;
    parameters: Float32Array;
    statistics: Float32Array;
    ridgeWeights: Float64Array;
    curve: readonly EpochScore[];
  },
): Promise<RunCard> {
  await mkdir(folder, { recursive: true });
  for (const stale of [RUN_FILE, SCORES_FILE]) await rm(join(folder, stale), { force: true });
  const weights = Buffer.concat([bytesOf(run.parameters), bytesOf(run.statistics)]);
  const ridge = bytesOf(run.ridgeWeights);
  await writeFile(join(folder, WEIGHTS_FILE), weights);
  await writeFile(join(folder, RIDGE_FILE), ridge);
  await writeCurve(folder, run.curve);
  const card: RunCard = { ...run.card, files: { weights: sha256Of(weights), ridge: sha256Of(ridge) } };
  const path = join(folder, RUN_FILE);
  await writeFile(`${path}.tmp`, `${JSON.stringify(card, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
  return card;
}

/** Also after each epoch, so that a training can be followed from outside. */
export async function writeCurve(folder: string, curve: readonly EpochScore[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, METRICS_FILE), curve.map((epoch) => `${JSON.stringify(epoch)}\n`).join(""));
}

/** Throws CommandError when the folder holds no run, or a broken one. */
export async function readRun(folder: string): Promise<Run> {
  const path = join(folder, RUN_FILE);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null)
    throw new CommandError(`${folder} holds no ${RUN_FILE}: make the run with \`edgebook train --data DIR --out ${folder}\``);
  const parsed = runShape.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CommandError(`${path} is not a run (${issue?.path.join(".")}: ${issue?.message}): train again`);
  }
  const card = parsed.data;
  const weights = await readVerified(join(folder, WEIGHTS_FILE), card.files.weights);
  const ridge = await readVerified(join(folder, RIDGE_FILE), card.files.ridge);
  const flat = new Float32Array(weights);
  const count = card.slots.reduce((sum, slot) => sum + slot.size, 0);
  return { card, parameters: flat.slice(0, count), statistics: flat.slice(count), ridgeWeights: new Float64Array(ridge) };
}

async function readVerified(path: string, sha256: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) throw new CommandError(`${path} is missing: train again`);
  if (sha256Of(bytes) !== sha256) throw new CommandError(`${path} is corrupt (its hash is not the one in ${RUN_FILE}): train again`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function bytesOf(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
