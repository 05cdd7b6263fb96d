/**
 * A dataset is a folder: numbers in flat little-endian files, and the card `dataset.json` that says what they are.
 *
 * | file | shape | |
 * |---|---|---|
 * | features.f64 | [rows, columns] | raw feature rows, warm ones alone |
 * | targets.f64 | [rows, outputs] | moves in basis points, or classes as given (1 up, 0 flat, -1 down); 0 where there is none |
 * | mask.u8 | [rows, outputs] | 1 where there is a target |
 * | times.f64 | [rows] | grid time on the market's clock, epoch ms |
 * | segments.u32 | [rows] | rows with the same number follow each other without a gap |
 *
 * Rows of one part (one market of one source, in one phase of the second) stand together, in order of time. Every file's hash is in the card, and the hash of
 * these hashes names the dataset: a run remembers which numbers it was trained on, not which path.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import { DEFAULT_LABEL_KIND, LABEL_KINDS, labelKindOf } from "../../core/labels/moves.ts";
import { simulatedSeed } from "./simulated-source.ts";

/** What is written. Format 1 differs by its hash alone. */
export const DATASET_FORMAT = "edgebook-dataset/2" as const;
export const CARD_FILE = "dataset.json";
export const DATASET_FILES = {
  features: "features.f64",
  targets: "targets.f64",
  mask: "mask.u8",
  times: "times.f64",
  segments: "segments.u32",
} as const;
export type DatasetFile = keyof typeof DATASET_FILES;

const count = z.int().nonnegative();
const storedFile = z.strictObject({ file: z.string(), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const partShape = z.strictObject({
  /** Where the frames (of imports: the events) came from, without a path: file names, or the simulator's preset, seed and hours. */
  source: z.string(),
  market: z.string(),
  from: z.number(),
  to: z.number(),
  /** When after each whole second its rows are, in ms: such rows may teach and nothing else (phases.ts). Absent: on it. */
  phaseMs: z.int().positive().lt(1_000).optional(),
  firstRow: count,
  rows: count,
  segments: count,
  /** Rows, but those within gaps (`silentRows`), as a share of the grid times between `from` and `to`. */
  coverage: z.number().min(0).max(1),
  /** Mean of the mid over its rows, in ticks: how many ticks a bps is there. Absent in cards from before there was one. */
  midTicks: z.number().positive().optional(),
  /** Rows left out because the windows were not yet full. */
  coldRows: count,
  frames: count,
  malformedFrames: count,
  /** Holes in the book's proof, by reason. */
  gaps: z.record(z.string(), count),
  /** Of imported events: rows within gaps that end no segment. They are history, and have no targets. */
  silentRows: count.optional(),
  /** Of imported events: which rows have targets (unbroken-feed.ts). */
  unbrokenMs: count.optional(),
  overGapsFromMs: count.nullable().optional(),
  /** Of imported events: trades whose taker's side isn't known. They change no column. */
  sidelessTrades: count.optional(),
  /** Of minute rows: minutes of the stretch, and of each split label the rows. `coverage` is the share of these minutes that gave a row; `gaps` says why others gave none. */
  minutes: count.optional(),
  splits: z.record(z.string(), count).optional(),
  /** Of minute rows: the schedules by which the instance gave the labels. */
  splitSchedules: z.array(z.string()).optional(),
});

/** What columns took from data, and from which rows (feature-fit.ts). */
const fitShape = z.strictObject({
  market: z.string(),
  tick: z.string(),
  /** Rows before it were fitted: `rows` of them, from `from` to `to`. */
  until: z.number(),
  rows: count,
  from: z.number(),
  to: z.number(),
  /** Of all below; the fingerprint of the feature set covers it. */
  hash: z.string().regex(/^[0-9a-f]{16}$/),
  unitTicks: z.number().positive(),
  microPrice: z.strictObject({
    shareCuts: z.array(z.number()).readonly(),
    spreadBuckets: z.int().positive(),
    adjustments: z.array(z.number()).readonly(),
  }),
  integratedFlow: z.strictObject({ weights: z.array(z.number()).min(1).readonly(), explainedShare: z.number() }),
});

const cardShape = z.strictObject({
  format: z.enum(["edgebook-dataset/1", DATASET_FORMAT]),
  featureSet: z.strictObject({ id: z.string(), fingerprint: z.string(), columns: z.array(z.string()).min(1), warmupMs: z.number() }),
  /** Absent: the columns take nothing from data. */
  fit: fitShape.optional(),
  intervalMs: z.int().positive(),
  /** `events`: there are no times, and an event counts as 1,000 ms in all that is ms here. Absent: the market's clock. */
  clock: z.literal("events").optional(),
  targets: z.array(z.strictObject({ target: z.enum(["bid", "mid", "ask"]), horizonMs: z.int().positive() })).min(1),
  /** Which moves the targets are (core/labels/moves.ts). Absent: point. */
  label: z.enum(LABEL_KINDS).optional(),
  /** Of the targets. `class`: directions that the source gave, with no move behind them. */
  unit: z.enum(["bps", "class"]),
  rows: count,
  from: z.number(),
  to: z.number(),
  parts: z.array(partShape).min(1),
  files: z.strictObject({ features: storedFile, targets: storedFile, mask: storedFile, times: storedFile, segments: storedFile }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  command: z.array(z.string()),
});

export type DatasetFit = z.infer<typeof fitShape>;
export type DatasetPart = z.infer<typeof partShape>;
export type DatasetCard = z.infer<typeof cardShape>;
export type StoredFile = z.infer<typeof storedFile>;

/** @returns the card, or the first thing wrong with it. */
export function parseCard(text: string): { card: DatasetCard } | { malformed: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { malformed: "not JSON" };
  }
  const result = cardShape.safeParse(json);
  if (result.success) return { card: result.data };
  const issue = result.error.issues[0];
  return { malformed: `${issue?.path.join(".")}: ${issue?.message}` };
}

/**
 * The hash that names a dataset: over what the columns are, whose rows they are, and the hashes of the files, in a fixed order. Of point labels it is what it was before there were others,
 * and cards of format 1 are named without their markets, as they were written. Simulated markets are never named: preset and seed make them, and the numbers are all that they are.
 */
export function datasetHash(
  card: Pick<DatasetCard, "format" | "featureSet" | "targets" | "label" | "unit" | "clock" | "parts" | "files">,
): string {
  const hash = createHash("sha256");
  hash.update(`${card.featureSet.fingerprint}\n`);
  for (const { target, horizonMs } of card.targets) hash.update(`${target} ${horizonMs}\n`);
  const label = labelKindOf(card);
  if (label !== DEFAULT_LABEL_KIND) hash.update(`label ${label}\n`);
  if (card.unit !== "bps") hash.update(`unit ${card.unit}\n`);
  if (card.clock !== undefined) hash.update(`clock ${card.clock}\n`);
  for (const { firstRow, market, source } of card.parts)
    if (card.format === DATASET_FORMAT && simulatedSeed(source) === null) hash.update(`market ${firstRow} ${market}\n`);
  for (const { firstRow, phaseMs } of card.parts) if (phaseMs !== undefined) hash.update(`phase ${firstRow} ${phaseMs}\n`);
  for (const file of Object.keys(DATASET_FILES) as DatasetFile[]) hash.update(`${file} ${card.files[file].sha256}\n`);
  return hash.digest("hex");
}

/** One line for people and for manifests: where the rows came from. */
export function describeSource(card: DatasetCard): string {
  return [...new Set(card.parts.map((part) => part.source))].join("; ");
}
