/**
 * Where the files of models come from: R2, under the name of their version, or this Worker, for the one that ships with it.
 *
 * What is read here is hostile until load-model.ts has judged it; here only what is missing, too large, or another manifest than the one that was
 * published, is refused.
 */

import { manifestKey, modelKey } from "../../core/wire/keys.ts";
import { parseManifest } from "../../models/manifest.ts";
import type { ModelClaims, ModelRefusal, ModelSource } from "./contract.ts";
import { refuseModel } from "./refuse.ts";
import { sha256Hex } from "./sha256.ts";
import { claimsOf, type PublishedVersion } from "./version.ts";

/** Above what each file of ours is, and below what an isolate of 128 MB, with onnxruntime in it, can bear. */
const MAX_MANIFEST_BYTES = 4_000_000;
const MAX_ARTIFACT_BYTES = 32_000_000;

export interface ModelFiles {
  readonly source: ModelSource;
  /** JSON. */
  readonly manifest: string;
  readonly artifact: Uint8Array;
}

/** Never throws: a bucket that fails is a refusal. */
export async function readVersion(bucket: R2Bucket, version: PublishedVersion): Promise<ModelFiles | ModelRefusal> {
  return orUnreachable(async () => {
    const [manifest, artifact] = await Promise.all([
      readManifest(bucket, version),
      readBytes(bucket, modelKey(version), MAX_ARTIFACT_BYTES),
    ]);
    if (typeof manifest !== "string") return manifest;
    return "ok" in artifact ? artifact : { source: "r2", manifest, artifact };
  });
}

/** What a version says of itself, without its model file: its artifact hasn't been judged. Never throws. */
export async function readClaims(bucket: R2Bucket, version: PublishedVersion): Promise<ModelClaims | ModelRefusal> {
  return orUnreachable(async () => {
    const manifest = await readManifest(bucket, version);
    if (typeof manifest !== "string") return manifest;
    const parsed = parseManifest(manifest);
    return "malformed" in parsed ? refuseModel("bad-manifest", parsed.malformed) : claimsOf(parsed.manifest);
  });
}

async function readManifest(bucket: R2Bucket, version: PublishedVersion): Promise<string | ModelRefusal> {
  const { manifestSha256 } = version;
  const key = manifestKey(version, manifestSha256);
  const bytes = await readBytes(bucket, key, MAX_MANIFEST_BYTES);
  if ("ok" in bytes) return bytes;
  const found = await sha256Hex(bytes);
  if (found !== manifestSha256)
    return refuseModel("hash-mismatch", `${key} has the SHA-256 ${found}, what was published ${manifestSha256}`);
  return new TextDecoder().decode(bytes);
}

async function readBytes(bucket: R2Bucket, key: string, most: number): Promise<Uint8Array | ModelRefusal> {
  const object = await bucket.get(key);
  if (object === null) return refuseModel("not-found", `${key} is not in the bucket`);
  if (object.size <= most) return new Uint8Array(await object.arrayBuffer());
  await object.body.cancel();
  return refuseModel("too-large", `${key} has ${object.size} bytes, more than ${most}`);
}

async function orUnreachable<T>(read: () => Promise<T | ModelRefusal>): Promise<T | ModelRefusal> {
  try {
    return await read();
  } catch (error) {
    return refuseModel("store-unreachable", `the bucket does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}
