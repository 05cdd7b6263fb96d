/**
 * A live book made whole again at its far end. A venue that cuts its snapshots leaves a window of known levels, and the market moves towards one end
 * of it: before the window is used up another snapshot is asked for, joined with the changes kept meanwhile, and put in the place of the book,
 * which is live all the time. It is also an audit: where both know the levels, and stand at the same number, they must be the same.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { DepthEvent, SnapshotEvent } from "../core/market/event.ts";
import type { Side } from "../core/units/side.ts";
import type { BookSequencer, Decoder } from "../exchanges/contract.ts";
import { PendingFrames, type PendingLimits } from "./pending-frames.ts";

/** Share of the window, from the best price to its end, below which it is made whole again. */
const LEAST_SHARE = 0.5;
/** Between two refreshes of a market: a snapshot is what venues limit first. */
const INTERVAL_MS = 60_000;
const CHECK_INTERVAL_MS = 1_000;

export interface RefreshParts {
  readonly decoder: Decoder;
  readonly sequencer: BookSequencer;
  readonly snapshotLimits: readonly number[];
}

export type Refreshed =
  | { readonly kind: "book"; readonly book: OrderBook; readonly sequencer: BookSequencer }
  /** The snapshot didn't join what was kept. */
  | { readonly kind: "failed" };

export class BookRefresh {
  private readonly pending: PendingFrames;
  private isAsked = false;
  private hasOverflowed = false;
  private notBefore = 0;
  private checkedAt = 0;
  /** Ticks from the best price to the window's end when the book was built; null for a side that is known whole. */
  private width: Record<Side, number | null> = { bid: null, ask: null };

  constructor(limits: PendingLimits) {
    this.pending = new PendingFrames(limits);
  }

  get isUnderWay(): boolean {
    return this.isAsked;
  }

  /** The book was built, or is lost. */
  begin(book: OrderBook, at: number): void {
    this.stop();
    this.notBefore = at + INTERVAL_MS;
    this.width = { bid: windowTicks(book, "bid"), ask: windowTicks(book, "ask") };
  }

  isDue(book: OrderBook, now: number): boolean {
    if (this.isAsked || now < this.notBefore || now < this.checkedAt + CHECK_INTERVAL_MS) return false;
    this.checkedAt = now;
    return this.isThin(book, "bid") || this.isThin(book, "ask");
  }

  /** The snapshot has been asked for: changes are kept from here on. */
  asked(at: number): void {
    this.isAsked = true;
    this.hasOverflowed = false;
    this.notBefore = at + INTERVAL_MS;
  }

  keep(event: DepthEvent, frame: string): void {
    if (this.isAsked && this.pending.push(event, frame) === "overflowed") this.hasOverflowed = true;
  }

  /** Nothing came of it. */
  stop(): void {
    this.isAsked = false;
    this.pending.clear();
  }

  /** Builds the book from the snapshot and what was kept. The decoder's buffers are used: the snapshot is of the past afterwards. */
  build(snapshot: SnapshotEvent, { decoder, sequencer, snapshotLimits }: RefreshParts): Refreshed {
    const first = this.pending.firstSequence;
    const frames = this.pending.take();
    this.isAsked = false;
    if (this.hasOverflowed || sequencer.judgeSnapshot(snapshot.lastSequence, first) === "too-old") return { kind: "failed" };
    const book = new OrderBook();
    book.replace(snapshot.levels, snapshotLimits);
    for (const frame of frames) {
      const decoded = decoder.decode(frame);
      if (decoded.kind !== "event" || decoded.event.kind !== "depth") continue;
      const verdict = sequencer.judge(decoded.event);
      if (verdict === "apply") book.apply(decoded.event.levels);
      else if (typeof verdict === "object") return { kind: "failed" };
    }
    return { kind: "book", book, sequencer };
  }

  private isThin(book: OrderBook, side: Side): boolean {
    const width = this.width[side];
    const left = windowTicks(book, side);
    return width !== null && left !== null && left < width * LEAST_SHARE;
  }
}

/** Ticks from the best price to the end of what is known; below zero when the best lies beyond. */
function windowTicks(book: OrderBook, side: Side): number | null {
  const { bestTicks, completeToTicks } = book.side(side);
  if (bestTicks === null || completeToTicks === null) return null;
  return side === "bid" ? bestTicks - completeToTicks : completeToTicks - bestTicks;
}

/** Whether two books hold the same, as far as both know all of it. */
export function agreeWhereKnown(one: OrderBook, other: OrderBook): boolean {
  return (["bid", "ask"] as const).every((side) => {
    const sign = side === "bid" ? 1 : -1;
    const ends = [one.side(side).completeToTicks, other.side(side).completeToTicks].filter((end) => end !== null);
    const end = Math.max(Number.NEGATIVE_INFINITY, ...ends.map((ticks) => ticks * sign));
    const [a, b] = [one.side(side), other.side(side)];
    for (let depth = 0; ; depth++) {
      const isInA = depth < a.levelCount && a.ticksAt(depth) * sign >= end;
      const isInB = depth < b.levelCount && b.ticksAt(depth) * sign >= end;
      if (!isInA || !isInB) return isInA === isInB;
      if (a.ticksAt(depth) !== b.ticksAt(depth) || a.lotsAt(depth) !== b.lotsAt(depth)) return false;
    }
  });
}
