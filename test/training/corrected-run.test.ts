/** Runs of lines that trees correct, whole: from a dataset to scores, to a file that answers the same, and by the commands that a person gives. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { parseManifest } from "../../models/manifest.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { checkForLeaks } from "../../training/leaks/leak-check.ts";
import { silent } from "../../training/progress.ts";
import { readRunFacts } from "../../training/report/run-facts.ts";
import { renderRun } from "../../training/report/run-report.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { answerRun } from "../../training/train/answer-run.ts";
import type { PreparedRows } from "../../training/train/contract.ts";
import { CORRECTION_DEFAULTS, leftByLine, sumOfBoth, withoutHarm } from "../../training/train/correction.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { allInputs } from "../../training/train/input-table.ts";
import { readRun, type TreesRun } from "../../training/train/run-folder.ts";
import { RoundsInterrupted, type TrainTreesRunOptions, trainTreesRun } from "../../training/train/train-trees-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const SETTINGS = { ...CORRECTION_DEFAULTS, rounds: 60, learningRate: 0.2, minRows: 40, columnShare: 1, lambda: 1, earlyStoppingRounds: 10 };
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
/** As strong as the first column, and no line sees it: the second column's size. Its mean is 0, its variance 1. */
const BENT = (row: Float64Array): number => (row[0] as number) + (Math.abs(row[1] as number) - 0.7979) / 0.6028;
let bent: Dataset;

beforeAll(async () => {
  await writeToyDataset(join(folder, "bent"), [{ rows: 3_000, seed: 11, signal: 0.5, effect: BENT }]);
  bent = await readDataset(join(folder, "bent"));
});

async function corrected(name: string, more: Partial<TrainTreesRunOptions> = {}): Promise<{ out: string; run: TreesRun }> {
  const out = join(folder, name);
  const base = { dataset: bent, dataFolder: join(folder, "bent"), out, family: "corrected", settings: SETTINGS, line: LINE_DEFAULTS };
  await trainTreesRun({ ...base, threads: 1, progress: silent, commit: null, ...more });
  const run = await readRun(out);
  if (run.kind !== "trees") throw new Error(`a run of ${run.kind}`);
  return { out, run };
}

function bytesOf(out: string): string[] {
  return ["run.json", "metrics.ndjson", "importance.json", "lines.f64", "ensemble-02.trees", "ensemble-05.trees"].map((file) =>
    readFileSync(join(out, file), "latin1"),
  );
}

/** [rows] of one output with one column. */
function plainRows(inputs: readonly number[], targets: readonly number[]): PreparedRows {
  return {
    rows: inputs.length,
    columns: 1,
    outputs: 1,
    inputs: { kind: "memory", values: Float32Array.from(inputs) },
    targets: Float32Array.from(targets),
    mask: new Float32Array(inputs.length).fill(1),
  };
}

const ONE_MOVE = { name: "moves_bps", unit: "bps", columns: [{ target: "mid", horizonMs: 1_000 }] } as const;

describe("what a line leaves", () => {
  it("is the move less the line's answer, and of training rows without its mean: trees that learnt that would forecast a drift for ever", () => {
    // The least-squares line through 0 of 1, 2, 3 against 2, 4, 9 has the slope (2 + 8 + 27) / 14; no penalty, and the validation rows like it.
    const rows = plainRows([1, 2, 3], [2, 4, 9]);
    const { line, train, validation } = leftByLine(rows, rows, { output: ONE_MOVE, settings: { lambdas: [0], hasIntercept: false } });
    const slope = 37 / 14;
    expect(line.weights[0]).toBeCloseTo(slope, 6);
    const left = [2 - slope, 4 - 2 * slope, 9 - 3 * slope];
    const mean = (15 - 6 * slope) / 3;
    for (const [row, value] of left.entries()) {
      expect(validation.targets[row]).toBeCloseTo(value, 5);
      expect(train.targets[row]).toBeCloseTo(value - mean, 5);
    }
    expect([...sumOfBoth(line, Float32Array.of(1, 0, -1), rows)].map((sum, row) => sum - slope * (row + 1))).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(0, 5),
      expect.closeTo(-1, 5),
    ]);
  });

  it("is left alone by trees that make it no better on validation rows, whatever they start from", () => {
    const ensemble = { objective: { kind: "squared-error" }, columns: 1, outputs: 1, base: Float32Array.of(0.5), trees: [] } as const;
    const trained = (validationLoss: number) => ({
      ensemble,
      curve: [{ round: 1, trainLoss: 0, validationLoss }],
      bestRound: 1,
      rounds: [[]],
      isStopped: false,
    });
    // Mean square 5.
    const left = plainRows([0, 0], [1, 3]);
    const kept = withoutHarm([trained(4.99)], left, ONE_MOVE)[0];
    expect(kept?.ensemble.base[0]).toBe(0.5);
    const dropped = withoutHarm([trained(5)], left, ONE_MOVE)[0];
    expect(dropped?.bestRound).toBe(0);
    expect([...(dropped?.ensemble.base ?? [])]).toEqual([0]);
    expect(withoutHarm([null], left, ONE_MOVE)).toEqual([null]);
  });
});

