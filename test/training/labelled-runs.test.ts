/** What is trained carries its label: scored or served as another kind of move, its numbers would be skill that it doesn't have, or prices that it doesn't mean. */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { LabelKind } from "../../core/labels/moves.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { freePredictability, freeTable } from "../../training/command-line/free-predictability.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { type Evaluation, evaluateRun, suspicionsOf } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import { whyNoForecasts } from "../../training/publish/forecasts-of.ts";
import type { Runtime } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { lookBackOf } from "../../training/train/run-rows.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { readNetworkRun, scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
let runtime: Runtime;

async function toy(label: LabelKind, market = "toy:MARKET"): Promise<Dataset> {
  const path = join(folder, `${market.slice(4)}-${label}`);
  await writeToyDataset(path, [{ rows: 1_500, seed: market === "toy:MARKET" ? 41 : 42, signal: 0, market }], { label });
  return readDataset(path);
}

async function trained(dataset: Dataset, name: string) {
  const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1 };
  const out = join(folder, name);
  await trainRun({ dataset, dataFolder: folder, out, family: "mlp", runtime, settings, progress: silent, commit: null });
  return readNetworkRun(out);
}

beforeAll(async () => {
  runtime = await loadRuntime("node");
});

describe("a run", () => {
  it("of smoothed targets says so in its card, its scores and its manifest, and is scored on such targets alone", async () => {
    const dataset = await toy("smoothed");
    const run = await trained(dataset, "smoothed-run");
    expect(run.card.label).toBe("smoothed");
    const evaluation = await evaluateRun(run, dataset, { runtime, commit: null });
    expect(evaluation.label).toBe("smoothed");
    expect(await evaluateRun(run, await toy("smoothed", "toy:OTHER"), { runtime, commit: null })).toMatchObject({ rows: 1_500 });
    for (const other of ["point", "anchored"] as const) {
      await expect(evaluateRun(run, await toy(other, "toy:OTHER"), { runtime, commit: null })).rejects.toThrow(
        `the dataset has ${other} targets, the run was trained on smoothed ones: make a dataset with --label smoothed, or train again`,
      );
    }
    const { manifest } = await exportRun(run, { id: "toy", dataset, evaluation });
    expect(manifest.label).toBe("smoothed");
    expect(whyNoForecasts(manifest)).toMatch(/smoothed/);
  }, 60_000);

  it("of point targets says nothing, as those of before, and refuses others", async () => {
    const dataset = await toy("point");
    const run = await trained(dataset, "point-run");
    expect(Object.keys(run.card)).not.toContain("label");
    expect(Object.keys(await evaluateRun(run, dataset, { runtime, commit: null }))).not.toContain("label");
    await expect(evaluateRun(run, await toy("anchored", "toy:OTHER"), { runtime, commit: null })).rejects.toThrow(
      "the dataset has anchored targets, the run was trained on point ones",
    );
  }, 60_000);

  it("of smoothed targets keeps them out of its training rows' time: they begin a horizon before their row, which no warm-up may cover", () => {
    const volumes = MODEL_FAMILIES.get("volumes");
    const deeplob = MODEL_FAMILIES.get("deeplob");
    if (volumes === undefined || deeplob === undefined) throw new Error("no such family");
    const targets = [1_000, 30_000].map((horizonMs) => ({ target: "mid" as const, horizonMs }));
    const card = { featureSet: { warmupMs: 0 }, intervalMs: 1_000, targets } as Dataset["card"];
    expect(lookBackOf({ card }, volumes)).toBe(0);
    expect(lookBackOf({ card: { ...card, label: "anchored" } }, volumes)).toBe(0);
    expect(lookBackOf({ card: { ...card, label: "smoothed" } }, volumes)).toBe(29_000);
    expect(lookBackOf({ card: { ...card, label: "smoothed" } }, deeplob)).toBe(99_000);
  });
});

describe("what smoothed targets give away", () => {
  const card = { intervalMs: 1_000, targets: [1_000, 5_000, 5_000, 10_000].map((horizonMs) => ({ target: "mid" as const, horizonMs })) };

  it("stands beside them, once for each horizon, and beside no others", () => {
    const free = freePredictability({ ...card, label: "smoothed" });
    expect(free.map(({ horizonMs }) => horizonMs)).toEqual([1_000, 5_000, 10_000]);
    expect(free[1]?.freeR2).toBeCloseTo(0.3529, 4);
    expect(free[2]?.freeHitRate).toBeCloseTo(0.7262, 4);
    expect(freeTable(free)).toMatch(/10 s +│ 0\.4254 +│ 0\.7262/);
    for (const label of ["point", "anchored"] as const) expect(freePredictability({ ...card, label })).toEqual([]);
    expect(freePredictability(card)).toEqual([]);
  });

  it("is no suspicion by itself: the alarm would sound at every one of them", () => {
    const at = (r2: number, label?: LabelKind): string[] =>
      suspicionsOf({
        scores: [{ target: "mid", horizonMs: 10_000, r2 }],
        ...(label === undefined ? {} : { label }),
      } as unknown as Evaluation);
    expect(at(0.5)).toHaveLength(1);
    expect(at(0.5, "anchored")).toHaveLength(1);
    // .4254 is given away; .4 of the rest is .2298 more.
    expect(at(0.65, "smoothed")).toEqual([]);
    expect(at(0.66, "smoothed")).toEqual([expect.stringContaining("is above 0.66: suspect a leak")]);
  });
});
