/** Intervals and probabilities that go out with a model: of validation rows alone, judged on rows that came later, and nothing where too few rows tell. */

import { execFile } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { fitBins } from "../../core/calibration/by-bins.ts";
import { Random } from "../../core/math/random.ts";
import type { CalibratedOutput, ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { scoreCalibration } from "../../training/evaluate/calibrated-scores.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { binsFor, fitCalibration } from "../../training/evaluate/fit-calibration.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import type { Runtime } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { type Run, readRun } from "../../training/train/run-folder.ts";
import { splitByTime } from "../../training/train/split.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const [data, out] = [join(folder, "data"), join(folder, "run")];
const TIMES = { coverage: 0.9, intervalMs: 1_000 };
let dataset: Dataset;
let run: Run;
let runtime: Runtime;

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 3_600, seed: 21, signal: 0.5 }]);
  dataset = await readDataset(data);
  runtime = await loadRuntime("node");
  run = await lines(out, "moves");
});

async function lines(to: string, answer: "moves" | "classes"): Promise<Run> {
  const model = { answer, size: "paper" } as const;
  const base = { dataset, dataFolder: data, family: "linear", model, settings: LINE_DEFAULTS };
  await fitLinesRun({ ...base, out: to, progress: silent, commit: null });
  return readRun(to);
}

/** The same dataset with the moves of some rows made another. */
function withMoves(rows: Uint32Array, change: (move: number) => number): Dataset {
  const targets = dataset.targets.slice();
  for (const row of rows)
    for (let cell = row * dataset.outputs; cell < (row + 1) * dataset.outputs; cell++) targets[cell] = change(targets[cell] as number);
  return { ...dataset, targets };
}

