/** A tree while it grows: its nodes, and what becomes of them. All threads hold the same. */

import type { Tree } from "./contract.ts";
import type { QuantaScales } from "./quanta.ts";

export const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** How a node is divided best. */
export interface Split {
  /** In the units of the loss. */
  readonly gain: number;
  /** By which leaves have their turn: what it gains, or will together with the cuts below that it was made for. */
  readonly promise: number;
  /** Quanta of the left child. */
  readonly gradient: number;
  readonly hessian: number;
  readonly column: number;
  /** What is not above goes left. As many as the column has cuts: only missing values go right. */
  readonly bin: number;
  readonly isMissingLeft: boolean;
}

export interface GrowingNode {
  /** Its place in the tree; -1: it has none yet. */
  number: number;
  readonly depth: number;
  /** Its rows' place in the buffers of its depth's parity. */
  readonly start: number;
  readonly count: number;
  /** All rows, of which no list is kept. */
  readonly isWhole: boolean;
  /** Sums of quanta. */
  readonly gradient: number;
  readonly hessian: number;
  /** Bounds of its answer in the units of the target, learning rate left out. */
  readonly low: number;
  readonly high: number;
  /** The root, and below a cut made by looking ahead. */
  readonly mayLookAhead: boolean;
  /** Which histogram it has; -1: none. */
  slot: number;
  split: Split | null;
  left: GrowingNode | null;
  right: GrowingNode | null;
  /** Its children are leaves whose rows were not sent to them. */
  isFused: boolean;
  /** Of a leaf: what it adds, learning rate included. */
  value: number;
  cover: number;
}

/** -G / (H + lambda) within the node's bounds, learning rate left out. */
export function answerOf(node: Pick<GrowingNode, "gradient" | "hessian" | "low" | "high">, scales: QuantaScales, lambda: number): number {
  if (node.gradient === 0) return clamp(0, node.low, node.high);
  const answer = -(node.gradient / scales.gradient) / (node.hessian / scales.hessian + lambda);
  return clamp(answer, node.low, node.high);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** The tree of nodes numbered as they were made, a parent before its children. */
export function finishTree(nodes: readonly GrowingNode[], output: number, thresholdOf: (split: Split) => number): Tree {
  const tree = {
    output,
    feature: new Int32Array(nodes.length).fill(-1),
    threshold: new Float32Array(nodes.length),
    isMissingLeft: new Uint8Array(nodes.length),
    left: new Int32Array(nodes.length).fill(-1),
    right: new Int32Array(nodes.length).fill(-1),
    value: new Float32Array(nodes.length),
    gain: new Float32Array(nodes.length),
    cover: new Float32Array(nodes.length),
  };
  for (const node of nodes.toReversed()) {
    const { number, split, left, right } = node;
    if (split !== null && left !== null && right !== null) {
      node.cover = left.cover + right.cover;
      tree.feature[number] = split.column;
      tree.threshold[number] = thresholdOf(split);
      tree.isMissingLeft[number] = split.isMissingLeft ? 1 : 0;
      tree.left[number] = left.number;
      tree.right[number] = right.number;
      // Of squares: it may leave float32 where nothing else does.
      tree.gain[number] = Math.min(split.gain, LARGEST_FLOAT32);
    } else {
      tree.value[number] = node.value;
    }
    tree.cover[number] = node.cover;
  }
  return tree;
}
