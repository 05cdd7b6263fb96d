/**
 * A training's state in one file, from which it goes on as if it had never stopped:
 *
 * | part | |
 * |---|---|
 * | one line of JSON | what is in `CheckpointHeader` |
 * | vectors | float32, in the header's order: parameters, the optimiser's state, running statistics, and the best of the first and last so far |
 * | 32 bytes | SHA-256 of everything before |
 *
 * Randomness needs no state: it is a function of seed, epoch and step (noise.ts). The file is written beside its place and renamed into it, so at any
 * moment either the old or the new one lies there, whole; the one before is kept as `.previous`.
 */

import { createHash } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { CommandError } from "../command-error.ts";

const FORMAT = "edgebook-checkpoint/1";
const DIGEST_BYTES = 32;
/** A header is a curve of at most some thousand epochs; more is no header of ours. */
const LONGEST_HEADER = 16_777_216;

const count = z.int().nonnegative();

const headerShape = z.strictObject({
  format: z.literal(FORMAT),
  /** What must be the same for the training to go on: settings, data, network, runtime; name to a text that says it. */
  conditions: z.record(z.string(), z.string()),
  /** Epochs that are done, and steps of the next one. */
  epoch: count,
  step: count,
  /** Loss times the weight of its rows, summed over those steps. */
  lossSum: z.number(),
  lastRate: z.number(),
  plateau: z.strictObject({ share: z.number(), since: z.int() }),
  best: z.strictObject({ epoch: z.int(), loss: z.number() }),
  curve: z.array(z.strictObject({ epoch: z.int(), trainLoss: z.number(), validationLoss: z.number(), learningRate: z.number() })),
  vectors: z.array(z.strictObject({ name: z.string(), length: count })),
});

export type CheckpointHeader = Omit<z.infer<typeof headerShape>, "format" | "vectors">;

export interface Checkpoint {
  readonly header: CheckpointHeader;
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** Throws the system's error when the disk is full or the folder closed to us; what lay there before still does. */
export async function writeCheckpoint(path: string, { header, vectors }: Checkpoint): Promise<void> {
  const head = { format: FORMAT, ...header, vectors: [...vectors].map(([name, { length }]) => ({ name, length })) };
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`), ...[...vectors.values()].map(bytesOf)];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const beside = `${path}.tmp`;
  try {
    const file = await open(beside, "w");
    try {
      for (const part of [...parts, hash.digest()]) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await keepPrevious(path);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => null);
    throw error;
  }
}

/** Throws CommandError when there is none, or a broken one; it names the one before where that is whole. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readFile(path).catch(() => null);
  const previous = `${path}.previous`;
  if (bytes !== null) {
    const checkpoint = decode(bytes);
    if (checkpoint !== null) return checkpoint;
  }
  const before = await readFile(previous).catch(() => null);
  const hasPrevious = before !== null && decode(before) !== null;
  const what =
    bytes === null ? `there is no checkpoint ${path}` : `the checkpoint ${path} is corrupt (its hash is not the one that was written)`;
  throw new CommandError(
    hasPrevious ? `${what}: the one before it is whole, copy ${previous} to ${path} and resume` : `${what}: train from the start`,
  );
}

/** Throws CommandError where the state of a training lies that could go on, be it the one before a corrupt one: a new one in its place would lose it. */
export async function refuseToOverwrite(path: string): Promise<void> {
  for (const file of [path, `${path}.previous`]) {
    const bytes = await readFile(file).catch(() => null);
    if (bytes === null || decode(bytes) === null) continue;
    throw new CommandError(`${file} holds a training that was interrupted: go on with --resume, or train anew with --overwrite`);
  }
}

/** Removes what a finished training leaves. */
export async function removeCheckpoints(path: string): Promise<void> {
  for (const file of [path, `${path}.previous`, `${path}.tmp`]) await rm(file, { force: true });
}

async function keepPrevious(path: string): Promise<void> {
  const previous = `${path}.previous`;
  await rm(previous, { force: true });
  try {
    await link(path, previous);
  } catch (error) {
    if (isMissing(error)) return;
    // A file system without links: for a moment there is only the one before.
    await rename(path, previous);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function decode(bytes: Buffer): Checkpoint | null {
  const content = bytes.subarray(0, Math.max(bytes.length - DIGEST_BYTES, 0));
  if (!createHash("sha256").update(content).digest().equals(bytes.subarray(content.length))) return null;
  const end = content.subarray(0, LONGEST_HEADER).indexOf(10);
  if (end < 0) return null;
  const parsed = headerShape.safeParse(parseJson(content.subarray(0, end).toString("utf8")));
  if (!parsed.success) return null;
  const { format: _format, vectors: declared, ...header } = parsed.data;
  const vectors = new Map<string, Float32Array>();
  let offset = end + 1;
  for (const { name, length } of declared) {
    const part = content.subarray(offset, offset + 4 * length);
    if (part.length !== 4 * length) return null;
    const values = new Float32Array(length);
    new Uint8Array(values.buffer).set(part);
    vectors.set(name, values);
    offset += 4 * length;
  }
  return offset === content.length ? { header, vectors } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
