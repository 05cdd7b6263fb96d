/** Answers that may only rise, or only fall, with a column. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeObjective, TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { draw, expectSameTree } from "./drawn-trees.ts";
import { answer, plainTrees, SETTINGS } from "./trees-reference.ts";

describe("boosted trees", () => {
  it("never fall where they may only rise, or a constraint would be a wish", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000),
        fc.constantFrom<TreeObjective>({ kind: "squared-error" }, { kind: "absolute-error" }, { kind: "quantile", level: 0.8 }),
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
});
