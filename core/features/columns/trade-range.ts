/** How high and how low trades went in the last seconds, as distances from the mid of now: a price that was paid beyond the mid is often where the book goes next. */

import { BPS } from "../../math/bps.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

/** Farther trades are of another market: an old one after a jump, a wrong print. */
const CAP_BPS = 20;

export function createTradeRange(windowsSeconds: readonly number[]): Feature {
  const longest = Math.max(...windowsSeconds);
  /** Of each second; infinite of one without a trade. */
  const highs = new RingBuffer(longest);
  const lows = new RingBuffer(longest);
  let high = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  const source = "range of trade prices";
  return {
    columns: windowsSeconds.flatMap((window) => [
      {
        name: `trade_high_${window}s`,
        unit: "bps",
        formula: `10^4·(highest trade price of ${window} s - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source,
      },
      {
        name: `trade_low_${window}s`,
        unit: "bps",
        formula: `10^4·(lowest trade price of ${window} s - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source,
      },
    ]),
    warmupMs: warmupOf(windowsSeconds),
    onBook() {},
    onTrade({ priceTicks }) {
      high = Math.max(high, priceTicks);
      low = Math.min(low, priceTicks);
    },
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const within = (ticks: number): number =>
        Number.isFinite(ticks) ? Math.min(CAP_BPS, Math.max(-CAP_BPS, (BPS * (ticks - mid)) / mid)) : 0;
      highs.push(high);
      lows.push(low);
      high = Number.NEGATIVE_INFINITY;
      low = Number.POSITIVE_INFINITY;
      for (let index = 0; index < windowsSeconds.length; index++) {
        const seconds = Math.min(windowsSeconds[index] as number, highs.count);
        let [top, bottom] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        for (let age = 0; age < seconds; age++) {
          top = Math.max(top, highs.ago(age));
          bottom = Math.min(bottom, lows.ago(age));
        }
        out[offset + 2 * index] = within(top);
        out[offset + 2 * index + 1] = within(bottom);
      }
    },
    reset() {
      highs.clear();
      lows.clear();
      high = Number.NEGATIVE_INFINITY;
      low = Number.POSITIVE_INFINITY;
    },
  };
}
