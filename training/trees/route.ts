/**
 * Which leaf a row reaches. Here and in no other place it is said how a row routes: left where `x < threshold`, both float32, else right; NaN
 * goes where the split says. Infinities are numbers and compare as such; so do denormals and the two zeros, which are equal.
 *
 * A double holds every float32 exactly, so comparing two of them in JavaScript is comparing the bits that onnxruntime compares.
 */

import type { Tree } from "./contract.ts";

/** @returns the number of the leaf that the row beginning at `features[offset]` reaches. */
export function leafOf(tree: Tree, features: Float32Array, offset: number): number {
  const { feature, threshold, isMissingLeft, left, right } = tree;
  let node = 0;
  for (let column = feature[0] as number; column >= 0; column = feature[node] as number) {
    const value = features[offset + column] as number;
    // The comparison is first: it is false for NaN, and nearly no value is NaN.
    const goesLeft = value < (threshold[node] as number) || (Number.isNaN(value) && isMissingLeft[node] === 1);
    node = (goesLeft ? left[node] : right[node]) as number;
  }
  return node;
}

/** @returns the child of `node` that the row goes to. `node` is no leaf. */
export function childOf(tree: Tree, node: number, row: { readonly features: Float32Array; readonly offset: number }): number {
  const value = row.features[row.offset + (tree.feature[node] as number)] as number;
  const goesLeft = Number.isNaN(value) ? tree.isMissingLeft[node] === 1 : value < (tree.threshold[node] as number);
  return (goesLeft ? tree.left[node] : tree.right[node]) as number;
}
