/** Runs of trees and of lines, whole: from a dataset to scores and to a file that answers the same. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { AnswerKind } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { checkForLeaks } from "../../training/leaks/leak-check.ts";
import { silent } from "../../training/progress.ts";
import { readCurve } from "../../training/report/curve.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { answerRun } from "../../training/train/answer-run.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { allInputs } from "../../training/train/input-table.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { readImportance } from "../../training/train/run-importance.ts";
import { RoundsInterrupted, type TrainTreesRunOptions, trainTreesRun } from "../../training/train/train-trees-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const SETTINGS = { ...TREE_DEFAULTS, rounds: 30, learningRate: 0.2, minRows: 20, earlyStoppingRounds: 10 };
let dataset: Dataset;

beforeAll(async () => {
  await writeToyDataset(join(folder, "data"), [{ rows: 2_400, seed: 11, signal: 0.5 }]);
  dataset = await readDataset(join(folder, "data"));
});

function trees(name: string, more: Partial<TrainTreesRunOptions> = {}) {
  const out = join(folder, name);
  const base = { dataset, dataFolder: folder, out, family: "trees", settings: SETTINGS, threads: 1, progress: silent, commit: null };
  return trainTreesRun({ ...base, ...more }).then((card) => ({ out, card }));
}

function lines(name: string, answer: AnswerKind) {
  const out = join(folder, name);
  const model = { answer, size: "paper" } as const;
  return fitLinesRun({
    dataset,
    dataFolder: folder,
    out,
    family: "linear",
    model,
    settings: LINE_DEFAULTS,
    progress: silent,
    commit: null,
  });
}

/** What its files say, but for those that name their place. */
function bytesOf(out: string): string[] {
  return ["run.json", "metrics.ndjson", "importance.json", "ensemble-02.trees"].map((file) => readFileSync(join(out, file), "utf8"));
}

