/** Trees of several targets on the same bins and threads, beside those of each target alone. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { TreeFeatures, TreeObjective, TreeSettings, TreeTarget } from "../../training/trees/contract.ts";
import { trainTrees, trainTreesForTargets } from "../../training/trees/train-trees.ts";
import { encodeTrees, hashOfTrees } from "../../training/trees/tree-file.ts";
import { SETTINGS } from "./trees-reference.ts";

const COLUMNS = 5;
const OBJECTIVES: readonly TreeObjective[] = [
  { kind: "squared-error" },
  { kind: "multiclass", classes: 3 },
  { kind: "quantile", level: 0.2 },
  { kind: "log-loss" },
  { kind: "squared-error" },
];

function drawFeatures(rows: number, isWeighted: boolean, random: Random): TreeFeatures {
  const features = Float32Array.from({ length: rows * COLUMNS }, () => (random.uniform() < 0.05 ? Number.NaN : random.normal()));
  return { rows, columns: COLUMNS, features, weights: isWeighted ? Float32Array.from({ length: rows }, () => 1 + random.uniform()) : null };
}

/** Of another column each. */
function targetsOf({ rows, features }: TreeFeatures, objective: TreeObjective, column: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    const value = features[row * COLUMNS + column] as number;
    if (objective.kind === "multiclass") return value > 0.5 ? 2 : value > -0.5 ? 1 : 0;
    if (objective.kind === "log-loss") return value > 0.2 ? 1 : 0;
    return Number.isNaN(value) ? 3 : value;
  });
}

describe("trees for several targets of the same rows", () => {
  it("are those of each target alone, or sharing the bins would change models", async () => {
    for (const isWeighted of [false, true]) {
      const random = new Random(4);
      const features = drawFeatures(9_000, isWeighted, random);
      const validation = drawFeatures(500, isWeighted, random);
      const targets: TreeTarget[] = OBJECTIVES.map((objective, column) => ({
        objective,
        training: targetsOf(features, objective, column),
        validation: targetsOf(validation, objective, column),
      }));
      const { objective: _, ...shared } = { ...SETTINGS, rounds: 6, earlyStoppingRounds: 2, threads: 2 } satisfies TreeSettings;
      const heard: string[] = [];
      const together = await trainTreesForTargets(features, {
        targets,
        settings: shared,
        validation,
        onRound: ({ round }, target) => heard.push(`${target}.${round}`),
      });
      const expectedHeard: string[] = [];
      for (const [at, target] of targets.entries()) {
        const alone = await trainTrees(
          { ...features, targets: target.training },
          {
            settings: { ...shared, objective: target.objective },
            validation: { ...validation, targets: target.validation ?? new Float32Array(0) },
          },
        );
        const own = together[at];
        if (own === undefined) throw new Error(`target ${at} has no trees`);
        expect(hashOfTrees(encodeTrees(own.ensemble))).toBe(hashOfTrees(encodeTrees(alone.ensemble)));
        expect(own.curve).toEqual(alone.curve);
        expect(own.bestRound).toBe(alone.bestRound);
        expect(own.ensemble.trees.length).toBeGreaterThan(0);
        expectedHeard.push(...alone.curve.map(({ round }) => `${at}.${round}`));
      }
      expect(heard).toEqual(expectedHeard);
    }
  });

  it("end with the target that was being trained when they were stopped, and keep its rounds", async () => {
    const features = drawFeatures(300, false, new Random(5));
    const objective = { kind: "squared-error" } as const;
    const targets = [0, 1, 2].map((column) => ({ objective, training: targetsOf(features, objective, column), validation: null }));
    const controller = new AbortController();
    const { objective: _, ...settings } = { ...SETTINGS, threads: 2 };
    const trained = await trainTreesForTargets(features, {
      targets,
      settings,
      onRound: ({ round }, target) => target === 1 && round === 2 && controller.abort(),
      signal: controller.signal,
    });
    expect(trained.map(({ ensemble }) => ensemble.trees.length)).toEqual([SETTINGS.rounds, 2, 0]);
  });

  it("refuse a target that doesn't fit, whichever it is", async () => {
    const features = drawFeatures(50, false, new Random(6));
    const objective = { kind: "squared-error" } as const;
    const good = { objective, training: targetsOf(features, objective, 0), validation: null };
    const { objective: _, ...settings } = SETTINGS;
    const refused = (bad: TreeTarget) => trainTreesForTargets(features, { targets: [good, bad], settings });
    await expect(refused({ ...good, training: good.training.subarray(1) })).rejects.toThrow("there are 250, 49");
    await expect(refused({ ...good, objective: { kind: "log-loss" } })).rejects.toThrow("classes are whole numbers from 0 to 1");
    expect(await trainTreesForTargets(features, { targets: [], settings })).toEqual([]);
  });
});
