import type { LevelBatch } from "../core/market/event.ts";
import type { BookRecord } from "../core/wire/market-events.ts";

/** The levels of a record as the book takes them. */
export function levelBatch({ bids, asks }: Pick<BookRecord, "bids" | "asks">): LevelBatch {
  const priceTicks = new Float64Array(bids.length + asks.length);
  const sizeLots = new Float64Array(bids.length + asks.length);
  let index = 0;
  for (const side of [bids, asks]) {
    for (const [ticks, lots] of side) {
      priceTicks[index] = ticks;
      sizeLots[index++] = lots;
    }
  }
  return { bidCount: bids.length, askCount: asks.length, priceTicks, sizeLots };
}
