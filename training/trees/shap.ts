/**
 * SHAP values: how much each column moved one answer away from the mean answer, exactly, by TreeSHAP (S. Lundberg, G. Erion, S. Lee,
 * "Consistent individualized feature attribution for tree ensembles", 2018, algorithm 2, the path-dependent form: what is unknown of a row is
 * averaged over the training rows that took each way, by the trees' `cover`).
 *
 * Values are of raw sums, before any probability: per row and output, `expected` and the columns' values add up to rawAnswers, up to the
 * rounding of its float32 sums. Columns that no split on the row's side of things asks for have 0. A missing value is a value: it counts for its column.
 *
 * Algorithm 2 walks every tree once a row, in O(leaves · depth²), with one list of path elements: a column, the share of rows that would come by
 * without knowing it (zero), whether the row itself comes by (one), and the weight of subsets of each size. The list of a node is copied for its
 * children, since both extend it: each depth has its own stretch of four flat arrays, so that a row allocates nothing.
 */

import { checkColumns, type FeatureRows } from "./answer.ts";
import type { Tree, TreeEnsemble } from "./contract.ts";
import { childOf } from "./route.ts";

export interface ShapValues {
  /** [rows, outputs, columns] */
  readonly values: Float64Array;
  /** [outputs] the mean answer over the training rows, by cover. */
  readonly expected: Float64Array;
}

/** Throws when the rows have other columns than the ensemble. */
export function shapValues(ensemble: TreeEnsemble, data: FeatureRows): ShapValues {
  checkColumns(ensemble, data);
  const { outputs, columns, trees, base } = ensemble;
  const expected = Float64Array.from(base);
  for (const tree of trees) expected[tree.output] = (expected[tree.output] as number) + meanOf(tree);
  const values = new Float64Array(data.rows * outputs * columns);
  for (const tree of trees) {
    const walk = new PathWalk(tree);
    for (let row = 0; row < data.rows; row++) {
      const first = (row * outputs + tree.output) * columns;
      walk.addTo(values.subarray(first, first + columns), { features: data.features, offset: row * columns });
    }
  }
  return { values, expected };
}

/** The leaves' mean, weighted by the rows that reached them. */
function meanOf({ feature, value, cover }: Tree): number {
  let sum = 0;
  for (let node = 0; node < feature.length; node++) if (feature[node] === -1) sum += (value[node] as number) * (cover[node] as number);
  return sum / (cover[0] as number);
}

interface Row {
  readonly features: Float32Array;
  readonly offset: number;
}

class PathWalk {
  private readonly tree: Tree;
  private readonly column: Int32Array;
  private readonly zero: Float64Array;
  private readonly one: Float64Array;
  private readonly weight: Float64Array;
  private values: Float64Array = new Float64Array(0);
  private row: Row = { features: new Float32Array(0), offset: 0 };

  constructor(tree: Tree) {
    this.tree = tree;
    // At depth d the list has at most d + 1 elements.
    const longest = depthOf(tree) + 1;
    const room = (longest * (longest + 1)) / 2;
    this.column = new Int32Array(room);
    this.zero = new Float64Array(room);
    this.one = new Float64Array(room);
    this.weight = new Float64Array(room);
    // The root's element is of no column: it only counts.
    this.column[0] = -1;
    this.zero[0] = 1;
    this.one[0] = 1;
  }

  /** Adds the tree's part to `values` [columns]. */
  addTo(values: Float64Array, row: Row): void {
    this.values = values;
    this.row = row;
    this.visit(0, 0, this.extended(0, 0));
  }

  /** The list of `node` lies from `start` on. */
  private visit(node: number, start: number, length: number): void {
    const { feature, left, right, cover } = this.tree;
    const column = feature[node] as number;
    if (column < 0) {
      this.credit(node, start, length);
      return;
    }
    const hot = childOf(this.tree, node, this.row);
    const cold = (hot === left[node] ? right[node] : left[node]) as number;
    let zero = 1;
    let one = 1;
    let kept = length;
    // A column asked for twice on one path is one element: the earlier is taken out and its shares go into the later.
    const earlier = this.indexOf(column, start, length);
    if (earlier !== -1) {
      zero = this.zero[start + earlier] as number;
      one = this.one[start + earlier] as number;
      kept = this.unwound(start, length, earlier);
    }
    for (let turn = 0; turn < 2; turn++) {
      const child = turn === 0 ? hot : cold;
      const childStart = start + kept;
      this.copy(start, childStart, kept);
      const added = childStart + kept;
      this.column[added] = column;
      this.zero[added] = (zero * (cover[child] as number)) / (cover[node] as number);
      this.one[added] = turn === 0 ? one : 0;
      this.visit(child, childStart, this.extended(childStart, kept));
    }
  }

