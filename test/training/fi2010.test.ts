/** FI-2010's matrices, made up in the benchmark's form: the files themselves may not be passed on, so there are none here. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { buildFi2010 } from "../../training/datasets/fi2010-dataset.ts";
import { FI2010_LAYOUTS } from "../../training/datasets/fi2010-layout.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { scratchFolder } from "./toy-data.ts";

const folder = scratchFolder();
const NAME = "Dst_NoAuction_ZScore_CF_7.txt";
const [LEVELS, ALL] = FI2010_LAYOUTS;
let folders = 0;

type Matrix = string[][];

/** Features are their line and row, but the first: it tells the label at 10 events. Labels 1 up, 2 flat, 3 down, of longer horizons drawn. */
function matrixOf(rows: number, seed = 1): Matrix {
  const random = new Random(seed);
  const label = (): number => 1 + Math.floor(3 * random.uniform());
  const labels = Array.from({ length: 5 }, () => Array.from({ length: rows }, label));
  const features = Array.from({ length: 144 }, (_, line) =>
    Array.from({ length: rows }, (_, row) => (line === 0 ? 2 - (labels[0]?.[row] ?? 0) : line + row / 1_000)),
  );
  return [
    ...features.map((line) => line.map((value) => value.toExponential(7))),
    ...labels.map((line) => line.map((value) => value.toExponential(7))),
  ];
}

