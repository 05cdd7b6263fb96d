/**
 * How fast the mid moves, and how much faster than a second before: first and second differences of its last three grid times. Taken of whole half ticks, so
 * that nothing cancels. Before there are three they reach back to the reset's first row.
 */

import { BPS } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

const REACH_SECONDS = 2;

export function createMidMotion(): Feature {
  /** Twice the mid of each grid time: a whole number of ticks. */
  const mids = new RingBuffer(REACH_SECONDS + 1);
  return {
    columns: [
      {
        name: "mid_velocity",
        unit: "bps a second",
        formula: "10^4·(mid(T) - mid(T - 1 s)) / mid(T)",
        source: "first difference of the mid, as in sibster146/Machine_Learning_Market_Maker",
      },
      {
        name: "mid_acceleration",
        unit: "bps a second, each second",
        formula: "10^4·(mid(T) - 2·mid(T - 1 s) + mid(T - 2 s)) / mid(T)",
        source: "second difference of the mid, as in sibster146/Machine_Learning_Market_Maker",
      },
    ],
    warmupMs: warmupOf([REACH_SECONDS]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      mids.push(now);
      out[offset] = (BPS * (now - mids.ago(1))) / now;
      out[offset + 1] = (BPS * (now - 2 * mids.ago(1) + mids.ago(2))) / now;
    },
    reset() {
      mids.clear();
    },
  };
}
