/**
 * How far a level lies from the mid, on each side, and by how much farther on the ask's: the slope of the book, level by level. Of the deepest level where
 * there are fewer.
 */

import type { Ladder } from "../../book/ladder.ts";
import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";

export function createLevelGaps(levels: readonly number[]): Feature {
  return {
    columns: levels.flatMap((level) => [
      { name: `gap_bid_${level}`, unit: "bps", formula: `10^4·(mid - price of bid level ${level}) / mid`, source: "slope of the book" },
      { name: `gap_ask_${level}`, unit: "bps", formula: `10^4·(price of ask level ${level} - mid) / mid`, source: "slope of the book" },
      { name: `gap_difference_${level}`, unit: "bps", formula: `gap_ask_${level} - gap_bid_${level}`, source: "slope of the book" },
    ]),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      for (let index = 0; index < levels.length; index++) {
        const bid = (BPS * (mid - priceOf(book.bids, levels[index] as number))) / mid;
        const ask = (BPS * (priceOf(book.asks, levels[index] as number) - mid)) / mid;
        out[offset + 3 * index] = bid;
        out[offset + 3 * index + 1] = ask;
        out[offset + 3 * index + 2] = ask - bid;
      }
    },
    reset() {},
  };
}

/** @param level 1 is the best. */
function priceOf(ladder: Ladder, level: number): number {
  return ladder.ticksAt(Math.min(level, ladder.levelCount) - 1);
}
