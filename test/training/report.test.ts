/** Reports: what a reader sees must be what the run's files say, and a page handed round must fetch and run nothing. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { table } from "../../training/command-line/report.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { calibrationOf } from "../../training/evaluate/calibration.ts";
import { type Evaluation, evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import type { DetailedScore } from "../../training/evaluate/scores.ts";
import { writeScores } from "../../training/evaluate/scores-file.ts";
import { silent } from "../../training/progress.ts";
import { calibrationChart, scoresChart } from "../../training/report/charts.ts";
import { parseCurve } from "../../training/report/curve.ts";
import { writeEnvironment } from "../../training/report/environment.ts";
import { flatten } from "../../training/report/flatten.ts";
import { columnsOf, fittingColumns, namedColumns } from "../../training/report/run-columns.ts";
import { type RunFacts, readRunFacts } from "../../training/report/run-facts.ts";
import { renderRun, writeReport } from "../../training/report/run-report.ts";
import { differencesBetween, findRuns } from "../../training/report/side-by-side.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { type NetworkRun, readRun } from "../../training/train/run-folder.ts";
import { readImportance, writeImportance } from "../../training/train/run-importance.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const HOSTILE = `<script>alert("1")</script>&'`;
const HARMLESS = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;";

const SCORE: DetailedScore = {
  target: "mid",
  horizonMs: 5_000,
  rows: 1_234,
  r2: 0.0551,
  r2Low: -0.0123,
  r2High: 0.0987,
  ridgeR2: 0.0442,
  directionHitRate: 0.625,
  moves: 400,
  rmseSkill: 0.0279,
  againstRidge: { pValue: 0.034, isModelBetter: true },
  calibration: [
    { rows: 617, forecast: -1, outcome: -0.5, outcomeError: 0.1 },
    { rows: 617, forecast: 1, outcome: 0.5, outcomeError: 0.1 },
  ],
};

const EVALUATION: Evaluation = {
  format: "edgebook-scores/1",
  datasetSha256: "d".repeat(64),
  source: "another week",
  from: 1_767_225_600_000,
  to: 1_767_229_200_000,
  rows: 1_234,
  purgeMs: 61_000,
  commit: "c".repeat(40),
  scores: [SCORE],
  byPart: [],
};

/** A run as `train` and `evaluate` leave it. */
async function trainedRun(name: string, options: { seed: number; learningRate?: number }): Promise<string> {
  await writeToyDataset(join(folder, "data"), [{ rows: 2_000, seed: 11, signal: 0.5, market: "toy:A" }]);
  const dataset = await readDataset(join(folder, "data"));
  const out = join(folder, "runs", name);
  const runtime = await loadRuntime("node");
  await trainRun({
    dataset,
    dataFolder: join(folder, "data"),
    out,
    family: "mlp",
    runtime,
    settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 3, seed: options.seed, learningRate: options.learningRate ?? 1e-3 },
    progress: silent,
    commit: null,
  });
  await writeScores(out, await evaluateRun(await readRun(out), dataset, { runtime, commit: null }));
  return out;
}

function networkOf({ run }: RunFacts): NetworkRun {
  if (run.kind !== "network") throw new Error(`a run of ${run.kind}`);
  return run;
}

