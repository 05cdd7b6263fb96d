/** Boosted trees from end to end, beside the plain ones of trees-reference.ts. */

import { describe, expect, it } from "vitest";
import type { TreeData, TreeObjective, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { draw, expectSameTree, isAbove, smooth } from "./drawn-trees.ts";
import { answer, answersOf, leavesOf, plainTrees, SETTINGS } from "./trees-reference.ts";

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

  it("send a missing value where its like went, even where all else goes the other way", async () => {
    const data = draw({ rows: 400, missing: 0.3 });
    const target = (row: number) => (Number.isNaN(data.features[row * 4 + 1]) ? 5 : 0);
    const marked = { ...data, targets: Float32Array.from({ length: 400 }, (_, row) => target(row)) };
    const { ensemble } = await trainTrees(marked, { settings: { ...SETTINGS, rounds: 1, learningRate: 1, lambda: 0 } });
    answersOf(ensemble, marked).forEach((value, row) => {
      expect(value).toBeCloseTo(target(row), 4);
    });
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
});
