/** What no single cut gains: contrasts of two and three columns, in the kernel beside a plain sum, and from end to end. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { TreeData, TreeGrowth, TreeObjective, TreeSettings } from "../../training/trees/contract.ts";
import { compileTreeKernel, openTreeKernel, takeSharedMemory } from "../../training/trees/kernel.ts";
import { trainTrees } from "../../training/trees/train-trees.ts";
import { encodeTrees, hashOfTrees } from "../../training/trees/tree-file.ts";
import { answersOf, SETTINGS } from "./trees-reference.ts";

const GROWTHS: readonly TreeGrowth[] = [
  { kind: "depth-wise", maxDepth: 4 },
  { kind: "leaf-wise", maxLeaves: 15, maxDepth: 8 },
];

/** The sign of the product of `of` columns, noise of deviation a half. */
function drawXor({ rows, of, columns = 8, seed = 1 }: { rows: number; of: readonly number[]; columns?: number; seed?: number }): TreeData {
  const random = new Random(seed);
  const features = Float32Array.from({ length: rows * columns }, () => random.normal());
  const targets = Float32Array.from({ length: rows }, (_, row) => {
    const sign = of.reduce((product, column) => product * Math.sign(features[row * columns + column] as number), 1);
    return sign + 0.5 * random.normal();
  });
  return { rows, columns, features, targets, weights: null };
}

function shareLeft(answers: readonly number[], { targets }: TreeData): number {
  const squares = answers.reduce((sum, value, row) => sum + (value - (targets[row] as number)) ** 2, 0);
  return squares / targets.reduce((sum, target) => sum + target ** 2, 0);
}

describe("trees that look ahead", () => {
  const pairAndTriple = [{ of: [1, 6] }, { of: [1, 4, 6] }];
  it.each(pairAndTriple)(
    "learn the exclusive or of columns $of, of which no first cut gains, or luck alone would find it",
    async ({ of }) => {
      const data = drawXor({ rows: 6_000, of });
      const test = drawXor({ rows: 2_000, of, seed: 2 });
      // As deep as the cuts that it takes, and no deeper: luck has no second try in a tree.
      const maxDepth = of.length;
      for (const growth of [
        { kind: "depth-wise", maxDepth },
        { kind: "leaf-wise", maxLeaves: 2 ** maxDepth, maxDepth },
      ] as const) {
        const { ensemble } = await trainTrees(data, { settings: { ...SETTINGS, growth, rounds: 40, maxBins: 64 } });
        // A fifth of the squares is noise.
        expect(shareLeft(answersOf(ensemble, test), test)).toBeLessThan(0.3);
      }
    },
  );

  it("are the same for one, two and four threads, and when they go on from where they stopped, or nobody could make a model again", async () => {
    const data = drawXor({ rows: 6_000, of: [1, 4, 6] });
    const objectives: readonly TreeObjective[] = [{ kind: "squared-error" }, { kind: "absolute-error" }];
    for (const objective of objectives) {
      for (const growth of GROWTHS) {
        const settings: TreeSettings = { ...SETTINGS, objective, growth, rounds: 12, rowShare: 0.8, columnShare: 0.9 };
        const whole = await trainTrees(data, { settings });
        const hash = hashOfTrees(encodeTrees(whole.ensemble));
        for (const threads of [2, 4]) {
          const { ensemble } = await trainTrees(data, { settings: { ...settings, threads } });
          expect(hashOfTrees(encodeTrees(ensemble))).toBe(hash);
        }
        const controller = new AbortController();
        const onRound = ({ round }: { round: number }) => {
          if (round === 5) controller.abort();
        };
        const stopped = await trainTrees(data, { settings, onRound, signal: controller.signal });
        expect(stopped.isStopped).toBe(true);
        const resumed = await trainTrees(data, { settings, from: stopped });
        expect(hashOfTrees(encodeTrees(resumed.ensemble))).toBe(hash);
      }
    }
  });

  it("see nothing in noise, or each tree would be cut in vain", async () => {
    const data = { ...drawXor({ rows: 4_000, of: [] }), targets: drawXor({ rows: 4_000, of: [], seed: 3, columns: 1 }).features };
    const settings: TreeSettings = { ...SETTINGS, rounds: 20, learningRate: 0.1, growth: { kind: "depth-wise", maxDepth: 4 } };
    const looking = await trainTrees(data, { settings });
    // Bounded columns are not looked at; these are bounded by nothing.
    const greedy = await trainTrees(data, { settings: { ...settings, monotone: Array<0>(data.columns).fill(0) } });
    const rootsOf = ({ ensemble }: typeof looking) => ensemble.trees.map(({ feature, threshold }) => [feature[0], threshold[0]]);
    expect(rootsOf(looking)).toEqual(rootsOf(greedy));
  });
});

