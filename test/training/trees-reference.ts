/**
 * Boosted trees written plainly: no histograms kept, no quanta, no threads. For each node, column and cut, the rows are summed anew in float64.
 * Slow, and right where it is easy to see; what training/trees makes is compared with it.
 */

import type { TreeData, TreeEnsemble, TreeObjective, TreeSettings } from "../../training/trees/contract.ts";

export interface PlainNode {
  readonly rows: readonly number[];
  readonly depth: number;
  readonly low: number;
  readonly high: number;
  split: PlainSplit | null;
  left: PlainNode | null;
  right: PlainNode | null;
  value: number;
}

interface PlainSplit {
  readonly column: number;
  readonly threshold: number;
  readonly isMissingLeft: boolean;
  readonly gain: number;
}

export const SETTINGS: TreeSettings = {
  objective: { kind: "squared-error" },
  rounds: 5,
  learningRate: 0.3,
  growth: { kind: "depth-wise", maxDepth: 3 },
  maxBins: 16,
  lambda: 1,
  minHessian: 0,
  minRows: 10,
  minGain: 0,
  rowShare: 1,
  columnShare: 1,
  monotone: null,
  earlyStoppingRounds: null,
  seed: 7,
  threads: 1,
};

/** One row's answers, as whoever serves the ensemble computes them. */
export function answer(ensemble: TreeEnsemble, row: Float32Array): Float32Array {
  const answers = ensemble.base.slice();
  for (const tree of ensemble.trees) {
    let node = 0;
    while ((tree.feature[node] as number) >= 0) {
      const value = row[tree.feature[node] as number] as number;
      const isLeft = Number.isNaN(value) ? tree.isMissingLeft[node] === 1 : value < (tree.threshold[node] as number);
      node = (isLeft ? tree.left[node] : tree.right[node]) as number;
    }
    answers[tree.output] = (answers[tree.output] as number) + (tree.value[node] as number);
  }
  return answers;
}

export function answersOf(ensemble: TreeEnsemble, data: TreeData, output = 0): number[] {
  return Array.from(
    { length: data.rows },
    (_, row) => answer(ensemble, data.features.subarray(row * data.columns, (row + 1) * data.columns))[output] as number,
  );
}

/** The cuts of a column of which all rows are looked at: see `bins.ts` of the kernel for what they shall be. */
export function plainCuts(values: readonly number[], maxBins: number): number[] {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const distinct = [...new Set(sorted)];
  const times = new Map<number, number>();
  for (const value of sorted) times.set(value, (times.get(value) ?? 0) + 1);
  const between = (low: number, high: number) => {
    const middle = Math.fround((low + high) / 2);
    return middle > low ? middle : high;
  };
  const cutsAfter: number[] = [];
  const isCutAtZero = distinct.length > maxBins && sorted.some((value) => value < 0) && sorted.some((value) => value >= 0);
  const fair = sorted.length / (isCutAtZero ? maxBins - 1 : maxBins);
  const heavy = distinct.map((value) => (times.get(value) ?? 0) >= fair);
  if (distinct.length <= maxBins) {
    for (let at = 0; at + 1 < distinct.length; at++) cutsAfter.push(at);
  } else {
    let bins = (isCutAtZero ? maxBins - 1 : maxBins) - heavy.filter(Boolean).length;
    let rest = distinct.reduce((sum, value, at) => sum + (heavy[at] === true ? 0 : (times.get(value) ?? 0)), 0);
    // A bin of several values holds a fair share of all, or 50: what is less is not told from chance.
    const share = (rest * (isCutAtZero ? maxBins - 1 : maxBins)) / sorted.length;
    bins = Math.min(bins, Math.max(1, Math.floor(share), Math.floor(rest / 50)));
    let goal = rest / Math.max(bins, 1);
    let filled = 0;
    distinct.slice(0, -1).forEach((value, at) => {
      if (cutsAfter.length === maxBins - 1) return;
      filled += times.get(value) ?? 0;
      if (heavy[at] === false) rest -= times.get(value) ?? 0;
      const isSign = isCutAtZero && value < 0 && (distinct[at + 1] as number) >= 0;
      const isFull = filled >= goal || (heavy[at + 1] === true && filled >= goal / 2);
      if (heavy[at] === false && !isFull && !isSign) return;
      cutsAfter.push(at);
      filled = 0;
      if (heavy[at] === true) return;
      if (isFull) bins--;
      goal = rest / Math.max(bins, 1);
    });
  }
  return cutsAfter.map((at) => {
    const low = distinct[at] as number;
    const high = distinct[at + 1] as number;
    return isCutAtZero && low < 0 && high >= 0 ? 0 : between(low, high);
  });
}