describe("a run's page", () => {
  it("holds what a reader must know: scores with intervals beside ridge, curves, calibration, settings, data hash", async () => {
    const run = await trainedRun("first", { seed: 1 });
    const facts = await readRunFacts(run);
    const columns = [
      { column: "spread_bps", value: 3 },
      { column: "imbalance_1", value: 1 },
    ];
    await writeImportance(run, [{ measure: "gain", columns }]);
    const path = await writeReport(run);
    const page = readFileSync(path, "utf8");
    expect(path).toBe(join(run, "report.html"));
    expect(page).toContain(facts.run.card.data.sha256);
    expect(page).toContain("toy:A");
    expect(page).toContain("<dt>learningRate</dt><dd>0.001</dd>");
    for (const score of facts.evaluation?.scores ?? [])
      expect(page).toContain(`<td>${score.ridgeR2 < 0 ? "−" : ""}${Math.abs(score.ridgeR2).toFixed(4)}</td>`);
    // Loss, scores, four horizons of the mid (three: thirty seconds has too few rows), the model's importance and the ridge line's.
    const charts = facts.evaluation?.scores.filter(({ target }) => target === "mid").length ?? 0;
    expect(charts).toBeGreaterThan(2);
    expect(page.match(/<svg /g)?.length).toBe(4 + charts);
    expect(page).toContain("spread_bps");
    // The curve has a point an epoch, for training and validation.
    const [loss] = page.split("</svg>");
    expect(loss?.match(/<circle /g)?.length).toBe(6);
  });

  it("draws no chart of a single bar, and no column of 0: there is nothing to compare", async () => {
    const facts = { ...(await readRunFacts(await trainedRun("bars", { seed: 1 }))), evaluation: null };
    const measured = (measure: string, ...values: number[]): RunFacts["importance"][number] => ({
      measure,
      columns: values.map((value, at) => ({ column: `column-${at}`, value })),
    });
    const charts = (importance: RunFacts["importance"]) => renderRun({ ...facts, importance }).match(/columns by importance/g)?.length;
    // One of them is the ridge line's.
    expect(charts([measured("gain", 0, 2, 0), measured("splits", 0, 5, 0)])).toBe(1);
    const alone = renderRun({ ...facts, importance: [measured("gain", 0, 2, 0), measured("splits", 0, 5, 0)] });
    expect(alone).toContain("<dt>column-1</dt><dd>gain 2</dd>");
    expect(alone).toContain("<dt>column-1</dt><dd>splits 5</dd>");
    expect(alone).not.toContain("column-0");
    const several = [measured("gain", 0, 2, 1), measured("splits", 0, 5, 0)];
    expect(charts(several)).toBe(3);
    const page = renderRun({ ...facts, importance: several });
    expect(page).not.toContain("column-0");
    expect(page).toContain("Columns with 0: 1.");
  });

  it("says of how many rows each point of reliability is: one of five may lie anywhere", async () => {
    const { reliabilityChart } = await import("../../training/report/charts.ts");
    const bins = [
      { rows: 5, probability: 0.35, share: 1 },
      { rows: 4_711, probability: 0.55, share: 0.5 },
    ];
    const chart = reliabilityChart(bins);
    for (const { rows } of bins) expect(chart).toMatch(new RegExp(`<text [^>]*>${rows}</text>`));
  });

  it("counts rounds whole, also where there is one alone", async () => {
    const { lossChart } = await import("../../training/report/charts.ts");
    const chart = lossChart({ unit: "round", points: [{ step: 1, trainLoss: 0.5, validationLoss: 0.7 }] }, 1);
    expect(chart).toContain(">1</text>");
    expect(chart).not.toContain("1.0");
  });

  it("shows each number as it was measured", async () => {
    const facts = { ...(await readRunFacts(await trainedRun("numbers", { seed: 1 }))), evaluation: EVALUATION };
    const page = renderRun(facts);
    for (const cell of ["5 s", "0.0551", "−0.0123 … 0.0987", "0.0442", "2.79 %", "62.5 % of 400", "0.034 better", "1234"])
      expect(page).toContain(`<td>${cell}</td>`);
    expect(renderRun({ ...facts, evaluation: { ...EVALUATION, scores: [{ ...SCORE, r2: 0.6 }] } })).toContain("suspect a leak");
    expect(page).not.toContain("suspect a leak");
    expect(renderRun({ ...facts, run: { ...networkOf(facts), card: { ...networkOf(facts).card, bestEpoch: 0 } } })).toContain(
      "this run has learnt nothing",
    );
  });

  it("is made of what is there: no scores, curve or importance, old scores, a torn line", async () => {
    const run = await trainedRun("bare", { seed: 1 });
    const facts = await readRunFacts(run);
    const bare: RunFacts = { ...facts, curve: null, evaluation: null, importance: [], environment: null };
    expect(renderRun(bare)).toContain("Not scored yet");
    expect(renderRun(bare)).toContain("No curve was kept");
    const { calibration: _, ...old } = SCORE;
    expect(renderRun({ ...facts, evaluation: { ...EVALUATION, scores: [old] } })).toContain("0.0551");
    expect(renderRun({ ...facts, evaluation: { ...EVALUATION, scores: [] } })).toContain("Too few rows to score");
    writeFileSync(join(run, "importance.json"), "{");
    writeFileSync(join(run, "environment.json"), JSON.stringify({ node: "v24", cpu: { model: "fast" } }));
    const again = await readRunFacts(run);
    expect(again).toMatchObject({ importance: [], environment: { node: "v24", "cpu.model": "fast" } });
    expect(renderRun(again)).toContain("<dt>cpu.model</dt><dd>fast</dd>");
    await expect(writeReport(join(folder, "nothing"))).rejects.toThrow(CommandError);
  });

  it("says what persistence has on the validation rows, beside whose loss the curve is read, and that a p is below what is shown", async () => {
    const facts = await readRunFacts(await trainedRun("calm", { seed: 1 }));
    const run = networkOf(facts);
    const card = { ...run.card, validation: { ...run.card.validation, persistence: 0.41579 } };
    const scores = [{ ...SCORE, againstRidge: { pValue: 0.0004, isModelBetter: false } }];
    const page = renderRun({ ...facts, run: { ...run, card }, evaluation: { ...EVALUATION, scores } });
    expect(page).toContain("where persistence has about 1; on the validation rows it has 0.41579.");
    expect(page).toContain("&#60;.001 worse");
  });

  it("goes with its run: trained anew, the folder holds no page and no scores of the one before", async () => {
    const run = await trainedRun("again", { seed: 1 });
    await writeReport(run);
    expect(readdirSync(run)).toContain("report.html");
    await writeToyDataset(join(folder, "data"), [{ rows: 2_000, seed: 11, signal: 0.5, market: "toy:A" }]);
    await trainRun({
      dataset: await readDataset(join(folder, "data")),
      dataFolder: join(folder, "data"),
      out: run,
      family: "mlp",
      runtime: await loadRuntime("node"),
      settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, seed: 2 },
      progress: silent,
      commit: null,
    });
    expect(readdirSync(run)).not.toContain("report.html");
    expect(readdirSync(run)).not.toContain("scores.json");
  });

  it("fetches nothing and runs nothing, whatever markets and columns are called", async () => {
    const facts = await readRunFacts(await trainedRun("hostile", { seed: 1 }));
    const { card } = networkOf(facts);
    const columns = card.featureSet.columns.map((_, index) => `${HOSTILE}${index}`);
    const hostile: RunFacts = {
      ...facts,
      name: HOSTILE,
      folder: HOSTILE,
      evaluation: { ...EVALUATION, source: HOSTILE },
      importance: [{ measure: HOSTILE, columns: [{ column: HOSTILE, value: 1 }] }],
      environment: { [HOSTILE]: HOSTILE },
      run: {
        ...networkOf(facts),
        card: {
          ...card,
          family: HOSTILE,
          data: { ...card.data, source: HOSTILE, markets: [{ market: HOSTILE, source: HOSTILE, from: 0, to: 1 }] },
          featureSet: { ...card.featureSet, columns },
        },
      },
    };
    const { renderRuns } = await import("../../training/report/runs-page.ts");
    for (const page of [renderRun(hostile), renderRun(facts), renderRuns([hostile, facts])]) {
      expect(page).not.toMatch(/<script|<img|<link|<iframe|@import|url\(|src=|href=|https?:/i);
      expect(page).toContain("default-src 'none'");
    }
    expect(renderRun(hostile)).toContain(`<h1>${HARMLESS}</h1>`);
  });
});