describe("contrasts", () => {
  const ROWS = 1_000;
  const COLUMNS = 5;
  const BITS = 24;
  const memory = takeSharedMemory(8 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);
  const at = {
    bins: 65_536,
    quanta: 131_072,
    histogram: 196_608,
    cutCounts: 262_144,
    active: 262_208,
    node: 262_272,
    out: 262_400,
    signs: 327_680,
  };

  /** The strongest contrast, written plainly over all rows: its first column and T²/Σg². */
  function plainStrongest(order: number, signs: readonly (readonly number[])[], gradients: readonly number[]) {
    const squares = gradients.reduce((sum, gradient) => sum + gradient * gradient, 0);
    let best = { first: -1, strength: 0 };
    const look = (chosen: readonly number[]): void => {
      if (chosen.length < order) {
        for (let column = (chosen.at(-1) ?? -1) + 1; column < signs.length; column++) look([...chosen, column]);
        return;
      }
      const contrast = gradients.reduce(
        (sum, gradient, row) => sum + chosen.reduce((product, column) => product * ((signs[column] as number[])[row] as number), gradient),
        0,
      );
      if ((contrast * contrast) / squares > best.strength) best = { first: chosen[0] as number, strength: (contrast * contrast) / squares };
    };
    look([]);
    return best;
  }

  it.each([2, 3])(
    "of %s columns are what a plain sum over the rows gives, missing values left out, or a cut would be made for nothing",
    (order) => {
      for (let seed = 1; seed <= 20; seed++) {
        const random = new Random(seed);
        const bins = Array.from({ length: COLUMNS }, () =>
          Array.from({ length: ROWS }, () => (random.uniform() < 0.1 ? 255 : random.integerBelow(10))),
        );
        const gradients = Array.from({ length: ROWS }, () => random.integerBelow(2_000_001) - 900_000);
        const histogram = new BigInt64Array(memory.buffer, at.histogram, COLUMNS * 256).fill(0n);
        bins.forEach((own, column) => {
          new Uint8Array(memory.buffer, at.bins + column * 1_024, ROWS).set(own);
          own.forEach((bin, row) => {
            const cell = column * 256 + bin;
            histogram[cell] = (histogram[cell] as bigint) + (BigInt(gradients[row] as number) << BigInt(BITS)) + 1n;
          });
        });
        new BigInt64Array(memory.buffer, at.quanta, ROWS).set(gradients.map((gradient) => (BigInt(gradient) << BigInt(BITS)) + 1n));
        new Int32Array(memory.buffer, at.cutCounts, COLUMNS).fill(9);
        new Uint8Array(memory.buffer, at.active, COLUMNS).fill(1);
        const sum = gradients.reduce((total, gradient) => total + gradient, 0);
        const node = new Float64Array(memory.buffer, at.node, 5);
        node.set([sum, ROWS, 1, -Infinity, Infinity]);
        kernel.lookAhead(
          ...([order, at.histogram, COLUMNS, at.cutCounts, at.active, BITS, 1, at.node, 0, at.quanta, ROWS, at.bins, 1_024] as const),
          at.signs,
          at.out,
        );
        const medians = bins.map((own) => {
          const there = own.filter((bin) => bin < 255);
          const below = (bin: number) => there.filter((other) => other <= bin).length;
          const cuts = Array.from({ length: 9 }, (_, bin) => bin);
          return cuts.reduce(
            (best, bin) => (Math.abs(2 * below(bin) - there.length) < Math.abs(2 * below(best) - there.length) ? bin : best),
            0,
          );
        });
        const signs = bins.map((own, column) => own.map((bin) => (bin === 255 ? 0 : bin <= (medians[column] as number) ? 1 : -1)));
        const expected = plainStrongest(
          order,
          signs,
          gradients.map((gradient) => gradient - sum / ROWS),
        );
        const [, , left] = new Float64Array(memory.buffer, at.out, 3);
        const [column, bin, turn] = new Int32Array(memory.buffer, at.out + 24, 3);
        expect([column, bin, turn]).toEqual([expected.first, medians[expected.first], 0]);
        expect(left).toBe((signs[expected.first] as number[]).filter((sign) => sign === 1).length);
        expect((new Float64Array(memory.buffer, at.out + 40, 1)[0] as number) / expected.strength).toBeCloseTo(1, 1);
      }
    },
  );
});
