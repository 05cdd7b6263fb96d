/**
 * Where the best levels of both sides lie on average, told as distances from the mid in bps: two readings of the same averages.
 *
 * With B, A the lots of the best K levels and b̄, ā their size-weighted prices:
 *   vwap deviation  (b̄ + ā) / 2 - mid              each side counts alike
 *   vamp deviation  (b̄·A + ā·B) / (A + B) - mid    volume-adjusted mid: the heavier side pushes the price away, as in the size-weighted mid
 *
 * Distances are summed, not prices: no difference of two large numbers. O(K) a row.
 */

import type { Ladder } from "../../book/ladder.ts";
import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";

/** The best levels of one side. */
export interface SideAverage {
  lots: number;
  /** Size-weighted distance from the mid, in ticks: below zero for bids. */
  distanceTicks: number;
}

/** @param ladder not empty. */
export function averageOf(ladder: Ladder, levels: number, mid: number): SideAverage {
  const count = Math.min(levels, ladder.levelCount);
  let lots = 0;
  let weighted = 0;
  for (let depth = 0; depth < count; depth++) {
    const own = ladder.lotsAt(depth);
    lots += own;
    weighted += own * (ladder.ticksAt(depth) - mid);
  }
  return { lots, distanceTicks: weighted / lots };
}

/** The volume-adjusted mid's distance from the mid, in ticks. */
export function vampDistance(bids: SideAverage, asks: SideAverage): number {
  return (bids.distanceTicks * asks.lots + asks.distanceTicks * bids.lots) / (bids.lots + asks.lots);
}

export function createBookAverages(counts: readonly number[]): Feature {
  return {
    columns: counts.flatMap((count) => [
      {
        name: `vwap_deviation_${count}`,
        unit: "bps",
        formula: `10^4·((b̄ + ā) / 2 - mid) / mid, size-weighted prices of the best ${count} levels`,
        source: "mean of both sides' size-weighted prices",
      },
      {
        name: `vamp_deviation_${count}`,
        unit: "bps",
        formula: `10^4·((b̄·A + ā·B) / (A + B) - mid) / mid, B and A the lots of the best ${count} levels`,
        source: "volume-adjusted mid price, hftbacktest's tutorial on market making with alpha",
      },
    ]),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      for (let index = 0; index < counts.length; index++) {
        const bids = averageOf(book.bids, counts[index] as number, mid);
        const asks = averageOf(book.asks, counts[index] as number, mid);
        out[offset + 2 * index] = (BPS * (bids.distanceTicks + asks.distanceTicks)) / (2 * mid);
        out[offset + 2 * index + 1] = (BPS * vampDistance(bids, asks)) / mid;
      }
    },
    reset() {},
  };
}
