/** How much rests at each of a side's best levels, as a multiple of what this market usually holds (see depth-scale.ts). A level that isn't there holds nothing: 0. */

import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

export function createLevelVolumes(side: Side, levels: number): Feature {
  const scale = new DepthScale();
  return {
    columns: Array.from({ length: levels }, (_, depth) => ({
      name: `volume_${side}_${depth + 1}`,
      unit: "ratio",
      formula: `lots at ${side} level ${depth + 1} / depth scale; 0 where there are fewer`,
      source: "volumes by level, as in sibster146/Machine_Learning_Market_Maker, made free of the lot size",
    })),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      const ladder = book.side(side);
      for (let depth = 0; depth < levels; depth++) out[offset + depth] = depth < ladder.levelCount ? ladder.lotsAt(depth) / usual : 0;
    },
    reset() {
      scale.clear();
    },
  };
}