describe("a calibration's score", () => {
  const bin = { down: 0.25, flat: 0.5, up: 0.25 };
  const calibrated: CalibratedOutput = {
    target: "mid",
    horizonMs: 1_000,
    thresholdBps: 1,
    bins: [
      { upToBps: 0, lowBps: -2, highBps: 2, ...bin, rows: 300 },
      { upToBps: null, lowBps: -1, highBps: 3, down: 0.05, flat: 0.2, up: 0.75, rows: 100 },
    ],
  };

  it("counts what the intervals held and what the probabilities lost, worked by hand", () => {
    // Six forecasts of -1, to whose bin -1 belongs, four of 2. Their intervals: -3 … 1, and 1 … 5.
    const predicted = Float64Array.of(-1, -1, -1, -1, -1, -1, 2, 2, 2, 2);
    // Of the first: down (held), flat, flat at the very threshold and at the very end of the interval, up (missed), down at the other end, down (missed).
    // Of the second: up, up, up (missed), flat at its end.
    const actual = Float64Array.of(-2, 0, 1, 1.5, -3, -3.5, 2, 4, 6, 1);
    const score = scoreCalibration(calibrated, { actual, predicted }, TIMES);
    // Shares of all: down (0.25 · 300 + 0.05 · 100) / 400 = 0.2, flat 0.425, up 0.375. Came: 3 down, 3 flat, 4 up.
    const [quarter, half] = [Math.log(4), Math.log(2)];
    const said = 4 * quarter + 2 * half + 3 * -Math.log(0.75) - Math.log(0.2);
    const shares = -(3 * Math.log(0.2) + 3 * Math.log(0.425) + 4 * Math.log(0.375));
    // Brier of what came: first bin down or up 0.75² + 0.5² + 0.25² = 0.875, flat 0.25² · 2 + 0.5² = 0.375; second up 0.05² + 0.2² + 0.25² = 0.105, flat 0.05² + 0.8² + 0.75² = 1.205.
    const brier = 4 * 0.875 + 2 * 0.375 + 3 * 0.105 + 1.205;
    expect(score).toMatchObject({ target: "mid", horizonMs: 1_000, rows: 10, coverage: 0.9 });
    expect(score?.held).toBeCloseTo(0.7, 12);
    expect(score?.widthBps).toBe(4);
    expect(score?.logLoss).toBeCloseTo(said / 10, 12);
    expect(score?.sharesLogLoss).toBeCloseTo(shares / 10, 12);
    expect(score?.brier).toBeCloseTo(brier / 10, 12);
    expect(score?.sharesBrier).toBeCloseTo(
      (3 * (0.64 + 0.180625 + 0.140625) + 3 * (0.04 + 0.330625 + 0.140625) + 4 * (0.04 + 0.180625 + 0.390625)) / 10,
      12,
    );
    expect(score?.bins).toEqual([
      { upToBps: 0, rows: 6, held: 4 / 6, said: [0.25, 0.5, 0.25], came: [3 / 6, 2 / 6, 1 / 6] },
      { upToBps: null, rows: 4, held: 3 / 4, said: [0.05, 0.2, 0.75], came: [0, 1 / 4, 3 / 4] },
    ]);
    const { low = 1, high = 0 } = score?.heldInterval ?? {};
    expect([low <= 0.7, high >= 0.7, low < high]).toEqual([true, true, true]);
  });

  it("leaves out bins that no forecast fell into, and is none of fewer rows than say how sure it is", () => {
    const rows = (count: number) => ({ actual: new Float64Array(count), predicted: new Float64Array(count).fill(-1) });
    expect(scoreCalibration(calibrated, rows(10), TIMES)?.bins.map(({ upToBps }) => upToBps)).toEqual([0]);
    expect(scoreCalibration(calibrated, rows(9), TIMES)).toBeNull();
    expect(scoreCalibration(calibrated, rows(0), TIMES)).toBeNull();
  });

  it.each([
    ["of one size", 1, 1],
    ["that grows with the forecast: one interval for all would hold too little where it is wild, and too much where it is calm", 0.3, 3],
  ])("of noise %s is near what was promised, in all and in each bin; else a person would bet on a width that isn't so", (_, calm, wild) => {
    const random = new Random(77);
    const draw = (count: number) => {
      const predicted = Float64Array.from({ length: count }, () => random.normal());
      const actual = predicted.map((forecast) => forecast + (forecast < 0 ? calm : wild) * random.normal());
      return { predicted, actual };
    };
    const [fit, later] = [draw(4_000), draw(8_000)];
    const fitted = fitBins(fit.predicted, fit.actual, { coverage: 0.9, thresholdBps: 0.4, bins: 10 });
    if (fitted === null) throw new Error("4,000 rows say nothing");
    const score = scoreCalibration({ target: "mid", horizonMs: 1_000, ...fitted }, later, TIMES);
    // Four standard deviations of a binomial share, of the rows that judge and of those that it was made of.
    const bound = (rows: number, made: number): number => 4 * Math.sqrt(0.9 * 0.1 * (1 / rows + 1 / made));
    expect(Math.abs((score?.held ?? 0) - 0.9)).toBeLessThan(bound(8_000, 4_000));
    for (const { held, rows } of score?.bins ?? []) expect(Math.abs(held - 0.9)).toBeLessThan(bound(rows, 400));
    for (const { said, came, rows } of score?.bins ?? [])
      for (const [direction, probability] of said.entries())
        expect(Math.abs(probability - (came[direction] as number))).toBeLessThan(4 * Math.sqrt(0.25 * (1 / rows + 1 / 400)));
    expect(score?.gainInterval?.low).toBeGreaterThan(0.1);
  });

  it("gains nothing on the shares where forecasts know nothing: an interval of the gain that left 0 out would sell noise", () => {
    const random = new Random(78);
    const noise = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());
    const fitted = fitBins(noise(2_000), noise(2_000), { coverage: 0.9, thresholdBps: 0.4, bins: 10 });
    if (fitted === null) throw new Error("2,000 rows say nothing");
    const score = scoreCalibration(
      { target: "mid", horizonMs: 1_000, ...fitted },
      { predicted: noise(4_000), actual: noise(4_000) },
      TIMES,
    );
    expect(score?.gainInterval?.low).toBeLessThan(0);
    expect((score?.sharesLogLoss ?? 0) - (score?.logLoss ?? 0)).toBeLessThan(0.002);
  });
});

