/** How far the mid moved over the last 1, 5, 10 and 30 seconds. Before a window is full it reaches back to the reset's first row. */

import { logReturnBps } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { LONGEST_WINDOW_SECONDS, WARMUP_MS } from "./windows.ts";

const WINDOWS_SECONDS: readonly number[] = [1, 5, 10, LONGEST_WINDOW_SECONDS];

export function createMidReturns(): Feature {
  /** Twice the mid of each grid time: a whole number of ticks. */
  const mids = new RingBuffer(LONGEST_WINDOW_SECONDS + 1);
  return {
    columns: WINDOWS_SECONDS.map((window) => ({
      name: `mid_return_${window}s`,
      unit: "bps",
      formula: `10^4·ln(mid(T) / mid(T - ${window} s))`,
      source: "log return of the mid",
    })),
    warmupMs: WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      mids.push(now);
      for (let index = 0; index < WINDOWS_SECONDS.length; index++) {
        out[offset + index] = logReturnBps(mids.ago(WINDOWS_SECONDS[index] as number), now);
      }
    },
    reset() {
      mids.clear();
    },
  };
}
