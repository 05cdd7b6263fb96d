/** Models as `edgebook publish` leaves them, files in the bucket and rows in the database, written here by plain puts and plain SQL; and stores that fail. */

import { env } from "cloudflare:workers";
import { manifestKey, modelKey } from "../../core/wire/keys.ts";
import type { ModelManifest } from "../../models/contract.ts";
import type { ModelRole, ModelSlot } from "../../models/roles.ts";
import { InferenceAnswers } from "../../workers/inference/answers.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import { ModelRoster, type RosterSurroundings } from "../../workers/inference/model-roster.ts";
import { ModelStore } from "../../workers/inference/model-store.ts";
import { sha256Hex } from "../../workers/inference/sha256.ts";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { type LinearModelOptions, linearModel } from "./linear-model.ts";

export interface FilesOptions extends Partial<LinearModelOptions> {
  /** In place of the graph. */
  readonly artifact?: Uint8Array;
  readonly change?: (manifest: ModelManifest) => ModelManifest;
}

/** Files as `publish` would put them: the manifest carries the artifact's true hash. */
export async function filesOf({
  id = "linear",
  version = "1",
  seed = 1,
  artifact,
  change,
  ...graph
}: FilesOptions = {}): Promise<ModelFiles> {
  const model = linearModel({ id, version, seed, ...graph });
  const bytes = artifact ?? model.artifact;
  const claimed = { file: "model.onnx", sha256: await sha256Hex(bytes), bytes: bytes.byteLength } as const;
  const manifest = { ...model.manifest, artifact: claimed };
  return { source: "r2", manifest: JSON.stringify(change?.(manifest) ?? manifest), artifact: bytes };
}

/** The second row's answers, all off by so much. */
export function withGoldenOff({ golden, ...manifest }: ModelManifest, off: number): ModelManifest {
  const outputs = golden.outputs.map((row, index) => (index === 1 ? row.map((value) => value + off) : row));
  return { ...manifest, golden: { ...golden, outputs } };
}

/** Trained and exported in Node. @param besides what test/models/trainer-service.ts knows by that name. */
export async function exported(id: string, kind: string, besides = ""): Promise<ModelFiles> {
  const response = await env.TRAINER.fetch(`https://trainer.test/${id}/${kind}/${besides}`);
  if (!response.ok) throw new Error(await response.text());
  const bytes = new Uint8Array(await response.arrayBuffer());
  const length = Number(response.headers.get("manifest-bytes"));
  return { source: "r2", manifest: new TextDecoder().decode(bytes.subarray(0, length)), artifact: bytes.slice(length) };
}

export interface Part {
  readonly slot?: ModelSlot;
  readonly market?: string;
  readonly role?: ModelRole;
}

/** Files and version, without a role. @returns its key. */
export async function publishFiles({ manifest, artifact }: ModelFiles): Promise<number> {
  const { id, version, family, featureSet, label = "point" } = JSON.parse(manifest) as ModelManifest;
  const sha256 = await sha256Hex(new TextEncoder().encode(manifest));
  await env.TAPES.put(modelKey({ id, version }), artifact);
  await env.TAPES.put(manifestKey({ id, version }, sha256), manifest);
  const row = await env.DB.prepare(
    `INSERT INTO models (id, version, manifest_sha256, family, feature_set, fingerprint, label, bytes, published_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
     ON CONFLICT (id, version) DO UPDATE SET manifest_sha256 = excluded.manifest_sha256, bytes = excluded.bytes RETURNING key`,
  )
    .bind(id, version, sha256, family, featureSet.id, featureSet.fingerprint, label, artifact.byteLength)
    .first<number>("key");
  if (row === null) throw new Error(`${id} ${version} was not published`);
  return row;
}

/** Where it lies. */
export async function manifestKeyOf({ manifest }: ModelFiles): Promise<string> {
  return manifestKey(JSON.parse(manifest) as ModelManifest, await sha256Hex(new TextEncoder().encode(manifest)));
}

/** An active one takes the role from whoever has it. */
export async function giveRole(key: number, { slot = "forecast", market = "*", role = "active" }: Part = {}): Promise<void> {
  if (role === "active")
    await env.DB.prepare("DELETE FROM model_roles WHERE slot = ? AND market = ? AND role = 'active'").bind(slot, market).run();
  await env.DB.prepare("INSERT OR REPLACE INTO model_roles (slot, market, model, role, since) VALUES (?, ?, ?, ?, ?)")
    .bind(slot, market, key, role, key)
    .run();
}

export async function publish(files: ModelFiles, part: Part = {}): Promise<number> {
  const key = await publishFiles(files);
  await giveRole(key, part);
  return key;
}

export async function unpublishAll(): Promise<void> {
  const { objects } = await env.TAPES.list({ prefix: "models/" });
  await env.TAPES.delete(objects.map(({ key }) => key));
  for (const table of ["model_roles", "models"]) await env.DB.prepare(`DELETE FROM ${table}`).run();
}

/** An isolate's inference, cold. */
export function coldInference(shipped: ModelFiles = shippedModel): InferenceAnswers {
  const store = new ModelStore(shipped);
  return new InferenceAnswers(store, new ModelRoster(store));
}

export function at(now: number, stores: Partial<RosterSurroundings> = {}): RosterSurroundings {
  return { now, bucket: env.TAPES, database: env.DB, untilDone: () => undefined, ...stores };
}

/** A key longer than R2 allows makes the real bucket throw. */
export const failingBucket = { get: () => env.TAPES.get("k".repeat(2_000)) } as unknown as R2Bucket;

/** A statement of no sense makes the real database throw. */
export const failingDatabase = { prepare: () => env.DB.prepare("SELECT 1 FROM nowhere") } as unknown as D1Database;

/** The real bucket, with every key that is read written down. */
export function countingBucket(reads: string[]): R2Bucket {
  const get = (key: string): Promise<R2ObjectBody | null> => {
    reads.push(key);
    return env.TAPES.get(key);
  };
  return { get } as unknown as R2Bucket;
}

/** The real database, with every statement counted. */
export function countingDatabase(reads: string[]): D1Database {
  const prepare = (statement: string): D1PreparedStatement => {
    reads.push(statement);
    return env.DB.prepare(statement);
  };
  return { prepare } as unknown as D1Database;
}
