/**
 * Whether a quote may be of a moment inside a batch: the venue sends its book each 50 ms, and each price that changed in that time once, with the size that
 * it has at the end. What the top was in between no book shows, but of a right book this much holds of it:
 *
 * 1. each level that our book has before the quoted price was named by the batch, since the venue's was gone for that moment;
 * 2. the quoted price was named too, or its size is the one that we hold.
 *
 * So a price at which our book is wrong excuses nothing: it stays wrong only as long as the venue doesn't name it, and a size that is named is right from there
 * on. Changes of one receive time are one batch: a venue may cut one in two, and taking several for one is safe for the same reason.
 */

import type { Ladder } from "../core/book/ladder.ts";
import type { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch, QuoteEvent } from "../core/market/event.ts";
import { sideSign } from "../core/units/side.ts";

/** Prices a side: of a batch with more the rest excuses nothing. Some ten times what a recorded market changed in 50 ms. */
const MAX_NAMED = 256;

export class BatchMoment {
  private readonly bids = new NamedPrices();
  private readonly asks = new NamedPrices();
  private receivedAt = Number.NEGATIVE_INFINITY;

  /** The venue has named these levels. */
  add({ bidCount, askCount, priceTicks }: LevelBatch, receivedAt: number): void {
    if (receivedAt !== this.receivedAt) {
      this.bids.count = 0;
      this.asks.count = 0;
      this.receivedAt = receivedAt;
    }
    for (let at = 0; at < bidCount; at++) this.bids.add(priceTicks[at] as number);
    for (let at = bidCount; at < bidCount + askCount; at++) this.asks.add(priceTicks[at] as number);
  }

  /** @param book behind the batch. */
  mayHaveShown(book: OrderBook, { bidTicks, bidLots, askTicks, askLots }: QuoteEvent): boolean {
    return this.bids.mayHaveBest(book.bids, bidTicks, bidLots) && this.asks.mayHaveBest(book.asks, askTicks, askLots);
  }
}

class NamedPrices {
  count = 0;
  private readonly ticks = new Float64Array(MAX_NAMED);

  add(priceTicks: number): void {
    if (this.count < MAX_NAMED) this.ticks[this.count++] = priceTicks;
  }

  mayHaveBest(ladder: Ladder, priceTicks: number, sizeLots: number | null): boolean {
    const sign = sideSign(ladder.side);
    for (let depth = 0; depth < ladder.levelCount; depth++) {
      const ticks = ladder.ticksAt(depth);
      if (sign * ticks <= sign * priceTicks) break;
      if (!this.has(ticks)) return false;
    }
    if (this.has(priceTicks)) return true;
    const held = ladder.lotsAtPrice(priceTicks);
    return held > 0 && (sizeLots === null || held === sizeLots);
  }

  private has(priceTicks: number): boolean {
    const { ticks, count } = this;
    for (let at = 0; at < count; at++) if (ticks[at] === priceTicks) return true;
    return false;
  }
}