describe("runs side by side", () => {
  it("show the settings in which they differ and no other, and their curves over each other", async () => {
    await trainedRun("slow", { seed: 7, learningRate: 1e-4 });
    await trainedRun("fast", { seed: 7, learningRate: 1e-2 });
    mkdirSync(join(folder, "runs", "no-run"), { recursive: true });
    const runs = (await findRuns(join(folder, "runs"))).filter(({ name }) => name === "slow" || name === "fast");
    expect(runs.map(({ name }) => name)).toEqual(["fast", "slow"]);
    expect(differencesBetween(runs)).toEqual({ names: ["learningRate"], values: [["0.01"], ["0.0001"]] });
    expect(differencesBetween(runs.slice(1))).toEqual({ names: [], values: [[]] });
    const path = join(folder, "comparison.html");
    const { writeRunsPage } = await import("../../training/report/runs-page.ts");
    await writeRunsPage(runs, path);
    const page = readFileSync(path, "utf8");
    expect(page).toContain("--series-2");
    expect(page).toContain("<td>0.0001</td>");
    expect(page).not.toContain("weightDecay");
    const [first] = runs;
    expect(page).toContain(`<td>${first?.run.card.validation.persistence.toFixed(5)}</td>`);
    await expect(findRuns(join(folder, "nowhere"))).rejects.toThrow("there is no folder");
  });

  it("tell losses of skill by a minus, and those of classes by their correlation: they have no R²", async () => {
    const { renderRuns } = await import("../../training/report/runs-page.ts");
    const facts = await readRunFacts(await trainedRun("moves", { seed: 1 }));
    const classes = [{ horizonMs: 5_000, model: { mcc: -0.014 }, logistic: { mcc: 0.372 } }] as unknown as Evaluation["classes"];
    const asked: RunFacts = { ...facts, name: "classes", evaluation: { ...EVALUATION, scores: [], ...(classes && { classes }) } };
    const page = renderRuns([{ ...facts, evaluation: { ...EVALUATION, scores: [{ ...SCORE, r2: -0.0294 }] } }, asked]);
    expect(page).toContain("−0.0294 (0.0442)");
    expect(page).toContain("5 s MCC −0.014 (0.372)");
    expect(page).not.toContain("<td>–</td>");
  });

  it("fit a terminal: the name, the errors and the nearest score before settings and farther horizons, and what is left out can be asked for", async () => {
    const facts = await readRunFacts(await trainedRun("wide", { seed: 1 }));
    const long = {
      ...facts,
      name: "other",
      run: { ...networkOf(facts), card: { ...networkOf(facts).card, family: "a-family-of-a-very-long-name" } },
    };
    const scores = [5_000, 1_000, 30_000].map((horizonMs) => ({ ...SCORE, horizonMs, r2: 0.25, ridgeR2: -0.5 }));
    const classes = [
      { asks: "move", horizonMs: 1_000, model: { mcc: null }, logistic: null },
      { asks: "next-change", horizonMs: 1_000, model: { mcc: 0.5 }, logistic: { mcc: 0.25 } },
    ] as unknown as NonNullable<Evaluation["classes"]>;
    const all = columnsOf([
      { ...facts, evaluation: { ...EVALUATION, scores } },
      { ...long, evaluation: { ...EVALUATION, scores: [], classes } },
      { ...facts, evaluation: null },
    ]);
    const error = "error / line / none";
    expect(all.map(({ name }) => name)).toEqual(["run", "model", error, "test 1 s", "test next within 1 s", "test 5 s", "test 30 s"]);
    expect(all[1]?.cells).toEqual(["mlp", "a-family-of-a-very-long…", "mlp"]);
    expect(all[3]?.cells).toEqual(["R² 0.250 (−0.500)", "MCC – (–)", "not evaluated"]);
    expect(all[4]?.cells).toEqual(["–", "MCC 0.500 (0.250)", "–"]);
    const names = (width: number) => fittingColumns(all, width).map(({ name }) => name);
    for (const width of [60, 80, 100, 120, 200]) {
      const shown = fittingColumns(all, width);
      const lines = table(
        shown.map(({ name }) => name),
        [0, 1, 2].map((row) => shown.map(({ cells }) => cells[row] ?? "")),
      ).split("\n");
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }
    // Cells of 5, 24, 27 and 17 characters, three more each, and one at the end.
    expect(names(78)).toEqual(["run", error, "test 1 s"]);
    expect(names(79)).toEqual(["run", error, "test 1 s", "test 5 s"]);
    expect(names(86)).toEqual(["run", "model", error, "test 1 s"]);
    expect(names(1_000)).toHaveLength(7);
    expect(names(1)).toEqual(["run"]);
    expect(namedColumns(all, "test 5 s, run").map(({ name }) => name)).toEqual(["test 5 s", "run"]);
    expect(namedColumns(all, "all")).toEqual(all);
    expect(() => namedColumns(all, "speed")).toThrow('there is no column "speed": choose of run, model');
  });

  it("nested settings are named by their path, and long lists counted", () => {
    expect(flatten({ a: { b: 1, c: [1, 2] }, d: null, e: new Array(13).fill(0) })).toEqual([
      ["a.b", "1"],
      ["a.c", "1, 2"],
      ["d", "none"],
      ["e", "13 entries"],
    ]);
  });
});

