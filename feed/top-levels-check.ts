/**
 * The independent check behind the top of a book that nothing numbers: the venue's own best levels beside ours of the last and the next moments
 * (race.ts says which of them decide what). A lost change behind the top shows as soon as it lies among them, not only once it has become the top.
 *
 * Of each moment the ring keeps one number a side, a hash of its best levels: two that differ have the same by chance once in 2^52. Nothing is done for a
 * venue that says no such levels, and little at a change that doesn't reach them. A side with fewer levels than the venue says at most must have
 * exactly those. What lies farther from the top is not looked at.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch, TopLevelsEvent } from "../core/market/event.ts";
import { hashOfPairs } from "../core/math/hash.ts";
import { type Side, sideSign } from "../core/units/side.ts";
import { KEPT_MOMENTS, Race, type RaceJudgement } from "./race.ts";

/** A hash of the best levels of each side. */
interface SideHashes {
  bids: number;
  asks: number;
}

export class TopLevelsCheck {
  /** Levels a side that the venue says at most; 0 before it has said any. */
  private depth = 0;
  private bids = new BestOfSide("bid", 0);
  private asks = new BestOfSide("ask", 0);
  private readonly race = new Race<SideHashes>({
    equals: (place, claim) => this.bids.hashes[place] === claim.bids && this.asks.hashes[place] === claim.asks,
    copy: (claim) => ({ ...claim }),
  });
  private readonly claim: SideHashes = { bids: 0, asks: 0 };

  /** How often the venue's levels were compared; null where it says none. */
  get counts(): { readonly comparisons: number; readonly mismatches: number } | null {
    return this.depth === 0 ? null : { comparisons: this.race.comparisons, mismatches: this.race.mismatches };
  }

  /** The book has changed. @param changed the levels that were set; null when they are not known. */
  onBook(book: OrderBook, changed: LevelBatch | null, receivedAt: number): RaceJudgement {
    if (this.depth === 0) return "undecided";
    const { bids, asks } = this;
    const isUnknown = changed === null || this.race.presentPlace === null;
    const isBidReached = isUnknown || bids.isReachedBy(changed);
    const isAskReached = isUnknown || asks.isReachedBy(changed);
    if (isBidReached) bids.look(book);
    if (isAskReached) asks.look(book);
    const isShownAnew = (isBidReached || isAskReached) && this.showsAnew(receivedAt);
    return isShownAnew ? this.race.shown(receivedAt) : this.race.expire(receivedAt);
  }

  /** The venue has said its best levels. */
  onTopLevels({ depth, levels }: TopLevelsEvent, book: OrderBook, receivedAt: number): RaceJudgement {
    if (depth !== this.depth) this.begin(depth);
    if (this.race.presentPlace === null) this.onBook(book, null, receivedAt);
    const { priceTicks, sizeLots, bidCount, askCount } = levels;
    this.claim.bids = hashOfPairs(priceTicks, sizeLots, { first: 0, end: bidCount });
    this.claim.asks = hashOfPairs(priceTicks, sizeLots, { first: bidCount, end: bidCount + askCount });
    return this.race.claimed(this.claim, receivedAt);
  }

  /** Another book, or another connection. The counts go on. */
  reset(): void {
    this.race.reset();
  }

  private begin(depth: number): void {
    this.race.reset();
    this.depth = depth;
    this.bids = new BestOfSide("bid", depth);
    this.asks = new BestOfSide("ask", depth);
  }

  /** @returns whether the best levels are others than before. */
  private showsAnew(receivedAt: number): boolean {
    const { race, bids, asks } = this;
    const present = race.presentPlace;
    if (present !== null && bids.hashes[present] === bids.hash && asks.hashes[present] === asks.hash) return false;
    const place = race.nextPlace(receivedAt);
    bids.hashes[place] = bids.hash;
    asks.hashes[place] = asks.hash;
    return true;
  }
}

/** The best levels of one side, as far as they are told from others. */
class BestOfSide {
  /** At the last look. */
  hash = 0;
  /** [KEPT_MOMENTS] of each moment. */
  readonly hashes = new Float64Array(KEPT_MOMENTS);
  private readonly side: Side;
  private readonly sign: 1 | -1;
  private readonly depth: number;
  /** sign * price of the worst of them: what is below doesn't reach them. */
  private worstKey = Number.NEGATIVE_INFINITY;
  /** [depth] filled at each look. */
  private readonly ticks: Float64Array;
  private readonly lots: Float64Array;

  constructor(side: Side, depth: number) {
    this.side = side;
    this.sign = sideSign(side);
    this.depth = depth;
    this.ticks = new Float64Array(depth);
    this.lots = new Float64Array(depth);
  }

  isReachedBy({ bidCount, askCount, priceTicks }: LevelBatch): boolean {
    const { sign, worstKey } = this;
    const first = this.side === "bid" ? 0 : bidCount;
    const end = this.side === "bid" ? bidCount : bidCount + askCount;
    for (let at = first; at < end; at++) if (sign * (priceTicks[at] as number) >= worstKey) return true;
    return false;
  }

  look(book: OrderBook): void {
    const { ticks, lots, depth } = this;
    const count = book.copyTop(this.side, ticks, lots);
    this.worstKey = count < depth ? Number.NEGATIVE_INFINITY : this.sign * (ticks[depth - 1] as number);
    this.hash = hashOfPairs(ticks, lots, { first: 0, end: count });
  }
}