describe("a run of lines that trees correct", () => {
  it("has the line's skill and that of what bends, and says what its trees look at: not the column that the line has", async () => {
    const { out, run } = await corrected("signal");
    const runtime = await loadRuntime("node");
    const { scores } = await evaluateRun(run, bent, { runtime, commit: null });
    for (const { r2, ridgeR2 } of scores.filter(({ horizonMs }) => horizonMs === 1_000)) {
      expect(ridgeR2).toBeGreaterThan(0.2);
      expect(ridgeR2).toBeLessThan(0.4);
      expect(r2 - ridgeR2).toBeGreaterThan(0.15);
    }
    expect(run.card.validation.model).toBeLessThan(run.card.validation.ridge ?? 0);
    expect(run.card.line?.chosen).toHaveLength(12);
    const [, second] = bent.card.featureSet.columns;
    const { importance } = await readRunFacts(out);
    expect(importance).toHaveLength(3);
    for (const { columns } of importance) expect(columns.toSorted((one, other) => other.value - one.value)[0]?.column).toBe(second);
    const page = renderRun(await readRunFacts(out));
    expect(page).toContain("weights of the line");
    expect(page).toContain("line.chosen");
  });

  it("where nothing bends is the line alone, or hardly more: trees by themselves would lose to it", async () => {
    await writeToyDataset(join(folder, "straight"), [{ rows: 3_000, seed: 12, signal: 0.5 }]);
    const dataset = await readDataset(join(folder, "straight"));
    const out = join(folder, "line");
    await fitLinesRun({
      dataset,
      dataFolder: folder,
      out,
      family: "linear",
      settings: LINE_DEFAULTS,
      progress: silent,
      commit: null,
    });
    const line = await readRun(out);
    const { run } = await corrected("straight-run", { dataset });
    const rows = Uint32Array.from({ length: 400 }, (_, index) => 2_560 + index);
    const runtime = await loadRuntime("node");
    const [alone, both] = [await answerRun(line, dataset, { rows, runtime }), await answerRun(run, dataset, { rows, runtime })];
    const untaught = run.card.ensembles.flatMap((ensemble, output) => (ensemble?.bestRound === 0 ? [output] : []));
    expect(untaught.length).toBeGreaterThan(0);
    for (const output of untaught)
      for (let row = 0; row < rows.length; row++) expect(both.model[row * 12 + output]).toBe(alone.model[row * 12 + output]);
    const { scores } = await evaluateRun(run, dataset, { runtime, commit: null });
    for (const { r2, ridgeR2 } of scores.filter(({ horizonMs }) => horizonMs === 1_000)) expect(r2).toBeGreaterThan(ridgeR2 - 0.01);
  });

  it("is one file that answers as the run does, in both runtimes and in the units of its manifest", async () => {
    const { run } = await corrected("exported");
    const { model, manifest, manifestText } = await exportRun(run, { id: "toy", dataset: bent, evaluation: null });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    const rows = Uint32Array.from({ length: 40 }, (_, index) => 2_600 + index);
    const { model: units, prepared } = await answerRun(run, bent, { rows, runtime: await loadRuntime("node") });
    const expected = units.map((unit, cell) => unit * (run.card.targetScale[cell % 12] as number));
    for (const name of ["node", "wasm"] as const) {
      const session = await (await loadRuntime(name)).open(model);
      const served = (await session.run({ features: { shape: [40, bent.columns], data: allInputs(prepared) } }))[manifest.output.name];
      await session.release();
      expect(served?.length).toBe(expected.length);
      for (const [cell, value] of expected.entries())
        expect(Math.abs(value - (served?.[cell] ?? Number.NaN))).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
    }
  });

  it("learns from moves cut where its run cuts them: a leap that its first column foretells is skill, and cut at five it is lost", async () => {
    // One row in fifty leaps twenty times as far, and says so.
    const spoil = (row: Float64Array, index: number): void => {
      if (index % 50 === 0) row[0] = index % 100 === 0 ? 20 : -20;
    };
    await writeToyDataset(join(folder, "leaps"), [{ rows: 3_000, seed: 13, signal: 0.5, spoil }]);
    const dataset = await readDataset(join(folder, "leaps"));
    const skillOf = async (name: string, targetClip: number | null): Promise<number> => {
      const { run } = await corrected(name, { dataset, only: ["mid@1000"], targetClip });
      const { scores } = await evaluateRun(run, dataset, { runtime: await loadRuntime("node"), commit: null });
      return scores[0]?.r2 ?? Number.NaN;
    };
    expect((await skillOf("whole-leaps", null)) - (await skillOf("cut-leaps", 5))).toBeGreaterThan(0.02);
  });

  it("of classes is refused: what a line leaves of a class is none", async () => {
    await expect(corrected("classes", { model: { answer: "classes", size: "paper" } })).rejects.toThrow(/corrected gives no classes/);
  });

  it("stopped in its second ensemble it goes on to the very files of a run that never was; with another line it doesn't", async () => {
    const only = ["mid@1000", "mid@5000"];
    const whole = await corrected("whole", { only });
    const controller = new AbortController();
    const rounds = whole.run.card.ensembles[1]?.rounds ?? 0;
    let updates = 0;
    const progress = { ...silent, update: () => (++updates === rounds + 3 ? controller.abort() : undefined) };
    const out = join(folder, "stopped");
    await expect(corrected("stopped", { only, progress, signal: controller.signal })).rejects.toThrow(RoundsInterrupted);
    const another = { lambdas: [0.5], hasIntercept: false };
    await expect(corrected("stopped", { only, resume: true, line: another })).rejects.toThrow(/other data or other settings/);
    await corrected("stopped", { only, resume: true, threads: 2 });
    expect(bytesOf(out)).toEqual(bytesOf(whole.out));
    const { scores } = await evaluateRun(await readRun(out), bent, { runtime: await loadRuntime("node"), commit: null });
    expect(scores.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual(only);
    await expect(exportRun(whole.run, { id: "toy", dataset: bent, evaluation: null })).rejects.toThrow(/2 of 12 outputs/);
  });

  it("learns nothing of labels of other rows, and the leak check says so", async () => {
    const { run } = await corrected("leaks", { only: ["mid@1000"] });
    const check = await checkForLeaks(run, { training: bent, test: bent, runtime: await loadRuntime("node"), progress: silent });
    expect(check.isClean).toBe(true);
    expect(check.largest).toBeLessThan(0.02);
  });
});

describe("the commands", () => {
  async function edgebook(...given: string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [MAIN, ...given])).stdout;
  }

  it("take options of lines and of trees, with defaults of their own, and explain the correction", async () => {
    const out = join(folder, "by-command");
    const options = ["--rounds", "8", "--learning-rate", "0.3", "--leaf-rows", "60", "--lambdas", "0.1,0.01", "--only", "mid@1000"];
    const told = await edgebook(
      "train",
      "--model",
      "corrected",
      "--data",
      join(folder, "bent"),
      "--out",
      out,
      ...options,
      "--workers",
      "1",
    );
    expect(told).toContain("the line's λ");
    const { run } = await readRunFacts(out);
    expect(run.card).toMatchObject({
      kind: "trees",
      family: "corrected",
      settings: { rounds: 8, learningRate: 0.3, minRows: 60, rowShare: 0.5, columnShare: 0.3, lambda: 20, growth: { maxLeaves: 15 } },
      line: { lambdas: [0.1, 0.01], hasIntercept: false },
    });
    const explained = await edgebook("explain", "--run", out, "--rows", "40");
    expect(explained).toContain("all of this is of what the trees add to their line");
    const [, second] = bent.card.featureSet.columns;
    expect(explained.split("\n").filter((line) => line.startsWith("│"))[1]).toContain(second);
  });

  it("search the trees behind the line of each fold", async () => {
    const search = [
      "search",
      "--model",
      "corrected",
      "--data",
      join(folder, "bent"),
      "--configurations",
      "1",
      "--folds",
      "1",
      "--workers",
      "1",
    ];
    const found = JSON.parse(await edgebook(...search, "--rounds", "6", "--least-rounds", "6", "--leaf-rows", "60", "--json"));
    expect(found.family).toBe("corrected");
    // Of what the line leaves, in units of each move: of trees alone six rounds would leave nearly all.
    expect(found.best.rounds.at(-1).loss).toBeLessThan(0.97);
  });
});
