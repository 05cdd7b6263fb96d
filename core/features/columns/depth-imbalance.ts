/** Which side is heavier near the mid: (bid - ask) / (bid + ask) of what rests within so many bps. Zero when nothing lies that near. */

import type { Feature } from "../contract.ts";

export function createDepthImbalance(reachesBps: readonly number[]): Feature {
  return {
    columns: reachesBps.map((reach) => ({
      name: `depth_imbalance_${reach}bps`,
      unit: "-1 to 1",
      formula: `(bid - ask) / (bid + ask), lots within ${reach} bps of the mid`,
      source: "Gould and Bonart 2016, queue imbalance, by distance",
    })),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      for (let index = 0; index < reachesBps.length; index++) {
        const bid = book.depthWithinLots("bid", reachesBps[index] as number) ?? 0;
        const ask = book.depthWithinLots("ask", reachesBps[index] as number) ?? 0;
        out[offset + index] = bid + ask === 0 ? 0 : (bid - ask) / (bid + ask);
      }
    },
    reset() {},
  };
}
