/**
 * Trades that the book doesn't show yet: those of the last seconds that the venue dates later than the book's last change. Venues send their books in batches and their trades at
 * once, and the two come by ways of their own, so a trade may be received before a book of an earlier moment; what these foretell is over within a second or two.
 */

import { BPS } from "../../math/bps.ts";
import { logOnePlus } from "../../math/elementary.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import { takerSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

const CAP_BPS = 20;
/** A book that is silent for longer is stale, whatever is traded. */
const REACH_SECONDS = 5;
/** A venue's busiest second has some hundreds; of more in the reach, the last ones are looked at. */
const MOST_TRADES = 1_024;

export function createTradesNewer(): Feature {
  const scale = new DepthScale();
  const times = new RingBuffer(MOST_TRADES);
  const prices = new RingBuffer(MOST_TRADES);
  /** Positive where the taker bought. */
  const signedLots = new RingBuffer(MOST_TRADES);
  /** The number of the row after which each was received. */
  const rows = new RingBuffer(MOST_TRADES);
  let row = 0;
  const source = "trades come before the book's batch";
  const which = `of the last ${REACH_SECONDS} s that are dated after the book's last change`;
  return {
    columns: [
      { name: "trades_newer", unit: "ln of 1 + trades", formula: `ln(1 + trades ${which})`, source },
      {
        name: "signed_volume_newer",
        unit: "signedLog of a ratio",
        formula: `signedLog(lots bought less lots sold by takers in trades ${which} / depth scale)`,
        source,
      },
      {
        name: "trade_deviation_newer",
        unit: "bps",
        formula: `10^4·(price of the last of these trades - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source,
      },
      {
        name: "trade_vwap_deviation_newer",
        unit: "bps",
        formula: `10^4·(size-weighted price of these trades - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source,
      },
    ],
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade(trade) {
      times.push(trade.venueTime);
      prices.push(trade.priceTicks);
      signedLots.push(takerSign(trade.takerSide) * trade.sizeLots);
      rows.push(row);
    },
    write({ book, bookTime }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const within = (distance: number): number => Math.min(CAP_BPS, Math.max(-CAP_BPS, (BPS * distance) / mid));
      let trades = 0;
      let signed = 0;
      let lots = 0;
      let weighted = 0;
      let last = 0;
      for (let age = 0; age < rows.count && row - rows.ago(age) < REACH_SECONDS; age++) {
        if (times.ago(age) <= bookTime) continue;
        const distance = prices.ago(age) - mid;
        if (trades === 0) last = distance;
        const size = Math.abs(signedLots.ago(age));
        trades++;
        signed += signedLots.ago(age);
        lots += size;
        weighted += size * distance;
      }
      out[offset] = logOnePlus(trades);
      out[offset + 1] = signedLog(signed / scale.measure(book));
      out[offset + 2] = within(last);
      out[offset + 3] = lots === 0 ? 0 : within(weighted / lots);
      row++;
    },
    reset() {
      scale.clear();
      for (const ring of [times, prices, signedLots, rows]) ring.clear();
      row = 0;
    },
  };
}
