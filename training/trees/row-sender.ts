/**
 * Sends the rows of nodes to their children, all threads in step: a node as one task, or, where it is so large that others would wait for it, in parts.
 * A part has to know how many rows before it go left, so parts are counted first. The rows' order is the same either way.
 */

import type { GrowingNode, Split } from "./growing-node.ts";
import type { Address } from "./kernel.ts";
import type { TreeThread } from "./tree-thread.ts";

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

export class RowSender {
  private readonly parts: TreeThread;
  private readonly int32: Int32Array;
  private isOddSending = false;

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.int32 = new Int32Array(parts.buffer);
  }

  /** @returns how many of each node's rows went left. */
  send(nodes: readonly GrowingNode[]): Int32Array {
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
      const left = this.sendOne(sending, offsets[task] ?? 0);
      if (!sending.isPart) counts[sending.index] = left - sending.node.start;
    });
    crew.meet();
    return this.leftCounts(nodes, { wholes, inParts }, counts);
  }

  private leftCounts(nodes: readonly GrowingNode[], sent: ReturnType<RowSender["sendings"]>, counts: Int32Array): Int32Array {
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
  private sendOne({ node, split, from, to }: Sending, before: number): number {
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
}

/** Which of the two buffers holds the rows of a depth's nodes. */
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
