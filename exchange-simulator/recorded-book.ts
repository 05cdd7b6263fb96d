/**
 * The venue's own book of one symbol during a replay: what a depth request is answered from.
 *
 * Built by the venue's rule: a snapshot with update id L, then each diff with u > L, the first of which has U <= L + 1, each next one U = u + 1.
 * Diffs from before the snapshot are kept, up to a bound. A hole in the recording makes the book unknown until the next recorded snapshot.
 */

import { OrderBook } from "../core/book/order-book.ts";
import { type DecimalGrid, parseSteps } from "../core/units/decimal.ts";
import type { Side } from "../core/units/side.ts";
import { type MarketGrids, StepTexts, snapshotBody } from "./frame-text.ts";
import type { LevelText, SnapshotText, VenueMessage } from "./venue-message.ts";

export type DepthMessage = Extract<VenueMessage, { kind: "depth" }>;

/** Ten minutes of batches: a snapshot further behind the diffs than that is no use. */
const KEPT_DIFFS = 6_000;

export class RecordedBook {
  private readonly book = new OrderBook();
  private readonly grids: MarketGrids;
  private readonly priceTexts: StepTexts;
  private readonly sizeTexts: StepTexts;
  /** Update id that the book holds; null while it is unknown. */
  private lastId: number | null = null;
  private waiting: DepthMessage[] = [];

  constructor(grids: MarketGrids) {
    this.grids = grids;
    this.priceTexts = new StepTexts(grids.tick);
    this.sizeTexts = new StepTexts(grids.lot);
  }

  get lastUpdateId(): number | null {
    return this.lastId;
  }

  /** 16 hex digits over every level. */
  get contentHash(): string {
    return this.book.contentHash();
  }

  pass(diff: DepthMessage): void {
    if (this.lastId !== null) {
      if (diff.lastId <= this.lastId) return;
      if (diff.firstId <= this.lastId + 1) {
        this.apply(diff);
        return;
      }
      this.lastId = null;
    }
    this.waiting.push(diff);
    if (this.waiting.length > KEPT_DIFFS) this.waiting.shift();
  }

  /** Takes a snapshot where the book is unknown; a book that is known needs none. */
  passSnapshot(snapshot: SnapshotText): void {
    if (this.lastId !== null) return;
    this.book.clear();
    this.setLevels("bid", snapshot.bids);
    this.setLevels("ask", snapshot.asks);
    this.lastId = snapshot.lastUpdateId;
    const waiting = this.waiting;
    this.waiting = [];
    for (const diff of waiting) this.pass(diff);
  }

  forget(): void {
    this.book.clear();
    this.lastId = null;
    this.waiting = [];
  }

  /** @returns null while the book is unknown. @param addedId what the ids told to clients are shifted by. */
  body(limit: number, addedId: number): string | null {
    if (this.lastId === null) return null;
    return snapshotBody(this.lastId + addedId, this.sideText("bid", limit), this.sideText("ask", limit));
  }

  private apply(diff: DepthMessage): void {
    this.setLevels("bid", diff.bids);
    this.setLevels("ask", diff.asks);
    this.lastId = diff.lastId;
  }

  private setLevels(side: Side, levels: readonly LevelText[]): void {
    const ladder = this.book.side(side);
    for (const [price, size] of levels) {
      const ticks = steps(price, this.grids.tick);
      const lots = steps(size, this.grids.lot);
      if (ticks !== null && lots !== null) ladder.set(ticks, lots);
    }
  }

  private sideText(side: Side, limit: number): string {
    const ladder = this.book.side(side);
    const levels: string[] = [];
    for (let depth = 0; depth < Math.min(limit, ladder.levelCount); depth++) {
      levels.push(`["${this.priceTexts.of(ladder.ticksAt(depth))}","${this.sizeTexts.of(ladder.lotsAt(depth))}"]`);
    }
    return levels.join(",");
  }
}

function steps(text: string, grid: DecimalGrid): number | null {
  return parseSteps(text, 0, text.length, grid);
}
