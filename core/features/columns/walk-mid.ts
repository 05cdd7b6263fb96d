/**
 * What taking a size from each side would cost, as a multiple of the market's usual depth: the middle of both average prices, as a distance from the mid, and how far
 * they lie apart. A side that is too thin is taken whole. O(levels taken) a row.
 */

import { BPS } from "../../math/bps.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

/** @param multiples of the depth scale that are taken. */
export function createWalkMid(multiples: readonly number[]): Feature {
  const scale = new DepthScale();
  return {
    columns: multiples.flatMap((multiple) => [
      {
        name: `walk_mid_${name(multiple)}`,
        unit: "bps",
        formula: `10^4·((sell + buy) / 2 - mid) / mid, average prices of taking ${multiple}·depth scale from each side`,
        source: "cost of immediacy on both sides, cf. Cartea, Jaimungal, Penalva 2015, section 6",
      },
      {
        name: `walk_spread_${name(multiple)}`,
        unit: "bps",
        formula: `10^4·(buy - sell) / mid, as above`,
        source: "cost of immediacy on both sides, cf. Cartea, Jaimungal, Penalva 2015, section 6",
      },
    ]),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      for (let index = 0; index < multiples.length; index++) {
        const lots = usual * (multiples[index] as number);
        const sell = book.walk("bid", lots)?.averageTicks ?? mid;
        const buy = book.walk("ask", lots)?.averageTicks ?? mid;
        out[offset + 2 * index] = (BPS * (sell - mid + (buy - mid))) / (2 * mid);
        out[offset + 2 * index + 1] = (BPS * (buy - sell)) / mid;
      }
    },
    reset() {
      scale.clear();
    },
  };
}

function name(multiple: number): string {
  return String(multiple).replace(".", "_");
}
