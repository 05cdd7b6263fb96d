/**
 * Where the mid lies beside its own mean of the seconds before: the half of a smoothed direction, (m+ - m-) / m-, that can be known when it is asked for. The other half, the mean of what comes, is
 * a label (core/labels/averaged.ts). Zero in the first row after a reset.
 */

import { BPS } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createMidDirection(windowSeconds: number): Feature {
  /** Twice the mid of each grid time before this one: whole numbers of ticks, whose sums are exact. */
  const mids = new RingBuffer(windowSeconds);
  return {
    columns: [
      {
        name: `mid_direction_${windowSeconds}s`,
        unit: "bps",
        formula: `10^4·(mid(T) - m) / m, m the mean of mid(T - 1 s) … mid(T - ${windowSeconds} s)`,
        source: "smoothed direction, cf. Ntakaris et al. 2018; its past alone, as in bhulston/Time-Series-Prediction-with-LSTM-and-XGB",
      },
    ],
    warmupMs: warmupOf([windowSeconds]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      const sum = mids.sumOfLast(windowSeconds);
      out[offset] = mids.count === 0 ? 0 : (BPS * (now * mids.count - sum)) / sum;
      mids.push(now);
    },
    reset() {
      mids.clear();
    },
  };
}
