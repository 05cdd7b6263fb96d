/** Trees, ensembles and rows drawn from a seed, and the plainest way to answer with them. */

import { Random } from "../../../core/math/random.ts";
import type { Tree, TreeEnsemble, TreeObjective } from "../../../training/trees/contract.ts";

/** Values where a comparison could go wrong: the zeros, denormals, neighbours of one another, the largest, none at all. */
export const AWKWARD: readonly number[] = [
  0,
  -0,
  2 ** -149,
  -(2 ** -149),
  2 ** -126 - 2 ** -149,
  2 ** -126,
  -(2 ** -126),
  1,
  1 + 2 ** -23,
  1 - 2 ** -24,
  -1,
  0.1,
  1e30,
  (2 - 2 ** -23) * 2 ** 127,
  -(2 - 2 ** -23) * 2 ** 127,
].map(Math.fround);

export interface RandomTreesOptions {
  readonly seed: number;
  readonly trees: number;
  readonly columns: number;
  readonly outputs: number;
  readonly maxDepth: number;
  /** What thresholds are drawn from; null: normal numbers. */
  readonly thresholds?: readonly number[];
  readonly objective?: TreeObjective;
}

export function randomEnsemble(options: RandomTreesOptions): TreeEnsemble {
  const random = new Random(options.seed);
  const { columns, outputs } = options;
  const trees = Array.from({ length: options.trees }, (_, index) => randomTree(random, options, index % outputs));
  const base = Float32Array.from({ length: outputs }, () => random.normal());
  return { objective: options.objective ?? { kind: "squared-error" }, columns, outputs, base, trees };
}

function randomTree(random: Random, { columns, maxDepth, thresholds }: RandomTreesOptions, output: number): Tree {
  const nodes: { feature: number; threshold: number; missing: number; left: number; right: number; value: number; cover: number }[] = [];
  const grow = (depth: number, cover: number): number => {
    const at = nodes.length;
    const node = { feature: -1, threshold: 0, missing: 0, left: -1, right: -1, value: 0, cover };
    nodes.push(node);
    if (depth === maxDepth || cover < 2 || (depth > 0 && random.uniform() < 0.2)) {
      node.value = random.normal();
      return at;
    }
    const leftCover = 1 + random.integerBelow(cover - 1);
    node.feature = random.integerBelow(columns);
    node.threshold = thresholds === undefined ? random.normal() : (thresholds[random.integerBelow(thresholds.length)] as number);
    node.missing = random.integerBelow(2);
    node.left = grow(depth + 1, leftCover);
    node.right = grow(depth + 1, cover - leftCover);
    return at;
  };
  grow(0, 1_000);
  return {
    output,
    feature: Int32Array.from(nodes, ({ feature }) => feature),
    threshold: Float32Array.from(nodes, ({ threshold }) => threshold),
    isMissingLeft: Uint8Array.from(nodes, ({ missing }) => missing),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    value: Float32Array.from(nodes, ({ value }) => value),
    gain: Float32Array.from(nodes, ({ feature }) => (feature < 0 ? 0 : random.exponential())),
    cover: Float32Array.from(nodes, ({ cover }) => cover),
  };
}

/** [rows, columns] out of `pool` and of missing values. */
export function rowsFrom(pool: readonly number[], shape: { seed: number; rows: number; columns: number }): Float32Array {
  const random = new Random(shape.seed);
  return Float32Array.from({ length: shape.rows * shape.columns }, () => {
    const at = random.integerBelow(pool.length + 1);
    return at === pool.length ? Number.NaN : (pool[at] as number);
  });
}

/** Node by node, sum by sum, as the contract's words have it. */
export function naiveAnswer(ensemble: TreeEnsemble, row: readonly number[]): number[] {
  return Array.from({ length: ensemble.outputs }, (_, output) => {
    let sum = 0;
    for (const tree of ensemble.trees) if (tree.output === output) sum = Math.fround(sum + naiveTree(tree, row, 0));
    return Math.fround(sum + (ensemble.base[output] as number));
  });
}

function naiveTree(tree: Tree, row: readonly number[], node: number): number {
  const column = tree.feature[node] as number;
  if (column === -1) return tree.value[node] as number;
  const value = row[column] as number;
  if (Number.isNaN(value)) return naiveTree(tree, row, (tree.isMissingLeft[node] === 1 ? tree.left[node] : tree.right[node]) as number);
  return naiveTree(tree, row, (value < (tree.threshold[node] as number) ? tree.left[node] : tree.right[node]) as number);
}
