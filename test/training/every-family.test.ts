/** Every family that learns from features, from a dataset to a file: a family that can be trained and not exported, or the other way round, is none. */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSets } from "../../core/features/registry.ts";
import { parseManifest } from "../../models/manifest.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { kindOf, outputWidth, windowOf } from "../../models/shapes.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { trainableFamilies } from "../../training/networks/registry.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { familyFor, trainRun } from "../../training/train/train-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const datasets = new Map<string, Dataset>();

const CASES = trainableFamilies().flatMap((id) => (MODEL_FAMILIES.get(id)?.answers ?? []).map(({ kind }) => ({ id, kind })));

beforeAll(async () => {
  for (const featureSet of featureSets) {
    const path = join(folder, featureSet.id);
    // Two stretches with a gap between: a window that reached over it would be of another segment.
    await writeToyDataset(path, [{ rows: 3_600, seed: 9, signal: 0.5, gapAt: 500 }], { featureSet });
    datasets.set(featureSet.id, await readDataset(path));
  }
});

describe.each(CASES)("$id, $kind", ({ id, kind }) => {
  it("is trained by the engine, read back, and exported with what the training rows told", async () => {
    const family = MODEL_FAMILIES.get(id);
    if (family === undefined || family.inputs.kind !== "features") throw new Error(`${id} reads no features`);
    const set = family.inputs.featureSet ?? "v1";
    const dataset = datasets.get(set);
    if (dataset === undefined) throw new Error(`no dataset of ${set}`);
    const out = join(folder, `run-${id}-${kind}`);
    const runtime = await loadRuntime("node");
    const { card } = await trainRun({
      dataset,
      dataFolder: join(folder, set),
      out,
      family: id,
      model: { answer: kind, size: "small" },
      runtime,
      settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 64, workers: 1 },
      progress: silent,
      checkpoints: null,
      commit: null,
    });
    const run = await readRun(out);
    expect(run.card).toEqual(card);
    expect(card.model).toMatchObject({ answer: kind, size: "small" });
    // Of what knows nothing of the row: about 1 of moves and of z-scored inputs, at most ln of the number of classes, and never 0.
    expect(card.validation.persistence).toBeGreaterThan(0.3);
    expect(card.validation.persistence).toBeLessThan(kind === "classes" ? 1.2 : 3);
    expect(card.validation.ridge === null).toBe(kind === "reconstruction");
    expect(card.split.purgeMs).toBe(30_000 + dataset.card.featureSet.warmupMs + (family.window - 1) * 1_000);

    const evaluation = await evaluateRun(run, dataset, { runtime, commit: null });
    expect(evaluation.scores.length > 0).toBe(kind === "moves");
    expect((evaluation.classes ?? []).length > 0).toBe(kind === "classes");
    expect(evaluation.reconstruction !== undefined).toBe(kind === "reconstruction");
    const [asked] = evaluation.classes ?? [];
    for (const measures of asked === undefined ? [] : [asked.model, asked.logistic, asked.majority]) {
      expect(measures?.logLoss).toBeGreaterThan(0.1);
      expect(measures?.logLoss).toBeLessThan(2);
    }
    const { manifest, manifestText } = await exportRun(run, { id: "toy", dataset, evaluation });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    expect(kindOf(manifest.output)).toBe(kind);
    expect(windowOf(manifest)).toBe(family.window);
    expect(manifest.featureSet.id).toBe(set);
    const numbers = family.window * dataset.columns;
    expect(manifest.golden.inputs.every((vector) => vector.length === numbers)).toBe(true);
    expect(manifest.golden.outputs.every((vector) => vector.length === outputWidth(manifest.output, numbers))).toBe(true);
    expect(
      manifest.classScores?.map(({ rows, mcc, mccLow, logisticMcc, majorityLogLoss }) => [rows, mcc, mccLow, logisticMcc, majorityLogLoss]),
    ).toEqual(
      evaluation.classes?.map(({ rows, model, intervals, logistic, majority }) => [
        rows,
        model.mcc,
        intervals.mcc?.low ?? null,
        logistic?.mcc ?? null,
        majority.logLoss,
      ]),
    );
    expect(manifest.scoredOn === null).toBe(kind === "reconstruction");
    if (manifest.output.unit !== "probability") return;
    expect(manifest.output.groups.map(({ thresholdBps }) => thresholdBps)).toEqual(card.model.thresholdsBps);
    const asksMoves = manifest.output.groups.filter(({ asks }) => asks === "move");
    expect(asksMoves.every(({ thresholdBps }) => thresholdBps > 0)).toBe(true);
  });
});

describe("an mlp of its own widths, with dropout and a line beside it", () => {
  it("is read back, scored and exported as what it was trained as: a file without its line would forecast something else", async () => {
    const dataset = datasets.get("v1");
    if (dataset === undefined) throw new Error("no dataset of v1");
    const out = join(folder, "run-line");
    const runtime = await loadRuntime("node");
    const schedule = { kind: "one-cycle", warmupSteps: 0 } as const;
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 8, batch: 64, learningRate: 1e-2, schedule };
    const model = { answer: "moves", size: "paper", hidden: [24, 12], dropout: 0.25, hasLine: true } as const;
    const options = { dataset, dataFolder: folder, out, family: "mlp", model, runtime, settings, progress: silent, commit: null };
    const { trained } = await trainRun({ ...options, checkpoints: null });
    const run = await readRun(out);
    expect(run.card.model).toEqual({ ...model, hidden: [24, 12], thresholdsBps: [] });
    expect(run.card.kind === "network" && run.card.settings.schedule).toEqual({ kind: "one-cycle", warmupSteps: 0 });
    const line = trained.slots.find(({ name }) => name === "line.weights");
    expect(line?.shape).toEqual([dataset.columns, dataset.outputs]);
    const taught = trained.parameters.subarray(line?.offset, (line?.offset ?? 0) + (line?.size ?? 0));
    expect(Math.max(...taught.map(Math.abs))).toBeGreaterThan(1e-3);
    const evaluation = await evaluateRun(run, dataset, { runtime, commit: null });
    // Half of each next second's variance is planted; without its line, or with units dropped while it answers, it would be far from that.
    for (const { horizonMs, r2 } of evaluation.scores) if (horizonMs === 1_000) expect(r2).toBeGreaterThan(0.35);
    const { manifestText } = await exportRun(run, { id: "toy", dataset, evaluation });
    expect(parseManifest(manifestText)).toHaveProperty("manifest");
  });
});

describe("refused before anything is trained", () => {
  const card = () => {
    const dataset = datasets.get("v1");
    if (dataset === undefined) throw new Error("no dataset");
    return dataset;
  };

  it("a dataset of other features than the family reads, with the command that makes the right one", () => {
    expect(() => familyFor("deeplob", card())).toThrow(/edgebook dataset --features levels-10/);
  });

  it("an answer that the family doesn't give", () => {
    expect(() => familyFor("mlp", card(), { answer: "reconstruction", size: "paper" })).toThrow(
      /mlp gives no reconstruction: choose one of moves, classes/,
    );
  });

  it("a family that learns by playing, or from many markets at once", () => {
    for (const id of ["dueling-q", "resnet1d", "nonesuch"]) expect(() => familyFor(id, card())).toThrow(/choose one of mlp, volumes/);
  });
});
