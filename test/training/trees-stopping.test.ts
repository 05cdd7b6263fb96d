/** Stopped by validation rows or by a signal, and gone on with. */

import { describe, expect, it } from "vitest";
import type { TreeSettings } from "../../training/trees/contract.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { draw, hashOf, smooth } from "./drawn-trees.ts";
import { answersOf, SETTINGS } from "./trees-reference.ts";

describe("boosted trees", () => {
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
});
