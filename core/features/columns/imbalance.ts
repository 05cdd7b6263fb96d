/** Which side of the book is heavier, by its best levels: +1 all bids, -1 all asks. */

import type { Feature } from "../contract.ts";

export function createImbalance(counts: readonly number[]): Feature {
  return {
    columns: counts.map((levels) => ({
      name: `imbalance_${levels}`,
      unit: "-1 to 1",
      formula: `(bid - ask) / (bid + ask), lots of the best ${levels} level${levels === 1 ? "" : "s"}`,
      source: "Gould and Bonart 2016, queue imbalance",
    })),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      for (let index = 0; index < counts.length; index++) {
        const levels = counts[index] as number;
        const bid = book.bids.depthLots(levels);
        const ask = book.asks.depthLots(levels);
        out[offset + index] = (bid - ask) / (bid + ask);
      }
    },
    reset() {},
  };
}
