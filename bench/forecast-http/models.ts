/**
 * The models of `bench forecast-http`, made by the commands that make any: an hour of simulated market, feature set v2, and on it the LSTM of the family `lstm`
 * (40 units over 100 rows, then 64) for two epochs, and up to 200 boosted trees for each move (those up to the best validation
 * loss; at so slow a rate nearly always all). They know nothing; what they weigh is real.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { manifestKey, modelKey } from "../../core/wire/keys.ts";
import { ROOT } from "../../local/deployables.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";

export const MODEL_NAMES = ["trees", "lstm"] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

export interface TrainedModel {
  readonly name: ModelName;
  /** Holds manifest.json and model.onnx. */
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly manifestSha256: string;
  /** What the bucket holds once it is published. */
  readonly objects: readonly { readonly key: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

const MARKET = "large-tick:1:1";
/** So slow that no tree of the 200 is one too many: training keeps those up to the best validation loss. */
const TREES = ["--model", "trees", "--rounds", "200", "--learning-rate", "0.0002"];
const LSTM = ["--model", "lstm", "--epochs", "2"];

/** @param folder an empty one, for everything that is made. */
export function trainModels(folder: string, names: readonly ModelName[]): TrainedModel[] {
  const data = join(folder, "data");
  edgebook(["dataset", "--simulate", MARKET, "--features", "v2", "--out", data]);
  return names.map((name) => {
    const run = join(folder, `${name}-run`);
    const exported = join(folder, name);
    mkdirSync(folder, { recursive: true });
    edgebook(["train", "--data", data, "--out", run, ...(name === "trees" ? TREES : LSTM)]);
    edgebook(["export-model", "--run", run, "--out", exported]);
    return readModel(name, exported);
  });
}

function edgebook(command: readonly string[]): void {
  execFileSync(process.execPath, [join(ROOT, "training", "command-line", "main.ts"), ...command, "--json"], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

export function readModel(name: ModelName, folder: string): TrainedModel {
  const bytes = new Uint8Array(readFileSync(join(folder, "manifest.json")));
  const parsed = parseManifest(new TextDecoder().decode(bytes));
  if ("malformed" in parsed) throw new Error(`${folder}: ${parsed.malformed}`);
  const { id, version } = parsed.manifest;
  const manifestSha256 = createHash("sha256").update(bytes).digest("hex");
  return {
    name,
    folder,
    manifest: parsed.manifest,
    manifestSha256,
    objects: [
      { key: manifestKey({ id, version }, manifestSha256), bytes },
      { key: modelKey({ id, version }), bytes: new Uint8Array(readFileSync(join(folder, "model.onnx"))) },
    ],
  };
}
