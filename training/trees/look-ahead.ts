/**
 * Where no single cut gains more than chance gives, two or three columns together may: the exclusive or of two columns has no first cut that gains, so a
 * greedy tree finds it by luck alone, and so do LightGBM and scikit-learn. At the root of a tree, and below a cut that was made this way, the kernel
 * compares such contrasts (interactions.ts there, after W.-Y. Loh, "Regression trees with unbiased variable selection and interaction detection", 2002).
 *
 * - The largest of m variables that are chi-squared with one degree of freedom is about 2 ln m: a cut that gains less than that times the noise is
 *   called chance, with m the columns times the bins. The noise is (Σ|g|)² / (n Σh), below Σg² / Σh: what is called chance is so.
 * - A contrast is believed where its strength is above that, and above 2 ln m of its own m more: columns that do tell something a little then can't
 *   feign one.
 * - Pairs come first, three columns where no pair is believed. The node is cut at the median of the first of them, and its children are looked at again.
 * - All contrasts of pairs are m² / 2, of three m³ / 6: they are looked at each so many rounds that they cost about a hundredth of a tree, and in each
 *   round after a tree that was such (combinedOf), where they don't cost more than a tree. That hangs on the round's number and the last trees alone,
 *   so a stopped training goes on to the same ones.
 *
 * Where any column is bounded (monotone), or there are more than MOST_LOOK_AHEAD_COLUMNS, nothing is looked at.
 */

import type { Tree } from "./contract.ts";
import type { GrowingNode } from "./growing-node.ts";
import type { Address } from "./kernel.ts";
import { CANDIDATE_BYTES, LOOK_AHEAD_ROWS } from "./memory-plan.ts";
import type { TreeThread } from "./tree-thread.ts";

/** With fewer rows nothing but the clearest contrast is believed, and a cut that is wrong costs more. */
const LEAST_ROWS = 1_000;
/** Additions of a tree's root, each row and column one, that contrasts may cost; a tree of depth 6 makes some 3.5 times as many. */
const SHARE_OF_ROOT = 1 / 32;
/** The same, where the last tree says that it is worth it. */
const MOST_OF_ROOT = 4;
/** A cut below gains so many times what the root's does: by chance they gain alike. */
const COMBINED = 4;
/** Products that are summed up in one step. */
const LANES = 8;

/** Columns of a contrast. */
export type Order = 2 | 3;

/** What of a tree is needed here. */
export interface LookedAhead {
  readonly round: number;
  /** What the tree of the round before, of the same output, was made of; null where that was single columns. */
  readonly followed: Order | null;
  /** (Σ|g|)² / (n Σh) in the units of the loss. */
  readonly noise: number;
  readonly hessianBits: number;
  readonly lambdaQuanta: number;
  readonly columns: readonly number[] | null;
}

export interface Found {
  readonly candidate: Address;
  /** What the cuts together will gain, about. */
  readonly promise: number;
}

interface Look {
  readonly node: GrowingNode;
  readonly order: Order;
}