describe("a run's calibration", () => {
  it("has as many bins as there are horizons to tell of them: rows that share theirs are one", () => {
    expect([binsFor(10_000, 1), binsFor(199, 1), binsFor(19, 1), binsFor(13_000, 30), binsFor(13_000, 300), binsFor(5_999, 300)]).toEqual([
      10, 9, 0, 10, 2, 0,
    ]);
  });

  it("is of the mid at each horizon that has rows enough, in basis points, with what the training rows call flat", async () => {
    const calibration = await fitCalibration(run, dataset, { runtime });
    const { validation } = splitByTime(dataset.times, run.card.split);
    expect(calibration).toMatchObject({
      coverage: 0.9,
      rows: validation.length,
      from: dataset.times[validation[0] as number],
      to: dataset.times[validation.at(-1) as number],
    });
    expect(calibration?.outputs.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual(["mid@1000", "mid@5000", "mid@10000"]);
    const [first] = calibration?.outputs ?? [];
    // A forecast tells half of a second's move of some 10 ticks: what is left lies within 1.645 times the other half, 100,000 ticks being the price.
    const widths = (first?.bins ?? []).map(({ lowBps, highBps }) => highBps - lowBps);
    for (const width of widths) expect(Math.abs(width - 2 * 1.645 * 0.5)).toBeLessThan(0.4);
    const { outputs, targets, mask, card } = dataset;
    const at = card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === 1_000);
    const { train } = splitByTime(dataset.times, run.card.split);
    const sizes = Array.from(train).flatMap((row) =>
      mask[row * outputs + at] === 1 ? [Math.abs(targets[row * outputs + at] as number)] : [],
    );
    const flat = sizes.filter((size) => size <= (first?.thresholdBps ?? 0)).length / sizes.length;
    expect(Math.abs(flat - 1 / 3)).toBeLessThan(0.05);
  });

  it("is of validation rows alone: the test rows, and but for what is flat the training rows, change nothing", async () => {
    const [own, split] = [await fitCalibration(run, dataset, { runtime }), splitByTime(dataset.times, run.card.split)];
    expect(
      await fitCalibration(
        run,
        withMoves(split.test, (move) => 100 - move),
        { runtime },
      ),
    ).toEqual(own);
    const trained = await fitCalibration(
      run,
      withMoves(split.train, (move) => 3 * move),
      { runtime },
    );
    const intervals = (from: typeof own) =>
      from?.outputs.map(({ bins }) => bins.map(({ upToBps, lowBps, highBps }) => [upToBps, lowBps, highBps]));
    expect(intervals(trained)).toEqual(intervals(own));
    for (const [at, { thresholdBps }] of (trained?.outputs ?? []).entries())
      expect(thresholdBps).toBeCloseTo(3 * (own?.outputs[at]?.thresholdBps ?? Number.NaN), 4);
    const moved = await fitCalibration(
      run,
      withMoves(split.validation, (move) => move + 5),
      { runtime },
    );
    expect(moved?.outputs[0]?.bins[0]?.lowBps).toBeCloseTo(5 + (own?.outputs[0]?.bins[0]?.lowBps ?? Number.NaN), 4);
  });

  it("of classes is none: they say themselves how probable they are", async () => {
    expect(await fitCalibration(await lines(join(folder, "classes"), "classes"), dataset, { runtime })).toBeNull();
  });

  it("goes into the manifest, and is judged where it is given and nowhere else", async () => {
    const calibration = await fitCalibration(run, dataset, { runtime });
    const evaluation = await evaluateRun(run, dataset, { runtime, commit: null, calibration });
    expect(evaluation.calibrated?.map(({ horizonMs }) => horizonMs)).toEqual([1_000, 5_000, 10_000]);
    for (const { held, rows } of evaluation.calibrated ?? []) {
      expect(rows).toBeGreaterThan(400);
      expect(held).toBeGreaterThan(0.75);
    }
    expect(await evaluateRun(run, dataset, { runtime, commit: null })).not.toHaveProperty("calibrated");
    const { manifest, manifestText } = await exportRun(run, { id: "toy", dataset, evaluation, calibration });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    expect(manifest.calibration).toEqual(calibration);
    expect((await exportRun(run, { id: "toy", dataset, evaluation })).manifest).not.toHaveProperty("calibration");
  });
});

describe("the commands", () => {
  const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
  const edgebook = (...given: string[]) => promisify(execFile)(process.execPath, [MAIN, ...given]);

  it("show what was held and what came of what was said, draw it on the page, and export it; without the run's own data they say what isn't judged", async () => {
    const told = (await edgebook("evaluate", "--run", out)).stdout;
    expect(told).toContain("held [95 %]");
    expect(told).toContain("mid in 1 s, forecast");
    expect(told).not.toContain("mid in 30 s, forecast");
    await edgebook("report", "--run", out);
    const page = readFileSync(join(out, "report.html"), "utf8");
    expect(page).toContain("Intervals and probabilities on rows that training never saw");
    expect(page.split("Probabilities of the mid in 5 s: what was said, what came")[1]).toMatch(/^<\/h2><svg/);
    const exported = JSON.parse((await edgebook("export-model", "--run", out, "--out", join(folder, "export"), "--json")).stdout);
    expect(exported.calibrated).toEqual([1_000, 5_000, 10_000]);
    const manifest = JSON.parse(readFileSync(join(folder, "export", "manifest.json"), "utf8")) as ModelManifest;
    expect(manifest.calibration?.outputs).toHaveLength(3);
    await writeToyDataset(join(folder, "other"), [{ rows: 800, seed: 5, signal: 0.5, market: "toy:OTHER" }]);
    renameSync(data, `${data}-away`);
    const other = await edgebook("evaluate", "--run", out, "--data", join(folder, "other"));
    renameSync(`${data}-away`, data);
    expect(other.stdout).not.toContain("held [95 %]");
    expect(other.stderr).toContain("intervals and probabilities are not judged: ");
  });
});