describe("a run of trees", () => {
  it("finds a planted signal, names its column first, and is scored on rows it never saw", async () => {
    const { out, card } = await trees("signal");
    const run = await readRun(out);
    expect(run.card).toEqual(card);
    const evaluation = await evaluateRun(run, dataset, { runtime: await loadRuntime("node"), commit: null });
    for (const score of evaluation.scores.filter(({ horizonMs }) => horizonMs === 1_000)) {
      expect(score.r2).toBeGreaterThan(0.35);
      expect(score.r2).toBeLessThan(0.6);
    }
    const [first] = dataset.card.featureSet.columns;
    const measures = await readImportance(out);
    expect(measures).toHaveLength(3);
    for (const { columns } of measures) expect(columns.toSorted((one, other) => other.value - one.value)[0]?.column).toBe(first);
    expect(card.validation.model).toBeLessThan(card.validation.persistence);
    // A line a round of each of twelve ensembles; shown is their mean.
    const curve = await readCurve(out);
    expect(curve?.unit).toBe("round");
    expect(curve?.points).toHaveLength(Math.max(...card.ensembles.map((ensemble) => ensemble?.rounds ?? 0)));
  });

  it("is the same bytes on one thread and on two", async () => {
    const [one, two] = [await trees("one", { only: ["mid@1000"] }), await trees("two", { only: ["mid@1000"], threads: 2 })];
    expect(bytesOf(two.out)).toEqual(bytesOf(one.out));
  });

  it("is the same ensembles together as each alone: the mid and the ask of a horizon share their bins", async () => {
    // Before the gap the last rows know the mid of the next second, but not that of the fifth.
    await writeToyDataset(join(folder, "gap"), [{ rows: 1_600, seed: 12, signal: 0.5, gapAt: 500 }]);
    const gap = await readDataset(join(folder, "gap"));
    const together = await trees("together", { dataset: gap, only: ["mid@1000", "ask@1000", "mid@5000"] });
    for (const [key, file] of Object.entries({ "mid@1000": "02", "ask@1000": "03", "mid@5000": "05" })) {
      const alone = await trees(`alone-${file}`, { dataset: gap, only: [key] });
      const name = `ensemble-${file}.trees`;
      expect(readFileSync(join(together.out, name)), key).toEqual(readFileSync(join(alone.out, name)));
    }
  });

  it("stopped between ensembles that share their bins, it goes on to the very files of a run that never was", async () => {
    const only = ["bid@1000", "mid@1000", "ask@1000"];
    const whole = await trees("whole-shared", { only });
    const controller = new AbortController();
    const rounds = whole.card.ensembles[0]?.rounds ?? 0;
    let updates = 0;
    const progress = { ...silent, update: () => (++updates === rounds + 3 ? controller.abort() : undefined) };
    await expect(trees("stopped-shared", { only, progress, signal: controller.signal })).rejects.toThrow(
      "interrupted after 3 rounds of mid in 1 s",
    );
    const out = join(folder, "stopped-shared");
    await trees("stopped-shared", { only, resume: true, threads: 2 });
    expect(bytesOf(out)).toEqual(bytesOf(whole.out));
    for (const file of ["ensemble-01.trees", "ensemble-03.trees"])
      expect(readFileSync(join(out, file)), file).toEqual(readFileSync(join(whole.out, file)));
  });

  it("stopped in its second ensemble it keeps all rounds, and goes on to the very files of a run that never was", async () => {
    const only = ["mid@1000", "mid@5000"];
    const whole = await trees("whole", { only });
    const controller = new AbortController();
    let updates = 0;
    const progress = { ...silent, update: () => (++updates === 34 ? controller.abort() : undefined) };
    const out = join(folder, "stopped");
    await expect(trees("stopped", { only, progress, signal: controller.signal })).rejects.toThrow(RoundsInterrupted);
    await expect(readRun(out)).rejects.toThrow(/holds no run.json/);
    const kept = readFileSync(join(out, "checkpoint"));
    await expect(trees("stopped", { only })).rejects.toThrow(
      /holds a training that was interrupted: go on with --resume, or train anew with --overwrite/,
    );
    expect(readFileSync(join(out, "checkpoint"))).toEqual(kept);
    await trees("stopped", { only, resume: true });
    expect(bytesOf(out)).toEqual(bytesOf(whole.out));
    expect(readFileSync(join(out, "ensemble-05.trees"))).toEqual(readFileSync(join(whole.out, "ensemble-05.trees")));
    expect(existsSync(join(out, "checkpoint"))).toBe(false);
  });

  it("that is killed in the midst of an ensemble, with no time to write, goes on from rounds kept on the way", async () => {
    const only = ["mid@1000"];
    const whole = await trees("whole-kept", { only });
    const kept = join(folder, "kept");
    mkdirSync(kept);
    let updates = 0;
    // What a SIGKILL in the eighth round would leave.
    const progress = {
      ...silent,
      update: () => (++updates === 8 ? copyFileSync(join(folder, "keeping", "checkpoint"), join(kept, "checkpoint")) : undefined),
    };
    const { out } = await trees("keeping", { only, checkpointSeconds: 0, progress });
    expect(bytesOf(out)).toEqual(bytesOf(whole.out));
    const { ensembles } = JSON.parse(readFileSync(join(kept, "checkpoint"), "utf8")) as { ensembles: ({ curve: unknown[] } | null)[] };
    expect(ensembles[1]?.curve).toHaveLength(7);
    await trees("kept", { only, resume: true, threads: 2 });
    expect(bytesOf(kept)).toEqual(bytesOf(whole.out));
  });

  it("of classes takes no bound: under a softmax a class hangs on the answers for all, and would rise and fall all the same", async () => {
    const settings = { ...SETTINGS, monotone: dataset.card.featureSet.columns.map((_, column) => (column === 0 ? 1 : 0) as 0 | 1) };
    await expect(trees("bounded", { settings, model: { answer: "classes", size: "paper" } })).rejects.toThrow(
      /--monotone bounds one answer/,
    );
    expect(existsSync(join(folder, "bounded"))).toBe(false);
  });

  it("goes on from no checkpoint that is of other settings, is corrupt or isn't there: it would be another run's", async () => {
    const only = ["mid@1000"];
    const resume = (settings = SETTINGS) => trees("refused", { only, resume: true, settings });
    await expect(resume()).rejects.toThrow(/there is no checkpoint/);
    const controller = new AbortController();
    controller.abort();
    await expect(trees("refused", { only, signal: controller.signal })).rejects.toThrow(RoundsInterrupted);
    await expect(resume({ ...SETTINGS, lambda: 1 })).rejects.toThrow(/other data or other settings/);
    const path = join(folder, "refused", "checkpoint");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace("[null", "[ null"));
    writeFileSync(path, text.replace('"ensembles":[null', '"ensembles":[null,null'));
    await expect(resume()).rejects.toThrow(/corrupt/);
  });

  it("that finds no room for a checkpoint goes on, says so and leaves no half of one: hours would be lost for want of a file", async () => {
    const more = { only: ["mid@1000", "mid@5000"] };
    const { out: whole } = await trees("room", more);
    mkdirSync(join(folder, "full"));
    const full = (): void => {
      // The file beside it is a device that is always full: ENOSPC, as from a full disk.
      symlinkSync("/dev/full", join(folder, "full", "checkpoint.tmp"));
    };
    full();
    const warnings: string[] = [];
    const { out } = await trees("full", {
      ...more,
      onWarning(message) {
        warnings.push(message);
        // What failed cleans up after itself.
        if (warnings.length === 1) full();
      },
    });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^no checkpoint could be written \(ENOSPC.*\): training goes on/);
    expect(bytesOf(out)).toEqual(bytesOf(whole));
    expect(readdirSync(out).toSorted()).toEqual(readdirSync(whole).toSorted());
  });

  it("for some outputs scores those alone, and isn't exported: the others would be served as forecasts of no move", async () => {
    const { out, card } = await trees("only", { only: ["mid@1000"] });
    expect(card.ensembles.filter((ensemble) => ensemble !== null)).toHaveLength(1);
    const run = await readRun(out);
    const evaluation = await evaluateRun(run, dataset, { runtime: await loadRuntime("node"), commit: null });
    expect(evaluation.scores.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual(["mid@1000"]);
    await expect(exportRun(run, { id: "toy", dataset, evaluation })).rejects.toThrow(/1 of 12 outputs/);
    await expect(trees("none", { only: ["mid@7"] })).rejects.toThrow(/there is no output "mid@7"/);
  });

  it("learns nothing of labels of other rows, and the leak check says so", async () => {
    const { out } = await trees("leaks", { only: ["mid@1000"] });
    const runtime = await loadRuntime("node");
    const check = await checkForLeaks(await readRun(out), { training: dataset, test: dataset, runtime, progress: silent });
    expect(check.isClean).toBe(true);
    expect(check.largest).toBeLessThan(0.02);
  });

  it("by quantiles lies above as many moves as it was asked for", async () => {
    const settings = { ...SETTINGS, objective: { kind: "quantile", level: 0.8 } } as const;
    const { out } = await trees("quantile", { only: ["mid@1000"], settings });
    const rows = Uint32Array.from({ length: 300 }, (_, index) => 2_050 + index);
    const { model, prepared } = await answerRun(await readRun(out), dataset, { rows, runtime: await loadRuntime("node") });
    const { outputs, targets } = prepared;
    const below = rows.filter((_, row) => (targets[row * outputs + 1] as number) <= (model[row * outputs + 1] as number)).length;
    expect(below / 300).toBeGreaterThan(0.72);
    expect(below / 300).toBeLessThan(0.88);
  });
});

