/** What is refused, and what is just within what numbers hold. */

import { describe, expect, it } from "vitest";
import type { TreeData, TreeObjective, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { encodeTrees } from "../../training/trees/tree-file.ts";
import { draw, isAbove } from "./drawn-trees.ts";
import { SETTINGS } from "./trees-reference.ts";

describe("boosted trees", () => {
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
    // What float64 holds is no reason to refuse: 6.8e38 lies between these two.
    const far = { ...data, targets: new Float32Array(50).fill(-3.4e38) };
    const { curve } = await refused({ ...data, targets: new Float32Array(50).fill(3.4e38) }, {}, far);
    expect(curve.at(-1)?.validationLoss).toBeCloseTo(4.624e77, -75);
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
