/** How restless the mid was: the root of the sum of its squared one-second log returns over the last so many seconds. */

import { logReturnBps } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createRealisedVolatility(windowSeconds: number): Feature {
  const squares = new RingBuffer(windowSeconds);
  let previous: number | null = null;
  return {
    columns: [
      {
        name: `realised_volatility_${windowSeconds}s`,
        unit: "bps",
        formula: `square root of the sum over ${windowSeconds} s of (10^4·ln(mid(t) / mid(t - 1 s)))^2`,
        source: "Andersen, Bollerslev, Diebold, Labys 2003, realised volatility",
      },
    ],
    warmupMs: warmupOf([windowSeconds]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = book.bids.ticksAt(0) + book.asks.ticksAt(0);
      if (previous !== null) {
        const move = logReturnBps(previous, now);
        squares.push(move * move);
      }
      previous = now;
      out[offset] = Math.sqrt(squares.sumOfLast(windowSeconds));
    },
    reset() {
      squares.clear();
      previous = null;
    },
  };
}
