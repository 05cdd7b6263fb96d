/**
 * Grows one tree from quanta, all threads in step.
 *
 * A node's rows lie together in one of two buffers, and a split sends them to the other, the left child's before the right one's. Of two children only
 * the smaller one's histogram is summed up from rows; the larger one's is the parent's less that (the subtraction is exact: they are integers).
 * Work is shared by ranges of columns of a node for histograms and splits, and by nodes, or parts of large ones, for sending rows.
 */

import type { TreeSettings } from "./contract.ts";
import type { Crew } from "./crew.ts";
import { answerOf, type GrowingNode, type Split } from "./growing-node.ts";
import type { Address, TreeKernel } from "./kernel.ts";
import { CANDIDATE_BYTES, COLUMN_HISTOGRAM_BYTES, type MemoryPlan, NODE_BYTES } from "./memory-plan.ts";
import type { QuantaScales } from "./quanta.ts";

export interface GrowerParts {
  readonly plan: MemoryPlan;
  readonly kernel: TreeKernel;
  readonly crew: Crew;
  readonly buffer: SharedArrayBuffer;
  readonly columns: number;
  readonly thread: number;
  readonly settings: TreeSettings;
}

/** What is to be grown on. */
export interface TreeRoot {
  readonly scales: QuantaScales;
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

/** Columns of one block, looked at as one task. */
interface ColumnRange {
  readonly block: number;
  readonly from: number;
  readonly to: number;
  /** Places in the thread's list of columns. */
  readonly listed: number;
  readonly listFrom: number;
}

interface Pair {
  readonly small: GrowingNode;
  readonly larger: GrowingNode;
}

/** Rows of one node, or a part of them, that are sent on as one task. */
interface Sending {
  readonly node: GrowingNode;
  readonly split: Split;
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly isPart: boolean;
}

/** A node with fewer rows is sent on by one thread. */
const LEAST_PART_ROWS = 8_192;

export class TreeGrower {
  private readonly parts: GrowerParts;
  private readonly float64: Float64Array;
  private readonly int32: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly whole: readonly ColumnRange[][];
  private ranges: readonly (readonly ColumnRange[])[];
  private root: TreeRoot;
  private nodes: GrowingNode[] = [];
  private freeSlots: number[] = [];
  private isOddSending = false;

