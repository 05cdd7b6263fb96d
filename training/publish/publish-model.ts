/**
 * Puts a model where the inference Worker finds it: model.onnx and manifest.json under models/<id>/<version>/, then models/active.json,
 * which names them. The pointer is written last, so whoever reads it finds a whole model; files of a version never change, since the
 * version is made from the file's own hash.
 *
 * Locally the bucket is the one that `wrangler dev --persist-to DIR` opens; remotely wrangler itself uploads, with its own login.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ACTIVE_MODEL_KEY, modelKey } from "../../core/wire/keys.ts";
import type { ActiveModel, ModelManifest } from "../../models/contract.ts";
import { parseActiveModel, parseManifest } from "../../models/manifest.ts";
import { CommandError } from "../command-error.ts";
import { whyNoForecasts } from "./forecasts-of.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** In the root's wrangler.toml. */
const BUCKET = "edgebook-tapes";
const BINDING = "TAPES";
/** Where `wrangler dev --persist-to DIR` keeps its state inside DIR. */
const STATE_FOLDER = "v3";

export interface PublishTarget {
  /** The folder that `--persist-to` names, or null for the account's own bucket. */
  readonly local: string | null;
  /** Where a model of another id is active, it stays so and nothing is written. */
  readonly unlessOther?: boolean;
}

export interface Published {
  /** The model that is active now. */
  readonly active: ActiveModel;
  /** What was written; empty when another model stays active. */
  readonly keys: readonly string[];
  /** Why an instance refuses forecasts while this one is active; null where it gives them, or nothing was written. */
  readonly noForecasts: string | null;
}

interface StoredObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Throws CommandError when the folder holds no whole model, or the bucket can't be written. */
export async function publishModel(folder: string, target: PublishTarget): Promise<Published> {
  const { manifest, manifestBytes, model } = await readModel(folder);
  const { id, version } = manifest;
  const active: ActiveModel = { id, version, manifestSha256: sha256(manifestBytes) };
  if (target.unlessOther === true) {
    const current = await activeModel(target);
    if (current !== null && current.id !== id) return { active: current, keys: [], noForecasts: null };
  }
  const objects: StoredObject[] = [
    { key: modelKey(id, version, "model.onnx"), bytes: model },
    { key: modelKey(id, version, "manifest.json"), bytes: manifestBytes },
    { key: ACTIVE_MODEL_KEY, bytes: new TextEncoder().encode(`${JSON.stringify(active)}\n`) },
  ];
  if (target.local === null) await putRemotely(objects);
  else await putLocally(objects, resolve(target.local));
  return { active, keys: objects.map(({ key }) => key), noForecasts: whyNoForecasts(manifest) };
}

/** The model that the bucket's pointer names; null when there is none, or none that can be read. */
async function activeModel({ local }: PublishTarget): Promise<ActiveModel | null> {
  const text = local === null ? await getRemotely(ACTIVE_MODEL_KEY) : await withLocalBucket(resolve(local), getText);
  if (text === null) return null;
  const read = parseActiveModel(text);
  return "malformed" in read ? null : read.active;
}

async function getText(bucket: Bucket): Promise<string | null> {
  const object = await bucket.get(ACTIVE_MODEL_KEY);
  return object === null ? null : object.text();
}

async function readModel(folder: string): Promise<{ manifest: ModelManifest; manifestBytes: Uint8Array; model: Uint8Array }> {
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

/** The part of R2's interface that is used here. */
interface Bucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  put(key: string, bytes: Uint8Array): Promise<unknown>;
}

function putLocally(objects: readonly StoredObject[], persistFolder: string): Promise<void> {
  return withLocalBucket(persistFolder, async (bucket) => {
    for (const { key, bytes } of objects) await bucket.put(key, bytes);
  });
}

async function withLocalBucket<T>(persistFolder: string, act: (bucket: Bucket) => Promise<T>): Promise<T> {
  process.env.WRANGLER_SEND_METRICS ??= "false";
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";
  process.env.WRANGLER_LOG ??= "error";
  const { getPlatformProxy } = await import("wrangler");
  const platform = await getPlatformProxy<Record<string, Bucket>>({
    configPath: join(ROOT, "wrangler.toml"),
    persist: { path: join(persistFolder, STATE_FOLDER) },
  });
  try {
    const bucket = platform.env[BINDING];
    if (bucket === undefined) throw new CommandError(`wrangler.toml binds no bucket ${BINDING}`);
    return await act(bucket);
  } finally {
    await platform.dispose();
  }
}

async function putRemotely(objects: readonly StoredObject[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-publish-"));
  try {
    for (const { key, bytes } of objects) {
      const file = join(folder, "object");
      await writeFile(file, bytes);
      await wrangler(["r2", "object", "put", `${BUCKET}/${key}`, "--file", file, "--remote"]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null when there is no such object: the first deploy of an account finds none. */
async function getRemotely(key: string): Promise<string | null> {
  try {
    return await wrangler(["r2", "object", "get", `${BUCKET}/${key}`, "--remote", "--pipe"]);
  } catch (error) {
    if (error instanceof CommandError && /does not exist|NoSuchKey|10007/i.test(error.message)) return null;
    throw error;
  }
}

/** @returns what it printed. */
async function wrangler(args: readonly string[]): Promise<string> {
  const require = createRequire(import.meta.url);
  const script = join(dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: ROOT }).catch(
    (error: { stderr?: string; stdout?: string; message: string }) => {
      const said = [error.stderr, error.stdout].filter(Boolean).join("\n").trim() || error.message;
      throw new CommandError(
        `wrangler ${args.slice(0, 4).join(" ")} failed (log in with \`npx wrangler login\`, and make the bucket with \`npx wrangler r2 bucket create ${BUCKET}\`):\n${said}`,
      );
    },
  );
  return stdout;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
