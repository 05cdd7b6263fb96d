/**
 * What a stopped training of trees goes on from: each ensemble's rounds so far, and its curve. One file, written beside and renamed:
 *
 *   JSON: format, conditions (a hash of data, split and settings: with others it is refused), and of each ensemble null, or its curve and the file of
 *   all its trees (trees/tree-file.ts, which carries its own hash) in base64; and a hash of all of that.
 *
 * A checkpoint that can't be read is refused, never passed over: whoever says --resume has rounds to lose.
 */

import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { StoppedTrees, TrainedTrees, Tree } from "../trees/contract.ts";
import { encodeTrees, parseTrees } from "../trees/tree-file.ts";

const score = z.strictObject({ round: z.int(), trainLoss: z.number(), validationLoss: z.number().nullable() });
const shape = z.strictObject({
  format: z.literal("edgebook-trees-checkpoint/1"),
  conditions: z.string(),
  ensembles: z.array(z.strictObject({ curve: z.array(score), trees: z.base64() }).nullable()),
  sha256: z.string(),
});

/** Throws the system's error when the disk is full or the folder closed to us; what lay there before still does, and nothing beside it. */
export async function writeTreesCheckpoint(
  path: string,
  { conditions, trained }: { conditions: string; trained: readonly (TrainedTrees | null)[] },
): Promise<void> {
  const ensembles = trained.map((one) => {
    if (one === null) return null;
    const whole = encodeTrees({ ...one.ensemble, trees: one.rounds.flat() });
    return { curve: one.curve, trees: Buffer.from(whole).toString("base64") };
  });
  const content = { format: "edgebook-trees-checkpoint/1", conditions, ensembles };
  const beside = `${path}.tmp`;
  try {
    await writeFile(beside, JSON.stringify({ ...content, sha256: sha256Of(content) }), { flush: true });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => null);
    throw error;
  }
}

/** @returns [ensembles]. Throws CommandError when there is none, it is broken, or of other conditions. */
export async function readTreesCheckpoint(path: string, conditions: string): Promise<(StoppedTrees | null)[]> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) throw new CommandError(`there is no checkpoint ${path} to go on from: leave --resume out`);
  const content = parseCheckpoint(text);
  if ("malformed" in content) throw new CommandError(`${path} is corrupt${content.malformed}: train again without --resume`);
  if (content.conditions !== conditions)
    throw new CommandError(`${path} is of other data or other settings: give the same, or train anew with --overwrite`);
  return content.ensembles.map((one) => (one === null ? null : { curve: one.curve, rounds: roundsOf(one.trees, path) }));
}

/** Throws CommandError where rounds lie that could go on: a new training in their place would lose them. */
export async function refuseToOverwriteTrees(path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return;
  const content = parseCheckpoint(text);
  if ("malformed" in content || content.ensembles.every((one) => one === null)) return;
  throw new CommandError(`${path} holds a training that was interrupted: go on with --resume, or train anew with --overwrite`);
}

function parseCheckpoint(text: string): Omit<z.infer<typeof shape>, "sha256"> | { malformed: string } {
  const parsed = shape.safeParse(parseJson(text));
  if (!parsed.success) return { malformed: "" };
  const { sha256, ...content } = parsed.data;
  return sha256 === sha256Of(content) ? content : { malformed: " (its hash is not that of its content)" };
}

function roundsOf(base64: string, path: string): Tree[][] {
  const parsed = parseTrees(new Uint8Array(Buffer.from(base64, "base64")));
  if ("malformed" in parsed) throw new CommandError(`${path} is corrupt (${parsed.malformed}): train again without --resume`);
  const { outputs, trees } = parsed.ensemble;
  return Array.from({ length: trees.length / outputs }, (_, round) => trees.slice(round * outputs, (round + 1) * outputs));
}

function sha256Of(content: object): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
