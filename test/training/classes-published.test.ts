/** Classes as far as the manifest: what is published in the slot of signals says how good it was, or nobody could choose between two. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetVolumes10 } from "../../core/features/volumes-10/feature-set.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { trainTreesRun } from "../../training/train/train-trees-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const [data, wide] = [join(folder, "volumes"), join(folder, "wide")];
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;

async function edgebook(...given: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...given])).stdout;
}

/** From a dataset to the manifest by the commands alone. */
async function published(name: string, from: string, options: readonly string[]): Promise<{ manifest: ModelManifest; told: string }> {
  const [run, out] = [join(folder, name), join(folder, `${name}-export`)];
  await edgebook("train", "--data", from, "--out", run, ...options);
  const told = await edgebook("evaluate", "--run", run);
  await edgebook("export-model", "--run", run, "--out", out, "--id", name);
  const text = readFileSync(join(out, "manifest.json"), "utf8");
  const read = parseManifest(text);
  if ("malformed" in read) throw new Error(read.malformed);
  return { manifest: read.manifest, told };
}

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 3_600, seed: 41, signal: 0.5 }], { featureSet: featureSetVolumes10 });
  await writeToyDataset(wide, [{ rows: 2_600, seed: 42, signal: 0.5 }]);
});

describe("a model of classes, by the commands", () => {
  it("of bare volumes says which way the mid changes next, better than whoever always says the same", async () => {
    const { manifest, told } = await published("volumes", data, [
      "--model",
      "volumes",
      "--epochs",
      "12",
      "--workers",
      "1",
      "--learning-rate",
      "0.01",
    ]);
    expect(manifest).toMatchObject({
      family: "volumes",
      featureSet: { id: "volumes-10", fingerprint: featureSetVolumes10.fingerprint },
      output: { unit: "probability", groups: [{ asks: "next-change", target: "mid", horizonMs: 30_000, labels: ["down", "up"] }] },
      scores: [],
    });
    expect(manifest).not.toHaveProperty("calibration");
    const [score] = manifest.classScores ?? [];
    expect(score).toMatchObject({ asks: "next-change", target: "mid", horizonMs: 30_000 });
    expect(score?.rows).toBeGreaterThan(400);
    expect(score?.mccLow).toBeGreaterThan(0.2);
    expect(score?.logLoss).toBeLessThan(score?.majorityLogLoss ?? 0);
    expect(manifest.scoredOn?.rows).toBeGreaterThan(score?.rows ?? Number.POSITIVE_INFINITY);
    expect(told).toContain("next change of the mid within 30 s");
  });

  it.each(["trees", "linear"] as const)(
    "of %s has the scores of each question, and of the next change where that is asked",
    async (family) => {
      for (const [asks, asked] of [
        ["move", ["move@1000", "move@5000", "move@10000", "move@30000"]],
        ["next-change", ["next-change@30000"]],
      ] as const) {
        const { classScores = [] } = await exportedClasses(family, asks);
        expect(classScores.map((score) => `${score.asks}@${score.horizonMs}`)).toEqual(asked);
        expect(classScores[0]?.mccLow).toBeGreaterThan(0.2);
      }
    },
  );
});

async function exportedClasses(family: "trees" | "linear", asks: "move" | "next-change"): Promise<ModelManifest> {
  const dataset = await readDataset(wide);
  const out = join(folder, `${family}-${asks}`);
  const model = { answer: "classes", size: "paper", asks } as const;
  const base = { dataset, dataFolder: wide, out, family, model, progress: silent, commit: null };
  const settings = { ...TREE_DEFAULTS, rounds: 6, learningRate: 0.3, minRows: 40 };
  await (family === "trees" ? trainTreesRun({ ...base, settings, threads: 1 }) : fitLinesRun({ ...base, settings: LINE_DEFAULTS }));
  const run = await readRun(out);
  const evaluation = await evaluateRun(run, dataset, { runtime: await loadRuntime("node"), commit: null });
  return (await exportRun(run, { id: family, dataset, evaluation })).manifest;
}
