/** What crossing the book costs: the distance of the best prices. Zero when locked. */

import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";

export function createSpread(): Feature {
  return {
    columns: [{ name: "spread_bps", unit: "bps", formula: "10^4·(ask - bid) / mid", source: "quoted spread" }],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const bid = book.bids.ticksAt(0);
      const ask = book.asks.ticksAt(0);
      out[offset] = (BPS * (ask - bid)) / ((ask + bid) / 2);
    },
    reset() {},
  };
}
