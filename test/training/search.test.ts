/** The search for settings: it finds what is there, looks at nothing that is to judge it, and says how much luck may be in it. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { Random } from "../../core/math/random.ts";
import { CommandError } from "../../training/command-error.ts";
import { searchCommand } from "../../training/command-line/search.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { innerFolds } from "../../training/search/inner-folds.ts";
import { networkTrials } from "../../training/search/network-trials.ts";
import { budgetsOf, type SearchOptions, searchSettings } from "../../training/search/search-settings.ts";
import { drawnFrom, withDrawn } from "../../training/search/settings-path.ts";
import { type Drawn, drawFrom, parseSpace, type Space } from "../../training/search/space.ts";
import { DEFAULT_SHARES, splitByTime } from "../../training/train/split.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const X: Space = { x: { kind: "linear", low: 0, high: 10 } };

/** A search over x whose loss is (x - 3)² + 1 / budget, fold by fold. */
function searchOf(changes: Partial<SearchOptions<number>>): SearchOptions<number> {
  return {
    space: X,
    folds: [0, 1],
    trainOnce: async ({ x }, budget) => (Number(x) - 3) * (Number(x) - 3) + 1 / budget,
    configurations: 9,
    seed: 1,
    budgets: { least: 1, most: 9, factor: 3 },
    ...changes,
  };
}

