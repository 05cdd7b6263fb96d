/**
 * How much rests near the mid: within so many basis points of it, on one side. Zero when nothing lies that near.
 *
 * Loops over the levels in reach, once a second. Where the venue's snapshot did not reach so far, it counts the levels that are known.
 */

import { logOnePlus } from "../../math/elementary.ts";
import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

export function createDepth(side: Side, reachesBps: readonly number[]): Feature {
  const scale = new DepthScale();
  return {
    columns: reachesBps.map((reach) => ({
      name: `depth_${side}_${reach}bps`,
      unit: "ln of 1 + a ratio",
      formula: `ln(1 + ${side} lots within ${reach} bps of the mid / depth scale)`,
      source: "depth near the mid, made free of the lot size",
    })),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      for (let index = 0; index < reachesBps.length; index++) {
        const lots = book.depthWithinLots(side, reachesBps[index] as number) ?? 0;
        out[offset + index] = logOnePlus(lots / usual);
      }
    },
    reset() {
      scale.clear();
    },
  };
}
