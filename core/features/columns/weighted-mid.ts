/** How far the size-weighted mid lies from the plain one: towards the ask when bids are heavier. */

import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";

export function createWeightedMidDeviation(): Feature {
  return {
    columns: [
      {
        name: "weighted_mid_deviation_bps",
        unit: "bps",
        formula: "10^4·(weightedMid - mid) / mid, weightedMid = I·ask + (1 - I)·bid, I = bidLots / (bidLots + askLots)",
        source: "size-weighted mid, cf. Stoikov 2018",
      },
    ],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const bid = book.bids.ticksAt(0);
      const ask = book.asks.ticksAt(0);
      const bidLots = book.bids.lotsAt(0);
      const askLots = book.asks.lotsAt(0);
      // weightedMid - mid = (I - 1/2)·(ask - bid): no difference of two large prices.
      const deviationTicks = ((bidLots - askLots) / (bidLots + askLots) / 2) * (ask - bid);
      out[offset] = (BPS * deviationTicks) / ((ask + bid) / 2);
    },
    reset() {},
  };
}
