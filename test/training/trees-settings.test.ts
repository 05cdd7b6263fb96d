/** What single settings of boosted trees do, on rows so few and plain that each answer can be worked out by hand. */

import { describe, expect, it } from "vitest";
import type { TreeData, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { SETTINGS } from "./trees-reference.ts";

const PLAIN: TreeSettings = { ...SETTINGS, rounds: 1, learningRate: 1, lambda: 0, minRows: 1 };

function rowsOf(features: readonly number[], targets: readonly number[], weights: readonly number[] | null = null): TreeData {
  return {
    rows: features.length,
    columns: 1,
    features: Float32Array.from(features),
    targets: Float32Array.from(targets),
    weights: weights === null ? null : Float32Array.from(weights),
  };
}

describe("settings of boosted trees", () => {
  // 0 and 10 at four rows each: the mean is 5, and the one split gains 8 · 5² = 200.
  const halves = rowsOf([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 10, 10, 10, 10]);
  const nodesWith = async (settings: Partial<TreeSettings>, data = halves) =>
    (await trainTrees(data, { settings: { ...PLAIN, ...settings } })).ensemble.trees[0]?.feature.length;

  it("minGain keeps splits that gain no more, or trees would fit noise that was to be left", async () => {
    expect(await nodesWith({ minGain: 199 })).toBe(3);
    expect(await nodesWith({ minGain: 201 })).toBe(1);
  });

  it("minHessian is met by both children, or a leaf would rest on next to nothing", async () => {
    expect(await nodesWith({ minHessian: 4 })).toBe(3);
    expect(await nodesWith({ minHessian: 4.1 })).toBe(1);
    // Eight rows of which each has a hessian of ¼.
    const classes = { objective: { kind: "log-loss" } } as const;
    const labels = { ...halves, targets: halves.targets.map((target) => target / 10) };
    expect(await nodesWith({ ...classes, minHessian: 0.99 }, labels)).toBe(3);
    expect(await nodesWith({ ...classes, minHessian: 1.01 }, labels)).toBe(1);
  });

  it("lambda shrinks leaves: -G / (H + lambda)", async () => {
    const { ensemble } = await trainTrees(halves, { settings: { ...PLAIN, lambda: 4 } });
    expect([...(ensemble.trees[0]?.value ?? [])]).toEqual([0, -2.5, 2.5]);
  });

  it("maxDepth bounds trees that grow leaf by leaf too, or one leaf of them could take all splits", async () => {
    const stairs = Array.from({ length: 16 }, (_, row) => row);
    const data = rowsOf(
      stairs,
      stairs.map((row) => 1.5 ** row),
    );
    for (const maxDepth of [1, 2, 3]) {
      const { ensemble } = await trainTrees(data, { settings: { ...PLAIN, growth: { kind: "leaf-wise", maxLeaves: 16, maxDepth } } });
      const [tree] = ensemble.trees;
      const depth = (node: number): number =>
        (tree?.left[node] ?? -1) < 0 ? 0 : 1 + Math.max(depth(tree?.left[node] as number), depth(tree?.right[node] as number));
      expect(depth(0)).toBe(maxDepth);
    }
  });

  it("each class steps as far as its own share of the softmax lets it: K / (K - 1) times the hessian", async () => {
    const data = rowsOf([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]);
    const { ensemble } = await trainTrees(data, { settings: { ...PLAIN, objective: { kind: "multiclass", classes: 2 } } });
    // Each row p = ½: G = 4 · ½, H = 4 · ¼ · 2.
    for (const [label, values] of [
      [0, 1, -1],
      [0, -1, 1],
    ].entries())
      expect([...(ensemble.trees[label]?.value ?? [])].map((value) => Number(value.toFixed(5)))).toEqual(values);
  });

  it("losses are means over weights, in training and validation, or heavy rows would make the curve larger", async () => {
    const data = rowsOf([0, 0, 1, 1], [0, 2, 10, 12], [3, 1, 3, 1]);
    const validation = rowsOf([0, 1], [4.5, 11.5], [1, 9]);
    const { curve } = await trainTrees(data, { settings: PLAIN, validation });
    // Leaves 0.5 and 10.5: (3 · 0.25 + 2.25 + 3 · 0.25 + 2.25) / 8, and (16 + 9 · 1) / 10.
    expect(curve[0]?.trainLoss).toBeCloseTo(0.75, 5);
    expect(curve[0]?.validationLoss).toBeCloseTo(2.5, 4);
  });

  it("of rounds whose validation loss is the same the first is kept", async () => {
    const data = rowsOf([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 10, 10, 10, 10]);
    // Fitted by the first tree; the others add nothing.
    const { bestRound, curve } = await trainTrees(data, { settings: { ...PLAIN, rounds: 20, earlyStoppingRounds: 3 }, validation: data });
    expect(bestRound).toBe(1);
    expect(curve).toHaveLength(4);
  });

  it("only missing values go right where no other does, the largest ones there are included", async () => {
    const largest = 3.4028232635611926e38;
    const data = rowsOf([largest, -largest, 0, 1, Number.NaN, Number.NaN, Number.NaN, Number.NaN], [0, 0, 0, 0, 10, 10, 10, 10]);
    const { ensemble } = await trainTrees(data, { settings: PLAIN });
    const [tree] = ensemble.trees;
    const split = tree?.threshold[0] as number;
    // Either way round, the threshold parts none of the numbers.
    if (tree?.isMissingLeft[0] === 0) expect(split).toBeGreaterThan(largest);
    else expect(split).toBeLessThan(-largest);
    expect(tree?.feature).toHaveLength(3);
  });
});
