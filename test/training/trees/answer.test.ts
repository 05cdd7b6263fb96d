/** An ensemble's answers against the plainest reading of the contract, and against numbers that anyone can add up. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answers, probabilitiesOf, rawAnswers } from "../../../training/trees/answer.ts";
import type { Tree, TreeEnsemble } from "../../../training/trees/contract.ts";
import { childOf, leafOf } from "../../../training/trees/route.ts";
import { AWKWARD, naiveAnswer, randomEnsemble, rowsFrom } from "./random-trees.ts";

/** Column 1 below 0.5: 10; else, column 0 below -2: 20, else 30. A missing column 1 goes right, a missing column 0 left. */
const tree: Tree = {
  output: 0,
  feature: Int32Array.of(1, -1, 0, -1, -1),
  threshold: Float32Array.of(0.5, 0, -2, 0, 0),
  isMissingLeft: Uint8Array.of(0, 0, 1, 0, 0),
  left: Int32Array.of(1, -1, 3, -1, -1),
  right: Int32Array.of(2, -1, 4, -1, -1),
  value: Float32Array.of(0, 10, 0, 20, 30),
  gain: Float32Array.of(1, 0, 1, 0, 0),
  cover: Float32Array.of(4, 2, 2, 1, 1),
};

const single: TreeEnsemble = { objective: { kind: "squared-error" }, columns: 2, outputs: 1, base: Float32Array.of(1), trees: [tree] };

describe("routing", () => {
  it.each([
    ["below", [0, Math.fround(0.5 - 2 ** -25)], 1],
    ["a threshold hit exactly goes right", [0, 0.5], 4],
    ["missing goes where the split says: right", [0, Number.NaN], 4],
    ["missing goes where the split says: left", [Number.NaN, 1], 3],
    ["infinities are numbers", [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], 3],
  ])("%s: another side is another model than the one trained", (_, row, leaf) => {
    expect(leafOf(tree, Float32Array.from([9, ...row]), 1)).toBe(leaf);
  });

  it("child by child is the same way as straight to the leaf: what explains a model must walk the model's own way", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const ensemble = randomEnsemble({ seed, trees: 1, columns: 3, outputs: 1, maxDepth: 6, thresholds: AWKWARD });
        const features = rowsFrom(AWKWARD, { seed, rows: 20, columns: 3 });
        const [only] = ensemble.trees as [Tree];
        for (let offset = 0; offset < features.length; offset += 3) {
          let node = 0;
          while ((only.feature[node] as number) >= 0) node = childOf(only, node, { features, offset });
          expect(leafOf(only, features, offset)).toBe(node);
        }
      }),
    );
  });
});

describe("answers", () => {
  it("are the leaves' sum in float32, the base added last: in another order the last bits are another model's", () => {
    const small = 2 ** -24;
    const leaf = (value: number): Tree => ({
      output: 0,
      feature: Int32Array.of(-1),
      threshold: Float32Array.of(0),
      isMissingLeft: Uint8Array.of(0),
      left: Int32Array.of(-1),
      right: Int32Array.of(-1),
      value: Float32Array.of(value),
      gain: Float32Array.of(0),
      cover: Float32Array.of(1),
    });
    const row = { rows: 1, columns: 2, features: new Float32Array(2) };
    const sumOf = (base: number, leaves: readonly number[]): number | undefined =>
      rawAnswers({ ...single, base: Float32Array.of(base), trees: leaves.map(leaf) }, row)[0];
    // Two halves of an ulp are lost on 1 each by itself, and are one ulp when added first.
    expect(sumOf(1, [small, small])).toBe(1 + 2 ** -23);
    expect(sumOf(0, [1, small, small])).toBe(1);
    expect(sumOf(0, [small, small, 1])).toBe(1 + 2 ** -23);
  });

  it("of any ensemble are those of the plainest walk", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 30 }), (seed, outputs, trees) => {
        const columns = 4;
        const ensemble = randomEnsemble({ seed, trees, columns, outputs, maxDepth: 5, thresholds: AWKWARD });
        const features = rowsFrom(AWKWARD, { seed: seed + 1, rows: 9, columns });
        const got = rawAnswers(ensemble, { rows: 9, columns, features });
        const expected = Array.from({ length: 9 }, (__, row) => naiveAnswer(ensemble, Array.from(features.subarray(4 * row, 4 * row + 4))));
        expect(Array.from(got)).toEqual(expected.flat());
      }),
    );
  });

  it("over more rows than a block are each row's own", () => {
    const rows = 600;
    const features = Float32Array.from({ length: 2 * rows }, (_, cell) => (cell % 2 === 1 && cell < 2 * 257 ? 0 : 1));
    const got = rawAnswers(single, { rows, columns: 2, features });
    expect(got.slice(254, 260)).toEqual(Float32Array.of(11, 11, 11, 31, 31, 31));
  });

  it("of rows with other columns are refused: they would be read askew", () => {
    expect(() => rawAnswers(single, { rows: 1, columns: 3, features: new Float32Array(3) })).toThrow(/3 columns.*trained on 2/);
    expect(() => rawAnswers(single, { rows: 2, columns: 2, features: new Float32Array(3) })).toThrow(/3 numbers are not 2 rows/);
  });
});

describe("probabilities", () => {
  it("of log-odds are the logistic's, at both ends too: an overflow would answer NaN", () => {
    const raw = Float32Array.of(0, Math.fround(Math.log(3)), Math.fround(-Math.log(3)), 200, -200, 1e30, -1e30);
    const got = probabilitiesOf({ kind: "log-loss" }, raw);
    for (const [index, expected] of [0.5, 0.75, 0.25, 1, 0, 1, 0].entries()) expect(got[index]).toBeCloseTo(expected, 7);
  });

  it("of classes are softmax's and add up to 1, whatever is added to all scores", () => {
    const raw = Float32Array.of(0, Math.fround(Math.log(2)), Math.fround(Math.log(5)), 1e4, 1e4, -1e4);
    const got = probabilitiesOf({ kind: "multiclass", classes: 3 }, raw);
    for (const [index, expected] of [0.125, 0.25, 0.625, 0.5, 0.5, 0].entries()) expect(got[index]).toBeCloseTo(expected, 6);
  });

  it("are what the model answers where the objective has them, and nothing else is", () => {
    const row = { rows: 1, columns: 2, features: Float32Array.of(0, 0) };
    expect(answers(single, row)).toEqual(Float32Array.of(11));
    expect(answers({ ...single, objective: { kind: "log-loss" }, base: Float32Array.of(-10) }, row)).toEqual(Float32Array.of(0.5));
    expect(() => probabilitiesOf({ kind: "absolute-error" }, Float32Array.of(1))).toThrow(/absolute-error has no probabilities/);
  });
});
