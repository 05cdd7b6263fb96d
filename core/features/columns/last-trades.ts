/**
 * Where the last trades were done, as distances from the mid of now: a trade beyond the mid is often there before the book that it moved. The mean price of the last few, and how
 * long ago the last one was received. Trades of the last thirty seconds alone; zero while there was none.
 */

import { BPS } from "../../math/bps.ts";
import { logOnePlus } from "../../math/elementary.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

/** Farther trades are of another market: an old one after a jump, a wrong print. */
const CAP_BPS = 20;
const REACH_SECONDS = 30;

/** @param counts of the last trades that are averaged; 1 is the last one. */
export function createLastTrades(counts: readonly number[]): Feature {
  const prices = new RingBuffer(Math.max(...counts));
  /** The number of the row after which each was received, beside its price. */
  const rows = new RingBuffer(Math.max(...counts));
  let row = 0;
  return {
    columns: [
      ...counts.map((count) => ({
        name: `last_trades_deviation_${count}`,
        unit: "bps",
        formula: `10^4·(mean price of the last ${count} trades of ${REACH_SECONDS} s - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source: "trade price beside the mid",
      })),
      {
        name: "last_trade_age",
        unit: "ln of 1 + s",
        formula: `ln(1 + whole seconds since the last trade was received), at most ln(1 + ${REACH_SECONDS})`,
        source: "trade price beside the mid",
      },
    ],
    warmupMs: warmupOf([REACH_SECONDS]),
    onBook() {},
    onTrade(trade) {
      prices.push(trade.priceTicks);
      rows.push(row);
    },
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      let held = 0;
      while (held < rows.count && row - rows.ago(held) < REACH_SECONDS) held++;
      for (let index = 0; index < counts.length; index++) {
        const count = Math.min(counts[index] as number, held);
        const deviation = count === 0 ? 0 : (BPS * (prices.sumOfLast(count) / count - mid)) / mid;
        out[offset + index] = Math.min(CAP_BPS, Math.max(-CAP_BPS, deviation));
      }
      out[offset + counts.length] = logOnePlus(held === 0 ? REACH_SECONDS : row - rows.ago(0));
      row++;
    },
    reset() {
      prices.clear();
      rows.clear();
      row = 0;
    },
  };
}
