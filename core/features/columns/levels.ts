/**
 * The best ten levels of both sides as they stand, level by level: what the networks of the order-book literature read (Ntakaris et al. 2018,
 * FI-2010; Zhang, Zohren, Roberts 2019, DeepLOB), in their order: ask price, ask size, bid price, bid size.
 *
 * Raw prices drift out of what training has seen, so a price is told as its distance from the mid, p/M - 1 (Tsantekidis et al. 2020, the
 * stationary form), and a size as a multiple of the market's own recent depth under a logarithm, since sizes have heavy tails.
 *
 * A level that isn't there has size 0 and the price of the deepest level that is: "nothing rests beyond here", and no number out of the blue.
 */

import type { Ladder } from "../../book/ladder.ts";
import { BPS } from "../../math/bps.ts";
import { signedLog } from "../../math/signed-log.ts";
import type { Feature, FeatureColumn } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { DEPTH_SCALE_WARMUP_MS } from "./warm-up.ts";

export const LEVEL_COUNT = 10;
const COLUMNS_A_LEVEL = 4;

export function createLevelColumns(): Feature {
  const scale = new DepthScale();
  return {
    columns: Array.from({ length: LEVEL_COUNT }, (_, index) => describeLevel(index + 1)).flat(),
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usualLots = scale.measure(book);
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      writeSide(book.asks, { mid, usualLots }, out, offset);
      writeSide(book.bids, { mid, usualLots }, out, offset + 2);
    },
    reset() {
      scale.clear();
    },
  };
}

/** The book has both sides where a row is written, so there is a deepest level. */
function writeSide(ladder: Ladder, market: { mid: number; usualLots: number }, out: Float64Array, offset: number): void {
  const { mid, usualLots } = market;
  const deepest = Math.min(LEVEL_COUNT, ladder.levelCount) - 1;
  for (let depth = 0; depth < LEVEL_COUNT; depth++) {
    const at = offset + depth * COLUMNS_A_LEVEL;
    out[at] = (BPS * (ladder.ticksAt(Math.min(depth, deepest)) - mid)) / mid;
    out[at + 1] = depth <= deepest ? signedLog(ladder.lotsAt(depth) / usualLots) : 0;
  }
}

function describeLevel(level: number): FeatureColumn[] {
  return (["ask", "bid"] as const).flatMap((side) => [
    {
      name: `${side}_price_${level}`,
      unit: "bps",
      formula: `10^4·(price - mid) / mid of ${side} level ${level}; of the deepest level where there are fewer`,
      source: "Tsantekidis et al. 2020, stationary form",
    },
    {
      name: `${side}_size_${level}`,
      unit: "signedLog of a ratio",
      formula: `signedLog(lots at ${side} level ${level} / depth scale); 0 where there are fewer`,
      source: "FI-2010's columns (Ntakaris et al. 2018), made free of the lot size",
    },
  ]);
}
