/**
 * For how long the book has stood still, in whole seconds of the grid: 0 when something of it changed in the last one. A feature isn't told when within a second a change
 * came, and a book that changes each second has nothing finer to tell. Capped, so that a long silence is no number that training never saw.
 */

import type { Feature } from "../contract.ts";
import { warmupOf } from "./warm-up.ts";

const CAP_SECONDS = 30;

export function createSecondsSinceChange(): Feature {
  let hasChanged = false;
  let still = 0;
  return {
    columns: [
      {
        name: "seconds_since_change",
        unit: "s",
        formula: `min(${CAP_SECONDS}, whole seconds up to T in which nothing of the book changed)`,
        source: "time since the last update, as in sibster146/Machine_Learning_Market_Maker",
      },
    ],
    warmupMs: warmupOf([CAP_SECONDS]),
    onBook() {
      hasChanged = true;
    },
    onTrade() {},
    write(_context, _time, out, offset) {
      still = hasChanged ? 0 : Math.min(CAP_SECONDS, still + 1);
      hasChanged = false;
      out[offset] = still;
    },
    reset() {
      hasChanged = false;
      still = 0;
    },
  };
}
