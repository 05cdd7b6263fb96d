/** From a bid level to the ask level of the same number: how wide the book is that far down. Of the deepest level where there are fewer. */

import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";

export function createLevelRange(level: number): Feature {
  return {
    columns: [
      {
        name: `level_range_${level}`,
        unit: "bps",
        formula: `10^4·(price of ask level ${level} - price of bid level ${level}) / mid; of the deepest level where there are fewer`,
        source: "price range of the book, as in sibster146/Machine_Learning_Market_Maker",
      },
    ],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book: { bids, asks } }, _time, out, offset) {
      const mid = (bids.ticksAt(0) + asks.ticksAt(0)) / 2;
      const low = bids.ticksAt(Math.min(level, bids.levelCount) - 1);
      const high = asks.ticksAt(Math.min(level, asks.levelCount) - 1);
      out[offset] = (BPS * (high - low)) / mid;
    },
    reset() {},
  };
}
