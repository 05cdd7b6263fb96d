/**
 * The size that this market's sizes are measured by: the lots resting on the best five levels, averaged over both sides and the last
 * thirty grid times.
 *
 * Lots mean something else on every instrument; divided by this they become "so many times the usual depth", which carries over from one
 * market to the next, and to a day on which the same market is twice as deep. (Cont, Kukanov, Stoikov 2014 find that the price impact
 * of order flow is inversely proportional to depth: the ratio is what moves prices.) The present grid time is part of the mean, so that it
 * is above zero as soon as it is asked for. Sums of lots are integers, exact while below 2^53.
 */

import type { OrderBook } from "../../book/order-book.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";

/** Grid times of the mean. */
export const DEPTH_SCALE_SECONDS = 30;
const LEVELS = 5;

export class DepthScale {
  /** Lots of both sides at each grid time. */
  private readonly depths = new RingBuffer(DEPTH_SCALE_SECONDS);

  /** Takes in the book of this grid time. @returns mean lots a side of the best five levels; above zero. Once each grid time. */
  measure(book: OrderBook): number {
    this.depths.push(book.bids.depthLots(LEVELS) + book.asks.depthLots(LEVELS));
    return this.depths.sumOfLast(DEPTH_SCALE_SECONDS) / (2 * this.depths.count);
  }

  clear(): void {
    this.depths.clear();
  }
}
