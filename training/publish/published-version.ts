/** A version that is to play a role: whether the bucket still has what was published, and whether it may. */

import { createHash } from "node:crypto";
import { manifestKey } from "../../core/wire/keys.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { CommandError } from "../command-error.ts";
import { whyNeverServed, whyNoForecasts } from "./forecasts-of.ts";
import { type Seat, type StoredVersion, said, type VersionName } from "./held-roles.ts";
import type { InstanceStore } from "./instance-store.ts";
import type { ModelRegistry } from "./model-registry.ts";

/**
 * By its manifest in the bucket.
 * @returns why it gives no answers though it may, for a person; null where it does. @throws CommandError where it may not, or isn't whole.
 */
export async function judgeRole(
  registry: ModelRegistry,
  store: InstanceStore,
  { name, seat }: { name: VersionName; seat: Seat },
): Promise<string | null> {
  const manifest = await readPublished(store, await registry.version(name));
  const never = whyNeverServed(manifest, seat.slot);
  if (never !== null) throw new CommandError(`${name.id} ${name.version} has no part in ${said(seat)}: ${never}`);
  return seat.slot === "forecast" ? whyNoForecasts(manifest) : null;
}

async function readPublished(store: InstanceStore, version: StoredVersion): Promise<ModelManifest> {
  const { manifestSha256 } = version;
  const key = manifestKey(version, manifestSha256);
  const text = await store.getText(key);
  if (text === null || sha256(Buffer.from(text)) !== manifestSha256) {
    const what = text === null ? "is not in the bucket" : "in the bucket is another one than was published";
    throw new CommandError(`${key} ${what}: publish it again, with \`edgebook publish --dir DIR\``);
  }
  const read = parseManifest(text);
  if ("malformed" in read)
    throw new CommandError(`${key} is no manifest that this version of edgebook reads (${read.malformed}): export and publish again`);
  return read.manifest;
}

/** In lower-case hex, as manifests write it. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
