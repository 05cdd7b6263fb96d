/** TreeSHAP against Shapley's own definition: the mean over all subsets of what a column adds, which nobody can afford beyond small trees. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rawAnswers } from "../../../training/trees/answer.ts";
import type { Tree, TreeEnsemble } from "../../../training/trees/contract.ts";
import { shapValues } from "../../../training/trees/shap.ts";
import { AWKWARD, randomEnsemble, rowsFrom } from "./random-trees.ts";

/** The answer when only the columns in `known` are: an unknown split is both ways, by the rows that went there. */
function answerKnowing(tree: Tree, row: readonly number[], known: number): number {
  const from = (node: number): number => {
    const column = tree.feature[node] as number;
    if (column === -1) return tree.value[node] as number;
    const [left, right] = [tree.left[node] as number, tree.right[node] as number];
    if (((known >> column) & 1) === 0) {
      const [leftCover, rightCover] = [tree.cover[left] as number, tree.cover[right] as number];
      return (leftCover * from(left) + rightCover * from(right)) / (tree.cover[node] as number);
    }
    const value = row[column] as number;
    const goesLeft = Number.isNaN(value) ? tree.isMissingLeft[node] === 1 : value < (tree.threshold[node] as number);
    return from(goesLeft ? left : right);
  };
  return from(0);
}

/** L. Shapley, "A value for n-person games", 1953: |S|! (n - |S| - 1)! / n! times what the column adds to S. */
function bruteForce(ensemble: TreeEnsemble, row: readonly number[], output: number): number[] {
  const n = ensemble.columns;
  const factorial = (count: number): number => (count <= 1 ? 1 : count * factorial(count - 1));
  const answer = (known: number): number =>
    ensemble.trees.filter((tree) => tree.output === output).reduce((sum, tree) => sum + answerKnowing(tree, row, known), 0);
  return Array.from({ length: n }, (_, column) => {
    let value = 0;
    for (let known = 0; known < 1 << n; known++) {
      if (((known >> column) & 1) === 1) continue;
      const size = Array.from({ length: n }, (__, other) => (known >> other) & 1).reduce((sum, bit) => sum + bit, 0);
      value += ((factorial(size) * factorial(n - size - 1)) / factorial(n)) * (answer(known | (1 << column)) - answer(known));
    }
    return value;
  });
}

describe("SHAP values", () => {
  it("of one split are the two sides' difference, by how many rows went there", () => {
    const tree: Tree = {
      output: 0,
      feature: Int32Array.of(1, -1, -1),
      threshold: Float32Array.of(0, 0, 0),
      isMissingLeft: Uint8Array.of(0, 0, 0),
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
      value: Float32Array.of(0, 8, 4),
      gain: Float32Array.of(1, 0, 0),
      cover: Float32Array.of(4, 1, 3),
    };
    const ensemble: TreeEnsemble = {
      objective: { kind: "squared-error" },
      columns: 2,
      outputs: 1,
      base: Float32Array.of(100),
      trees: [tree],
    };
    const { values, expected } = shapValues(ensemble, { rows: 3, columns: 2, features: Float32Array.of(9, -1, 9, 1, 9, Number.NaN) });
    expect(expected).toEqual(Float64Array.of(105));
    expect(values).toEqual(Float64Array.of(0, 3, 0, -1, 0, -1));
  });

  it("are Shapley's, for each output, on any small ensemble: columns asked for twice on a path, missing values, thresholds hit exactly", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), (seed, columns, outputs) => {
        const ensemble = randomEnsemble({ seed, trees: 4, columns, outputs, maxDepth: 6, thresholds: AWKWARD });
        const rows = 3;
        const features = rowsFrom(AWKWARD, { seed: seed + 1, rows, columns });
        const { values } = shapValues(ensemble, { rows, columns, features });
        for (let row = 0; row < rows; row++) {
          for (let output = 0; output < outputs; output++) {
            const expected = bruteForce(ensemble, Array.from(features.subarray(row * columns, (row + 1) * columns)), output);
            const first = (row * outputs + output) * columns;
            for (const [column, value] of expected.entries()) expect(values[first + column]).toBeCloseTo(value, 9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("and the mean add up to the answer, on trees too deep to check otherwise: what is explained is what is served", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const columns = 12;
        const rows = 5;
        const ensemble = randomEnsemble({ seed, trees: 30, columns, outputs: 2, maxDepth: 9 });
        const features = rowsFrom([-2, -1, -0.5, 0, 0.5, 1, 2], { seed, rows, columns });
        const { values, expected } = shapValues(ensemble, { rows, columns, features });
        const raw = rawAnswers(ensemble, { rows, columns, features });
        for (const [cell, answer] of raw.entries()) {
          const sum = values.subarray(cell * columns, (cell + 1) * columns).reduce((total, value) => total + value, 0);
          expect((expected[cell % 2] as number) + sum).toBeCloseTo(answer, 4);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("of rows with other columns are refused: they would be credited to the wrong ones", () => {
    const ensemble = randomEnsemble({ seed: 1, trees: 1, columns: 3, outputs: 1, maxDepth: 2 });
    expect(() => shapValues(ensemble, { rows: 1, columns: 2, features: new Float32Array(2) })).toThrow(/trained on 3/);
  });
});