describe("a curve", () => {
  it("is read of epochs and of rounds; a line that a crash tore is left out", () => {
    expect(
      parseCurve(
        '{"epoch":1,"trainLoss":2,"validationLoss":3,"learningRate":1}\n{"epoch":2,"trainLoss":1,"validationLoss":null}\n{"epoch":3,"tra',
      ),
    ).toEqual({
      unit: "epoch",
      points: [
        { step: 1, trainLoss: 2, validationLoss: 3 },
        { step: 2, trainLoss: 1, validationLoss: null },
      ],
    });
    expect(parseCurve('{"round":1,"trainLoss":2,"validationLoss":3}')).toMatchObject({ unit: "round", points: [{ step: 1 }] });
    expect(parseCurve("")).toBeNull();
  });

  it("an environment says what made the run, and a page shows it", async () => {
    const run = await trainedRun("made", { seed: 1 });
    await writeEnvironment(run);
    const { environment } = await readRunFacts(run);
    expect(environment).toMatchObject({
      node: process.versions.node,
      onnxruntime: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      threads: expect.stringMatching(/^\d+$/),
    });
    expect(readFileSync(await writeReport(run), "utf8")).toContain(`<dt>node</dt><dd>${process.versions.node}</dd>`);
  });

  it("and an importance come back as they were written", async () => {
    await writeImportance(folder, [{ measure: "gain", columns: [{ column: "a", value: -1 }] }]);
    expect(await readImportance(folder)).toEqual([{ measure: "gain", columns: [{ column: "a", value: -1 }] }]);
    expect(await readImportance(join(folder, "nowhere"))).toEqual([]);
  });
});

