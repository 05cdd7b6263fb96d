/**
 * A second book of a market beside the present one, built from another connection's snapshot and changes, and compared with it by content.
 *
 * Two connections bring the same changes at slightly different times, so the books are equal only now and then. Each keeps the contents that it
 * has gone through of late: where one now stands, the other has been, or will be.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { MarketEvent } from "../core/market/event.ts";
import type { BookSequencer } from "../exchanges/contract.ts";

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
    this.own.add(this.book);
    return true;
  }

  /** Something of it was lost: it waits for another snapshot. */
  lose(): void {
    this.sequencer.reset();
    this.book.clear();
    this.own.clear();
  }

  presentMoved(book: OrderBook): void {
    this.present.add(book);
  }

  /** Where this book stands in the chain of changes, seen from the present one. */
  relationTo(present: OrderBook): "equal" | "ahead" | "behind" | "unrelated" {
    const here = this.book.contentHash();
    const there = present.contentHash();
    if (here === there) return "equal";
    if (this.own.has(there)) return "ahead";
    return this.present.has(here) ? "behind" : "unrelated";
  }
}

/** Hashes of the contents that a book has gone through, the oldest forgotten. */
class RecentContents {
  private hashes: string[] = [];

  add(book: OrderBook): void {
    this.hashes.push(book.contentHash());
    if (this.hashes.length > KEPT_CONTENTS) this.hashes.shift();
  }

  has(hash: string): boolean {
    return this.hashes.includes(hash);
  }

  clear(): void {
    this.hashes = [];
  }
}
