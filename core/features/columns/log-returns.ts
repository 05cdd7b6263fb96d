/** How far the best bid and the best ask moved in the last second, each by its own price. Zero in the first row after a reset. */

import { logReturnBps } from "../../math/bps.ts";
import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createLogReturn(side: Side): Feature {
  let previousTicks: number | null = null;
  return {
    columns: [
      {
        name: `log_return_${side}`,
        unit: "bps",
        formula: `10^4·ln(${side}(T) / ${side}(T - 1 s)), best prices`,
        source: "log return of a quote, per side",
      },
    ],
    warmupMs: warmupOf([1]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const ticks = book.side(side).ticksAt(0);
      out[offset] = previousTicks === null ? 0 : logReturnBps(previousTicks, ticks);
      previousTicks = ticks;
    },
    reset() {
      previousTicks = null;
    },
  };
}
