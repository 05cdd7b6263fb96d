/** Rows that weigh differently. */

import { describe, expect, it } from "vitest";
import type { TreeData, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { draw, isAbove } from "./drawn-trees.ts";
import { answersOf, SETTINGS } from "./trees-reference.ts";

describe("boosted trees", () => {
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
});
