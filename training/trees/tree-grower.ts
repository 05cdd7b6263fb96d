/**
 * Grows one tree from quanta, all threads in step: which leaf is divided when, and what its children are. How a node is divided best is split-finder.ts's matter.
 *
 * A node's rows lie together in one of two buffers, and a split sends them to the other, the left child's before the right one's (row-sender.ts).
 */

import { answerOf, type GrowingNode } from "./growing-node.ts";
import { mostAhead } from "./memory-plan.ts";
import { RowSender } from "./row-sender.ts";
import { NO_ROOT, type Pair, SplitFinder, type TreeRoot } from "./split-finder.ts";
import type { TreeThread } from "./tree-thread.ts";

type NodeRows = Pick<GrowingNode, "depth" | "start" | "count" | "isWhole" | "gradient" | "hessian" | "low" | "high" | "mayLookAhead">;

export class TreeGrower {
  private readonly parts: TreeThread;
  private readonly sender: RowSender;
  private readonly finder: SplitFinder;
  private root: TreeRoot = NO_ROOT;
  private nodes: GrowingNode[] = [];

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.sender = new RowSender(parts);
    this.finder = new SplitFinder(parts);
  }

  /** @returns its nodes by number; leaves without a value yet. Ends with all threads past their last task. */
  grow(root: TreeRoot): GrowingNode[] {
    this.root = root;
    this.nodes = [];
    this.finder.begin(root);
    const { isWhole, gradient, hessian } = root;
    const bounds = { low: -Infinity, high: Infinity };
    const first = this.addNode({ depth: 0, start: 0, count: root.count, isWhole, gradient, hessian, ...bounds, mayLookAhead: true });
    this.finder.findForRoot(first);
    if (this.parts.settings.growth.kind === "depth-wise") this.growDepthWise(first);
    else this.growLeafWise(first, this.parts.settings.growth.maxLeaves);
    return this.nodes;
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
      this.finder.findForPairs(pairs);
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
    if (rest > 1) this.finder.findForPairs(pairs.filter(({ small }) => small.depth < growth.maxDepth));
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
