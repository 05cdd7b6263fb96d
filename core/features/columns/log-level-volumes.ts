/**
 * The logarithm of how much rests at each of a side's best levels, beside what this market usually holds (see depth-scale.ts). A thousandth of that is added,
 * so that a level that isn't there has a number too: ln .001, below any that is seen.
 */

import { naturalLog } from "../../math/elementary.ts";
import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

const FLOOR = 0.001;

export function createLogLevelVolumes(side: Side, levels: number): Feature {
  const scale = new DepthScale();
  return {
    columns: Array.from({ length: levels }, (_, depth) => ({
      name: `log_volume_${side}_${depth + 1}`,
      unit: "ln of a ratio",
      formula: `ln(${FLOOR} + lots at ${side} level ${depth + 1} / depth scale), no lots where there are fewer levels`,
      source: "log volumes by level, as in sibster146/Machine_Learning_Market_Maker, made free of the lot size",
    })),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      const ladder = book.side(side);
      for (let depth = 0; depth < levels; depth++) {
        const lots = depth < ladder.levelCount ? ladder.lotsAt(depth) : 0;
        out[offset + depth] = naturalLog(FLOOR + lots / usual);
      }
    },
    reset() {
      scale.clear();
    },
  };
}
