/**
 * How long the book has been unbroken, so that a model can trust the rows just after a gap less. Capped at a minute: all windows are full
 * long before, and a model trained on unbroken data must not meet a number it never saw.
 */

import { MS_PER_SECOND } from "../../units/time.ts";
import type { Feature } from "../contract.ts";

const CAP_SECONDS = 60;

export function createSecondsSinceGap(): Feature {
  let resetTime = 0;
  return {
    columns: [
      {
        name: "seconds_since_gap",
        unit: "s",
        formula: `min(${CAP_SECONDS}, T - time of the last gap, start or rebuilding of the book)`,
        source: "continuity of the feed",
      },
    ],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write(_context, time, out, offset) {
      out[offset] = Math.min(CAP_SECONDS, (time - resetTime) / MS_PER_SECOND);
    },
    reset(time) {
      resetTime = time;
    },
  };
}
