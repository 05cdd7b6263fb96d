/** Training as a whole: it learns what can be learnt, nothing from noise, the same bytes from the same seed, and says what it can't use. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { mlp } from "../../models/mlp/family.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { CommandError } from "../../training/command-error.ts";
import { trainCommand } from "../../training/command-line/train.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../training/engine/settings.ts";
import { evaluateRun, unseenRows } from "../../training/evaluate/evaluate-run.ts";
import { checkForLeaks } from "../../training/leaks/leak-check.ts";
import { answerRidge, fitRidge } from "../../training/linear/ridge.ts";
import { silent } from "../../training/progress.ts";
import type { RuntimeName } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { SGD_DEFAULTS } from "../../training/tensors/optimisers/sgd.ts";
import type { PreparedRows } from "../../training/train/contract.ts";
import { allInputs } from "../../training/train/input-table.ts";
import { fitNormaliser, fitTargetScale, mutedColumns } from "../../training/train/normaliser.ts";
import { prepareRows } from "../../training/train/prepared-rows.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { familyOf, rowsOfRun } from "../../training/train/run-rows.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { readNetworkRun, scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const SETTINGS: TrainSettings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 6, batch: 128, learningRate: 3e-3 };
let learnable: Dataset;
let noise: Dataset;

beforeAll(async () => {
  await writeToyDataset(join(folder, "learnable"), [{ rows: 4_000, seed: 11, signal: 0.5 }]);
  await writeToyDataset(join(folder, "noise"), [{ rows: 4_000, seed: 12, signal: 0 }]);
  learnable = await readDataset(join(folder, "learnable"));
  noise = await readDataset(join(folder, "noise"));
});

async function train(name: string, dataset: Dataset, options: { settings?: Partial<TrainSettings>; backend?: RuntimeName } = {}) {
  const out = join(folder, name);
  const runtime = await loadRuntime(options.backend ?? "node");
  const settings = { ...SETTINGS, ...options.settings };
  const { card, trained } = await trainRun({
    dataset,
    dataFolder: folder,
    out,
    family: "mlp",
    runtime,
    settings,
    progress: silent,
    commit: null,
  });
  return { out, card, trained, runtime };
}

describe("learning", () => {
  it("finds a planted signal: half of each next second's variance, so R² near 0.5, on rows it never saw", async () => {
    const { out, runtime } = await train("signal", learnable);
    const evaluation = await evaluateRun(await readRun(out), learnable, { runtime, commit: null });
    const nextSecond = evaluation.scores.filter((score) => score.horizonMs === 1_000);
    expect(nextSecond.length).toBe(3);
    for (const score of nextSecond) {
      expect(score.r2).toBeGreaterThan(0.4);
      expect(score.r2).toBeLessThan(0.6);
      expect(score.r2Low).toBeLessThan(score.r2);
      expect(score.r2High).toBeGreaterThan(score.r2);
    }
    expect(evaluation.rows).toBe(unseenRows((await readRun(out)).card, learnable).length);
  });

  it("gives no score where there are too few rows to say how sure it is: an interval of one block has no width", async () => {
    const { out, runtime } = await train("few", learnable);
    await writeToyDataset(join(folder, "few"), [{ rows: 130, seed: 77, signal: 0.5, startTime: learnable.card.to + 1_000_000 }]);
    const evaluation = await evaluateRun(await readRun(out), await readDataset(join(folder, "few")), { runtime, commit: null });
    expect([...new Set(evaluation.scores.map((score) => score.horizonMs))]).toEqual([1_000, 5_000, 10_000]);
    for (const score of evaluation.scores) expect(score.r2High - score.r2Low).toBeGreaterThan(0.001);
  });

  it("claims no skill on a random walk, and the leak check says so", async () => {
    const { out, runtime } = await train("walk", noise);
    const run = await readRun(out);
    const evaluation = await evaluateRun(run, noise, { runtime, commit: null });
    // Thirty seconds ahead, 600 rows are some twenty independent ones: only the interval can say that it is nothing.
    for (const score of evaluation.scores) expect(score.r2Low).toBeLessThan(0);
    for (const score of evaluation.scores) if (score.horizonMs === 1_000) expect(score.r2).toBeLessThan(0.01);
    expect((await checkForLeaks(run, { training: noise, test: noise, runtime, progress: silent })).isClean).toBe(true);
  });

  it("the leak check raises the alarm when the features hold the answer to whatever label is asked for", async () => {
    // Features that carry the row's own (turned) labels: what a scoring that looks ahead amounts to.
    const { out, runtime } = await train("leak", learnable);
    const run = await readRun(out);
    const half = Math.floor(learnable.rows / 2);
    const features = allFeatures(learnable).slice();
    for (let row = 0; row < learnable.rows; row++) {
      const other = (row + half) % learnable.rows;
      features[row * learnable.columns] = learnable.targets[other * learnable.outputs] as number;
    }
    const turnedIntoFeatures: Dataset = { ...learnable, features: { kind: "memory", values: features } };
    const honest = features.slice();
    const test: Dataset = { ...turnedIntoFeatures, features: { kind: "memory", values: honest } };
    for (let row = 0; row < test.rows; row++) honest[row * test.columns] = test.targets[row * test.outputs] as number;
    expect((await checkForLeaks(run, { training: turnedIntoFeatures, test, runtime, progress: silent })).isClean).toBe(false);
  });

  it("the leak check is quiet about honest skill: its network and its line both learnt from other rows' labels", async () => {
    const { out, runtime } = await train("honest", learnable, { settings: { epochs: 2 } });
    const run = await readRun(out);
    const { isClean, evaluation } = await checkForLeaks(run, { training: learnable, test: learnable, runtime, progress: silent });
    expect(isClean).toBe(true);
    // Half of the next second's variance can be learnt from the row's own labels.
    for (const { horizonMs, ridgeR2 } of evaluation.scores) if (horizonMs === 1_000) expect(ridgeR2).toBeLessThan(0.01);
  });

  it("validation chooses the epoch, so a run that only overfits keeps its early weights", async () => {
    const { card, trained } = await train("overfit", noise, { settings: { epochs: 30, patience: 3, learningRate: 1e-2 } });
    expect(trained.curve.length).toBeLessThan(30);
    expect(trained.curve.length).toBeLessThanOrEqual(card.bestEpoch + 4);
    const best = Math.min(...trained.curve.map((epoch) => epoch.validationLoss));
    // The curve's is a float32 sum, the card's a float64 one.
    expect(card.validation.model).toBeCloseTo(best, 5);
  });

  it("the rate falls in a straight line to the last step: one that stayed or rose would never settle", async () => {
    const { trained } = await train("rate", learnable, { settings: { epochs: 2 } });
    // 2,739 rows in batches of 128 are 22 steps an epoch; the curve shows the rate of an epoch's last step, of 44 in all.
    const rates = trained.curve.map(({ learningRate }) => learningRate);
    expect(rates).toEqual([expect.closeTo((3e-3 * 23) / 44, 12), expect.closeTo(3e-3 / 44, 12)]);
    // The loss shown is that of a row: no forecast at all has 1.
    for (const { trainLoss } of trained.curve) expect(Math.abs(trainLoss - 0.9)).toBeLessThan(0.2);
  });
});

describe("a network that looks back", () => {
  it("learns from windows within a segment, and is scored on such: one across a gap would mix two markets", async () => {
    const out = join(folder, "gru");
    await writeToyDataset(join(folder, "gap"), [{ rows: 1_500, seed: 31, signal: 0.5, gapAt: 400 }]);
    const dataset = await readDataset(join(folder, "gap"));
    const window = MODEL_FAMILIES.get("gru")?.window ?? 0;
    expect(window).toBeGreaterThan(1);
    const runtime = await loadRuntime("node");
    const settings = { ...SETTINGS, epochs: 1, workers: 2 };
    const { card } = await trainRun({
      dataset,
      dataFolder: folder,
      out,
      family: "gru",
      runtime,
      settings,
      loss: { id: "huber", delta: 1 },
      progress: silent,
      commit: null,
    });
    // 70 % of 1,500 rows without the purge, 61 s and the window, and after each segment's start the rows whose window is not whole.
    expect(card.split.trainRows).toBe(1_050 - 61 - (window - 1) - 2 * (window - 1));
    const run = await readNetworkRun(out);
    expect(run.card.loss).toEqual({ id: "huber", delta: 1 });
    const evaluation = await evaluateRun(run, dataset, { runtime, commit: null });
    expect(evaluation.rows).toBe(225);
  });
});

describe("reproducibility", () => {
  it.each(["node", "wasm"] as const)("the same seed gives the same bytes on the %s backend, and another seed others", async (backend) => {
    const settings = { epochs: 2 };
    const files = ["run.json", "weights.f32", "ridge.f64", "metrics.ndjson"];
    const bytes = (out: string): string[] => files.map((file) => readFileSync(join(out, file)).toString("base64"));
    const one = await train(`${backend}-1`, learnable, { settings, backend });
    const two = await train(`${backend}-2`, learnable, { settings, backend });
    expect(bytes(two.out)).toEqual(bytes(one.out));
    const other = await train(`${backend}-3`, learnable, { settings: { ...settings, seed: 2 }, backend });
    expect(other.card.files.weights).not.toBe(one.card.files.weights);
  });

  it("a run whose weights were changed is not used", async () => {
    const { out } = await train("tampered", learnable, { settings: { epochs: 1 } });
    const path = join(out, "weights.f32");
    const weights = readFileSync(path);
    weights[10] = (weights[10] as number) ^ 1;
    writeFileSync(path, weights);
    await expect(readRun(out)).rejects.toThrow(/weights.f32 is corrupt/);
  });
});

describe("what moves are cut at", () => {
  it("is the run's to say, and in its card: leaps that taught as 5 would be missing from a forecast that is to foresee them", async () => {
    const rows = (targetClip?: number | null) => {
      const { family, settings: model } = familyOf("mlp", learnable);
      return rowsOfRun(learnable, { family, model, ...(targetClip === undefined ? {} : { targetClip }) });
    };
    const largest = ({ train }: { train: PreparedRows }): number =>
      train.targets.reduce((most, target) => Math.max(most, Math.abs(target)), 0);
    const whole = largest(rows(null));
    expect(whole).toBeGreaterThan(2);
    expect(largest(rows(1.5))).toBe(1.5);
    expect(largest(rows())).toBe(Math.min(whole, 20));
    const out = join(folder, "unclipped");
    const runtime = await loadRuntime("node");
    const options = { dataset: learnable, dataFolder: folder, out, family: "mlp", runtime, progress: silent, commit: null };
    await trainRun({ ...options, settings: { ...SETTINGS, epochs: 1 }, targetClip: null });
    expect((await readRun(out)).card.targetClip).toBeNull();
  });

  it.each([
    [["--target-clip", "none"], null],
    [["--target-clip", "1.5"], 1.5],
    [[], 20],
  ] as const)("is what the command says, %j: one that were lost between would teach other moves", async (given, expected) => {
    const out = join(folder, `cut-${expected}`);
    const words = ["--data", join(folder, "learnable"), "--out", out, "--model", "linear", "--json", ...given];
    await trainCommand().exitOverride().parseAsync(words, { from: "user" });
    const { card } = await readRun(out);
    expect(card.targetClip).toBe(expected);
    // Half of the next second's variance is known: of moves that were all cut to 0, nothing would be.
    expect(card.validation.model).toBeLessThan(0.97 * card.validation.persistence);
  });
});

describe("what inputs are cut at", () => {
  it("is the run's to say, the same while it trains and while it answers: a network that learnt rows otherwise cut would be served others", () => {
    const { family, settings: model } = familyOf("mlp", learnable);
    const features = allFeatures(learnable).slice();
    // One leap in the training part and one in the validation part, hundreds of deviations wide.
    for (const row of [300, 3_000]) features[row * learnable.columns] = 1e4;
    const leaping: Dataset = { ...learnable, features: { kind: "memory", values: features } };
    const largest = (inputClip?: number): (number | undefined)[] => {
      const { train, validation } = rowsOfRun(leaping, { family, model, inputClip });
      return [train, validation].map((rows) => allInputs(rows).reduce((most, value) => Math.max(most, value), 0));
    };
    expect(largest()).toEqual([10, 10]);
    expect(largest(2)).toEqual([2, 2]);
  });

  it.each([
    ["linear", ["--input-clip", "2"], 2],
    ["trees", ["--input-clip", "2", "--rounds", "1", "--only", "mid@1000"], 2],
    ["mlp", ["--input-clip", "2", "--epochs", "1"], 2],
    ["linear", [], 10],
  ] as const)(
    "of %s is what the command says, %j, and stands in the card: the edge cuts where the card says",
    async (family, given, expected) => {
      const out = join(folder, `input-cut-${family}-${expected}`);
      const words = ["--data", join(folder, "learnable"), "--out", out, "--model", family, "--json", ...given];
      await trainCommand().exitOverride().parseAsync(words, { from: "user" });
      expect((await readRun(out)).card.normaliser.clip).toBe(expected);
    },
  );
});

describe("statistics come from the training rows alone", () => {
  it("rows outside change neither normaliser nor target scale", () => {
    const rows = Uint32Array.from({ length: 2_000 }, (_, row) => row);
    const features = allFeatures(learnable).slice();
    const poisoned: Dataset = { ...learnable, features: { kind: "memory", values: features }, targets: learnable.targets.slice() };
    features.fill(1e6, 2_000 * learnable.columns);
    poisoned.targets.fill(1e6, 2_000 * learnable.outputs);
    expect(fitNormaliser(poisoned, rows)).toEqual(fitNormaliser(learnable, rows));
    expect(fitTargetScale(poisoned, rows)).toEqual(fitTargetScale(learnable, rows));
    const all = Uint32Array.from({ length: learnable.rows }, (_, row) => row);
    expect(fitNormaliser(poisoned, all)).not.toEqual(fitNormaliser(poisoned, rows));
  });

  it("a run knows nothing of its test rows: had they been others, every number of it would be the same", async () => {
    const { card } = await train("plain", learnable, { settings: { epochs: 1 } });
    const { testFrom, trainTo } = card.split;
    const otherTest = await train("other-test", poisonedFrom(learnable, testFrom ?? Number.NaN), { settings: { epochs: 1 } });
    expect(otherTest.card).toEqual(card);
    const otherRest = await train("other-rest", poisonedFrom(learnable, trainTo + 1), { settings: { epochs: 1 } });
    expect(otherRest.card.normaliser).toEqual(card.normaliser);
    expect(otherRest.card.targetScale).toEqual(card.targetScale);
    expect(otherRest.card.validation.persistence).toBeGreaterThan(1e6);
  });

  it("a run keeps its parts 61 s apart, the longest horizon and the warm-up: closer, a label reaches into the next part", async () => {
    const { card } = await train("parts", learnable, { settings: { epochs: 1 } });
    const start = learnable.card.from;
    // 4,000 rows, one a second: 70 % lie before second 2,800 and 85 % before second 3,400.
    expect(card.split).toEqual({
      trainShare: 0.7,
      validationShare: 0.15,
      purgeMs: 61_000,
      validationFrom: start + 2_800_000,
      testFrom: start + 3_400_000,
      trainRows: 2_739,
      validationRows: 539,
      trainFrom: start,
      trainTo: start + 2_738_000,
    });
  });

  it("a target's scale is the root mean square over the rows that have one, and 1 where nothing moved", () => {
    const { outputs } = learnable;
    const rows = Uint32Array.of(0, 1, 2, 3);
    // The first two rows moved by 3 and by -5, but for the last output; the other two have no target, whatever lies there.
    const moves = [3, -5, 1e6, 1e6];
    const targets = Float64Array.from({ length: 4 * outputs }, (_, cell) => {
      const row = Math.floor(cell / outputs);
      return row < 2 && cell % outputs === outputs - 1 ? 0 : (moves[row] as number);
    });
    const mask = new Uint8Array(4 * outputs).fill(1, 0, 2 * outputs);
    const scale = fitTargetScale({ ...learnable, targets, mask }, rows);
    expect(scale).toEqual([...new Array<number>(outputs - 1).fill(Math.sqrt(17)), 1]);
  });

  it("what lies where a row has no target teaches nothing and is scored nowhere", async () => {
    const mask = learnable.mask.map((value, cell) => (Math.floor(cell / learnable.outputs) % 7 === 3 ? 0 : value));
    const holed: Dataset = { ...learnable, mask };
    const spoilt: Dataset = { ...holed, targets: learnable.targets.map((move, cell) => (mask[cell] === 0 ? 1e6 : move)) };
    const clean = await train("holed", holed, { settings: { epochs: 2 } });
    const filled = await train("spoilt", spoilt, { settings: { epochs: 2 } });
    expect(filled.card).toEqual(clean.card);
    expect(filled.trained.curve).toEqual(clean.trained.curve);
  });

  it("leaps are cut where they train and left where they are scored, or validation would flatter the run", () => {
    const { outputs, columns } = learnable;
    const targets = new Float64Array(2 * outputs).fill(14, 0, outputs).fill(-14, outputs);
    const normaliser = { mean: new Array<number>(columns).fill(0), scale: new Array<number>(columns).fill(1), clip: 5 };
    const preparation = { family: mlp, normaliser, targetScale: new Array<number>(outputs).fill(2) };
    const ends = (targetClip: number | null): (number | undefined)[] => {
      const prepared = prepareRows({ ...learnable, targets }, Uint32Array.of(0, 1), { ...preparation, targetClip });
      return [prepared.targets[0], prepared.targets[2 * outputs - 1]];
    };
    expect(ends(5)).toEqual([5, -5]);
    expect(ends(null)).toEqual([7, -7]);
  });

  it("a column that hardly varied is muted: an unlearnt weight must not speak when it varies at the edge", async () => {
    await writeToyDataset(join(folder, "constant"), [
      { rows: 1_000, seed: 13, signal: 0.5, spoil: (row, index) => row.fill(index < 4 ? index : 60, 5, 6).fill(1, 7, 8) },
    ]);
    const dataset = await readDataset(join(folder, "constant"));
    const normaliser = fitNormaliser(
      dataset,
      Uint32Array.from({ length: 500 }, (_, row) => row),
    );
    expect(mutedColumns(dataset, normaliser)).toEqual([5, 7].map((column) => dataset.card.featureSet.columns[column]));
    const row = allFeatures(dataset).slice(0, dataset.columns);
    row[5] = -1e6;
    const input = new Float32Array(dataset.columns);
    mlp.prepareInput(row, normaliser, input, 0);
    expect(input[5]).toBeCloseTo(0, 30);
    expect(input.every(Number.isFinite)).toBe(true);
  });
});

describe("ridge", () => {
  it("a run's line is fitted on the training rows, and validation chooses λ alone: a line fitted there would flatter or shame the network", async () => {
    // Training moves one basis point for each unit of the first column, so that the line is 1 / (1 + λ); validation moves half as much.
    const { columns, outputs } = learnable;
    const validationFrom = learnable.card.from + 2_800_000;
    const targets = learnable.targets.map((_, cell) => {
      const row = Math.floor(cell / outputs);
      const slope = (learnable.times[row] as number) < validationFrom ? 1 : 0.5;
      return slope * (allFeatures(learnable)[row * columns] as number);
    });
    const { out, card } = await train("line", { ...learnable, targets }, { settings: { epochs: 1 } });
    expect(card.ridgeLambdas).toEqual(new Array<number>(outputs).fill(1));
    // In units of the training moves' size: half a unit is left where nothing is forecast, nothing where the line is.
    expect(card.validation.persistence).toBeCloseTo(0.25, 1);
    expect(card.validation.ridge).toBeLessThan(0.01);
    const { ridgeWeights } = await readRun(out);
    for (let output = 0; output < outputs; output++) {
      expect(ridgeWeights[output * columns]).toBeCloseTo(0.5, 2);
      expect(Math.abs(ridgeWeights[output * columns + 1] as number)).toBeLessThan(0.05);
    }
  });

  it("answers nothing where no line beats no move on the validation rows", () => {
    const random = new Random(1);
    const make = (flip: number) => {
      const inputs = Float32Array.from({ length: 200 }, () => random.normal());
      return {
        rows: 200,
        columns: 1,
        outputs: 1,
        inputs,
        targets: inputs.map((value) => flip * value),
        mask: new Float32Array(200).fill(1),
      };
    };
    const validation = make(-1);
    const ridge = fitRidge(make(1), validation);
    expect(ridge.lambdas).toEqual([null]);
    expect(answerRidge(ridge, validation).every((value) => value === 0)).toBe(true);
  });
});

describe("what can't be used is refused with what to do", () => {
  it("a batch larger than the data", async () => {
    await expect(train("big", learnable, { settings: { batch: 1_000_000 } })).rejects.toThrow(
      /--batch 1000000 is more than the \d+ training rows: take at most/,
    );
  });

  it.each([{ batch: 0 }, { epochs: 0 }, { learningRate: Number.NaN }])("%o", async (settings) => {
    await expect(train("bad", learnable, { settings })).rejects.toThrow(CommandError);
  });

  it("a target that is no number is named before training: within a step it would have made every weight one", async () => {
    const wild: Dataset = { ...learnable, targets: learnable.targets.map((move, cell) => (cell === 25 ? Number.NaN : move)) };
    await expect(train("nan", wild)).rejects.toThrow(/the target 1 of training row 2 is NaN/);
    await expect(readRun(join(folder, "nan"))).rejects.toThrow(/holds no run.json/);
  });

  it("a loss that is no longer a number stops the training at once, with the step, the layer and what to try", async () => {
    const settings = { learningRate: 1e30, optimiser: SGD_DEFAULTS };
    await expect(train("wild", learnable, { settings })).rejects.toThrow(
      /the loss became (NaN|Infinity) at step \d+: .*(hidden1|hidden2|output)\.(weights|bias).*Try a smaller --learning-rate/,
    );
    await expect(readRun(join(folder, "wild"))).rejects.toThrow(/holds no run.json/);
  });

  it("an unknown model, and a dataset with other targets", async () => {
    const runtime = await loadRuntime("node");
    const options = { dataFolder: folder, out: join(folder, "x"), runtime, settings: SETTINGS, progress: silent, commit: null };
    await expect(trainRun({ ...options, dataset: learnable, family: "oracle" })).rejects.toThrow(
      /no model "oracle" to train: choose one of .*mlp/,
    );
    const card = { ...learnable.card, targets: [...learnable.card.targets].reverse() };
    await expect(trainRun({ ...options, dataset: { ...learnable, card }, family: "mlp" })).rejects.toThrow(
      /targets .* are not those of mlp/,
    );
  });

  it("data that the run was trained on, or that overlap them, give no score", async () => {
    const { out } = await train("seen", learnable, { settings: { epochs: 1 } });
    const { card } = await readRun(out);
    await writeToyDataset(join(folder, "overlap"), [{ rows: 500, seed: 99, signal: 0.5, startTime: learnable.card.from + 600_000 }]);
    const overlapping = await readDataset(join(folder, "overlap"));
    expect(() => unseenRows(card, overlapping)).toThrow(/was trained on toy:MARKET/);
    await writeToyDataset(join(folder, "later"), [{ rows: 500, seed: 99, signal: 0.5, startTime: learnable.card.to + 200_000 }]);
    expect(unseenRows(card, await readDataset(join(folder, "later"))).length).toBe(500);
    // Within the purge, 61 s on either side, windows and labels still share seconds with what was trained on.
    const { from, to } = learnable.card;
    const beside = async (startTime: number): Promise<() => Uint32Array> => {
      const at = join(folder, `beside-${startTime}`);
      await writeToyDataset(at, [{ rows: 500, seed: 99, signal: 0.5, startTime }]);
      const dataset = await readDataset(at);
      return () => unseenRows(card, dataset);
    };
    for (const startTime of [to + 30_000, to + 61_000, from - 499_000 - 61_000])
      expect(await beside(startTime)).toThrow(/was trained on toy:MARKET/);
    for (const startTime of [to + 62_000, from - 499_000 - 62_000]) expect((await beside(startTime))().length).toBe(500);
    const simulated = (hours: number) => ({ rows: 500, seed: 99, signal: 0.5, source: `simulated large-tick seed 7, ${hours} h` });
    await writeToyDataset(join(folder, "seed-7"), [simulated(4)]);
    const seven = await readDataset(join(folder, "seed-7"));
    const trainedOnSeven = { ...card, data: { ...card.data, markets: seven.card.parts.map((part) => ({ ...part })) } };
    for (const hours of [3, 5]) {
      await writeToyDataset(join(folder, `seed-7-${hours}`), [{ ...simulated(hours), rows: 400 + hours }]);
      const other = await readDataset(join(folder, `seed-7-${hours}`));
      expect(() => unseenRows(trainedOnSeven, other), `${hours} h of the same seed`).toThrow(/was trained on toy:MARKET/);
    }
    const eight = [{ ...simulated(4), rows: 401, source: "simulated large-tick seed 70, 4 h" }];
    await writeToyDataset(join(folder, "seed-70"), eight);
    expect(unseenRows(trainedOnSeven, await readDataset(join(folder, "seed-70"))).length).toBe(401);
    const otherFeatures = {
      ...overlapping,
      card: { ...overlapping.card, featureSet: { ...overlapping.card.featureSet, fingerprint: "0".repeat(16) } },
    };
    expect(() => unseenRows(card, otherFeatures)).toThrow(/make a dataset with the same/);
  });
});

/** The same dataset with absurd numbers in all rows from `time` on. */
function poisonedFrom(dataset: Dataset, time: number): Dataset {
  const { columns, outputs, times } = dataset;
  const isPoisoned = (row: number): boolean => (times[row] as number) >= time;
  return {
    ...dataset,
    features: {
      kind: "memory",
      values: allFeatures(dataset).map((value, cell) => (isPoisoned(Math.floor(cell / columns)) ? 1e6 : value)),
    },
    targets: dataset.targets.map((value, cell) => (isPoisoned(Math.floor(cell / outputs)) ? 1e6 : value)),
  };
}