  /** Takes in the element behind the list: the weights of subsets with and without it. @returns the new length. */
  private extended(start: number, length: number): number {
    const { weight } = this;
    const zero = this.zero[start + length] as number;
    const one = this.one[start + length] as number;
    weight[start + length] = length === 0 ? 1 : 0;
    for (let index = length - 1; index >= 0; index--) {
      const here = weight[start + index] as number;
      weight[start + index + 1] = (weight[start + index + 1] as number) + (one * here * (index + 1)) / (length + 1);
      weight[start + index] = (zero * here * (length - index)) / (length + 1);
    }
    return length + 1;
  }

  /** Takes the element `at` out again: the reverse of extended, whatever was added behind it. @returns the new length. */
  private unwound(start: number, length: number, at: number): number {
    const { weight } = this;
    const last = length - 1;
    const one = this.one[start + at] as number;
    const zero = this.zero[start + at] as number;
    let next = weight[start + last] as number;
    for (let index = last - 1; index >= 0; index--) {
      const here = weight[start + index] as number;
      if (one === 0) {
        weight[start + index] = (here * length) / (zero * (last - index));
      } else {
        weight[start + index] = (next * length) / ((index + 1) * one);
        next = here - ((weight[start + index] as number) * zero * (last - index)) / length;
      }
    }
    for (let index = at; index < last; index++) {
      this.column[start + index] = this.column[start + index + 1] as number;
      this.zero[start + index] = this.zero[start + index + 1] as number;
      this.one[start + index] = this.one[start + index + 1] as number;
    }
    return last;
  }

  /** At a leaf: each column on the path gets the leaf times the weight of all subsets without it. */
  private credit(node: number, start: number, length: number): void {
    const leaf = this.tree.value[node] as number;
    for (let at = 1; at < length; at++) {
      const column = this.column[start + at] as number;
      const share = (this.one[start + at] as number) - (this.zero[start + at] as number);
      this.values[column] = (this.values[column] as number) + this.weightWithout(start, length, at) * share * leaf;
    }
  }

  /** The sum of the weights that unwinding element `at` would leave. */
  private weightWithout(start: number, length: number, at: number): number {
    const { weight } = this;
    const last = length - 1;
    const one = this.one[start + at] as number;
    const zero = this.zero[start + at] as number;
    let sum = 0;
    if (one === 0) {
      for (let index = last - 1; index >= 0; index--) sum += (weight[start + index] as number) / (last - index);
      return (sum * length) / zero;
    }
    let next = weight[start + last] as number;
    for (let index = last - 1; index >= 0; index--) {
      const taken = (next * length) / ((index + 1) * one);
      sum += taken;
      next = (weight[start + index] as number) - (taken * zero * (last - index)) / length;
    }
    return sum;
  }

  private indexOf(column: number, start: number, length: number): number {
    for (let index = 1; index < length; index++) if (this.column[start + index] === column) return index;
    return -1;
  }

  private copy(from: number, to: number, length: number): void {
    for (let index = 0; index < length; index++) {
      this.column[to + index] = this.column[from + index] as number;
      this.zero[to + index] = this.zero[from + index] as number;
      this.one[to + index] = this.one[from + index] as number;
      this.weight[to + index] = this.weight[from + index] as number;
    }
  }
}

/** Splits on the longest way to a leaf. Children come after their parents, so one pass over the nodes finds it. */
function depthOf({ feature, left, right }: Tree): number {
  const depth = new Int32Array(feature.length);
  let deepest = 0;
  for (let node = 0; node < feature.length; node++) {
    if ((feature[node] as number) < 0) continue;
    const below = (depth[node] as number) + 1;
    depth[left[node] as number] = below;
    depth[right[node] as number] = below;
    deepest = Math.max(deepest, below);
  }
  return deepest;
}
