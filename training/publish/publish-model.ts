/**
 * Puts a model where the inference Worker finds it: model.onnx and its manifest, named by its hash, under models/<id>/<version>/ in the bucket, its row in the database, and a
 * role, if it shall have one. The role is written last, so whoever reads it finds a whole model; model files of a version never change, since the
 * version is made from the file's own hash. A manifest that is published anew lies beside the one before, which is read until the database names the new one.
 *
 * An instance that is older than the database's roles named its model in models/active.json. Where the database knows no model at all, that one is taken
 * over before anything else is published: its version, and its role. The pointer stays where it is, and nothing reads it any more.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { labelKindOf } from "../../core/labels/moves.ts";
import { ACTIVE_MODEL_KEY, manifestKey, modelKey } from "../../core/wire/keys.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { parseActiveModel, parseManifest } from "../../models/manifest.ts";
import { EVERY_MARKET } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import { whyNeverServed, whyNoForecasts } from "./forecasts-of.ts";
import type { Seat, StoredVersion, VersionFacts } from "./held-roles.ts";
import type { InstanceStore, StoreTarget } from "./instance-store.ts";
import { ModelRegistry } from "./model-registry.ts";
import { withStore } from "./open-store.ts";
import { sha256 } from "./published-version.ts";
import type { Evidence } from "./role-log.ts";

export const DEFAULT_SEAT: Seat = { slot: "forecast", market: EVERY_MARKET };

/** As an export wrote them. */
export interface ModelFiles {
  readonly manifest: ModelManifest;
  readonly manifestBytes: Uint8Array;
  readonly model: Uint8Array;
}

export interface PublishOptions {
  /** What it shall be; `none`: published alone. Active where left out. */
  readonly as?: "active" | "shadow" | "none";
  /** Forecasts of every market where left out. */
  readonly seat?: Seat;
  /** Where a model of another id is active there, it stays so and nothing is written. */
  readonly unlessOther?: boolean;
  readonly why?: string;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface Published {
  /** Null where another model stays active, and nothing was written. */
  readonly version: StoredVersion | null;
  /** Who is active there now; null: nobody was ever. */
  readonly active: StoredVersion | null;
  /** Objects that were written. */
  readonly keys: readonly string[];
  /** Why an instance refuses forecasts while this one is active; null where it gives them, or it isn't active. */
  readonly noForecasts: string | null;
}

/** Throws CommandError when the folder holds no whole model, it may not play that role, or the stores can't be written. */
export async function publishModel(folder: string, target: StoreTarget & PublishOptions): Promise<Published> {
  const files = await readModel(folder);
  return withStore(target, (store) => publishFiles(files, store, target));
}

export async function publishFiles(files: ModelFiles, store: InstanceStore, options: PublishOptions): Promise<Published> {
  const { manifest } = files;
  const { as = "active", seat = DEFAULT_SEAT, now = Date.now, unlessOther = false, why } = options;
  const never = as === "none" ? null : whyNeverServed(manifest, seat.slot);
  if (never !== null)
    throw new CommandError(
      `${manifest.id} ${manifest.version} can't be ${as} for ${seat.slot}s: ${never}. --only publishes it without a role`,
    );
  const registry = new ModelRegistry(store, now);
  await adoptPointer(store, registry);
  if (unlessOther) {
    const active = await registry.active(seat);
    if (active !== null && active.id !== manifest.id) return { version: null, active, keys: [], noForecasts: null };
  }
  const keys = await putFiles(store, files);
  const version = await registry.register(factsOf(manifest, files.manifestBytes), null);
  const evidence = why === undefined ? null : { why };
  if (as === "active") await registry.activate(version, seat, { action: "activate", evidence });
  if (as === "shadow") await registry.shadow(version, seat, evidence);
  const noForecasts = as === "active" && seat.slot === "forecast" ? whyNoForecasts(manifest) : null;
  return { version, active: await registry.active(seat), keys, noForecasts };
}

/** Once, before the first publication into an instance that named its model in the bucket. Does nothing where the database knows any model. */
export async function adoptPointer(store: InstanceStore, registry: ModelRegistry): Promise<StoredVersion | null> {
  if ((await registry.versions()).length > 0) return null;
  const text = await store.getText(ACTIVE_MODEL_KEY);
  const pointer = text === null ? null : parseActiveModel(text);
  if (pointer === null || "malformed" in pointer) return null;
  const { id, version, manifestSha256 } = pointer.active;
  const manifestText = await store.getText(manifestKey({ id, version }, null));
  if (manifestText === null || sha256(Buffer.from(manifestText)) !== manifestSha256) return null;
  const read = parseManifest(manifestText);
  // Refused by the Worker as well: there is nothing to take over.
  if ("malformed" in read || whyNeverServed(read.manifest, DEFAULT_SEAT.slot) !== null) return null;
  const evidence: Evidence = { from: ACTIVE_MODEL_KEY };
  await store.put(manifestKey({ id, version }, manifestSha256), Buffer.from(manifestText));
  const adopted = await registry.register(factsOf(read.manifest, Buffer.from(manifestText)), evidence);
  await registry.activate(adopted, DEFAULT_SEAT, { action: "activate", evidence });
  return adopted;
}

async function putFiles(store: InstanceStore, { manifest, manifestBytes, model }: ModelFiles): Promise<string[]> {
  const objects = [
    { key: modelKey(manifest), bytes: model },
    { key: manifestKey(manifest, sha256(manifestBytes)), bytes: manifestBytes },
  ];
  for (const { key, bytes } of objects) await store.put(key, bytes);
  return objects.map(({ key }) => key);
}

/** What `edgebook export-model` wrote. @throws CommandError where it isn't whole. */
export async function readModel(folder: string): Promise<ModelFiles> {
  const manifestBytes = await readFile(join(folder, "manifest.json")).catch(() => null);
  const model = await readFile(join(folder, "model.onnx")).catch(() => null);
  if (manifestBytes === null || model === null)
    throw new CommandError(
      `${folder} holds no manifest.json and model.onnx: make them with \`edgebook export-model --run RUN --out ${folder}\``,
    );
  const read = parseManifest(manifestBytes.toString("utf8"));
  if ("malformed" in read) throw new CommandError(`${folder}/manifest.json is not a manifest (${read.malformed}): export again`);
  if (sha256(model) !== read.manifest.artifact.sha256)
    throw new CommandError(`${folder}/model.onnx is not the file that its manifest names: export again`);
  return { manifest: read.manifest, manifestBytes, model };
}

function factsOf(manifest: ModelManifest, manifestBytes: Uint8Array): VersionFacts {
  const { id, version, family, featureSet, artifact } = manifest;
  return {
    id,
    version,
    manifestSha256: sha256(manifestBytes),
    family,
    featureSet: featureSet.id,
    fingerprint: featureSet.fingerprint,
    label: labelKindOf(manifest),
    bytes: artifact.bytes,
  };
}