function put(name: string, matrix: Matrix, line: (words: string[]) => string = (words) => `  ${words.join("   ")}`): string {
  const own = join(folder, String(folders++));
  mkdirSync(own);
  const path = join(own, name);
  const text = `${matrix.map(line).join("\n")}\n`;
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

async function build(files: readonly string[], layout = LEVELS) {
  const out = join(folder, `data-${folders++}`);
  const card = await buildFi2010({ files, layout, folder: out, command: ["test"], progress: silent });
  return { out, card, dataset: await readDataset(out) };
}

describe("a matrix of FI-2010", () => {
  it("becomes rows in the order of the book networks, and classes the right side up: turned round, every score would be of the opposite", async () => {
    const matrix = matrixOf(4);
    matrix[144] = ["1", "2", "3", "1.0e+00"];
    matrix[148] = ["3.0000000e+00", "3", "2", "1"];
    const { card, dataset } = await build([put(`Train_${NAME}`, matrix)]);
    expect(card.featureSet).toMatchObject({ id: "fi2010-40", warmupMs: 0 });
    expect(card.featureSet.columns.slice(0, 5)).toEqual(["ask_price_1", "ask_size_1", "bid_price_1", "bid_size_1", "ask_price_2"]);
    expect(card).toMatchObject({ unit: "class", clock: "events", label: "anchored", intervalMs: 10_000, rows: 4 });
    expect(card.parts).toHaveLength(1);
    expect(card.parts[0]).toMatchObject({ market: "fi2010:NoAuction_ZScore", source: `Train_${NAME}`, rows: 4, segments: 1 });
    expect([...allFeatures(dataset).subarray(40, 43)]).toEqual([Number(matrix[0]?.[1]), 1.001, 2.001]);
    const column = (horizonMs: number, target: string): number[] => {
      const at = card.targets.findIndex((one) => one.horizonMs === horizonMs && one.target === target);
      return Array.from({ length: 4 }, (_, row) =>
        dataset.mask[row * 15 + at] === 1 ? (dataset.targets[row * 15 + at] as number) : Number.NaN,
      );
    };
    expect(column(10_000, "mid")).toEqual([1, 0, -1, 1]);
    expect(column(100_000, "mid")).toEqual([-1, -1, 0, 1]);
    // Nobody knows of them.
    expect(column(10_000, "bid")).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect([...dataset.times]).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it("gives all 144 columns where they are asked for, from gzip too, and test days one behind the other", async () => {
    const [eighth, seventh] = [put("Test_Dst_NoAuction_ZScore_CF_8.txt.gz", matrixOf(3)), put(`Test_${NAME}`, matrixOf(2))];
    const { card, dataset } = await build([eighth, seventh], ALL);
    expect(dataset.columns).toBe(144);
    expect(allFeatures(dataset)[143]).toBe(143);
    expect(card.parts.map(({ source, rows, firstRow }) => [source, rows, firstRow])).toEqual([
      [`Test_${NAME}`, 2, 0],
      ["Test_Dst_NoAuction_ZScore_CF_8.txt.gz", 3, 2],
    ]);
    expect([...dataset.segments]).toEqual([0, 0, 1, 1, 1]);
    // Each test day begins where no other file of the benchmark reaches.
    expect((card.parts[1]?.from ?? 0) - (card.parts[0]?.from ?? 0)).toBe(10_000_000_000);
  });

  it("of another number of lines, of unlike lines, of what is no number or no label is refused with its line, and nothing is left behind", async () => {
    const spoilt = (spoil: (matrix: Matrix) => void): string => {
      const matrix = matrixOf(5);
      spoil(matrix);
      return put(`Train_${NAME}`, matrix);
    };
    const cases: [string, RegExp][] = [
      [spoilt((matrix) => matrix.pop()), /has 148 lines: a matrix of FI-2010 has 149/],
      [spoilt((matrix) => matrix.push(["1"])), /has more than 149 lines/],
      [spoilt((matrix) => matrix[3]?.pop()), /line 4 has 4 numbers, the first one 5/],
      // A line that isn't kept counts too: the matrix is shifted somewhere.
      [spoilt((matrix) => matrix[90]?.push("1")), /line 91 has 6 numbers, the first one 5/],
      [spoilt((matrix) => matrix[7]?.splice(2, 1, "NaN")), /line 8: number 3 is "NaN"/],
      [spoilt((matrix) => matrix[7]?.splice(2, 1, "1,5")), /line 8: number 3 is "1,5"/],
      [spoilt((matrix) => matrix[146]?.splice(1, 1, "0")), /line 147: label 2 is 0, and labels are 1 \(up\), 2 \(flat\) and 3 \(down\)/],
      [put(`Train_${NAME}`, []), /has 0 lines/],
    ];
    for (const [path, message] of cases) {
      const out = join(folder, `none-${folders++}`);
      await expect(buildFi2010({ files: [path], layout: LEVELS, folder: out, command: [], progress: silent })).rejects.toThrow(message);
      expect(readdirSync(out)).toEqual([]);
    }
  });

  it("is refused where its name doesn't tell its days, where two hold the same, and where training and test days would be mixed", async () => {
    const matrix = matrixOf(2);
    await expect(build([put("data.txt", matrix)])).rejects.toThrow(/its name should say which days it holds/);
    await expect(build([put(`Test_${NAME}`, matrix), put(`Test_${NAME}`, matrix)])).rejects.toThrow(/a test day is named twice/);
    await expect(build([put(`Train_${NAME}`, matrix), put("Train_CF_1.txt", matrix)])).rejects.toThrow(/hold the same days/);
    await expect(build([put(`Train_${NAME}`, matrix), put(`Test_${NAME}`, matrix)])).rejects.toThrow(/are two datasets/);
    await expect(build(["/nowhere/Train_CF_1.txt"])).rejects.toThrow("there is no file /nowhere/Train_CF_1.txt");
  });
});

describe("what is trained on FI-2010", () => {
  const shares = { trainShare: 0.85, validationShare: 0.15 };

  it("answers classes, is scored by macro-F1 on days that it never saw, and by no other", async () => {
    const train = await build([put(`Train_${NAME}`, matrixOf(1_200))]);
    const out = join(folder, "lines");
    const model = { answer: "classes", size: "paper" } as const;
    await fitLinesRun({
      dataset: train.dataset,
      dataFolder: train.out,
      out,
      family: "linear",
      model,
      settings: LINE_DEFAULTS,
      shares,
      progress: silent,
      commit: null,
    });
    const run = await readRun(out);
    // Given classes are what they are: a threshold between them would call ups flat.
    expect(run.card.model.thresholdsBps).toEqual([0, 0, 0, 0, 0]);
    const runtime = await loadRuntime("node");
    const test = await build([put(`Test_${NAME}`, matrixOf(600, 2)), put("Test_Dst_NoAuction_ZScore_CF_9.txt", matrixOf(400, 3))]);
    const { classes, scores } = await evaluateRun(run, test.dataset, { runtime, commit: null });
    expect(scores).toEqual([]);
    expect(classes?.map(({ horizonMs, rows }) => [horizonMs, rows])).toEqual(
      [10, 20, 30, 50, 100].map((events) => [events * 1_000, 1_000]),
    );
    // The first column tells it whole; of the longest horizon nothing does.
    expect(classes?.[0]?.model.macroF1).toBe(1);
    expect(classes?.[4]?.model.macroF1).toBeLessThan(0.5);
    const seen = await build([put("Test_Dst_NoAuction_ZScore_CF_6.txt", matrixOf(600, 2))]);
    await expect(evaluateRun(run, seen.dataset, { runtime, commit: null })).rejects.toThrow(
      /the run was trained on fi2010:NoAuction_ZScore/,
    );
    await expect(exportRun(run, { id: "x", dataset: train.dataset, evaluation: null })).rejects.toThrow(/there is nothing to serve/);
  });

  it("may be a network of the levels, whose columns it has in their order, and answers no moves", async () => {
    const { dataset, out: dataFolder } = await build([put(`Train_${NAME}`, matrixOf(600))]);
    const runtime = await loadRuntime("node");
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 64, workers: 1 };
    const options = { dataset, dataFolder, runtime, settings, shares, progress: silent, checkpoints: null, commit: null };
    const model = { answer: "classes", size: "small" } as const;
    const { card } = await trainRun({ ...options, out: join(folder, "binctabl"), family: "binctabl", model });
    expect(card.featureSet.id).toBe("fi2010-40");
    await expect(trainRun({ ...options, out: join(folder, "moves"), family: "mlp" })).rejects.toThrow(/holds classes of moves as given/);
    const all = await build([put(`Train_${NAME}`, matrixOf(100))], ALL);
    await expect(trainRun({ ...options, dataset: all.dataset, out: join(folder, "wide"), family: "binctabl", model })).rejects.toThrow(
      /binctabl reads the features levels-10, the dataset has fi2010-144/,
    );
  });
});