describe("a search", () => {
  it("gives all a little, a third of them more, and one the whole: 9, 3 and 1 configurations on two folds are 26 trainings", async () => {
    const told: [number, number][] = [];
    const result = await searchSettings(searchOf({ onTrained: (done, total) => told.push([done, total]) }));
    expect(result).toMatchObject({ configurations: 9, trainings: 26, failed: 0 });
    expect(told.at(-1)).toEqual([26, 26]);
    expect(told).toHaveLength(26);
    expect(result.best.rounds.map(({ budget }) => budget)).toEqual([1, 3, 9]);
    expect(result.trials.map(({ rounds }) => rounds.length)).toEqual([3, 2, 2, 1, 1, 1, 1, 1, 1]);
    const nearest = Math.min(...result.trials.map(({ settings }) => Math.abs(Number(settings.x) - 3)));
    expect(Math.abs(Number(result.best.settings.x) - 3)).toBe(nearest);
    expect(result.trials[0]).toEqual(result.best);
  });

  it("is the same for the same seed, and another for another", async () => {
    const one = await searchSettings(searchOf({}));
    expect(await searchSettings(searchOf({}))).toEqual(one);
    expect((await searchSettings(searchOf({ seed: 2 }))).best.settings).not.toEqual(one.best.settings);
  });

  it("tries the usual settings too: a search mustn't end below where it began", async () => {
    const result = await searchSettings(searchOf({ first: [{ x: 3 }], configurations: 4 }));
    expect(result.best.settings).toEqual({ x: 3 });
    expect(result.configurations).toBe(5);
  });

  it("judges by all folds, and with the whole budget: what is best on one, or at once, may be worst", async () => {
    const space: Space = { name: { kind: "choice", values: ["one-fold", "early", "steady"] } };
    const losses: Readonly<Record<string, (fold: number, budget: number) => number>> = {
      "one-fold": (fold) => (fold === 0 ? 0 : 3),
      early: (_, budget) => (budget === 1 ? 0.5 : 2),
      steady: () => 1,
    };
    const trainOnce = async ({ name }: Drawn, budget: number, fold: number): Promise<number> =>
      losses[String(name)]?.(fold, budget) ?? Number.NaN;
    const { best, trials } = await searchSettings(
      searchOf({ space, trainOnce, configurations: 3, budgets: { least: 1, most: 2, factor: 1.5 } }),
    );
    expect(best.settings).toEqual({ name: "steady" });
    expect(trials.map(({ settings, rounds }) => [settings.name, rounds.map(({ loss }) => loss)])).toEqual([
      ["steady", [1, 1]],
      ["early", [0.5, 2]],
      ["one-fold", [1.5]],
    ]);
  });

  it("goes fold by fold, so that rows are prepared once a round", async () => {
    const order: number[] = [];
    await searchSettings(
      searchOf({ configurations: 3, budgets: { least: 1, most: 1, factor: 2 }, trainOnce: async (_, __, fold) => order.push(fold) }),
    );
    expect(order).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it("leaves out what fails, with the reason, and counts it; a bug is no failure", async () => {
    const tried = new Map<number, number>();
    const failing = async ({ x }: Drawn, budget: number): Promise<number> => {
      tried.set(Number(x), (tried.get(Number(x)) ?? 0) + 1);
      if (Number(x) > 8) throw new CommandError("too large");
      return Number(x) < 2 ? Number.NaN : Number(x) + 1 / budget;
    };
    const result = await searchSettings(searchOf({ trainOnce: failing, configurations: 30 }));
    const wrong = result.trials.filter(({ settings }) => Number(settings.x) > 8 || Number(settings.x) < 2);
    expect(wrong.length).toBeGreaterThan(5);
    // Once is enough: its other fold would be time for nothing.
    for (const { settings } of wrong) expect(tried.get(Number(settings.x))).toBe(1);
    expect(result.failed).toBe(wrong.length);
    expect(new Set(wrong.map(({ failure }) => failure))).toEqual(new Set(["too large", "the validation loss is NaN"]));
    expect(result.trials.slice(-wrong.length).every(({ failure }) => failure !== null)).toBe(true);
    expect(Number(result.best.settings.x)).toBeGreaterThanOrEqual(2);
    // One that fails late ranks behind one that was only worse.
    const late = await searchSettings(
      searchOf({ trainOnce: async ({ x }, budget) => (Number(x) < 5 && budget > 1 ? Number.NaN : Number(x)) }),
    );
    const ranks = late.trials.map(({ failure }) => failure !== null);
    expect(ranks.filter(Boolean)).toHaveLength(3);
    // All that got to the second round failed there: the best of the others stands, with the budget it had.
    expect(late.best).toEqual(late.trials[0]);
    expect(late.best.rounds.map(({ budget }) => budget)).toEqual([1]);
    expect(ranks).toEqual(ranks.toSorted((one, other) => Number(one) - Number(other)));
    await expect(searchSettings(searchOf({ trainOnce: async () => Number.NaN }))).rejects.toThrow(
      "none of 9 configurations could be trained; the first: the validation loss is NaN",
    );
    const bug = searchOf({
      trainOnce: async () => {
        throw new TypeError("bug");
      },
    });
    await expect(searchSettings(bug)).rejects.toThrow(TypeError);
  });

  it("tries nothing twice, and says how many there were where the space has no more", async () => {
    const space: Space = { batch: { kind: "choice", values: [1, 2, 3] } };
    const result = await searchSettings(searchOf({ space, trainOnce: async ({ batch }) => Number(batch), configurations: 50 }));
    expect(result.configurations).toBe(3);
    expect(result.best.settings).toEqual({ batch: 1 });
  });

  it("has budgets that rise to the whole, in at most as long a step as told", () => {
    expect(budgetsOf({ least: 2, most: 20, factor: 3 })).toEqual([2, 6, 18, 20]);
    expect(budgetsOf({ least: 5, most: 5, factor: 3 })).toEqual([5]);
    expect(budgetsOf({ least: 1, most: 4, factor: 1.1 })).toEqual([1, 2, 3, 4]);
  });

  it.each([
    { configurations: 0 },
    { folds: [] },
    { budgets: { least: 4, most: 2, factor: 3 } },
    { budgets: { least: 1, most: 2, factor: 1 } },
  ])("%o is refused", async (wrong) => {
    await expect(searchSettings(searchOf(wrong))).rejects.toThrow(CommandError);
  });
});

describe("a space", () => {
  it("is drawn from within its bounds, by orders of magnitude where asked, in numbers that can be typed", () => {
    const space: Space = {
      rate: { kind: "logarithmic", low: 1e-4, high: 1e-2 },
      depth: { kind: "whole", low: 3, high: 5 },
      share: { kind: "linear", low: 0.5, high: 1 },
    };
    const random = new Random(4);
    const drawn = Array.from({ length: 400 }, () => drawFrom(space, random));
    const rates = drawn.map(({ rate }) => Number(rate));
    for (const rate of rates) {
      expect(rate).toBeGreaterThanOrEqual(1e-4);
      expect(rate).toBeLessThanOrEqual(1e-2);
      expect(
        String(rate)
          .replace(/e.*/, "")
          .replace(/^0\.0*/, "")
          .replace(".", "").length,
      ).toBeLessThanOrEqual(3);
    }
    // Half of them below a thousandth: drawn evenly it would be a tenth.
    expect(rates.filter((rate) => rate < 1e-3).length / 400).toBeCloseTo(0.5, 1);
    expect(new Set(drawn.map(({ depth }) => depth))).toEqual(new Set([3, 4, 5]));
    expect(drawn.map(({ share }) => Number(share)).reduce((sum, share) => sum + share, 0) / 400).toBeCloseTo(0.75, 1);
  });

  it.each([
    [{ rate: { kind: "logarithmic", low: 0, high: 1 } }, /begins above 0/],
    [{ rate: { kind: "linear", low: 2, high: 1 } }, /low lies above high/],
    [{ batch: { kind: "choice", values: [] } }, /batch/],
    [{ batch: { kind: "even", low: 1 } }, /batch/],
    [{}, /names no setting/],
    [null, /\(root\)/],
  ])("%j is refused", (value, reason) => {
    const read = parseSpace(value);
    expect("malformed" in read ? read.malformed : "").toMatch(reason);
  });

  it("names settings by their path, and refuses those that aren't there", () => {
    const settings = { rate: 1, optimiser: { decay: 2, kind: "adamw" }, clip: { norm: null } };
    expect(withDrawn(settings, { rate: 5, "optimiser.decay": 6, "clip.norm": 7 })).toEqual({
      rate: 5,
      optimiser: { decay: 6, kind: "adamw" },
      clip: { norm: 7 },
    });
    expect(settings.optimiser.decay).toBe(2);
    // A setting that is none may become one, and stay none; one that is something can't be nothing.
    expect(withDrawn(settings, { "clip.norm": null })).toEqual(settings);
    expect(drawnFrom(settings, ["clip.norm"])).toEqual({ "clip.norm": null });
    expect(() => withDrawn(settings, { rate: null })).toThrow('there is no setting "rate" that could be null');
    expect(drawnFrom(settings, ["rate", "optimiser.decay"])).toEqual({ rate: 1, "optimiser.decay": 2 });
    for (const [path, value] of [
      ["learning", 1],
      ["rate", "fast"],
      ["optimiser", 1],
      ["rate.low", 1],
      ["toString", "x"],
    ] as const)
      expect(() => withDrawn(settings, { [path]: value })).toThrow(`there is no setting "${path}"`);
    expect(() => drawnFrom(settings, ["optimiser"])).toThrow(CommandError);
  });
});

describe("folds", () => {
  it("train on what came before and validate on what comes next, a purge apart", () => {
    const times = Float64Array.from({ length: 400 }, (_, row) => row * 1_000);
    const rows = Uint32Array.from({ length: 300 }, (_, row) => row);
    const folds = innerFolds(times, rows, { folds: 2, purgeMs: 10_000 });
    expect(folds.map(({ train, validation, boundary }) => [train[0], train.at(-1), validation[0], validation.at(-1), boundary])).toEqual([
      [0, 89, 100, 199, 100_000],
      [0, 189, 200, 299, 200_000],
    ]);
  });

  it("never train on what reaches into validation, nor use a row that they weren't given, whatever the order and gaps of times", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 4 }), fc.constantFrom(0, 500, 5_000), (seed, count, purgeMs) => {
        const random = new Random(seed);
        // Two markets on one clock, with gaps.
        const clock: number[] = [];
        for (let at = 0; at < 500; at++) clock.push((clock.at(-1) ?? 0) + (random.uniform() < 0.02 ? 60_000 : 1_000));
        const times = Float64Array.from([...clock, ...clock]);
        const rows = Uint32Array.from({ length: 1_000 }, (_, row) => row).filter((row) => (times[row] ?? 0) < (clock[400] ?? 0));
        const given = new Set(rows);
        const folds = innerFolds(times, rows, { folds: count, purgeMs });
        const seen = new Set<number>();
        for (const { train, validation, boundary } of folds) {
          for (const row of train) expect((times[row] ?? 0) + purgeMs).toBeLessThan(boundary);
          for (const row of validation) {
            expect(times[row]).toBeGreaterThanOrEqual(boundary);
            expect(seen.has(row)).toBe(false);
            seen.add(row);
          }
          for (const row of [...train, ...validation]) expect(given.has(row)).toBe(true);
        }
        expect(folds).toHaveLength(count);
        // All that isn't only trained on is validated once.
        expect(seen.size).toBe([...rows].filter((row) => (times[row] ?? 0) >= (folds[0]?.boundary ?? 0)).length);
      }),
      { numRuns: 30 },
    );
  });

  it("too many for the rows are refused", () => {
    const times = Float64Array.from({ length: 100 }, (_, row) => row * 1_000);
    const rows = Uint32Array.from(times.keys());
    expect(() => innerFolds(times, rows, { folds: 4, purgeMs: 0 })).toThrow(/fold 1 of 4 has 20 rows to train on/);
    expect(() => innerFolds(times, rows, { folds: 1, purgeMs: 30_000 })).toThrow(/fold 1 of 1 has 20 rows to train on \(30 s are purged/);
    expect(() => innerFolds(times, rows, { folds: 0, purgeMs: 0 })).toThrow("--folds 0");
  });
});

