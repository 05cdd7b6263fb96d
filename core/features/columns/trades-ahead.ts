/**
 * Trades that the book doesn't show yet: those received since its last change, within the second. Venues send their books in batches and their trades at once, so these tell where the
 * book is about to go; what they foretell is over within a second or two.
 */

import { BPS } from "../../math/bps.ts";
import { logOnePlus } from "../../math/elementary.ts";
import { signedLog } from "../../math/signed-log.ts";
import { takerSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

const CAP_BPS = 20;

export function createTradesAhead(): Feature {
  const scale = new DepthScale();
  let trades = 0;
  let lots = 0;
  let lastTicks = 0;
  const forget = (): void => {
    trades = 0;
    lots = 0;
  };
  return {
    columns: [
      {
        name: "trades_ahead",
        unit: "ln of 1 + trades",
        formula: "ln(1 + trades since the book's last change in this second)",
        source: "trades come before the book's batch",
      },
      {
        name: "signed_volume_ahead",
        unit: "signedLog of a ratio",
        formula: "signedLog(lots bought less lots sold by takers since the book's last change in this second / depth scale)",
        source: "trades come before the book's batch",
      },
      {
        name: "trade_deviation_ahead",
        unit: "bps",
        formula: `10^4·(price of the last of them - mid) / mid, within ±${CAP_BPS}; 0 when there is none`,
        source: "trades come before the book's batch",
      },
    ],
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook: forget,
    onTrade(trade) {
      trades++;
      lots += takerSign(trade.takerSide) * trade.sizeLots;
      lastTicks = trade.priceTicks;
    },
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const deviation = trades === 0 ? 0 : (BPS * (lastTicks - mid)) / mid;
      out[offset] = logOnePlus(trades);
      out[offset + 1] = signedLog(lots / scale.measure(book));
      out[offset + 2] = Math.min(CAP_BPS, Math.max(-CAP_BPS, deviation));
      forget();
    },
    reset() {
      scale.clear();
      forget();
    },
  };
}
