/**
 * Where models come from: the one that models/active.json names in R2, or the one that ships with this Worker.
 *
 * What is read here is hostile until load-model.ts has judged it; here only what is missing, and a manifest other than the one that was
 * published, is refused.
 */

import { ACTIVE_MODEL_KEY, modelKey } from "../../core/wire/keys.ts";
import { parseActiveModel } from "../../models/manifest.ts";
import type { ModelRefusal } from "./former-contract.ts";
import { refuseModel } from "./refuse.ts";
import { sha256Hex } from "./sha256.ts";

/** Above what each file of ours is, and below what an isolate of 128 MB, with onnxruntime in it, can bear. */
const MAX_POINTER_BYTES = 4_000;
const MAX_MANIFEST_BYTES = 4_000_000;
const MAX_ARTIFACT_BYTES = 32_000_000;

export interface ModelFiles {
  readonly source: "r2" | "shipped";
  /** JSON. */
  readonly manifest: string;
  readonly artifact: Uint8Array;
}

/** The text of the pointer: as long as it stays the same, so does the model. Null when nothing was ever published. @throws what R2 throws */
export async function readPointer(bucket: R2Bucket): Promise<string | null> {
  const object = await bucket.get(ACTIVE_MODEL_KEY);
  if (object === null) return null;
  if (object.size <= MAX_POINTER_BYTES) return await object.text();
  await object.body.cancel();
  // Its reader refuses it, with the reason.
  return "";
}

/** @throws what R2 throws */
export async function readPublished(bucket: R2Bucket, pointer: string): Promise<ModelFiles | ModelRefusal> {
  const read = parseActiveModel(pointer);
  if ("malformed" in read) return refuseModel("bad-manifest", `${ACTIVE_MODEL_KEY}: ${read.malformed}`);
  const { id, version, manifestSha256 } = read.active;
  const manifestKey = modelKey(id, version, "manifest.json");
  const artifactKey = modelKey(id, version, "model.onnx");
  const [manifest, artifact] = await Promise.all([
    readBytes(bucket, manifestKey, MAX_MANIFEST_BYTES),
    readBytes(bucket, artifactKey, MAX_ARTIFACT_BYTES),
  ]);
  if ("ok" in manifest) return manifest;
  if ("ok" in artifact) return artifact;
  const found = await sha256Hex(manifest);
  if (found !== manifestSha256) {
    return refuseModel("hash-mismatch", `${manifestKey} has the SHA-256 ${found}, ${ACTIVE_MODEL_KEY} says ${manifestSha256}`);
  }
  return { source: "r2", manifest: new TextDecoder().decode(manifest), artifact };
}

async function readBytes(bucket: R2Bucket, key: string, most: number): Promise<Uint8Array | ModelRefusal> {
  const object = await bucket.get(key);
  if (object === null) return refuseModel("not-found", `${ACTIVE_MODEL_KEY} names ${key}, which is not there`);
  if (object.size <= most) return new Uint8Array(await object.arrayBuffer());
  await object.body.cancel();
  return refuseModel("too-large", `${key} has ${object.size} bytes, more than ${most}`);
}
