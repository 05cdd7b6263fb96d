/** How far the volume-adjusted mid of the best ten levels (book-averages.ts) moved over the last so many seconds. It moves before the mid does, and by less than a tick. */

import { logReturnBps } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { averageOf, vampDistance } from "./book-averages.ts";
import { warmupOf } from "./warm-up.ts";

const LEVELS = 10;

export function createVampReturns(windowsSeconds: readonly number[]): Feature {
  const prices = new RingBuffer(Math.max(...windowsSeconds) + 1);
  return {
    columns: windowsSeconds.map((window) => ({
      name: `vamp_return_${window}s`,
      unit: "bps",
      formula: `10^4·ln(vamp(T) / vamp(T - ${window} s)), of the best ${LEVELS} levels`,
      source: "volume-adjusted mid price, hftbacktest's tutorial on market making with alpha",
    })),
    warmupMs: warmupOf(windowsSeconds),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const now = mid + vampDistance(averageOf(book.bids, LEVELS, mid), averageOf(book.asks, LEVELS, mid));
      prices.push(now);
      for (let index = 0; index < windowsSeconds.length; index++)
        out[offset + index] = logReturnBps(prices.ago(windowsSeconds[index] as number), now);
    },
    reset() {
      prices.clear();
    },
  };
}
