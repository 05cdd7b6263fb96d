/** How far the fitted micro-price lies from the mid (fitted/micro-price.ts). */

import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";
import type { FeatureFit } from "../fitted/fit-features.ts";
import { microPriceAdjustment } from "../fitted/micro-price.ts";

export function createMicroPriceDeviation({ microPrice, unitTicks }: Pick<FeatureFit, "microPrice" | "unitTicks">): Feature {
  return {
    columns: [
      {
        name: "micro_price_deviation_bps",
        unit: "bps",
        formula: "10^4·(microPrice - mid) / mid, by the fit",
        source: "Stoikov 2018, micro-price",
      },
    ],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const [bid, ask] = [book.bids.ticksAt(0), book.asks.ticksAt(0)];
      const [bidLots, askLots] = [book.bids.lotsAt(0), book.asks.lotsAt(0)];
      const units = microPriceAdjustment(microPrice, bidLots / (bidLots + askLots), (ask - bid) / unitTicks);
      out[offset] = (BPS * units * unitTicks) / ((ask + bid) / 2);
    },
    reset() {},
  };
}
