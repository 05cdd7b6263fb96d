/**
 * Ours as it is deployed: the very bundles that wrangler uploads, in workerd, on a socket that leads straight into the public Worker. No dev proxy, no hot
 * reload, no request log. The database and the bucket are miniflare's, in the same process and on the same thread: in production both are elsewhere.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, NoOpLog, type V4WorkerOptions } from "miniflare";
import { DEPLOYABLES, QUIET_ENVIRONMENT, ROOT, WRANGLER } from "../../local/deployables.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { workerdOf } from "../feed.ts";
import type { TrainedModel } from "./models.ts";

const COMPATIBILITY_DATE = "2026-10-30";
const FEED = "bench";
const VENUE = "binance-spot";
const STORES = { d1Databases: { DB: "edgebook" }, r2Buckets: { TAPES: "edgebook-tapes" } };

interface Module {
  readonly type: "ESModule" | "CompiledWasm" | "Data";
  readonly path: string;
  readonly contents: string | Uint8Array<ArrayBuffer>;
}

export interface Bundles {
  readonly public: readonly Module[];
  readonly inference: readonly Module[];
  readonly feed: readonly Module[];
}

export function buildBundles(): Bundles {
  const folder = mkdtempSync(join(tmpdir(), "edgebook-forecast-http-"));
  try {
    const built = (name: string): Module[] => {
      const configuration = DEPLOYABLES.find((deployable) => deployable.name === name)?.configuration ?? "";
      const out = join(folder, name);
      execFileSync(process.execPath, [WRANGLER, "deploy", "--dry-run", "-c", configuration, "--outdir", out], {
        cwd: ROOT,
        env: { ...process.env, ...QUIET_ENVIRONMENT },
        stdio: ["ignore", "ignore", "pipe"],
      });
      return modulesOf(out);
    };
    return { public: built("public"), inference: built("inference"), feed: feedModules() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `main.js` first: it is where a Worker begins. */
function modulesOf(folder: string): Module[] {
  const others = readdirSync(folder).filter((file) => file !== "main.js");
  return ["main.js", ...others].flatMap((file) => moduleOf(folder, file));
}

function moduleOf(folder: string, file: string): Module[] {
  const contents = new Uint8Array(readFileSync(join(folder, file)));
  if (file === "main.js") return [{ type: "ESModule", path: file, contents: new TextDecoder().decode(contents) }];
  if (file.endsWith(".wasm")) return [{ type: "CompiledWasm", path: file, contents }];
  return file.endsWith(".onnx") ? [{ type: "Data", path: file, contents }] : [];
}

function feedModules(): Module[] {
  const files = ["workerd/stub-feed.ts", "seeded-numbers.ts"];
  return files.map((file) => ({
    type: "ESModule",
    path: `bench/${file}`,
    contents: stripTypeScriptTypes(readFileSync(join(ROOT, "bench", file), "utf8")),
  }));
}

/** @param number 0 or more. */
export function marketNumbered(number: number): string {
  return `${VENUE}:M${number}`;
}

export interface Served {
  /** Of the public Worker. */
  readonly base: string;
  /** Of workerd. */
  readonly pid: number;
  readonly workerd: Miniflare;
  stop(): Promise<void>;
}

/** A process of its own, in which nothing has been asked yet. */
export async function serve(bundles: Bundles, { model, markets }: { model: TrainedModel; markets: number }): Promise<Served> {
  const workerd = new Miniflare(
    convertV4MiniflareOptions({
      ...QUIET,
      workers: [publicWorker(bundles, markets), inferenceWorker(bundles), feedWorker(bundles, model)],
    }),
  );
  try {
    await workerd.ready;
    await migrate(workerd);
    await publish(workerd, model);
    const { origin } = await workerd.unsafeGetDirectURL("edgebook");
    return { base: origin, pid: workerdOf(process.pid), workerd, stop: () => workerd.dispose() };
  } catch (error) {
    // Its process would keep ours alive.
    await workerd.dispose();
    throw error;
  }
}

/** Nothing beside the Workers: no request is logged, traced or told of. */
const QUIET = {
  cf: false,
  log: new NoOpLog(),
  logRequests: false,
  telemetry: { enabled: false },
  unsafeLocalExplorer: false,
  unsafeObservability: false,
};

function publicWorker(bundles: Bundles, markets: number): V4WorkerOptions {
  return {
    name: "edgebook",
    compatibilityDate: COMPATIBILITY_DATE,
    modules: [...bundles.public],
    bindings: { FEEDS: feedsOf(markets), SPLITS: "" },
    ...STORES,
    durableObjects: { FEED: { className: "MarketFeed", scriptName: "edgebook-feed" } },
    serviceBindings: { INFERENCE: "edgebook-inference" },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

function inferenceWorker(bundles: Bundles): V4WorkerOptions {
  return { name: "edgebook-inference", compatibilityDate: COMPATIBILITY_DATE, modules: [...bundles.inference], ...STORES };
}

function feedWorker(bundles: Bundles, { manifest }: TrainedModel): V4WorkerOptions {
  return {
    name: "edgebook-feed",
    compatibilityDate: COMPATIBILITY_DATE,
    modules: [...bundles.feed],
    bindings: { FEATURES: JSON.stringify(featuresOf(manifest)) },
    durableObjects: { FEED: { className: "MarketFeed", useSQLite: true } },
  };
}

function feedsOf(markets: number): string {
  const symbols = Array.from({ length: markets }, (_, number) => marketNumbered(number).split(":")[1]);
  return JSON.stringify([{ feed: FEED, venue: VENUE, symbols }]);
}

/** What peers/forecast_http.py and the feed make rows of. */
export function featuresOf({ featureSet, normaliser }: ModelManifest): {
  fingerprint: string;
  mean: readonly number[];
  scale: readonly number[];
} {
  return { fingerprint: featureSet.fingerprint, mean: normaliser.mean, scale: normaliser.scale };
}

async function migrate(workerd: Miniflare): Promise<void> {
  const database = await workerd.getD1Database("DB", "edgebook");
  const folder = join(ROOT, "migrations");
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()) {
    const statements = readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint");
    for (const statement of statements) await database.prepare(statement).run();
  }
}

/** As `edgebook publish` does it: the files in the bucket, the version and its role in the database. */
async function publish(workerd: Miniflare, { manifest, objects, manifestSha256 }: TrainedModel): Promise<void> {
  const bucket = await workerd.getR2Bucket("TAPES", "edgebook");
  for (const { key, bytes } of objects) await bucket.put(key, bytes);
  const database = await workerd.getD1Database("DB", "edgebook");
  const { id, version, family, featureSet, label = "point", artifact } = manifest;
  await database
    .prepare(
      "INSERT INTO models (key, id, version, manifest_sha256, family, feature_set, fingerprint, label, bytes, published_at) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )
    .bind(id, version, manifestSha256, family, featureSet.id, featureSet.fingerprint, label, artifact.bytes)
    .run();
  await database.prepare("INSERT INTO model_roles (slot, market, model, role, since) VALUES ('forecast', '*', 1, 'active', 0)").run();
}
