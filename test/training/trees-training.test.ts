/** Boosted trees from end to end, beside the plain ones of trees-reference.ts. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { TreeData, TreeEnsemble, TreeObjective, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { encodeTrees } from "../../training/trees/tree-file.ts";
import { answer, answersOf, leavesOf, type PlainNode, plainTrees, SETTINGS } from "./trees-reference.ts";

interface Drawn {
  readonly rows: number;
  readonly columns?: number;
  readonly seed?: number;
  /** Share of missing values in column 1. */
  readonly missing?: number;
  readonly isWeighted?: boolean;
  readonly target?: (row: Float32Array, random: Random) => number;
}

/** Clear steps and a slope, so that no two splits gain alike. */
function draw({ rows, columns = 4, seed = 1, missing = 0, isWeighted = false, target = smooth }: Drawn): TreeData {
  const random = new Random(seed);
  const features = new Float32Array(rows * columns);
  const targets = new Float32Array(rows);
  const weights = isWeighted ? new Float32Array(rows) : null;
  for (let row = 0; row < rows; row++) {
    const own = features.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) own[column] = random.normal();
    targets[row] = target(own, random);
    if (random.uniform() < missing) own[1] = Number.NaN;
    if (weights !== null) weights[row] = 0.5 + 2 * random.uniform();
  }
  return { rows, columns, features, targets, weights };
}

function smooth(row: Float32Array, random: Random): number {
  return ((row[0] as number) > 0.3 ? 2 : 0) + (row[1] as number) + 0.7 * (row[2] as number) * (row[0] as number) + 0.2 * random.normal();
}

function isAbove(row: Float32Array, random: Random): number {
  return (row[0] as number) + 0.5 * (row[1] as number) + random.normal() > 0.2 ? 1 : 0;
}

function hashOf(ensemble: TreeEnsemble): string {
  const hash = createHash("sha256");
  for (const tree of ensemble.trees) {
    const { feature, threshold, isMissingLeft, left, right, value, gain, cover } = tree;
    for (const part of [feature, threshold, isMissingLeft, left, right, value, gain, cover]) hash.update(new Uint8Array(part.buffer));
  }
  return hash.digest("hex");
}

/** Node by node: the same question at each, about the same value at each leaf. */
function expectSameTree(ensemble: TreeEnsemble, tree: number, plain: PlainNode): void {
  const grown = ensemble.trees[tree];
  if (grown === undefined) throw new Error(`there is no tree ${tree}`);
  const compare = (node: number, expected: PlainNode, path: string): void => {
    const { split, left, right } = expected;
    const isDivided = split !== null && left !== null && right !== null;
    expect(`${path}: column ${grown.feature[node]}`).toBe(`${path}: column ${isDivided ? split.column : -1}`);
    if (!isDivided) {
      expect(grown.value[node] as number).toBeCloseTo(expected.value, 4);
      return;
    }
    if (split.threshold === Infinity) expect(grown.threshold[node]).toBeGreaterThan(3e38);
    else expect(grown.threshold[node]).toBe(split.threshold);
    expect(grown.isMissingLeft[node] === 1).toBe(split.isMissingLeft);
    expect((grown.gain[node] as number) / split.gain).toBeCloseTo(1, 3);
    compare(grown.left[node] as number, left, `${path}l`);
    compare(grown.right[node] as number, right, `${path}r`);
  };
  compare(0, plain, `tree ${tree} `);
}

const OBJECTIVES: readonly TreeObjective[] = [
  { kind: "squared-error" },
  { kind: "absolute-error" },
  { kind: "quantile", level: 0.8 },
  { kind: "log-loss" },
];

