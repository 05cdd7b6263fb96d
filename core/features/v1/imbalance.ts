/** Which side of the book is heavier, by its best 1, 5 and 10 levels: +1 all bids, -1 all asks. */

import type { Feature } from "../contract.ts";

const LEVELS: readonly number[] = [1, 5, 10];

export function createImbalance(): Feature {
  return {
    columns: LEVELS.map((levels) => ({
      name: `imbalance_${levels}`,
      unit: "-1 to 1",
      formula: `(bid - ask) / (bid + ask), lots of the best ${levels} level${levels === 1 ? "" : "s"}`,
      source: "Gould and Bonart 2016, queue imbalance",
    })),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      for (let index = 0; index < LEVELS.length; index++) {
        const levels = LEVELS[index] as number;
        const bid = book.bids.depthLots(levels);
        const ask = book.asks.depthLots(levels);
        out[offset + index] = (bid - ask) / (bid + ask);
      }
    },
    reset() {},
  };
}
