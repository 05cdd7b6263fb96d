/**
 * What flowed to each of the best ten levels since it was last asked: e_n of order-flow.ts taken at the m-th best price of each side (K. Xu, M. Gould, S. Howison, "Multi-level order-flow
 * imbalance in a limit order book", Market Microstructure and Liquidity 4, 2018).
 *
 * A level that isn't there is a price worse than any other, with nothing at it. O(10) an event.
 */

import type { Ladder } from "../../book/ladder.ts";
import type { OrderBook } from "../../book/order-book.ts";
import { sideSign } from "../../units/side.ts";

/** Levels that are looked at. */
export const FLOW_LEVELS = 10;

export class LevelFlows {
  /** [FLOW_LEVELS] lots since the last `turn`, buy pressure positive; the best level first. */
  readonly lots = new Float64Array(FLOW_LEVELS);
  private readonly bids = new BestLevels();
  private readonly asks = new BestLevels();
  private isPrimed = false;

  /** The book has changed. The first one since the start or `clear` is where flows begin. */
  onBook(book: OrderBook): void {
    this.bids.moveTo(book.bids, this.lots, 1);
    this.asks.moveTo(book.asks, this.lots, -1);
    if (!this.isPrimed) this.lots.fill(0);
    this.isPrimed = true;
  }

  /** A second is over. */
  turn(): void {
    this.lots.fill(0);
  }

  clear(): void {
    this.lots.fill(0);
    this.isPrimed = false;
  }
}

/** The best levels of one side, and what flowed to each since: a better price has a larger key on both sides. */
class BestLevels {
  private readonly keys = new Float64Array(FLOW_LEVELS).fill(Number.NEGATIVE_INFINITY);
  private readonly lots = new Float64Array(FLOW_LEVELS);
  private readonly newTicks = new Float64Array(FLOW_LEVELS);
  private readonly newLots = new Float64Array(FLOW_LEVELS);

  /** Moves to where the ladder now stands, adding what flowed to level m, times `sign`, to flows[m]. */
  moveTo(ladder: Ladder, flows: Float64Array, sign: 1 | -1): void {
    const side = sideSign(ladder.side);
    const count = ladder.copyTop(this.newTicks, this.newLots);
    for (let level = 0; level < FLOW_LEVELS; level++) {
      const key = level < count ? side * (this.newTicks[level] as number) : Number.NEGATIVE_INFINITY;
      const lots = level < count ? (this.newLots[level] as number) : 0;
      const before = this.keys[level] as number;
      const lotsBefore = this.lots[level] as number;
      // Most changes touch one level, and leave the others as they are.
      if (key === before && lots === lotsBefore) continue;
      const flow = (key >= before ? lots : 0) - (key <= before ? lotsBefore : 0);
      flows[level] = (flows[level] as number) + sign * flow;
      this.keys[level] = key;
      this.lots[level] = lots;
    }
  }
}
