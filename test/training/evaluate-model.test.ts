/** An exported model is scored as the run that it came from, on rows that it never saw; and what it may have seen, or isn't what it says, is refused. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { recordedSources } from "../../training/datasets/recorded-sources.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateModel } from "../../training/evaluate/evaluate-model.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { openModel } from "../../training/evaluate/model-folder.ts";
import { exportRun, writeExport } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import type { Runtime } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { importFiles, put } from "../archive/workplace.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
const START = 1_767_225_600_000;
let runtime: Runtime;
let dataset: Dataset;
let later: Dataset;

beforeAll(async () => {
  runtime = await loadRuntime("node");
  await writeToyDataset(join(folder, "data"), [{ rows: 2_400, seed: 21, signal: 0.5 }]);
  await writeToyDataset(join(folder, "later"), [{ rows: 1_500, seed: 22, signal: 0.5, startTime: START + 100_000_000 }]);
  dataset = await readDataset(join(folder, "data"));
  later = await readDataset(join(folder, "later"));
  await fitAndExport("moves");
  await fitAndExport("classes");
}, 60_000);

async function fitAndExport(answer: "moves" | "classes"): Promise<void> {
  const out = join(folder, `run-${answer}`);
  await fitLinesRun({
    ...{ dataset, dataFolder: join(folder, "data"), out, family: "linear", settings: LINE_DEFAULTS, progress: silent, commit: null },
    model: { answer, size: "paper" },
  });
  const run = await readRun(out);
  const evaluation = await evaluateRun(run, dataset, { runtime, commit: null });
  await writeExport(join(folder, answer), await exportRun(run, { id: "toy", dataset, evaluation }));
}

describe("an exported model", () => {
  it("has the scores of its run on the same rows, to within the rounding of float32", async () => {
    const own = await evaluateModel(await openModel(join(folder, "moves"), runtime), later, { commit: null });
    const run = await evaluateRun(await readRun(join(folder, "run-moves")), later, { runtime, commit: null });
    expect(own.rows).toBe(1_500);
    expect(run.scores.length).toBeGreaterThan(6);
    for (const score of run.scores) {
      const same = own.scores.find(({ target, horizonMs }) => target === score.target && horizonMs === score.horizonMs);
      expect(same?.r2).toBeCloseTo(score.r2, 6);
      expect(same?.rows).toBe(score.rows);
    }
  });

  it("of classes likewise, from its manifest's path", async () => {
    const own = await evaluateModel(await openModel(join(folder, "classes", "manifest.json"), runtime), later, { commit: null });
    const run = await evaluateRun(await readRun(join(folder, "run-classes")), later, { runtime, commit: null });
    expect(own.classes.map(({ model }) => model.logLoss?.toFixed(5))).toEqual(run.classes?.map(({ model }) => model.logLoss?.toFixed(5)));
    expect(own.classes.length).toBeGreaterThan(0);
  });

  it("is scored behind its test part's beginning alone on its own data: before, it chose and learnt", async () => {
    const own = await evaluateModel(await openModel(join(folder, "moves"), runtime), dataset, { commit: null });
    const run = await evaluateRun(await readRun(join(folder, "run-moves")), dataset, { runtime, commit: null });
    expect([own.from, own.rows]).toEqual([run.from, run.rows]);
    expect(own.leftOut).toBe(2_400 - run.rows);
  });

  it("isn't scored on the rows that chose it, wherever they are from: its penalty is the one that they liked best", async () => {
    await writeToyDataset(join(folder, "all-along"), [{ rows: 4_000, seed: 24, signal: 0.5 }]);
    const allAlong = await readDataset(join(folder, "all-along"));
    const run = await evaluateRun(await readRun(join(folder, "run-classes")), dataset, { runtime, commit: null });
    const own = await evaluateModel(await openModel(join(folder, "classes"), runtime), allAlong, { commit: null });
    expect(own.from).toBe(run.from);
  });

  it("is refused its own data where it can't say which of them chose it", async () => {
    const unscored = join(folder, "unscored");
    await writeExport(unscored, await exportRun(await readRun(join(folder, "run-classes")), { id: "toy", dataset, evaluation: null }));
    await expect(evaluateModel(await openModel(unscored, runtime), dataset, { commit: null })).rejects.toThrow(/which rows chose it/);
  });

  it("of windows is scored where no window reaches to what it learnt of: a second of the last move it was taught would be an input", async () => {
    const out = join(folder, "run-lstm");
    await trainRun({
      ...{ dataset, dataFolder: join(folder, "data"), out, family: "lstm", runtime, progress: silent, checkpoints: null, commit: null },
      model: { answer: "moves", size: "small" },
      settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 64, workers: 1 },
    });
    await writeExport(join(folder, "lstm"), await exportRun(await readRun(out), { id: "toy", dataset, evaluation: null }));
    const model = await openModel(join(folder, "lstm"), runtime);
    const { to } = model.manifest.trainedOn;
    await writeToyDataset(join(folder, "behind"), [{ rows: 1_000, seed: 25, signal: 0.5, startTime: to + 1_000 }]);
    const own = await evaluateModel(model, await readDataset(join(folder, "behind")), { commit: null });
    // The longest label, the columns' warm-up, and the window.
    expect(own.from).toBe(to + 30_000 + featureSetV1.warmupMs + (model.family.window - 1) * 1_000);
  });

  it("is scored on a folder of events as on the dataset that is made of them: nobody should have to know its columns", async () => {
    const lines = Array.from({ length: 1_200 }, (_, index) => {
      const time = START + 200_000_000 + index * 250;
      const bid = 90_000 + ((index * 7_919) % 101) / 100;
      const side = (best: number, step: number) => [0, 1, 2].map((level) => [Number((best + step * level).toFixed(2)), 0.5 + level]);
      return JSON.stringify({ type: "snapshot", E: time, R: time + 30, b: side(bid, -0.01), a: side(bid + 0.02, 0.01) });
    });
    const { markets } = await importFiles("standx", [put("diffL20_evaluate.ndjson.gz", `${lines.join("\n")}\n`)], {});
    const events = dirname(markets[0]?.file ?? "");
    const horizonsMs = [1_000, 5_000, 10_000, 30_000];
    const sources = await recordedSources([events], { venue: null, market: null });
    await buildDataset({ sources, folder: join(folder, "made"), horizonsMs, label: "point", command: [], progress: silent });
    const model = await openModel(join(folder, "moves"), runtime);
    const own = await evaluateModel(model, await readDataset(join(folder, "made")), { commit: null });
    expect(own.scores.length).toBeGreaterThan(0);
    const told = spawnSync(process.execPath, [MAIN, "evaluate", "--model", join(folder, "moves"), "--data", events, "--json"], {
      encoding: "utf8",
    });
    expect(told.stderr).not.toContain("Error");
    expect({ ...JSON.parse(told.stdout), commit: null }).toEqual(own);
  });

  it("is refused data of its own time from elsewhere, other labels, other features", async () => {
    const model = await openModel(join(folder, "moves"), runtime);
    await writeToyDataset(join(folder, "same-time"), [{ rows: 1_000, seed: 23, signal: 0.5 }]);
    const elsewhere = await readDataset(join(folder, "same-time"));
    await expect(evaluateModel(model, elsewhere, { commit: null })).rejects.toThrow(/would say nothing/);
    const smoothed: Dataset = { ...later, card: { ...later.card, label: "smoothed" } };
    await expect(evaluateModel(model, smoothed, { commit: null })).rejects.toThrow(/smoothed targets/);
    const others: Dataset = {
      ...later,
      card: { ...later.card, featureSet: { ...later.card.featureSet, fingerprint: "0000000000000000" } },
    };
    await expect(evaluateModel(model, others, { commit: null })).rejects.toThrow(featureSetV1.fingerprint);
  });

  it("is refused where its file isn't the manifest's, or the manifest is none", async () => {
    const broken = join(folder, "broken");
    await writeExport(broken, await exportRun(await readRun(join(folder, "run-moves")), { id: "toy", dataset, evaluation: null }));
    const bytes = readFileSync(join(broken, "model.onnx"));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    writeFileSync(join(broken, "model.onnx"), bytes);
    await expect(openModel(broken, runtime)).rejects.toThrow(/SHA-256/);
    writeFileSync(join(broken, "manifest.json"), "{}");
    await expect(openModel(broken, runtime)).rejects.toThrow(/no manifest of a model/);
    await expect(openModel(join(folder, "nowhere"), runtime)).rejects.toThrow(/there is no/);
  });
});