describe.each(["moves", "classes"] as const)("the file of a run that answers %s", (answer) => {
  it.each(["trees", "linear"] as const)("of %s answers as the run does, in the units of its manifest", async (family) => {
    const out =
      family === "trees" ? (await trees(`export-${answer}`, { model: { answer, size: "paper" } })).out : join(folder, `line-${answer}`);
    if (family === "linear") await lines(`line-${answer}`, answer);
    const run = await readRun(out);
    expect(run.card.validation.model).toBeLessThan(run.card.validation.persistence);
    const { model, manifest, manifestText } = await exportRun(run, { id: "toy", dataset, evaluation: null });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    const runtime = await loadRuntime("node");
    const rows = Uint32Array.from({ length: 40 }, (_, index) => 2_000 + index);
    const { model: units, prepared } = await answerRun(run, dataset, { rows, runtime });
    const session = await runtime.open(model);
    const served = (await session.run({ features: { shape: [40, dataset.columns], data: allInputs(prepared) } }))[manifest.output.name];
    await session.release();
    const expected =
      answer === "moves" ? units.map((unit, cell) => unit * (run.card.targetScale[cell % 12] as number)) : softmaxOfThrees(units);
    expect(served?.length).toBe(expected.length);
    for (const [cell, value] of expected.entries())
      expect(Math.abs(value - (served?.[cell] ?? Number.NaN))).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  });
});

function softmaxOfThrees(logits: Float32Array): Float32Array {
  const powers = logits.map(Math.exp);
  return powers.map((power, cell) => {
    const first = cell - (cell % 3);
    return power / ((powers[first] as number) + (powers[first + 1] as number) + (powers[first + 2] as number));
  });
}
