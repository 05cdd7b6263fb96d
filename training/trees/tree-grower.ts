/**
 * Grows one tree from quanta, all threads in step.
 *
 * A node's rows lie together in one of two buffers, and a split sends them to the other, the left child's before the right one's. Of two children only
 * the smaller one's histogram is summed up from rows; the larger one's is the parent's less that (the subtraction is exact: they are integers).
 * Work is shared by ranges of columns of a node for histograms and splits, and by nodes, or parts of large ones, for sending rows.
 */

import { type ColumnRange, listedRangesOf, rangesOf } from "./column-ranges.ts";
import { answerOf, type GrowingNode, type Split } from "./growing-node.ts";
import type { Address } from "./kernel.ts";
import { LookAhead, type Order } from "./look-ahead.ts";
import { CANDIDATE_BYTES, COLUMN_HISTOGRAM_BYTES, mostAhead, NODE_BYTES } from "./memory-plan.ts";
import type { QuantaScales } from "./quanta.ts";
import { parityOf, RowSender } from "./row-sender.ts";
import type { TreeThread } from "./tree-thread.ts";

/** 2^50: with a hessian added, and both doubled, still whole in a float64. */
const MOST_LAMBDA_QUANTA = 1_125_899_906_842_624;

/** What is to be grown on. */
export interface TreeRoot {
  readonly round: number;
  /** See look-ahead.ts. */
  readonly followed: Order | null;
  readonly scales: QuantaScales;
  /** (Σ|g|)² / (n Σh): about what a cut gains by chance where it tells nothing. */
  readonly noise: number;
  /** Rows drawn, and whether they are all. */
  readonly count: number;
  readonly isWhole: boolean;
  /** Sums of quanta. */
  readonly gradient: number;
  readonly hessian: number;
  /** Ascending; null: all. */
  readonly columns: readonly number[] | null;
  /** The last split's rows need not be sent to the leaves. */
  readonly mayFuse: boolean;
}

type NodeRows = Pick<GrowingNode, "depth" | "start" | "count" | "isWhole" | "gradient" | "hessian" | "low" | "high" | "mayLookAhead">;

interface Pair {
  readonly small: GrowingNode;
  readonly larger: GrowingNode;
}

