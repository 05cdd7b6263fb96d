/** How many trades there were: the pace of the market, whatever their size. */

import { logOnePlus } from "../../math/elementary.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

export function createTradeCount(windowsSeconds: readonly number[]): Feature {
  const seconds = new RingBuffer(Math.max(...windowsSeconds));
  let trades = 0;
  return {
    columns: windowsSeconds.map((window) => ({
      name: `trades_${window}s`,
      unit: "ln of 1 + trades",
      formula: `ln(1 + trades over ${window} s)`,
      source: "pace of trading",
    })),
    warmupMs: warmupOf(windowsSeconds),
    onBook() {},
    onTrade() {
      trades++;
    },
    write(_context, _time, out, offset) {
      seconds.push(trades);
      trades = 0;
      for (let index = 0; index < windowsSeconds.length; index++)
        out[offset + index] = logOnePlus(seconds.sumOfLast(windowsSeconds[index] as number));
    },
    reset() {
      seconds.clear();
      trades = 0;
    },
  };
}
