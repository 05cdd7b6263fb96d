/**
 * The mid's moves, each change of it counted: how far the last one went and how long ago it was, how many there were, and how many more went up than down. Where prices are sticky these
 * say what returns over seconds don't: whether the next move is due, and that many small ones up and down are another market than none.
 */

import { BPS } from "../../math/bps.ts";
import { logOnePlus } from "../../math/elementary.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

/** A longer move says no more than that there was one. */
const CAP_BPS = 3;
const REACH_SECONDS = 30;
const NET_SECONDS = 5;
const COUNTED_SECONDS = [1, NET_SECONDS] as const;

export function createMidMoves(): Feature {
  const ups = new RingBuffer(NET_SECONDS);
  const downs = new RingBuffer(NET_SECONDS);
  let up = 0;
  let down = 0;
  /** Null until both sides were there. */
  let mid: number | null = null;
  let lastTicks = 0;
  /** The number of the row after which the last move came; null when none has. */
  let lastRow: number | null = null;
  let row = 0;
  const source = "count of price changes, cf. Kolm, Turiel, Westray 2023, horizons in price changes";
  return {
    columns: [
      {
        name: "mid_move_last",
        unit: "bps",
        formula: `10^4·(last change of the mid) / mid, within ±${CAP_BPS}; 0 when there was none in ${REACH_SECONDS} s`,
        source,
      },
      {
        name: "mid_move_age",
        unit: "ln of 1 + s",
        formula: `ln(1 + whole seconds since the mid's last change), at most ln(1 + ${REACH_SECONDS})`,
        source,
      },
      ...COUNTED_SECONDS.map((window) => ({
        name: `mid_moves_${window}s`,
        unit: "ln of 1 + changes",
        formula: `ln(1 + changes of the mid in ${window} s)`,
        source,
      })),
      {
        name: `mid_moves_net_${NET_SECONDS}s`,
        unit: "-1 to 1",
        formula: `(changes up - changes down) / changes of the mid in ${NET_SECONDS} s; 0 when there is none`,
        source,
      },
    ],
    warmupMs: warmupOf([REACH_SECONDS]),
    onBook({ book }) {
      if (book.bids.levelCount === 0 || book.asks.levelCount === 0) return;
      const now = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const move = mid === null ? 0 : now - mid;
      mid = now;
      if (move === 0) return;
      if (move > 0) up++;
      else down++;
      lastTicks = move;
      lastRow = row;
    },
    onTrade() {},
    write({ book }, _time, out, offset) {
      const now = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      ups.push(up);
      downs.push(down);
      up = 0;
      down = 0;
      const age = Math.min(REACH_SECONDS, lastRow === null ? REACH_SECONDS : row - lastRow);
      row++;
      out[offset] = age === REACH_SECONDS ? 0 : Math.min(CAP_BPS, Math.max(-CAP_BPS, (BPS * lastTicks) / now));
      out[offset + 1] = logOnePlus(age);
      for (let index = 0; index < COUNTED_SECONDS.length; index++) {
        const window = COUNTED_SECONDS[index] as number;
        out[offset + 2 + index] = logOnePlus(ups.sumOfLast(window) + downs.sumOfLast(window));
      }
      const [rises, falls] = [ups.sumOfLast(NET_SECONDS), downs.sumOfLast(NET_SECONDS)];
      out[offset + 2 + COUNTED_SECONDS.length] = rises + falls === 0 ? 0 : (rises - falls) / (rises + falls);
    },
    reset() {
      ups.clear();
      downs.clear();
      up = 0;
      down = 0;
      mid = null;
      lastRow = null;
      row = 0;
    },
  };
}
