/**
 * Finds how nodes are divided best, all threads in step.
 *
 * Of two children only the smaller one's histogram is summed up from rows; the larger one's is the parent's less that (the subtraction is exact: they are
 * integers). Work is shared by ranges of columns of a node. A histogram is held by a node that may be divided, and given back by one that isn't.
 */

import { type ColumnRange, listedRangesOf, rangesOf } from "./column-ranges.ts";
import { answerOf, type GrowingNode, type Split } from "./growing-node.ts";
import type { Address } from "./kernel.ts";
import { LookAhead, type Order } from "./look-ahead.ts";
import { CANDIDATE_BYTES, COLUMN_HISTOGRAM_BYTES, NODE_BYTES } from "./memory-plan.ts";
import type { QuantaScales } from "./quanta.ts";
import { parityOf } from "./row-sender.ts";
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

/** Before the first tree. */
export const NO_ROOT: TreeRoot = {
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

/** Children of one node; the larger one has its parent's histogram. */
export interface Pair {
  readonly small: GrowingNode;
  readonly larger: GrowingNode;
}

export class SplitFinder {
  private readonly parts: TreeThread;
  private readonly lookAhead: LookAhead;
  private readonly float64: Float64Array;
  private readonly int32: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly whole: readonly ColumnRange[][];
  private ranges: readonly (readonly ColumnRange[])[];
  private root: TreeRoot = NO_ROOT;
  private freeSlots: number[] = [];

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.lookAhead = new LookAhead(parts);
    this.float64 = new Float64Array(parts.buffer);
    this.int32 = new Int32Array(parts.buffer);
    this.bytes = new Uint8Array(parts.buffer);
    this.whole = [1, parts.settings.threads].map((share) => rangesOf(parts.plan, parts.columns, share));
    this.ranges = this.whole;
    this.bytes.fill(1, this.scratch.active, this.scratch.active + parts.columns);
  }

  /** Forgets the last tree. */
  begin(root: TreeRoot): void {
    this.root = root;
    this.freeSlots = Array.from({ length: this.parts.plan.slots }, (_, slot) => this.parts.plan.slots - 1 - slot);
    this.drawColumns(root.columns);
  }

  /** Leaves the node without a split where none is worth it. */
  findForRoot(node: GrowingNode): void {
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

  /** The same, for both children of each pair. */
  findForPairs(pairs: readonly Pair[]): void {
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

  private histogramOf(node: GrowingNode): Address {
    return this.parts.plan.histograms + node.slot * this.parts.plan.slotBytes;
  }

  private takeSlot(): number {
    const slot = this.freeSlots.pop();
    if (slot === undefined) throw new Error("no histogram is left for a node");
    return slot;
  }
}