describe("charts", () => {
  it("put forecasts across and outcomes up: turned, a model that is too bold would look too shy", () => {
    const chart = calibrationChart(SCORE.calibration ?? []);
    const dots = [...chart.matchAll(/<circle[^>]*>/g)].map(([circle]) => ({
      x: Number(/cx="([^"]+)"/.exec(circle)?.[1]),
      y: Number(/cy="([^"]+)"/.exec(circle)?.[1]),
    }));
    const [, fromX, fromY, toX, toY] = (/aria-label="line"><path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)"/.exec(chart) ?? []).map(Number);
    // The dashed line goes from (-1, -1) to (1, 1); the outcomes are half as far from the middle.
    expect(dots.map(({ x }) => x)).toEqual([expect.closeTo(fromX ?? 0, 2), expect.closeTo(toX ?? 0, 2)]);
    const middle = ((fromY ?? 0) + (toY ?? 0)) / 2;
    for (const [index, end] of [fromY ?? 0, toY ?? 0].entries()) expect((dots[index]?.y ?? 0) - middle).toBeCloseTo((end - middle) / 2, 2);
  });

  it("draw each interval from its low to its high end, with the score and ridge's at their own heights", () => {
    const chart = scoresChart([{ ...SCORE, r2: 0.1, r2Low: 0, r2High: 0.4, ridgeR2: 0.3 }]);
    const heights = (pattern: RegExp): number[] =>
      [...(pattern.exec(chart)?.[1] ?? "").matchAll(/\b(?:y1|y2|cy)="([^"]+)"/g)]
        .map(([, y]) => Number(y))
        .sort((one, other) => other - one);
    const [zero = 0] = heights(/stroke-opacity="0.5" stroke="currentColor">(.*?)<\/g>/);
    const [low = 0, high = 0] = heights(/stroke-width="2"[^>]*>(.*?)<\/g>/);
    const [dot = 0] = heights(/aria-label="dot"[^>]*>(.*?)<\/g>/);
    const [tick = 0] = heights(/aria-label="tick"[^>]*>(.*?)<\/g>/);
    expect(low).toBeCloseTo(zero, 6);
    expect((low - dot) / (low - high)).toBeCloseTo(1 / 4, 6);
    expect((low - tick) / (low - high)).toBeCloseTo(3 / 4, 6);
  });
});

