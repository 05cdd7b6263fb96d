/**
 * Where models come from: the one that models/active.json names in R2, or the one that ships with this Worker.
 *
 * What is read here is hostile until load-model.ts has judged it; here only what is missing, and a manifest other than the one that was
 * published, is refused.
 */

import { ACTIVE_MODEL_KEY, modelKey } from "../../core/wire/keys.ts";
import { parseActiveModel } from "../../models/manifest.ts";
import type { ModelRefusal } from "./contract.ts";
import { refuseModel } from "./refuse.ts";
import { sha256Hex } from "./sha256.ts";

export interface ModelFiles {
  readonly source: "r2" | "shipped";
  /** JSON. */
  readonly manifest: string;
  readonly artifact: Uint8Array;
}

/** The text of the pointer: as long as it stays the same, so does the model. Null when nothing was ever published. @throws what R2 throws */
export async function readPointer(bucket: R2Bucket): Promise<string | null> {
  const object = await bucket.get(ACTIVE_MODEL_KEY);
  return object === null ? null : await object.text();
}

/** @throws what R2 throws */
export async function readPublished(bucket: R2Bucket, pointer: string): Promise<ModelFiles | ModelRefusal> {
  const read = parseActiveModel(pointer);
  if ("malformed" in read) return refuseModel("bad-manifest", `${ACTIVE_MODEL_KEY}: ${read.malformed}`);
  const { id, version, manifestSha256 } = read.active;
  const manifestKey = modelKey(id, version, "manifest.json");
  const artifactKey = modelKey(id, version, "model.onnx");
  const [manifest, artifact] = await Promise.all([readBytes(bucket, manifestKey), readBytes(bucket, artifactKey)]);
  if (manifest === null) return refuseModel("not-found", `${ACTIVE_MODEL_KEY} names ${manifestKey}, which is not there`);
  if (artifact === null) return refuseModel("not-found", `${ACTIVE_MODEL_KEY} names ${artifactKey}, which is not there`);
  const found = await sha256Hex(manifest);
  if (found !== manifestSha256) {
    return refuseModel("hash-mismatch", `${manifestKey} has the SHA-256 ${found}, ${ACTIVE_MODEL_KEY} says ${manifestSha256}`);
  }
  return { source: "r2", manifest: new TextDecoder().decode(manifest), artifact };
}

async function readBytes(bucket: R2Bucket, key: string): Promise<Uint8Array | null> {
  const object = await bucket.get(key);
  return object === null ? null : new Uint8Array(await object.arrayBuffer());
}
