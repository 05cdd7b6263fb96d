/** How far the mid moved over the last so many seconds. Before a window is full it reaches back to the reset's first row. */

import { logReturnBps } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createMidReturns(windowsSeconds: readonly number[]): Feature {
  /** Twice the mid of each grid time: a whole number of ticks. */
  const mids = new RingBuffer(Math.max(...windowsSeconds) + 1);
  return {
    columns: windowsSeconds.map((window) => ({
      name: `mid_return_${window}s`,
      unit: "bps",
      formula: `10^4·ln(mid(T) / mid(T - ${window} s))`,
      source: "log return of the mid",
    })),
    warmupMs: warmupOf(windowsSeconds),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      mids.push(now);
      for (let index = 0; index < windowsSeconds.length; index++) {
        out[offset + index] = logReturnBps(mids.ago(windowsSeconds[index] as number), now);
      }
    },
    reset() {
      mids.clear();
    },
  };
}
