/**
 * Multi-level order-flow imbalance (K. Xu, M. Gould, S. Howison, "Multi-level order-flow imbalance in a limit order book", Market Microstructure and Liquidity
 * 4, 2018): e_n of order-flow.ts taken at the m-th best price of each side, and the sum over the best ten.
 *
 * A level that isn't there is a price worse than any other, with nothing at it. O(10) an event.
 */

import type { Ladder } from "../../book/ladder.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import { sideSign } from "../../units/side.ts";
import type { Feature, FeatureColumn } from "../contract.ts";
import { DEPTH_SCALE_SECONDS, DepthScale } from "./depth-scale.ts";
import { warmupOf } from "./warm-up.ts";

/** Levels that the sum runs over. */
const LEVELS = 10;

/** The best levels of one side, and what flowed to each since: a better price has a larger key on both sides. */
class BestLevels {
  private readonly keys = new Float64Array(LEVELS).fill(Number.NEGATIVE_INFINITY);
  private readonly lots = new Float64Array(LEVELS);
  private readonly newTicks = new Float64Array(LEVELS);
  private readonly newLots = new Float64Array(LEVELS);

  /** Moves to where the ladder now stands, adding what flowed to level m, times `sign`, to flows[m]. */
  moveTo(ladder: Ladder, flows: Float64Array, sign: 1 | -1): void {
    const side = sideSign(ladder.side);
    const count = ladder.copyTop(this.newTicks, this.newLots);
    for (let level = 0; level < LEVELS; level++) {
      const key = level < count ? side * (this.newTicks[level] as number) : Number.NEGATIVE_INFINITY;
      const lots = level < count ? (this.newLots[level] as number) : 0;
      const before = this.keys[level] as number;
      const lotsBefore = this.lots[level] as number;
      // Most changes touch one level, and leave the others as they are.
      if (key === before && lots === lotsBefore) continue;
      const flow = (key >= before ? lots : 0) - (key <= before ? lotsBefore : 0);
      flows[level] = (flows[level] as number) + sign * flow;
      this.keys[level] = key;
      this.lots[level] = lots;
    }
  }
}

/** @param levels of which each has columns of its own, 1 the best; the sum over ten comes after them, window by window. */
export function createLevelFlow(levels: readonly number[], windowsSeconds: readonly number[]): Feature {
  const bids = new BestLevels();
  const asks = new BestLevels();
  const flows = new Float64Array(LEVELS);
  const scale = new DepthScale();
  const kept = [...levels, "all" as const];
  const seconds = kept.map(() => new RingBuffer(Math.max(...windowsSeconds)));
  let isPrimed = false;
  const flowOf = (level: number | "all"): number =>
    level === "all" ? flows.reduce((sum, flow) => sum + flow, 0) : (flows[level - 1] as number);
  return {
    columns: windowsSeconds.flatMap((window) => kept.map((level) => describe(level, window))),
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...windowsSeconds]),
    onBook({ book }) {
      bids.moveTo(book.bids, flows, 1);
      asks.moveTo(book.asks, flows, -1);
      if (!isPrimed) flows.fill(0);
      isPrimed = true;
    },
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      for (let index = 0; index < kept.length; index++) (seconds[index] as RingBuffer).push(flowOf(kept[index] as number | "all"));
      flows.fill(0);
      let at = offset;
      for (const window of windowsSeconds) for (const ring of seconds) out[at++] = signedLog(ring.sumOfLast(window) / usual);
    },
    reset() {
      scale.clear();
      for (const ring of seconds) ring.clear();
      flows.fill(0);
      isPrimed = false;
    },
  };
}

function describe(level: number | "all", window: number): FeatureColumn {
  const what = level === "all" ? `e_n at the best ${LEVELS} levels` : `e_n at level ${level}`;
  return {
    name: level === "all" ? `ofi_all_${window}s` : `ofi_level_${level}_${window}s`,
    unit: "signedLog of a ratio",
    formula: `signedLog(sum of ${what} over ${window} s / depth scale)`,
    source: "Xu, Gould, Howison 2018, multi-level order-flow imbalance",
  };
}
