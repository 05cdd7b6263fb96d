/**
 * How much rests at each of a side's best levels, beside what this market usually holds (see depth-scale.ts): the ratio itself, in which a level that isn't there is 0, or its logarithm. A
 * thousandth is added under the logarithm, so that a level that isn't there has a number too: ln .001, below any that is seen.
 */

import { naturalLog } from "../../math/elementary.ts";
import type { Side } from "../../units/side.ts";
import type { Feature, FeatureColumn } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

const FLOOR = 0.001;

export function createLevelVolumes(side: Side, levels: number): Feature {
  return createVolumes(side, levels, {
    read: (ratio) => ratio,
    describe: (level) => ({
      name: `volume_${side}_${level}`,
      unit: "ratio",
      formula: `lots at ${side} level ${level} / depth scale; 0 where there are fewer`,
      source: "volumes by level, as in sibster146/Machine_Learning_Market_Maker, made free of the lot size",
    }),
  });
}

export function createLogLevelVolumes(side: Side, levels: number): Feature {
  return createVolumes(side, levels, {
    read: (ratio) => naturalLog(FLOOR + ratio),
    describe: (level) => ({
      name: `log_volume_${side}_${level}`,
      unit: "ln of a ratio",
      formula: `ln(${FLOOR} + lots at ${side} level ${level} / depth scale), no lots where there are fewer levels`,
      source: "log volumes by level, as in sibster146/Machine_Learning_Market_Maker, made free of the lot size",
    }),
  });
}

interface Reading {
  /** Of lots over the depth scale. */
  read(ratio: number): number;
  /** @param level 1 the best. */
  describe(level: number): FeatureColumn;
}

function createVolumes(side: Side, levels: number, { read, describe }: Reading): Feature {
  const scale = new DepthScale();
  return {
    columns: Array.from({ length: levels }, (_, depth) => describe(depth + 1)),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      const ladder = book.side(side);
      for (let depth = 0; depth < levels; depth++) out[offset + depth] = read(depth < ladder.levelCount ? ladder.lotsAt(depth) / usual : 0);
    },
    reset() {
      scale.clear();
    },
  };
}