export class LookAhead {
  private readonly parts: TreeThread;
  private readonly float64: Float64Array;
  private readonly int32: Int32Array;

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.float64 = new Float64Array(parts.buffer);
    this.int32 = new Int32Array(parts.buffer);
  }

  /** Nodes whose best cut is chance, with a better one where contrasts promise it. All threads in step. */
  find(
    nodes: readonly GrowingNode[],
    tree: LookedAhead,
    { histogramOf, writeNode }: { histogramOf: (node: GrowingNode) => Address; writeNode: (node: GrowingNode) => Address },
  ): Map<GrowingNode, Found> {
    const found = new Map<GrowingNode, Found>();
    const wanted = nodes.filter((node) => this.isChance(node, tree));
    for (const order of [2, 3] as const) {
      const looks = wanted.filter((node) => !found.has(node) && this.isDue(node, order, tree)).map((node) => ({ node, order }));
      if (looks.length === 0) continue;
      this.parts.crew.share(looks.length, (task) => {
        const look = looks[task] as Look;
        this.look(look, tree, { histogram: histogramOf(look.node), node: writeNode(look.node), out: this.placeOf(order, task) });
      });
      this.parts.crew.meet();
      looks.forEach(({ node }, task) => {
        const promise = this.promiseOf(node, order, { tree, out: this.placeOf(order, task) });
        if (promise !== null) found.set(node, { candidate: this.placeOf(order, task), promise });
      });
    }
    return found;
  }

  private isChance({ split, mayLookAhead, count }: GrowingNode, tree: LookedAhead): boolean {
    if (this.parts.plan.lookAhead.length === 0 || !mayLookAhead || split === null || count < LEAST_ROWS) return false;
    return split.gain < tree.noise * this.chance(tree);
  }

  /** Of all cuts of a node, in noise. */
  private chance(tree: LookedAhead): number {
    return 2 * Math.log(this.columnsOf(tree) * this.parts.settings.maxBins);
  }

  private columnsOf({ columns }: LookedAhead): number {
    return columns?.length ?? this.parts.columns;
  }

  private isDue({ depth }: GrowingNode, order: Order, tree: LookedAhead): boolean {
    if (depth + order > this.parts.settings.growth.maxDepth) return false;
    // Below a cut that was made this way there is something to be found.
    if (depth > 0) return order === 2;
    const { rows } = this.parts.plan.training;
    const columns = this.columnsOf(tree);
    const cost = (contrastsOf(columns, order) * Math.min(rows, LOOK_AHEAD_ROWS)) / LANES;
    const ofRoot = cost / (rows * columns);
    return (tree.followed === order && ofRoot <= MOST_OF_ROOT) || tree.round % Math.ceil(ofRoot / SHARE_OF_ROOT) === 0;
  }

  /** One for each order: a thread may write the second's while another still reads the first's. */
  private placeOf(order: Order, task: number): Address {
    const { lookedAhead, slots } = this.parts.plan;
    return lookedAhead + ((order - 2) * slots + task) * CANDIDATE_BYTES;
  }

  private look({ node, order }: Look, tree: LookedAhead, at: { histogram: Address; node: Address; out: Address }): void {
    const { plan, kernel, columns, thread } = this.parts;
    const parity = node.depth % 2 === 0 ? 0 : 1;
    kernel.lookAhead(
      order,
      at.histogram,
      columns,
      plan.cutCounts,
      plan.scratch[thread]?.active ?? 0,
      tree.hessianBits,
      tree.lambdaQuanta,
      at.node,
      node.isWhole ? 0 : plan.rows[parity] + node.start * 4,
      plan.quanta[parity] + node.start * 8,
      node.count,
      plan.training.columnBins,
      plan.training.columnBytes,
      plan.lookAhead[thread] ?? 0,
      at.out,
    );
  }

  private promiseOf(node: GrowingNode, order: Order, { tree, out }: { tree: LookedAhead; out: Address }): number | null {
    if ((this.int32[out / 4 + 6] as number) < 0) return null;
    const strength = this.float64[out / 8 + 5] as number;
    if (strength < this.chance(tree) + 2 * Math.log(contrastsOf(this.columnsOf(tree), order))) return null;
    return (strength * tree.noise * node.count) / Math.min(node.count, LOOK_AHEAD_ROWS);
  }
}

/** How many columns had to come together until a cut gained much more than the root's: null where it needed none, or four. */
export function combinedOf({ gain, left, right }: Pick<Tree, "gain" | "left" | "right">): Order | null {
  const below = (nodes: readonly number[]) => nodes.flatMap((node) => [left[node] ?? -1, right[node] ?? -1]).filter((node) => node >= 0);
  const mostOf = (nodes: readonly number[]) => Math.max(0, ...nodes.map((node) => gain[node] ?? 0));
  const children = below([0]);
  const [ofRoot, ofChildren, ofTheirs] = [mostOf([0]), mostOf(children), mostOf(below(children))];
  if (ofChildren > COMBINED * ofRoot) return 2;
  return ofTheirs > COMBINED * Math.max(ofRoot, ofChildren) ? 3 : null;
}

function contrastsOf(columns: number, order: Order): number {
  const pairs = (columns * (columns - 1)) / 2;
  return order === 2 ? pairs : (pairs * (columns - 2)) / 3;
}