describe("boosted trees", () => {
  it.each(OBJECTIVES)(
    "of $kind are the plain ones, missing values and weights among them, or a model would be worse than its data",
    async (objective) => {
      for (const isWeighted of [false, true]) {
        const target = objective.kind === "log-loss" ? isAbove : smooth;
        const data = draw({ rows: 400, missing: 0.2, isWeighted, target });
        // Where hessians differ, minRows is told from them: here it shall not matter.
        const hasHessians = isWeighted || objective.kind === "log-loss";
        const settings: TreeSettings = {
          ...SETTINGS,
          objective,
          minRows: hasHessians ? 1 : 10,
          growth: { kind: "depth-wise", maxDepth: hasHessians ? 2 : 3 },
        };
        const { ensemble, curve } = await trainTrees(data, { settings });
        const plain = plainTrees(data, settings, ensemble.base[0] as number);
        plain.trees.forEach((tree, at) => {
          expectSameTree(ensemble, at, tree);
        });
        answersOf(ensemble, data).forEach((value, row) => {
          expect(value).toBeCloseTo(plain.answers[row] as number, 4);
        });
        const losses = curve.map(({ trainLoss }) => trainLoss);
        expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      }
    },
  );

  it("grow leaf by leaf as the plain ones do, or leaves would be spent where they gain little", async () => {
    const data = draw({ rows: 500, seed: 3 });
    const settings: TreeSettings = { ...SETTINGS, growth: { kind: "leaf-wise", maxLeaves: 7, maxDepth: 5 } };
    const { ensemble } = await trainTrees(data, { settings });
    plainTrees(data, settings, ensemble.base[0] as number).trees.forEach((tree, at) => {
      expect(leavesOf(tree)).toHaveLength(7);
      expectSameTree(ensemble, at, tree);
    });
  });

  it("start from what fits best, or the first rounds would be spent on a constant", async () => {
    const targets = Float32Array.of(1, 2, 3, 10);
    const data = { ...draw({ rows: 4 }), targets, weights: Float32Array.of(1, 1, 1, 5) };
    const baseOf = async (objective: TreeObjective, of: TreeData = data) =>
      (await trainTrees(of, { settings: { ...SETTINGS, rounds: 1, objective } })).ensemble.base;
    expect((await baseOf({ kind: "squared-error" }))[0]).toBe(7);
    expect((await baseOf({ kind: "absolute-error" }))[0]).toBe(10);
    expect((await baseOf({ kind: "quantile", level: 0.25 }))[0]).toBe(2.5);
    const ones = { ...data, targets: Float32Array.of(0, 0, 0, 1) };
    expect((await baseOf({ kind: "log-loss" }, ones))[0]).toBeCloseTo(Math.log(5 / 3), 6);
    const classes = { ...data, targets: Float32Array.of(0, 0, 1, 2), weights: null };
    expect([...(await baseOf({ kind: "multiclass", classes: 3 }, classes))].map((value) => Math.exp(value).toFixed(3))).toEqual([
      "0.500",
      "0.250",
      "0.250",
    ]);
  });

  it("tell classes apart, each by its own trees", async () => {
    const label = (row: Float32Array) => ((row[0] as number) > 0 ? ((row[1] as number) > 0 ? 2 : 1) : 0);
    const data = draw({ rows: 600, target: label });
    const { ensemble, curve } = await trainTrees(data, {
      settings: { ...SETTINGS, objective: { kind: "multiclass", classes: 3 }, rounds: 20 },
    });
    expect(ensemble.trees).toHaveLength(60);
    let wrong = 0;
    for (let row = 0; row < data.rows; row++) {
      const answers = answer(ensemble, data.features.subarray(row * 4, row * 4 + 4));
      if (answers.indexOf(Math.max(...answers)) !== data.targets[row]) wrong++;
    }
    expect(wrong / data.rows).toBeLessThan(0.02);
    expect(curve.at(-1)?.trainLoss).toBeLessThan(0.1);
  });

  it("are the same bytes for one, two and four threads, whatever is asked of them, or nobody could make a model again", async () => {
    const cases: readonly Partial<TreeSettings>[] = [
      {},
      { growth: { kind: "leaf-wise", maxLeaves: 20, maxDepth: 8 } },
      { rowShare: 0.6, columnShare: 0.5 },
      { objective: { kind: "absolute-error" } },
      { objective: { kind: "log-loss" } },
      { objective: { kind: "multiclass", classes: 2 }, rowShare: 0.7 },
      { monotone: Array.from({ length: 43 }, (_, column) => (column === 0 ? 1 : 0)) },
    ];
    for (const more of cases) {
      // More rows than a chunk, and more columns than a block.
      const isClass = more.objective?.kind === "log-loss" || more.objective?.kind === "multiclass";
      const data = draw({
        rows: 20_000,
        columns: 43,
        missing: 0.1,
        isWeighted: more.objective !== undefined,
        target: isClass ? isAbove : smooth,
      });
      const settings: TreeSettings = { ...SETTINGS, rounds: 2, growth: { kind: "depth-wise", maxDepth: 5 }, maxBins: 255, ...more };
      const hashes: string[] = [];
      for (const threads of [1, 2, 4, 1]) hashes.push(hashOf((await trainTrees(data, { settings: { ...settings, threads } })).ensemble));
      expect(new Set(hashes).size).toBe(1);
    }
  });

  it("have the leaves that were divided one by one, although threads divide ahead, or their number would change the model", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 2, max: 12 }),
        async (seed, maxLeaves, maxDepth) => {
          const data = draw({ rows: 700, seed, missing: 0.1 });
          const settings: TreeSettings = { ...SETTINGS, rounds: 3, minRows: 5, growth: { kind: "leaf-wise", maxLeaves, maxDepth } };
          const [one, three] = [await trainTrees(data, { settings }), await trainTrees(data, { settings: { ...settings, threads: 3 } })];
          expect(hashOf(three.ensemble)).toBe(hashOf(one.ensemble));
          plainTrees(data, settings, one.ensemble.base[0] as number).trees.forEach((tree, at) => {
            expectSameTree(one.ensemble, at, tree);
          });
        },
      ),
      { numRuns: 5 },
    );
  });

  it("ask the first of columns that say the same, in the root and below, or the number of threads would name another", async () => {
    const single = draw({ rows: 400, columns: 2, target: (row) => ((row[0] as number) > 0.3 ? 2 : 0) + (row[1] as number) });
    const columns = 6;
    // 0 1 0 1 0 1: each half and each third of the columns holds a copy of both.
    const features = Float32Array.from(
      { length: 400 * columns },
      (_, cell) => single.features[2 * Math.floor(cell / columns) + (cell % 2)] as number,
    );
    for (const kind of ["depth-wise", "leaf-wise"] as const) {
      for (const threads of [1, 2, 3]) {
        const growth = kind === "depth-wise" ? { kind, maxDepth: 3 } : { kind, maxDepth: 6, maxLeaves: 8 };
        const { ensemble } = await trainTrees({ ...single, columns, features }, { settings: { ...SETTINGS, growth, threads } });
        const asked = ensemble.trees.flatMap(({ feature }) => [...feature].filter((column) => column >= 0));
        expect(asked.length).toBeGreaterThan(20);
        expect(new Set(asked)).toEqual(new Set([0, 1]));
      }
    }
  });

  it("draw other rows with another seed, and the same with the same", async () => {
    const data = draw({ rows: 2_000 });
    const hashWith = async (seed: number, more: Partial<TreeSettings>) =>
      hashOf((await trainTrees(data, { settings: { ...SETTINGS, seed, ...more } })).ensemble);
    for (const more of [{ rowShare: 0.5 }, { columnShare: 0.5 }]) {
      expect(await hashWith(1, more)).toBe(await hashWith(1, more));
      expect(await hashWith(1, more)).not.toBe(await hashWith(2, more));
    }
    expect(await hashWith(1, {})).toBe(await hashWith(2, {}));
  });

  it("see the share of rows and columns that was asked for", async () => {
    const data = draw({ rows: 20_000, columns: 10 });
    const { ensemble } = await trainTrees(data, { settings: { ...SETTINGS, rounds: 12, rowShare: 0.3, columnShare: 0.2 } });
    for (const tree of ensemble.trees) {
      expect(tree.cover[0]).toBe(6_000);
      expect(new Set(tree.feature.filter((column) => column >= 0)).size).toBeLessThanOrEqual(2);
    }
    expect(new Set(ensemble.trees.flatMap((tree) => [...tree.feature])).size).toBeGreaterThan(6);
  });

  it("are the same when a share happens to be all, or sampled rows and columns would be summed up otherwise", async () => {
    const data = draw({ rows: 9_000, columns: 43, missing: 0.1 });
    const settings: TreeSettings = { ...SETTINGS, growth: { kind: "depth-wise", maxDepth: 5 } };
    const all = hashOf((await trainTrees(data, { settings })).ensemble);
    for (const more of [{ rowShare: 0.99999 }, { columnShare: 0.999 }]) {
      const { ensemble, curve } = await trainTrees(data, { settings: { ...settings, ...more } });
      expect(hashOf(ensemble)).toBe(all);
      expect(curve.at(-1)?.trainLoss).toBeLessThan((curve[0]?.trainLoss ?? 0) / 2);
    }
  });

  it("count the rows that come by each node, and sum their weights", async () => {
    for (const isWeighted of [false, true]) {
      const data = draw({ rows: 1_000, isWeighted });
      const total = data.weights?.reduce((sum, weight) => sum + weight, 0) ?? data.rows;
      const { ensemble } = await trainTrees(data, { settings: SETTINGS });
      for (const { feature, cover, left, right } of ensemble.trees) {
        expect((cover[0] as number) / total).toBeCloseTo(1, 5);
        feature.forEach((column, node) => {
          if (column < 0) return;
          expect(left[node]).toBeGreaterThan(node);
          const both = (cover[left[node] as number] as number) + (cover[right[node] as number] as number);
          expect(both / (cover[node] as number)).toBeCloseTo(1, 5);
        });
      }
    }
  });

  it("take a row that weighs two as that row twice", async () => {
    const once = draw({ rows: 300 });
    const weights = Float32Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? 2 : 1));
    const order = Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? [row, row] : [row])).flat();
    const twice: TreeData = {
      ...once,
      rows: order.length,
      features: Float32Array.from(order.flatMap((row) => [...once.features.subarray(row * 4, row * 4 + 4)])),
      targets: Float32Array.from(order.map((row) => once.targets[row] as number)),
    };
    for (const objective of [{ kind: "squared-error" }, { kind: "quantile", level: 0.3 }] as const) {
      // One bin for each value, so that both have the same cuts.
      const settings: TreeSettings = { ...SETTINGS, objective, minRows: 1, maxBins: 255, growth: { kind: "depth-wise", maxDepth: 2 } };
      const rounded = (data: TreeData): TreeData => ({ ...data, features: data.features.map((value) => Math.round(value * 20) / 20) });
      const weighted = await trainTrees(rounded({ ...once, weights }), { settings });
      const doubled = await trainTrees(rounded(twice), { settings });
      const expected = answersOf(doubled.ensemble, rounded(once));
      answersOf(weighted.ensemble, rounded(once)).forEach((value, row) => {
        expect(value).toBeCloseTo(expected[row] as number, 4);
      });
    }
  });

  it("never fall where they may only rise, or a constraint would be a wish", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000),
        fc.constantFrom<TreeObjective>(...OBJECTIVES.slice(0, 3)),
        fc.boolean(),
        async (seed, objective, isLeafWise) => {
          const data = draw({
            rows: 400,
            seed,
            missing: 0.1,
            target: (row, random) => (row[0] as number) - 2 * Math.abs(row[1] as number) + random.normal(),
          });
          const settings: TreeSettings = {
            ...SETTINGS,
            objective,
            growth: isLeafWise ? { kind: "leaf-wise", maxLeaves: 12, maxDepth: 6 } : { kind: "depth-wise", maxDepth: 4 },
            minRows: 5,
            monotone: [1, -1, 0, 1],
          };
          const { ensemble } = await trainTrees(data, { settings });
          for (let row = 0; row < 20; row++) {
            const values = data.features.slice(row * 4, row * 4 + 4);
            for (const [column, direction] of [
              [0, 1],
              [1, -1],
              [3, 1],
            ] as const) {
              let before = Number.NEGATIVE_INFINITY;
              for (let step = -12; step <= 12; step++) {
                values[column] = step / 4;
                const now = direction * (answer(ensemble, values)[0] as number);
                expect(now).toBeGreaterThanOrEqual(before - 1e-5);
                before = now;
              }
              values[column] = data.features[row * 4 + column] as number;
            }
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it("are constrained as the plain ones are", async () => {
    const data = draw({
      rows: 400,
      seed: 5,
      target: (row, random) => (row[0] as number) - 2 * Math.abs(row[1] as number) + 0.3 * random.normal(),
    });
    // Between two leaves at the same bound nothing is gained but rounding.
    const settings: TreeSettings = { ...SETTINGS, monotone: [1, -1, 0, 0], minGain: 1e-6 };
    const { ensemble } = await trainTrees(data, { settings });
    plainTrees(data, settings, ensemble.base[0] as number).trees.forEach((tree, at) => {
      expectSameTree(ensemble, at, tree);
    });
  });

  it("send a missing value where its like went, even where all else goes the other way", async () => {
    const data = draw({ rows: 400, missing: 0.3 });
    const target = (row: number) => (Number.isNaN(data.features[row * 4 + 1]) ? 5 : 0);
    const marked = { ...data, targets: Float32Array.from({ length: 400 }, (_, row) => target(row)) };
    const { ensemble } = await trainTrees(marked, { settings: { ...SETTINGS, rounds: 1, learningRate: 1, lambda: 0 } });
    answersOf(ensemble, marked).forEach((value, row) => {
      expect(value).toBeCloseTo(target(row), 4);
    });
  });

  it("stop when validation says so, and keep the best", async () => {
    const data = draw({ rows: 300, target: (row, random) => (row[0] as number) + 2 * random.normal() });
    const validation = draw({ rows: 5_000, seed: 9, target: (row, random) => (row[0] as number) + 2 * random.normal() });
    const settings: TreeSettings = { ...SETTINGS, rounds: 200, minRows: 1, earlyStoppingRounds: 5, threads: 2 };
    const heard: number[] = [];
    const { ensemble, curve, bestRound } = await trainTrees(data, { settings, validation, onRound: ({ round }) => heard.push(round) });
    const losses = curve.map(({ validationLoss }) => validationLoss as number);
    expect(heard).toEqual(curve.map((_, at) => at + 1));
    expect(bestRound).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(curve).toHaveLength(bestRound + 5);
    expect(ensemble.trees).toHaveLength(bestRound);
    const errors = answersOf(ensemble, validation).map((value, row) => (value - (validation.targets[row] as number)) ** 2);
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeCloseTo(losses[bestRound - 1] as number, 4);
  });

  it.each([{ kind: "squared-error" }, { kind: "quantile", level: 0.8 }, { kind: "multiclass", classes: 3 }] as const)(
    "of $kind go on from where they were stopped to the very model of a training that never was, or a resumed run is another run",
    async (objective) => {
      const target =
        objective.kind === "multiclass" ? (row: Float32Array) => ((row[0] as number) > 0.5 ? 2 : (row[1] as number) > 0 ? 1 : 0) : smooth;
      // More rows than a chunk (16,384), so that threads share them, and samples of rows and columns, so that draws have to be made again.
      const data = draw({ rows: 20_000, target });
      const validation = draw({ rows: 3_000, seed: 5, target });
      for (const more of [{ rowShare: 0.6, columnShare: 0.5 }, { rowShare: 1 }]) {
        const settings: TreeSettings = {
          ...SETTINGS,
          ...more,
          objective,
          rounds: 9,
          earlyStoppingRounds: 4,
          learningRate: 0.3,
          threads: 2,
        };
        const whole = await trainTrees(data, { settings, validation });
        const controller = new AbortController();
        const onRound = ({ round }: { round: number }) => {
          if (round === 4) controller.abort();
        };
        const stopped = await trainTrees(data, { settings, validation, onRound, signal: controller.signal });
        expect([stopped.isStopped, stopped.rounds.length, whole.isStopped]).toEqual([true, 4, false]);
        const resumed = await trainTrees(data, { settings: { ...settings, threads: 1 }, validation, from: stopped });
        expect(hashOf(resumed.ensemble)).toBe(hashOf(whole.ensemble));
        expect(resumed.curve).toEqual(whole.curve);
        expect(resumed.bestRound).toBe(whole.bestRound);
      }
    },
  );

  it("keep the rounds that are done when they are stopped", async () => {
    const controller = new AbortController();
    const onRound = ({ round }: { round: number }) => {
      if (round === 3) controller.abort();
    };
    const { ensemble, curve } = await trainTrees(draw({ rows: 500 }), {
      settings: { ...SETTINGS, rounds: 50, threads: 2 },
      onRound,
      signal: controller.signal,
    });
    expect(curve).toHaveLength(3);
    expect(ensemble.trees).toHaveLength(3);
  });

  it("stand columns that are constant or missing altogether, and more bins than values", async () => {
    const data = draw({ rows: 300 });
    for (let row = 0; row < data.rows; row++) {
      data.features[row * 4 + 3] = Number.NaN;
      data.features[row * 4 + 2] = 7;
    }
    const { ensemble, curve } = await trainTrees(data, { settings: { ...SETTINGS, maxBins: 255 } });
    expect(ensemble.trees.every((tree) => tree.feature.every((column) => column < 2))).toBe(true);
    expect(curve[0]?.trainLoss).toBeGreaterThan(curve[4]?.trainLoss ?? Infinity);
    const flat = { ...data, targets: new Float32Array(300).fill(2) };
    const constant = await trainTrees(flat, { settings: SETTINGS });
    expect(answersOf(constant.ensemble, flat).every((value) => value === 2)).toBe(true);
  });

  it("refuse what no tree can come of, and say what to do", async () => {
    const data = draw({ rows: 50 });
    const put = (array: Float32Array, at: number, value: number) => array.map((old, index) => (index === at ? value : old));
    const refused = (of: TreeData, more: Partial<TreeSettings> = {}, validation: TreeData | null = null) =>
      trainTrees(of, { settings: { ...SETTINGS, ...more }, validation });
    const multiclass = { objective: { kind: "multiclass", classes: 3 } } as const;
    const labels = Float32Array.from({ length: 50 }, (_, row) => row % 2);
    await expect(refused({ ...data, rows: 1 })).rejects.toThrow("one row can't be split: train on more rows");
    await expect(refused({ ...data, rows: 0 })).rejects.toThrow("there are 0 training rows");
    await expect(refused({ ...data, rows: 51 })).rejects.toThrow("51 training rows of 4 columns need 204 values");
    await expect(refused({ ...data, rows: 17_000_000 })).rejects.toThrow(
      "17000000 training rows are more than 16777215: train on a part of them",
    );
    await expect(refused({ ...data, targets: put(data.targets, 7, Number.NaN) })).rejects.toThrow(
      "the target of training row 7 is NaN: leave out",
    );
    await expect(refused({ ...data, features: put(data.features, 41, -Infinity) })).rejects.toThrow(
      "column 1 of training row 10 is -Infinity: make it a number",
    );
    await expect(refused(data, { threads: 2 }, { ...data, features: put(data.features, 3, Infinity) })).rejects.toThrow(
      "column 3 of validation row 0 is Infinity",
    );
    await expect(refused({ ...data, targets: labels }, multiclass)).rejects.toThrow("no training row is of class 2: leave the class out");
    await expect(refused({ ...data, targets: put(labels, 4, 3) }, multiclass)).rejects.toThrow(
      "the target of training row 4 is 3, and classes are whole numbers from 0 to 2",
    );
    await expect(refused({ ...data, targets: put(labels, 4, 0.5) }, { objective: { kind: "log-loss" } })).rejects.toThrow(
      "whole numbers from 0 to 1",
    );
    await expect(refused({ ...data, weights: new Float32Array(50) })).rejects.toThrow("training row 0 weighs 0: weights are above 0");
    await expect(refused(data, { monotone: [1] })).rejects.toThrow("1 monotone constraints for 4 columns");
    await expect(refused(data, { monotone: [0, 0, Number.NaN as 0, 0] })).rejects.toThrow("of column 2 is NaN, and has to be -1, 0 or 1");
    await expect(refused(data, { monotone: [0, 5 as 1, 0, 0] })).rejects.toThrow("of column 1 is 5, and has to be -1, 0 or 1");
    // None of these is infinite, and what is made of them would be.
    const beyond = "are beyond what float32 sums hold";
    await expect(refused({ ...data, targets: data.targets.map((_, row) => (row % 2 ? 3.4e38 : -3.4e38)) })).rejects.toThrow(beyond);
    await expect(refused({ ...data, weights: new Float32Array(50).fill(3e38) })).rejects.toThrow(beyond);
    const far = { ...data, targets: new Float32Array(50).fill(-3.4e38) };
    await expect(refused({ ...data, targets: new Float32Array(50).fill(3.4e38) }, {}, far)).rejects.toThrow(beyond);
    await expect(refused(data, { maxBins: 256 })).rejects.toThrow("maxBins is 256, and has to be a whole number from 2 to 255");
    await expect(refused(data, { learningRate: 0 })).rejects.toThrow("learningRate is 0, and has to be above 0 and at most 1");
    await expect(refused(data, { objective: { kind: "quantile", level: 1 } })).rejects.toThrow("0.5 is the median");
    await expect(refused(data, { earlyStoppingRounds: 3 })).rejects.toThrow("stopping early needs validation rows");
    await expect(refused(data, {}, { ...draw({ rows: 9, columns: 3 }) })).rejects.toThrow(
      "validation rows have 3 columns, training rows 4",
    );
  });

  it("split into no empty child however light the rows or heavy the penalty, or a model couldn't be written", async () => {
    const data = draw({ rows: 200, target: isAbove });
    const objectives: TreeObjective[] = [
      { kind: "squared-error" },
      { kind: "absolute-error" },
      { kind: "log-loss" },
      { kind: "multiclass", classes: 2 },
    ];
    for (const objective of objectives) {
      for (const [weight, lambda] of [
        [1, 1e20],
        [1e-20, 1],
        [1e-45, 1],
        [1e-30, 0],
        [1e30, 1],
      ] as const) {
        const weighted = { ...data, weights: new Float32Array(200).fill(weight) };
        const { ensemble } = await trainTrees(weighted, { settings: { ...SETTINGS, objective, lambda, minRows: 20, minHessian: 0 } });
        const light = Math.min(...ensemble.trees.flatMap(({ cover }) => [...cover])) / Math.fround(weight);
        expect(`${objective.kind}, ${weight}, ${lambda}: ${light >= 15}`).toBe(`${objective.kind}, ${weight}, ${lambda}: true`);
        expect(() => encodeTrees(ensemble)).not.toThrow();
      }
    }
  });

  it("that gain more than float32 holds are still a model, or the training was for nothing", async () => {
    const data = draw({ rows: 200, target: (row) => ((row[0] as number) > 0 ? 1e25 : -1e25) });
    const { ensemble } = await trainTrees(data, { settings: SETTINGS });
    expect(ensemble.trees[0]?.gain[0]).toBe(3.4028234663852886e38);
    expect(() => encodeTrees(ensemble)).not.toThrow();
  });

  it("of classes are the same whatever unit the weights are in, or light rows would teach nothing", async () => {
    const data = draw({ rows: 400, target: isAbove });
    for (const objective of [{ kind: "log-loss" }, { kind: "multiclass", classes: 2 }] as const) {
      const settings: TreeSettings = { ...SETTINGS, objective, lambda: 0, minHessian: 0, minRows: 20 };
      // By a power of two, which moves no bit but the exponent's.
      const [one, light] = await Promise.all(
        [1, 2 ** -80].map(async (weight) => trainTrees({ ...data, weights: new Float32Array(400).fill(weight) }, { settings })),
      );
      expect(light?.ensemble.trees.map(({ feature, threshold, value }) => [feature, threshold, value])).toEqual(
        one?.ensemble.trees.map(({ feature, threshold, value }) => [feature, threshold, value]),
      );
      expect(one?.ensemble.trees[0]?.feature.length).toBeGreaterThan(3);
    }
  });

  it("refuse what more than 4 GiB would be needed for, before taking any", async () => {
    const rows = 40_000;
    const columns = 4_000;
    // Never looked at: nothing but its size is told.
    const features = Object.defineProperty(new Float32Array(0), "length", { value: rows * columns });
    const data = { rows, columns, features, targets: new Float32Array(rows), weights: null };
    const settings: TreeSettings = { ...SETTINGS, growth: { kind: "depth-wise", maxDepth: 12 } };
    await expect(trainTrees(data, { settings })).rejects.toThrow(
      /need \d+\.\d GiB, and 4 can be addressed: take fewer rows or columns, or smaller trees/,
    );
  });
});