describe("a search for a network's settings", () => {
  const folder = scratchFolder();
  let dataset: Dataset;

  beforeAll(async () => {
    await writeToyDataset(join(folder, "data"), [{ rows: 3_000, seed: 21, signal: 0.5 }]);
    dataset = await readDataset(join(folder, "data"));
  });

  async function trialsOf(data: Dataset) {
    const settings = { ...DEFAULT_TRAIN_SETTINGS, batch: 128 };
    return networkTrials({ dataset: data, family: "mlp", runtime: await loadRuntime("node"), settings, shares: DEFAULT_SHARES, folds: 2 });
  }

  it("never looks at what is to judge it: garbage in the validation and test parts changes nothing", async () => {
    const { validationFrom, train } = splitByTime(dataset.times, { ...DEFAULT_SHARES, purgeMs: 61_000 });
    const last = dataset.times[train.at(-1) ?? 0] ?? 0;
    expect(last).toBeLessThan(validationFrom);
    const isTrain = (row: number): boolean => (dataset.times[row] ?? 0) <= last;
    const poisoned: Dataset = {
      ...dataset,
      features: {
        kind: "memory",
        values: allFeatures(dataset).map((value, cell) => (isTrain(Math.floor(cell / dataset.columns)) ? value : 1e6)),
      },
      targets: dataset.targets.map((value, cell) => (isTrain(Math.floor(cell / dataset.outputs)) ? value : -1e6)),
    };
    const losses = async (data: Dataset): Promise<number[]> => {
      const { folds, trainOnce } = await trialsOf(data);
      const found: number[] = [];
      for (const fold of folds) found.push(await trainOnce({ learningRate: 0.003 }, 1, fold));
      return found;
    };
    expect(await losses(poisoned)).toEqual(await losses(dataset));
  });

  it("trains each fold on its own rows, in whatever order they are asked for", async () => {
    const inOrder = await trialsOf(dataset);
    const losses: number[] = [];
    for (const fold of inOrder.folds) losses.push(await inOrder.trainOnce({}, 1, fold));
    const turned = await trialsOf(dataset);
    for (const [index, fold] of turned.folds.toReversed().entries()) expect(await turned.trainOnce({}, 1, fold)).toBe(losses[1 - index]);
    expect(losses[0]).not.toBe(losses[1]);
  });

  it("finds a rate that learns among rates that don't, and uses the budget as epochs", async () => {
    const space: Space = { learningRate: { kind: "choice", values: [1e-7, 1e-6, 3e-3] } };
    const result = await searchSettings({
      space,
      ...(await trialsOf(dataset)),
      configurations: 3,
      seed: 1,
      budgets: { least: 1, most: 3, factor: 3 },
    });
    expect(result.best.settings).toEqual({ learningRate: 3e-3 });
    const [first, second] = result.best.rounds;
    expect(second?.loss).toBeLessThan(first?.loss ?? 0);
    expect(result.trainings).toBe(3 * 2 + 2);
    const { trainOnce, folds } = await trialsOf(dataset);
    const [fold] = folds;
    if (fold === undefined) throw new Error("no fold");
    await expect(trainOnce({ batch: 100_000 }, 1, fold)).rejects.toThrow(CommandError);
    await expect(trainOnce({ speed: 1 }, 1, fold)).rejects.toThrow('there is no setting "speed"');
  });

  it("is a command that takes the options of train, and says all that was tried", async () => {
    const kept = join(folder, "kept");
    const spacePath = join(folder, "space.json");
    writeFileSync(
      spacePath,
      JSON.stringify({ learningRate: { kind: "choice", values: [1e-7, 3e-3] }, "clip.norm": { kind: "choice", values: [null, 1] } }),
    );
    const given = ["--data", join(folder, "data"), "--configurations", "9", "--folds", "2", "--least-epochs", "1", "--epochs", "2"];
    const run = (more: readonly string[]): Promise<unknown> =>
      searchCommand()
        .exitOverride()
        .parseAsync([...given, "--batch", "128", "--workers", "1", ...more], { from: "user" });
    const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      await run(["--space", spacePath, "--out", kept]);
      // The usual rate comes first, the four others are all there are.
      const found: unknown = JSON.parse(readFileSync(join(kept, "found.json"), "utf8"));
      expect(found).toMatchObject({
        configurations: 5,
        failed: 0,
        family: "mlp",
        data: dataset.card.sha256,
        best: { settings: { learningRate: 3e-3 } },
      });
      const text = printed.mock.calls.map(([line]) => String(line)).join("");
      expect(text).toContain("5 configurations tried in 14 trainings");
      expect(text).toMatch(
        /edgebook train --data .* --model mlp --learning-rate 0.003( --clip-norm 1)? --epochs 2 --batch 128 --workers 1 --out RUN/,
      );
      const treesOf = ["--model", "trees", "--growth", "depth-wise", "--rounds", "4", "--least-rounds", "4", "--monotone", "imbalance_1=1"];
      printed.mockClear();
      await searchCommand()
        .exitOverride()
        .parseAsync([...given.slice(0, 2), ...treesOf, "--configurations", "2", "--folds", "1"], { from: "user" });
      const next = printed.mock.calls.map(([line]) => String(line)).join("");
      expect(next).toMatch(
        / --model trees --learning-rate \S+ --depth [3-6] .*--rounds 4 --growth depth-wise --monotone imbalance_1=1 --out RUN/,
      );
      writeFileSync(spacePath, JSON.stringify({ speed: { kind: "choice", values: [1] } }));
      await expect(run(["--space", spacePath])).rejects.toThrow('there is no setting "speed"');
      writeFileSync(spacePath, "{");
      await expect(run(["--space", spacePath])).rejects.toThrow("is no space of settings");
    } finally {
      printed.mockRestore();
    }
  });
});
