/** One model for any number of threads, and draws of rows and columns that are made again. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { draw, expectSameTree, hashOf, isAbove, smooth } from "./drawn-trees.ts";
import { plainTrees, SETTINGS } from "./trees-reference.ts";

describe("boosted trees", () => {
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
});