export interface PlainTrees {
  readonly trees: PlainNode[];
  /** [rows] after the last tree. */
  readonly answers: number[];
}

/** Of one output; sampling is not in it. */
export function plainTrees(data: TreeData, settings: TreeSettings, base: number): PlainTrees {
  const cuts = Array.from({ length: data.columns }, (_, column) =>
    plainCuts(
      Array.from({ length: data.rows }, (_, row) => data.features[row * data.columns + column] as number),
      settings.maxBins,
    ),
  );
  const answers = new Array<number>(data.rows).fill(base);
  const trees: PlainNode[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const derivatives = answers.map((value, row) => derivative(settings.objective, value, data.targets[row] as number));
    const weights = answers.map((_, row) => data.weights?.[row] ?? 1);
    const tree = growPlainly({ data, settings, cuts, weights, derivatives });
    trees.push(tree);
    for (const leaf of leavesOf(tree)) {
      if (settings.objective.kind === "absolute-error" || settings.objective.kind === "quantile") {
        const level = settings.objective.kind === "quantile" ? settings.objective.level : 0.5;
        const errors = leaf.rows.map((row) => ({
          value: (data.targets[row] as number) - (answers[row] as number),
          weight: weights[row] as number,
        }));
        leaf.value = settings.learningRate * Math.min(Math.max(plainQuantile(errors, level), leaf.low), leaf.high);
      }
      for (const row of leaf.rows) answers[row] = (answers[row] as number) + leaf.value;
    }
  }
  return { trees, answers };
}

/** The value with the share `level` of the weights at or below it; the middle to the next where that is met exactly. */
export function plainQuantile(items: readonly { value: number; weight: number }[], level: number): number {
  const sorted = [...items].sort((a, b) => a.value - b.value);
  const goal = level * sorted.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  for (const [at, { value, weight }] of sorted.entries()) {
    sum += weight;
    if (sum > goal) return value;
    const next = sorted[at + 1]?.value ?? value;
    if (sum === goal && next > value) return (value + next) / 2;
  }
  return sorted.at(-1)?.value ?? 0;
}

/** First and second derivative by the answer. */
export function derivative(objective: TreeObjective, value: number, target: number): { g: number; h: number } {
  switch (objective.kind) {
    case "squared-error":
      return { g: value - target, h: 1 };
    case "absolute-error":
      return { g: Math.sign(value - target), h: 1 };
    case "quantile":
      return { g: value < target ? -objective.level : 1 - objective.level, h: 1 };
    case "log-loss": {
      const p = 1 / (1 + Math.exp(-value));
      return { g: p - target, h: p * (1 - p) };
    }
    case "multiclass":
      throw new Error("one output alone");
  }
}

interface Growing {
  readonly data: TreeData;
  readonly settings: TreeSettings;
  readonly cuts: readonly (readonly number[])[];
  readonly weights: readonly number[];
  readonly derivatives: readonly { g: number; h: number }[];
}

function growPlainly(growing: Growing): PlainNode {
  const { data, settings } = growing;
  const { growth } = settings;
  const all = Array.from({ length: data.rows }, (_, row) => row);
  const root = newNode(growing, { rows: all, depth: 0, low: -Infinity, high: Infinity });
  const waiting = [root];
  let leaves = 1;
  const most = growth.kind === "leaf-wise" ? growth.maxLeaves : Infinity;
  while (waiting.length > 0 && leaves < most) {
    waiting.sort((a, b) => (b.split?.gain ?? -1) - (a.split?.gain ?? -1));
    const node = waiting.shift() as PlainNode;
    if (node.split === null) continue;
    divide(growing, node, node.split);
    leaves++;
    for (const child of [node.left, node.right]) if (child !== null && child.depth < growth.maxDepth) waiting.push(child);
  }
  return root;
}