describe("calibration", () => {
  it("puts the mean forecast beside the mean outcome of rows with like forecasts", () => {
    // Forecasts 0 … 39, shuffled; outcomes half of them, but for one part whose rows scatter by ±1.
    const order = Array.from({ length: 40 }, (_, index) => (index * 17) % 40);
    const predicted = Float64Array.from(order);
    const actual = Float64Array.from(order, (value) => (value < 30 ? value / 2 : value % 2 === 0 ? 21 : 19));
    const bins = calibrationOf({ actual, predicted }, { horizonRows: 1 });
    expect(bins.map(({ rows, forecast, outcome }) => [rows, forecast, outcome])).toEqual([
      [10, 4.5, 2.25],
      [10, 14.5, 7.25],
      [10, 24.5, 12.25],
      [10, 34.5, 20],
    ]);
    // Ten of ±1: variance 10/9, of the mean a tenth of it. Rows that overlap by five are two: half of it.
    expect(bins[3]?.outcomeError).toBeCloseTo(1 / 3, 12);
    expect(calibrationOf({ actual, predicted }, { horizonRows: 5 })[3]?.outcomeError).toBeCloseTo(Math.sqrt(5 / 9), 12);
    // Equal forecasts stay in the order of their rows.
    const tied = calibrationOf(
      { actual: Float64Array.from({ length: 20 }, (_, row) => (row < 10 ? 1 : 3)), predicted: new Float64Array(20) },
      { horizonRows: 1 },
    );
    expect(tied.map(({ outcome }) => outcome)).toEqual([1, 3]);
    expect(calibrationOf({ actual: new Float64Array(0), predicted: new Float64Array(0) }, { horizonRows: 1 })).toEqual([]);
  });
});

describe("what draws", () => {
  it("is loaded by the commands that draw alone: every other would start slower by it", () => {
    const training = resolve(import.meta.dirname, "../../training");
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export)[^;]*? from "([^"]+)";/gms)) {
        if (path.startsWith(".")) visit(resolve(dirname(file), path));
        else packages.add(path);
      }
    };
    visit(join(training, "command-line/main.ts"));
    expect(packages).toContain("commander");
    expect(packages).not.toContain("@observablehq/plot");
    expect(packages).not.toContain("linkedom");
    const importing = readdirSync(training, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".ts") && /from "(linkedom|@observablehq\/plot)"/.test(readFileSync(join(training, file), "utf8")),
    );
    expect(importing).toEqual([join("report", "charts.ts")]);
  });
});
