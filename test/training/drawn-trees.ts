/** Rows to train trees on, and what two trees are compared by. */

import { createHash } from "node:crypto";
import { expect } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { TreeData, TreeEnsemble } from "../../training/trees/contract.ts";
import type { PlainNode } from "./trees-reference.ts";

export interface Drawn {
  readonly rows: number;
  readonly columns?: number;
  readonly seed?: number;
  /** Share of missing values in column 1. */
  readonly missing?: number;
  readonly isWeighted?: boolean;
  readonly target?: (row: Float32Array, random: Random) => number;
}

/** Clear steps and a slope, so that no two splits gain alike. */
export function draw({ rows, columns = 4, seed = 1, missing = 0, isWeighted = false, target = smooth }: Drawn): TreeData {
  const random = new Random(seed);
  const features = new Float32Array(rows * columns);
  const targets = new Float32Array(rows);
  const weights = isWeighted ? new Float32Array(rows) : null;
  for (let row = 0; row < rows; row++) {
    const own = features.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) own[column] = random.normal();
    targets[row] = target(own, random);
    if (random.uniform() < missing) own[1] = Number.NaN;
    if (weights !== null) weights[row] = 0.5 + 2 * random.uniform();
  }
  return { rows, columns, features, targets, weights };
}

export function smooth(row: Float32Array, random: Random): number {
  return ((row[0] as number) > 0.3 ? 2 : 0) + (row[1] as number) + 0.7 * (row[2] as number) * (row[0] as number) + 0.2 * random.normal();
}

export function isAbove(row: Float32Array, random: Random): number {
  return (row[0] as number) + 0.5 * (row[1] as number) + random.normal() > 0.2 ? 1 : 0;
}

export function hashOf(ensemble: TreeEnsemble): string {
  const hash = createHash("sha256");
  for (const tree of ensemble.trees) {
    const { feature, threshold, isMissingLeft, left, right, value, gain, cover } = tree;
    for (const part of [feature, threshold, isMissingLeft, left, right, value, gain, cover]) hash.update(new Uint8Array(part.buffer));
  }
  return hash.digest("hex");
}

/** Node by node: the same question at each, about the same value at each leaf. */
export function expectSameTree(ensemble: TreeEnsemble, tree: number, plain: PlainNode): void {
  const grown = ensemble.trees[tree];
  if (grown === undefined) throw new Error(`there is no tree ${tree}`);
  const compare = (node: number, expected: PlainNode, path: string): void => {
    const { split, left, right } = expected;
    const isDivided = split !== null && left !== null && right !== null;
    expect(`${path}: column ${grown.feature[node]}`).toBe(`${path}: column ${isDivided ? split.column : -1}`);
    if (!isDivided) {
      expect(grown.value[node] as number).toBeCloseTo(expected.value, 4);
      return;
    }
    if (split.threshold === Infinity) expect(grown.threshold[node]).toBeGreaterThan(3e38);
    else expect(grown.threshold[node]).toBe(split.threshold);
    expect(grown.isMissingLeft[node] === 1).toBe(split.isMissingLeft);
    expect((grown.gain[node] as number) / split.gain).toBeCloseTo(1, 3);
    compare(grown.left[node] as number, left, `${path}l`);
    compare(grown.right[node] as number, right, `${path}r`);
  };
  compare(0, plain, `tree ${tree} `);
}