export class TreeGrower {
  private readonly parts: TreeThread;
  private readonly sender: RowSender;
  private readonly lookAhead: LookAhead;
  private readonly float64: Float64Array;
  private readonly int32: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly whole: readonly ColumnRange[][];
  private ranges: readonly (readonly ColumnRange[])[];
  private root: TreeRoot;
  private nodes: GrowingNode[] = [];
  private freeSlots: number[] = [];

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.sender = new RowSender(parts);
    this.lookAhead = new LookAhead(parts);
    this.float64 = new Float64Array(parts.buffer);
    this.int32 = new Int32Array(parts.buffer);
    this.bytes = new Uint8Array(parts.buffer);
    this.whole = [1, parts.settings.threads].map((share) => rangesOf(parts.plan, parts.columns, share));
    this.ranges = this.whole;
    this.bytes.fill(1, this.scratch.active, this.scratch.active + parts.columns);
    this.root = {
      round: 0,
      followed: null,
      noise: 0,
      scales: { hessianBits: 0, gradient: 0, hessian: 0 },
      count: 0,
      isWhole: true,
      gradient: 0,
      hessian: 0,
      columns: null,
      mayFuse: false,
    };
  }

  /** @returns its nodes by number; leaves without a value yet. Ends with all threads past their last task. */
  grow(root: TreeRoot): GrowingNode[] {
    this.root = root;
    this.nodes = [];
    this.freeSlots = Array.from({ length: this.parts.plan.slots }, (_, slot) => this.parts.plan.slots - 1 - slot);
    this.drawColumns(root.columns);
    const { isWhole, gradient, hessian } = root;
    const bounds = { low: -Infinity, high: Infinity };
    const first = this.addNode({ depth: 0, start: 0, count: root.count, isWhole, gradient, hessian, ...bounds, mayLookAhead: true });
    this.findForRoot(first);
    if (this.parts.settings.growth.kind === "depth-wise") this.growDepthWise(first);
    else this.growLeafWise(first, this.parts.settings.growth.maxLeaves);
    return this.nodes;
  }

  private get scratch() {
    const scratch = this.parts.plan.scratch[this.parts.thread];
    if (scratch === undefined) throw new Error(`no scratch memory for thread ${this.parts.thread}`);
    return scratch;
  }

  /**
   * Whole, as the kernel wants it: half a quantum is some 10^-9 of all rows' hessian. Beyond 2^50 a hessian, below 2^30, could not be told from none beside
   * it, and a child might be empty; splits rank there as they do without end, and leaves take the penalty as it is.
   */
  private get lambdaQuanta(): number {
    return Math.min(Math.round(this.parts.settings.lambda * this.root.scales.hessian), MOST_LAMBDA_QUANTA);
  }

  private growDepthWise(first: GrowingNode): void {
    const { maxDepth } = this.parts.settings.growth;
    let level = [first];
    for (let depth = 1; ; depth++) {
      const splitting = level.filter((node) => node.split !== null);
      if (splitting.length === 0) return;
      const isLast = depth === maxDepth;
      const pairs = this.divide(splitting, isLast && this.root.mayFuse);
      for (const node of splitting) this.addChildren(node);
      if (isLast) return;
      this.findForPairs(pairs);
      level = pairs.flatMap(({ small, larger }) => [small, larger]).sort((a, b) => a.number - b.number);
    }
  }

  /**
   * Divides the leaf that gains most, again and again. So that all threads have work, leaves that will soon be the best are divided ahead, many at
   * once; a leaf becomes part of the tree only when its turn comes, so the tree is the one that dividing one by one would give. Leaves of a divided
   * leaf are not divided ahead: its rows would be overwritten, and it may yet stay a leaf.
   */
  private growLeafWise(first: GrowingNode, maxLeaves: number): void {
    const waiting = first.split === null ? [] : [first];
    const ahead = new Map<GrowingNode, Pair>();
    for (let leaves = 1; leaves < maxLeaves && waiting.length > 0; leaves++) {
      const best = mostGaining(waiting);
      const [node] = waiting.splice(best, 1) as [GrowingNode];
      if (!ahead.has(node)) this.divideAhead(node, waiting, { ahead, rest: maxLeaves - leaves });
      const { small, larger } = ahead.get(node) as Pair;
      ahead.delete(node);
      this.addChildren(node);
      waiting.push(...[small, larger].filter((child) => child.split !== null));
    }
    for (const node of waiting) {
      node.split = null;
      node.left = null;
      node.right = null;
    }
  }

  /** @param rest how many leaves will be divided yet, `node` among them. */
  private divideAhead(
    node: GrowingNode,
    waiting: readonly GrowingNode[],
    { ahead, rest }: { ahead: Map<GrowingNode, Pair>; rest: number },
  ): void {
    const { growth, threads } = this.parts.settings;
    const most = mostAhead(threads);
    // Those that gain most of all that wait; nearly all of so few have their turn before the tree is full.
    const count = Math.min(most, Math.ceil(rest / 2)) - 1;
    const others = waiting.toSorted((a, b) => gainOf(b) - gainOf(a)).slice(0, count);
    const nodes = [node, ...others.filter((other) => !ahead.has(other)).slice(0, Math.max(0, 2 * most - 1 - ahead.size))];
    const pairs = this.divide(nodes, false);
    for (const [at, pair] of pairs.entries()) ahead.set(nodes[at] as GrowingNode, pair);
    if (rest > 1) this.findForPairs(pairs.filter(({ small }) => small.depth < growth.maxDepth));
  }

  private addNode(from: NodeRows): GrowingNode {
    const node = newNode(from);
    this.number(node);
    return node;
  }

  private addChildren({ left, right }: GrowingNode): void {
    for (const child of [left, right]) if (child !== null) this.number(child);
  }

  private number(node: GrowingNode): void {
    node.number = this.nodes.length;
    this.nodes.push(node);
  }

  private drawColumns(columns: readonly number[] | null): void {
    if (columns === null) {
      this.ranges = this.whole;
      return;
    }
    const { active, list } = this.scratch;
    this.bytes.fill(0, active, active + this.parts.columns);
    const { blockColumns } = this.parts.plan;
    columns.forEach((column, place) => {
      this.bytes[active + column] = 1;
      this.int32[list / 4 + place] = column % blockColumns;
    });
    this.ranges = [1, this.parts.settings.threads].map((share) => listedRangesOf(columns, blockColumns, share));
  }

  /** Ranges for `nodes` nodes: whole blocks where there are tasks enough for all threads. */
  private rangesFor(nodes: number): readonly ColumnRange[] {
    const [blocks, parts] = this.ranges;
    if (blocks === undefined || parts === undefined) throw new Error("no ranges of columns");
    return nodes * blocks.length >= 4 * this.parts.settings.threads ? blocks : parts;
  }

  private findForRoot(node: GrowingNode): void {
    const { plan, kernel, crew } = this.parts;
    const ranges = this.rangesFor(1);
    if (!this.isWorthLooking(node)) return;
    node.slot = this.takeSlot();
    crew.share(ranges.length, (task) => {
      const range = ranges[task] as ColumnRange;
      this.sumHistogram(node, range);
      this.writeNode(node, 0);
      kernel.findInRoot(
        this.histogramOf(node),
        range.from,
        range.to,
        plan.cutCounts,
        this.scratch.active,
        plan.monotone,
        this.root.scales.hessianBits,
        this.lambdaQuanta,
        this.scratch.nodes,
        plan.candidates + task * CANDIDATE_BYTES,
      );
    });
    crew.meet();
    this.choose(node, 0, ranges.length);
    this.lookAheadAt([node]);
  }

  private findForPairs(pairs: readonly Pair[]): void {
    const wanted = pairs.filter(({ small, larger }) => this.isWorthLooking(small) || this.isWorthLooking(larger));
    for (const pair of pairs) if (!wanted.includes(pair)) this.freeSlots.push(pair.larger.slot);
    if (wanted.length === 0) return;
    for (const { small } of wanted) small.slot = this.takeSlot();
    // The longest first, so that no thread begins with one when all others are done.
    wanted.sort((a, b) => b.small.count - a.small.count || a.small.number - b.small.number);
    const ranges = this.rangesFor(wanted.length);
    this.parts.crew.share(wanted.length * ranges.length, (task) => {
      const at = Math.floor(task / ranges.length);
      this.findForPair(
        wanted[at] as Pair,
        ranges[task % ranges.length] as ColumnRange,
        2 * at * ranges.length + (task % ranges.length),
        ranges.length,
      );
    });
    this.parts.crew.meet();
    wanted.forEach(({ small, larger }, at) => {
      this.choose(small, 2 * at * ranges.length, ranges.length);
      this.choose(larger, (2 * at + 1) * ranges.length, ranges.length);
    });
    this.lookAheadAt(wanted.flatMap(({ small, larger }) => [small, larger]));
  }

  private findForPair({ small, larger }: Pair, range: ColumnRange, candidate: number, ranges: number): void {
    const { plan, kernel } = this.parts;
    this.sumHistogram(small, range);
    this.writeNode(small, 0);
    this.writeNode(larger, NODE_BYTES);
    kernel.findInPair(
      this.histogramOf(small),
      this.histogramOf(larger),
      range.from,
      range.to,
      plan.cutCounts,
      plan.flags,
      this.scratch.active,
      plan.monotone,
      this.root.scales.hessianBits,
      this.lambdaQuanta,
      this.scratch.nodes,
      this.scratch.nodes + NODE_BYTES,
      plan.candidates + candidate * CANDIDATE_BYTES,
      plan.candidates + (candidate + ranges) * CANDIDATE_BYTES,
    );
  }

  private sumHistogram(node: GrowingNode, range: ColumnRange): void {
    const { plan, kernel } = this.parts;
    const rows = plan.rows[parityOf(node.depth)] + node.start * 4;
    const quanta = plan.quanta[parityOf(node.depth)] + node.start * 8;
    const bins = plan.rowBins + range.block * plan.blockBytes;
    const first = range.block * plan.blockColumns;
    const histogram = this.histogramOf(node);
    if (this.root.columns !== null) {
      const list = this.scratch.list + range.listFrom * 4;
      const own = histogram + first * COLUMN_HISTOGRAM_BYTES;
      kernel.addHistogramOfList(node.isWhole ? 0 : rows, quanta, node.count, bins, plan.blockColumns, list, range.listed, own);
      return;
    }
    const own = histogram + range.from * COLUMN_HISTOGRAM_BYTES;
    const from = bins + range.from - first;
    const columns = range.to - range.from;
    if (node.isWhole) kernel.addHistogramOfAll(quanta, node.count, from, plan.blockColumns, columns, own);
    else kernel.addHistogram(rows, quanta, node.count, from, plan.blockColumns, columns, own, this.scratch.sink);
  }

  private writeNode(node: GrowingNode, offset: number): void {
    const at = (this.scratch.nodes + offset) / 8;
    const { scales } = this.root;
    // Answers in quanta: gradient quanta over hessian quanta.
    const unit = scales.gradient / scales.hessian;
    this.float64[at] = node.gradient;
    this.float64[at + 1] = node.hessian;
    this.float64[at + 2] = this.leastHessian(node);
    this.float64[at + 3] = node.low * unit;
    this.float64[at + 4] = node.high * unit;
  }

  /**
   * In quanta, of a child; at least one, so that no child is empty. Where hessians differ, minRows is told from the node's mean hessian, as LightGBM
   * does: the histograms hold no counts then.
   */
  private leastHessian({ hessian, count }: GrowingNode): number {
    const { minRows, minHessian } = this.parts.settings;
    return Math.max(1, minHessian * this.root.scales.hessian, minRows > 1 ? (minRows * hessian) / count : 1);
  }

  private isWorthLooking(node: GrowingNode): boolean {
    return node.count >= 2 * this.parts.settings.minRows && node.hessian >= 2 * this.leastHessian(node) && this.root.scales.gradient > 0;
  }

  /** Takes the best of its candidates, of equal ones the first: ranges of columns ascend. Or gives its histogram back. */
  private choose(node: GrowingNode, from: number, count: number): void {
    const { plan, settings } = this.parts;
    let best = -1;
    for (let at = from; at < from + count; at++) {
      const address = (plan.candidates + at * CANDIDATE_BYTES) / 4;
      if ((this.int32[address + 6] as number) < 0) continue;
      const score = this.float64[address / 2] as number;
      const bestScore = best < 0 ? 0 : (this.float64[best / 2] as number);
      if (best < 0 || score > bestScore) best = address;
    }
    node.split = best < 0 ? null : this.splitAt(node, best);
    if (node.split !== null && node.split.gain > settings.minGain && this.isWorthLooking(node)) return;
    node.split = null;
    this.freeSlots.push(node.slot);
  }

  private lookAheadAt(nodes: readonly GrowingNode[]): void {
    const { round, followed, noise, columns, scales } = this.root;
    const tree = { round, followed, noise, columns, hessianBits: scales.hessianBits, lambdaQuanta: this.lambdaQuanta };
    const found = this.lookAhead.find(nodes, tree, {
      histogramOf: (node) => this.histogramOf(node),
      writeNode: (node) => {
        this.writeNode(node, 0);
        return this.scratch.nodes;
      },
    });
    for (const [node, { candidate, promise }] of found) {
      const split = this.splitAt(node, candidate / 4);
      node.split = { ...split, gain: Math.max(0, split.gain), promise };
    }
  }

  private splitAt(node: GrowingNode, address: number): Split {
    const { scales } = this.root;
    const lambda = this.lambdaQuanta;
    const hessian = this.float64[address / 2 + 2] as number;
    const score = this.float64[address / 2] as number;
    const { gradient } = node;
    const total = node.hessian + 2 * lambda;
    const both = this.parts.plan.monotone === 0 ? score * total + (gradient * gradient) / total : score;
    const own = this.parts.plan.monotone === 0 ? (gradient * gradient) / (node.hessian + lambda) : this.boundedGain(node, lambda);
    const turn = this.int32[address + 8] as number;
    const gain = ((both - own) * scales.hessian) / (scales.gradient * scales.gradient);
    return {
      gain,
      promise: gain,
      gradient: this.float64[address / 2 + 1] as number,
      hessian,
      column: this.int32[address + 6] as number,
      bin: this.int32[address + 7] as number,
      // Where the node misses no value, a missing one goes the way of most.
      isMissingLeft: turn === 2 ? 2 * hessian >= node.hessian : turn === 1,
    };
  }

  private boundedGain(node: GrowingNode, lambda: number): number {
    const { scales } = this.root;
    const value = (answerOf(node, scales, this.parts.settings.lambda) * scales.gradient) / scales.hessian;
    return -(2 * node.gradient + (node.hessian + lambda) * value) * value;
  }

  /** Makes children, not yet of the tree, and sends them their rows unless they are fused. */
  private divide(nodes: readonly GrowingNode[], isFused: boolean): Pair[] {
    const counts = isFused ? null : this.sender.send(nodes);
    return nodes.map((node, at) => this.makeChildren(node, counts === null ? null : (counts[at] as number)));
  }

  private makeChildren(node: GrowingNode, leftCount: number | null): Pair {
    const { split } = node;
    if (split === null) throw new Error(`node ${node.number} has no split`);
    const count = leftCount ?? split.hessian;
    const common = { depth: node.depth + 1, isWhole: false, mayLookAhead: split.promise > split.gain };
    const left = { ...common, start: node.start, count, gradient: split.gradient, hessian: split.hessian, low: node.low, high: node.high };
    const right = {
      ...left,
      start: node.start + count,
      count: node.count - count,
      gradient: node.gradient - split.gradient,
      hessian: node.hessian - split.hessian,
    };
    const direction = this.parts.settings.monotone?.[split.column] ?? 0;
    if (direction !== 0) {
      const { scales } = this.root;
      const middle = (answerOf(left, scales, this.parts.settings.lambda) + answerOf(right, scales, this.parts.settings.lambda)) / 2;
      (direction > 0 ? left : right).high = middle;
      (direction > 0 ? right : left).low = middle;
    }
    node.left = newNode(left);
    node.right = newNode(right);
    node.isFused = leftCount === null;
    const isLeftSmall = left.count <= right.count;
    const pair = { small: isLeftSmall ? node.left : node.right, larger: isLeftSmall ? node.right : node.left };
    pair.larger.slot = node.slot;
    return pair;
  }

  private histogramOf(node: GrowingNode): Address {
    return this.parts.plan.histograms + node.slot * this.parts.plan.slotBytes;
  }

  private takeSlot(): number {
    const slot = this.freeSlots.pop();
    if (slot === undefined) throw new Error("no histogram is left for a node");
    return slot;
  }
}

function newNode(from: NodeRows): GrowingNode {
  return { ...from, number: -1, slot: -1, split: null, left: null, right: null, isFused: false, value: 0, cover: 0 };
}

/** Where it stands; of equal ones the first. */
function mostGaining(nodes: readonly GrowingNode[]): number {
  let best = 0;
  for (let at = 1; at < nodes.length; at++) if (gainOf(nodes[at]) > gainOf(nodes[best])) best = at;
  return best;
}

function gainOf(node: GrowingNode | undefined): number {
  return node?.split?.promise ?? Number.NEGATIVE_INFINITY;
}
