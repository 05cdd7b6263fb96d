/**
 * Whether the mid rose or fell more over the last so many seconds: the relative strength index with plain means, about 0 instead of 50. +1: it only rose, -1: it only fell, 0: both alike, or it stood still.
 * The usual 0 to 100 is 50·(1 + this); Wilder's own smooths by a mean that never forgets, which no row could be given anew.
 */

import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createRelativeStrength(seconds: number): Feature {
  /** Of each second the move of twice the mid, in ticks: whole numbers, whose sums are exact. */
  const rises = new RingBuffer(seconds);
  const falls = new RingBuffer(seconds);
  let previous: number | null = null;
  return {
    columns: [
      {
        name: `relative_strength_${seconds}s`,
        unit: "-1 to 1",
        formula: `(U - D) / (U + D), U and D the sums of the mid's rises and falls from second to second over ${seconds} s; 0 where it stood still`,
        source: "Wilder 1978, relative strength index (RSI / 50 - 1), with plain means",
      },
    ],
    warmupMs: warmupOf([seconds]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      if (previous !== null) {
        rises.push(Math.max(0, now - previous));
        falls.push(Math.max(0, previous - now));
      }
      previous = now;
      const [up, down] = [rises.sumOfLast(seconds), falls.sumOfLast(seconds)];
      out[offset] = up + down === 0 ? 0 : (up - down) / (up + down);
    },
    reset() {
      rises.clear();
      falls.clear();
      previous = null;
    },
  };
}