  constructor(parts: GrowerParts) {
    this.parts = parts;
    this.float64 = new Float64Array(parts.buffer);
    this.int32 = new Int32Array(parts.buffer);
    this.bytes = new Uint8Array(parts.buffer);
    this.whole = [1, parts.settings.threads].map((share) => rangesOf(parts.plan, parts.columns, share));
    this.ranges = this.whole;
    this.bytes.fill(1, this.scratch.active, this.scratch.active + parts.columns);
    this.root = {
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
    const first = this.addNode({ depth: 0, start: 0, count: root.count, isWhole, gradient, hessian, low: -Infinity, high: Infinity });
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

  /** Whole, as the kernel wants it: half a quantum is some 10^-9 of all rows' hessian. */
  private get lambdaQuanta(): number {
    return Math.round(this.parts.settings.lambda * this.root.scales.hessian);
  }

  private growDepthWise(first: GrowingNode): void {
    const { maxDepth } = this.parts.settings.growth;
    let level = [first];
    for (let depth = 1; ; depth++) {
      const splitting = level.filter((node) => node.split !== null);
      if (splitting.length === 0) return;
      const isLast = depth === maxDepth;
      const pairs = this.divide(splitting, isLast && this.root.mayFuse);
      if (isLast) return;
      this.findForPairs(pairs);
      level = pairs.flatMap(({ small, larger }) => [small, larger]).sort((a, b) => a.number - b.number);
    }
  }

  private growLeafWise(first: GrowingNode, maxLeaves: number): void {
    const { maxDepth } = this.parts.settings.growth;
    const waiting = first.split === null ? [] : [first];
    for (let leaves = 1; leaves < maxLeaves && waiting.length > 0; leaves++) {
      let best = 0;
      for (let at = 1; at < waiting.length; at++) if (gainOf(waiting[at]) > gainOf(waiting[best])) best = at;
      const pairs = this.divide(waiting.splice(best, 1), false);
      if (leaves + 1 < maxLeaves) {
        this.findForPairs(pairs.filter(({ small }) => small.depth < maxDepth));
        for (const { small, larger } of pairs) waiting.push(...[small, larger].filter((node) => node.split !== null));
      }
    }
    for (const node of waiting) node.split = null;
  }

  private addNode(from: Pick<GrowingNode, "depth" | "start" | "count" | "isWhole" | "gradient" | "hessian" | "low" | "high">): GrowingNode {
    const node = { ...from, number: this.nodes.length, slot: -1, split: null, left: null, right: null, isFused: false, value: 0, cover: 0 };
    this.nodes.push(node);
    return node;
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

  /** Takes the best of its candidates, or gives its histogram back. */
  private choose(node: GrowingNode, from: number, count: number): void {
    const { plan, settings } = this.parts;
    let best = -1;
    for (let at = from; at < from + count; at++) {
      const address = (plan.candidates + at * CANDIDATE_BYTES) / 4;
      const column = this.int32[address + 6] as number;
      if (column < 0) continue;
      const score = this.float64[address / 2] as number;
      const bestScore = best < 0 ? 0 : (this.float64[best / 2] as number);
      if (best < 0 || score > bestScore || (score === bestScore && column < (this.int32[best + 6] as number))) best = address;
    }
    node.split = best < 0 ? null : this.splitAt(node, best);
    if (node.split !== null && node.split.gain > settings.minGain && this.isWorthLooking(node)) return;
    node.split = null;
    this.freeSlots.push(node.slot);
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
    return {
      gain: ((both - own) * scales.hessian) / (scales.gradient * scales.gradient),
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

  /** Makes children, and sends them their rows unless they are fused. */
  private divide(nodes: readonly GrowingNode[], isFused: boolean): Pair[] {
    const counts = isFused ? null : this.sendRows(nodes);
    return nodes.map((node, at) => this.makeChildren(node, counts === null ? null : (counts[at] as number)));
  }

  private makeChildren(node: GrowingNode, leftCount: number | null): Pair {
    const { split } = node;
    if (split === null) throw new Error(`node ${node.number} has no split`);
    const count = leftCount ?? split.hessian;
    const common = { depth: node.depth + 1, isWhole: false };
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
    node.left = this.addNode(left);
    node.right = this.addNode(right);
    node.isFused = leftCount === null;
    const isLeftSmall = left.count <= right.count;
    const pair = { small: isLeftSmall ? node.left : node.right, larger: isLeftSmall ? node.right : node.left };
    pair.larger.slot = node.slot;
    return pair;
  }

  /** @returns how many of each node's rows went left. */
  private sendRows(nodes: readonly GrowingNode[]): Int32Array {
    const { plan, crew } = this.parts;
    // Two places in turn: a thread may already write its next counts while another still reads these.
    this.isOddSending = !this.isOddSending;
    const counts = this.int32.subarray((plan.leftCounts + (this.isOddSending ? plan.leftCountBytes : 0)) / 4);
    const { wholes, inParts } = this.sendings(nodes);
    if (inParts.length > 0) {
      crew.share(inParts.length, (task) => this.countPart(inParts[task] as Sending, counts));
      crew.meet();
    }
    const all = [...inParts, ...wholes];
    const offsets = partOffsets(inParts, counts);
    crew.share(all.length, (task) => {
      const sending = all[task] as Sending;
      const left = this.send(sending, offsets[task] ?? 0);
      if (!sending.isPart) counts[sending.index] = left - sending.node.start;
    });
    crew.meet();
    return this.leftCounts(nodes, { wholes, inParts }, counts);
  }

  private leftCounts(nodes: readonly GrowingNode[], sent: ReturnType<TreeGrower["sendings"]>, counts: Int32Array): Int32Array {
    const result = new Int32Array(nodes.length);
    const at = new Map(nodes.map((node, index) => [node, index]));
    for (const { node, index } of [...sent.wholes, ...sent.inParts]) {
      const place = at.get(node) as number;
      result[place] = (result[place] as number) + (counts[index] as number);
    }
    return result;
  }

  private sendings(nodes: readonly GrowingNode[]): { readonly wholes: Sending[]; readonly inParts: Sending[] } {
    const { threads } = this.parts.settings;
    const rows = nodes.reduce((sum, { count }) => sum + count, 0);
    const wholes: Sending[] = [];
    const inParts: Sending[] = [];
    let index = 0;
    for (const node of nodes.toSorted((a, b) => b.count - a.count || a.number - b.number)) {
      if (node.split === null) throw new Error(`node ${node.number} has no split`);
      const isLarge = threads > 1 && node.count >= LEAST_PART_ROWS && node.count * threads > rows;
      const parts = isLarge ? 2 * threads : 1;
      for (let part = 0; part < parts; part++) {
        const from = Math.floor((node.count * part) / parts);
        const to = Math.floor((node.count * (part + 1)) / parts);
        (isLarge ? inParts : wholes).push({ node, split: node.split, index: index++, from, to, isPart: isLarge });
      }
    }
    return { wholes, inParts };
  }

  private countPart({ node, split, index, from, to }: Sending, counts: Int32Array): void {
    const { plan, kernel } = this.parts;
    const column = this.columnOf(split);
    const turn = split.isMissingLeft ? 1 : 0;
    counts[index] = node.isWhole
      ? kernel.countLeftOfAll(from, to, column, split.bin, turn)
      : kernel.countLeft(plan.rows[parityOf(node.depth)] + (node.start + from) * 4, to - from, column, split.bin, turn);
  }

  /** @param before how many of the node's rows before these go left. */
  private send({ node, split, from, to }: Sending, before: number): number {
    const { plan, kernel } = this.parts;
    const parity = parityOf(node.depth);
    const other = parityOf(node.depth + 1);
    const quanta = plan.quanta[parity];
    const toRows = plan.rows[other];
    const toQuanta = plan.quanta[other];
    const left = node.start + before;
    const right = node.start + node.count - 1 - (from - before);
    const column = this.columnOf(split);
    const turn = split.isMissingLeft ? 1 : 0;
    if (node.isWhole) return kernel.partitionAll(from, to, quanta, column, split.bin, turn, toRows, toQuanta, left, right);
    const start = node.start + from;
    const rows = plan.rows[parity] + start * 4;
    return kernel.partition(rows, quanta + start * 8, to - from, column, split.bin, turn, toRows, toQuanta, left, right);
  }

  private columnOf({ column }: Split): Address {
    return this.parts.plan.training.columnBins + column * this.parts.plan.training.columnBytes;
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

function gainOf(node: GrowingNode | undefined): number {
  return node?.split?.gain ?? Number.NEGATIVE_INFINITY;
}

export function parityOf(depth: number): 0 | 1 {
  return depth % 2 === 0 ? 0 : 1;
}

/** How many rows of a node that is sent in parts go left before each part. */
function partOffsets(parts: readonly Sending[], counts: Int32Array): number[] {
  let before = 0;
  return parts.map(({ from, index }) => {
    if (from === 0) before = 0;
    const offset = before;
    before += counts[index] as number;
    return offset;
  });
}

/** Each block in `share` ranges, as far as it has columns. */
function rangesOf({ blocks, blockColumns }: MemoryPlan, columns: number, share: number): ColumnRange[] {
  return Array.from({ length: blocks }, (_, block) => {
    const first = block * blockColumns;
    const width = Math.min(blockColumns, columns - first);
    return cutEvenly(width, share).map(({ from, to }) => ({ block, from: first + from, to: first + to, listFrom: 0, listed: 0 }));
  }).flat();
}

function listedRangesOf(columns: readonly number[], blockColumns: number, share: number): ColumnRange[] {
  const ranges: ColumnRange[] = [];
  for (let start = 0; start < columns.length; ) {
    const block = Math.floor((columns[start] as number) / blockColumns);
    let end = start;
    while (end < columns.length && Math.floor((columns[end] as number) / blockColumns) === block) end++;
    for (const { from, to } of cutEvenly(end - start, share)) {
      const first = columns[start + from] as number;
      const last = columns[start + to - 1] as number;
      ranges.push({ block, from: first, to: last + 1, listFrom: start + from, listed: to - from });
    }
    start = end;
  }
  return ranges;
}

function cutEvenly(length: number, parts: number): { from: number; to: number }[] {
  const count = Math.min(length, parts);
  return Array.from({ length: count }, (_, part) => ({
    from: Math.floor((length * part) / count),
    to: Math.floor((length * (part + 1)) / count),
  }));
}
