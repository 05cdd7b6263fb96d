/** Rows off the whole second teach and do nothing else: one that were validated or tested on would make a score of rows that the edge never serves, and that nearly repeat others. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { CARD_FILE } from "../../training/datasets/card.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { phasesOf, servedRowsOf } from "../../training/datasets/phases.ts";
import { simulatedSource } from "../../training/datasets/simulated-source.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { traceStatistics } from "../../training/leaks/traced-statistics.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { splitByTime } from "../../training/train/split.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { scratchFolder } from "./toy-data.ts";

const folder = scratchFolder();
const HORIZONS = [1_000, 5_000];
let plain: Dataset;
let served: Dataset;
let all: Dataset;

beforeAll(async () => {
  // Two markets of their own seeds: the phases of the first must not come between the whole seconds of both.
  const sources = [1, 2].map((seed) => simulatedSource({ preset: "large-tick", seed, hours: 0.2 }));
  const options = { sources, horizonsMs: HORIZONS, command: ["test"], progress: silent };
  await buildDataset({ ...options, folder: join(folder, "plain") });
  await buildDataset({ ...options, folder: join(folder, "phased"), phases: 4 });
  plain = await readDataset(join(folder, "plain"));
  served = await readDataset(join(folder, "phased"));
  all = await readDataset(join(folder, "phased"), { phases: "all" });
}, 120_000);

describe("a dataset of four phases", () => {
  it("begins with the dataset of whole seconds, to the bit, and that is all that is read unless more is asked for", () => {
    expect(served.rows).toBe(plain.rows);
    expect(allFeatures(served)).toEqual(allFeatures(plain));
    for (const column of ["targets", "mask", "times", "segments", "parts"] as const) expect(served[column], column).toEqual(plain[column]);
    expect(served.card.parts).toEqual(plain.card.parts);
    expect([served.card.rows, served.card.from, served.card.to]).toEqual([plain.card.rows, plain.card.from, plain.card.to]);
    // Its name is that of the whole: a run that was trained on all of it is known by it.
    expect(served.card.sha256).toBe(all.card.sha256);
    expect(served.card.sha256).not.toBe(plain.card.sha256);
  });

  it("has as many rows again 250, 500 and 750 ms later, each with the moves of its own grid", () => {
    expect(phasesOf(4)).toEqual([0, 250, 500, 750]);
    expect(all.card.parts.map(({ phaseMs = 0 }) => phaseMs)).toEqual([0, 0, 250, 250, 500, 500, 750, 750]);
    expect(servedRowsOf(all.card)).toBe(plain.rows);
    for (const { phaseMs = 0, firstRow, rows } of all.card.parts) {
      expect(Math.abs(rows - plain.rows / 2)).toBeLessThan(5);
      const times = all.times.subarray(firstRow, firstRow + rows);
      expect(times.every((time) => time % 1_000 === phaseMs)).toBe(true);
    }
    // Of the same market, the moves to a second later spread as far as those of whole seconds do.
    const spread = (part: number): number => {
      const { firstRow, rows } = all.card.parts[part] ?? { firstRow: 0, rows: 0 };
      let squares = 0;
      for (let row = firstRow; row < firstRow + rows; row++) squares += (all.targets[row * all.outputs + 1] ?? 0) ** 2;
      return Math.sqrt(squares / rows);
    };
    expect(spread(4) / spread(0)).toBeGreaterThan(0.7);
    expect(spread(4) / spread(0)).toBeLessThan(1.4);
  });

  it("of which a card hides a phase is refused: its rows would be scored as whole seconds", async () => {
    const path = join(folder, "phased", CARD_FILE);
    const text = readFileSync(path, "utf8");
    try {
      writeFileSync(path, text.replaceAll(/"phaseMs": 250,/g, ""));
      await expect(readDataset(join(folder, "phased"))).rejects.toThrow("has been changed since it was written");
    } finally {
      writeFileSync(path, text);
    }
  });
});

describe("a split", () => {
  it("has the boundaries of the whole seconds; the rest trains, purged as they are", () => {
    const settings = { trainShare: 0.6, validationShare: 0.2, purgeMs: 40_000 };
    const whole = splitByTime(plain.times, settings);
    const split = splitByTime(all.times, { ...settings, servedRows: servedRowsOf(all.card) });
    expect([split.validationFrom, split.testFrom]).toEqual([whole.validationFrom, whole.testFrom]);
    expect([...split.validation]).toEqual([...whole.validation]);
    expect([...split.test]).toEqual([...whole.test]);
    expect([...split.train.subarray(0, whole.train.length)]).toEqual([...whole.train]);
    const shifted = split.train.subarray(whole.train.length);
    expect(shifted.length).toBeGreaterThan(2.9 * whole.train.length);
    expect(shifted.every((row) => row >= plain.rows && (all.times[row] as number) + 40_000 < split.validationFrom)).toBe(true);
  });
});

describe("a run", () => {
  it("learns from all phases, says how many rows each gave, and is scored on whole seconds alone", async () => {
    const out = join(folder, "run");
    const runtime = await loadRuntime("node");
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 128 };
    await trainRun({
      dataset: all,
      dataFolder: join(folder, "phased"),
      out,
      family: "mlp",
      runtime,
      settings,
      progress: silent,
      commit: null,
    });
    const run = await readRun(out);
    const { trainPhases = [], trainRows, validationRows, ...split } = run.card.split;
    expect(trainPhases.map(({ phaseMs }) => phaseMs)).toEqual([0, 250, 500, 750]);
    expect(trainPhases.reduce((sum, { rows }) => sum + rows, 0)).toBe(trainRows);
    const whole = splitByTime(plain.times, split);
    expect(trainPhases[0]?.rows).toBe(whole.train.length);
    expect(validationRows).toBe(whole.validation.length);
    const evaluation = await evaluateRun(run, served, { runtime, commit: null });
    expect(evaluation.rows).toBe(whole.test.length);
    expect(evaluation.byPart.map(({ rows }) => rows)).toHaveLength(2);
    // Its means and scales are of all that taught, and can be traced there.
    expect(traceStatistics(run.card, all).map(({ failure }) => failure)).toEqual([null, null]);
    expect(traceStatistics(run.card, served)[0]?.failure).not.toBeNull();
  });
});
