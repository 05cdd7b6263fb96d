/**
 * How far the last few mids lie from their own mean: the sample standard deviation of levels, not of moves, so a steady drift counts too (realised-volatility.ts is of moves).
 * Of those there are until there are so many; 0 of one.
 */

import { BPS } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

/** @param counts of the last mids that are taken, the present one among them; 2 or more. */
export function createMidDeviations(counts: readonly number[]): Feature {
  const most = Math.max(...counts);
  /** Twice the mid of each grid time: a whole number of ticks. */
  const mids = new RingBuffer(most);
  return {
    columns: counts.map((count) => ({
      name: `mid_deviation_${count}`,
      unit: "bps",
      formula: `10^4·s / mid(T), s the sample standard deviation of mid(T) … mid(T - ${count - 1} s)`,
      source: "volatility of the mid's levels, as in sibster146/Machine_Learning_Market_Maker",
    })),
    warmupMs: warmupOf([most - 1]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      mids.push(now);
      for (let index = 0; index < counts.length; index++)
        out[offset + index] = (BPS * deviationOfLast(mids, Math.min(counts[index] as number, mids.count))) / now;
    },
    reset() {
      mids.clear();
    },
  };
}

/** Two passes: no difference of two large sums. */
function deviationOfLast(mids: RingBuffer, count: number): number {
  if (count < 2) return 0;
  const mean = mids.sumOfLast(count) / count;
  let squares = 0;
  for (let steps = 0; steps < count; steps++) {
    const off = mids.ago(steps) - mean;
    squares += off * off;
  }
  return Math.sqrt(squares / (count - 1));
}
