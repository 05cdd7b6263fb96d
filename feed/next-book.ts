/**
 * A second book of a market beside the present one, built from another connection's snapshot and changes, and compared with it by content.
 *
 * Two connections bring the same changes at slightly different times, so the books are equal only now and then. Each keeps the contents that it
 * has gone through of late: where one now stands, the other has been, or will be. A content is told by its sum, which both books carry along while they are
 * compared (level-sum.ts): made anew from 10,000 levels at each message, it took 4 ms of the processor.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { MarketEvent } from "../core/market/event.ts";
import type { BookSequencer } from "../exchanges/contract.ts";
import type { NextCheckpoint } from "./checkpoint.ts";

/** Contents remembered of each book: at a hundred changes a second, over a second of lag between the connections. */
const KEPT_CONTENTS = 128;

export class NextBook {
  readonly book = new OrderBook();
  readonly sequencer: BookSequencer;
  private readonly snapshotLimits: readonly number[];
  private readonly own = new RecentContents();
  private readonly present = new RecentContents();

  constructor(sequencer: BookSequencer, snapshotLimits: readonly number[]) {
    this.sequencer = sequencer;
    this.snapshotLimits = snapshotLimits;
  }

  get isWhole(): boolean {
    return this.sequencer.isSynced;
  }

  /** Nothing is compared any more: the present book needn't carry its sum along. */
  end(present: OrderBook): void {
    this.book.endSum();
    present.endSum();
  }

  /** @returns whether the book has moved. */
  take(event: MarketEvent): boolean {
    if (event.kind === "snapshot") {
      this.sequencer.reset();
      this.sequencer.judgeSnapshot(event.lastSequence, null);
      this.book.replace(event.levels, this.snapshotLimits);
    } else if (event.kind === "depth") {
      const verdict = this.sequencer.judge(event);
      if (typeof verdict === "object") this.lose();
      if (verdict !== "apply") return false;
      this.book.apply(event.levels);
    } else return false;
    this.own.add(this.book.levelSum);
    return true;
  }

  /** Something of it was lost: it waits for another snapshot. */
  lose(): void {
    this.sequencer.reset();
    this.book.clear();
    this.own.clear();
  }

  /** As a checkpoint has it. */
  recall({ lastSequence, levels }: NextCheckpoint): void {
    this.sequencer.reset();
    this.sequencer.judgeSnapshot(lastSequence, null);
    this.book.replace(levels, this.snapshotLimits);
  }

  /** The two are compared from here on: what they have gone through is forgotten. */
  compareAnew(): void {
    this.own.clear();
    this.present.clear();
    if (this.isWhole) this.own.add(this.book.levelSum);
  }

  presentMoved(book: OrderBook): void {
    this.present.add(book.levelSum);
  }

  /** Where this book stands in the chain of changes, seen from the present one. */
  relationTo(present: OrderBook): "equal" | "ahead" | "behind" | "unrelated" {
    const here = this.book.levelSum;
    const there = present.levelSum;
    if (here === there) return "equal";
    if (this.own.has(there)) return "ahead";
    return this.present.has(here) ? "behind" : "unrelated";
  }
}

/** Sums of the contents that a book has gone through, the oldest forgotten. */
class RecentContents {
  private readonly sums = new Float64Array(KEPT_CONTENTS).fill(Number.NaN);
  private newest = 0;

  /** One that hasn't changed is no other content. */
  add(sum: number): void {
    if (this.sums[this.newest] === sum) return;
    this.newest = (this.newest + 1) % KEPT_CONTENTS;
    this.sums[this.newest] = sum;
  }

  has(sum: number): boolean {
    return this.sums.includes(sum);
  }

  clear(): void {
    this.sums.fill(Number.NaN);
  }
}
