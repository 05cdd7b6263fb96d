/** How much rests at the best price of a side, beside what this market usually holds (see depth-scale.ts). */

import { naturalLog } from "../../math/elementary.ts";
import type { Side } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

export function createLogVolume(side: Side): Feature {
  const scale = new DepthScale();
  return {
    columns: [
      {
        name: `log_volume_${side}`,
        unit: "ln of a ratio",
        formula: `ln(lots at the best ${side} / depth scale)`,
        source: "log of the best queue, made free of the lot size",
      },
    ],
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      out[offset] = naturalLog(book.side(side).lotsAt(0) / scale.measure(book));
    },
    reset() {
      scale.clear();
    },
  };
}