function newNode(growing: Growing, from: Pick<PlainNode, "rows" | "depth" | "low" | "high">): PlainNode {
  const node: PlainNode = { ...from, split: null, left: null, right: null, value: 0 };
  node.value = growing.settings.learningRate * leafValueOf(growing, node.rows, node);
  if (node.depth < growing.settings.growth.maxDepth) node.split = bestSplit(growing, node);
  return node;
}

function sumsOf({ weights, derivatives }: Growing, rows: readonly number[]): { g: number; h: number } {
  let g = 0;
  let h = 0;
  for (const row of rows) {
    g += (weights[row] as number) * (derivatives[row]?.g ?? 0);
    h += (weights[row] as number) * (derivatives[row]?.h ?? 0);
  }
  return { g, h };
}

function leafValueOf(growing: Growing, rows: readonly number[], { low, high }: { low: number; high: number }): number {
  const { g, h } = sumsOf(growing, rows);
  return Math.min(Math.max(-g / (h + growing.settings.lambda), low), high);
}

/** What the loss falls by, twice, when these rows get their value. */
function scoreOf(growing: Growing, rows: readonly number[], bounds: { low: number; high: number }): number {
  const { g, h } = sumsOf(growing, rows);
  const value = leafValueOf(growing, rows, bounds);
  return -(2 * g + (h + growing.settings.lambda) * value) * value;
}

function bestSplit(growing: Growing, node: PlainNode): PlainSplit | null {
  const { data, settings, cuts } = growing;
  const own = scoreOf(growing, node.rows, node);
  let best: PlainSplit | null = null;
  for (let column = 0; column < data.columns; column++) {
    const valueAt = (row: number) => data.features[row * data.columns + column] as number;
    const isMissing = node.rows.some((row) => Number.isNaN(valueAt(row)));
    const thresholds = isMissing ? [...(cuts[column] ?? []), Infinity] : (cuts[column] ?? []);
    for (const side of isMissing ? [false, true] : [null]) {
      for (const threshold of thresholds) {
        const goesLeft = (row: number) => (Number.isNaN(valueAt(row)) ? side === true : valueAt(row) < threshold);
        const left = node.rows.filter(goesLeft);
        const right = node.rows.filter((row) => !goesLeft(row));
        if (left.length < settings.minRows || right.length < settings.minRows) continue;
        const direction = settings.monotone?.[column] ?? 0;
        if (direction * (leafValueOf(growing, right, node) - leafValueOf(growing, left, node)) < 0) continue;
        const gain = scoreOf(growing, left, node) + scoreOf(growing, right, node) - own;
        if (gain <= settings.minGain || (best !== null && gain <= best.gain * (1 + 1e-7))) continue;
        const isMissingLeft = side ?? sumsOf(growing, left).h >= sumsOf(growing, right).h;
        best = { column, threshold, isMissingLeft, gain };
      }
    }
  }
  return best;
}

function divide(growing: Growing, node: PlainNode, split: PlainSplit): void {
  const { data, settings } = growing;
  const goesLeft = (row: number) => {
    const value = data.features[row * data.columns + split.column] as number;
    return Number.isNaN(value) ? split.isMissingLeft : value < split.threshold;
  };
  const left = node.rows.filter(goesLeft);
  const right = node.rows.filter((row) => !goesLeft(row));
  const bounds = { left: { low: node.low, high: node.high }, right: { low: node.low, high: node.high } };
  const direction = settings.monotone?.[split.column] ?? 0;
  if (direction !== 0) {
    const middle = (leafValueOf(growing, left, node) + leafValueOf(growing, right, node)) / 2;
    bounds[direction > 0 ? "left" : "right"].high = middle;
    bounds[direction > 0 ? "right" : "left"].low = middle;
  }
  node.left = newNode(growing, { rows: left, depth: node.depth + 1, ...bounds.left });
  node.right = newNode(growing, { rows: right, depth: node.depth + 1, ...bounds.right });
}

export function leavesOf(node: PlainNode): PlainNode[] {
  if (node.left === null || node.right === null) return [node];
  return [...leavesOf(node.left), ...leavesOf(node.right)];
}
