/** How far from the mid a side's best levels lie on average, by size: the size-weighted price ("VWAP") of a side of the book, told as a distance. Above 0 for both sides. */

import { BPS } from "../../math/bps.ts";
import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { averageOf } from "./book-averages.ts";

export function createSideAverage(side: Side, levels: number): Feature {
  const sign = side === "bid" ? -1 : 1;
  return {
    columns: [
      {
        name: `average_distance_${side}_${levels}`,
        unit: "bps",
        formula: `10^4·(${side === "bid" ? "mid - p" : "p - mid"}) / mid, p the size-weighted price of the best ${levels} ${side} levels`,
        source: "VWAP of a side of the book, as in sibster146/Machine_Learning_Market_Maker, beside the mid",
      },
    ],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      out[offset] = (sign * BPS * averageOf(book.side(side), levels, mid).distanceTicks) / mid;
    },
    reset() {},
  };
}
