/**
 * Multi-level order-flow imbalance (K. Xu, M. Gould, S. Howison, "Multi-level order-flow imbalance in a limit order book", Market Microstructure and Liquidity
 * 4, 2018): what flows to single levels (level-flows.ts), and the sum over the best ten.
 */

import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import type { Feature, FeatureColumn } from "../contract.ts";
import { DEPTH_SCALE_SECONDS, DepthScale } from "./depth-scale.ts";
import { FLOW_LEVELS, LevelFlows } from "./level-flows.ts";
import { warmupOf } from "./warm-up.ts";

/** @param levels of which each has columns of its own, 1 the best; the sum over ten comes after them, window by window. */
export function createLevelFlow(levels: readonly number[], windowsSeconds: readonly number[]): Feature {
  const flows = new LevelFlows();
  const scale = new DepthScale();
  const kept = [...levels, "all" as const];
  const seconds = kept.map(() => new RingBuffer(Math.max(...windowsSeconds)));
  const flowOf = (level: number | "all"): number =>
    level === "all" ? flows.lots.reduce((sum, flow) => sum + flow, 0) : (flows.lots[level - 1] as number);
  return {
    columns: windowsSeconds.flatMap((window) => kept.map((level) => describe(level, window))),
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...windowsSeconds]),
    onBook: ({ book }) => flows.onBook(book),
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      for (let index = 0; index < kept.length; index++) (seconds[index] as RingBuffer).push(flowOf(kept[index] as number | "all"));
      flows.turn();
      let at = offset;
      for (const window of windowsSeconds) for (const ring of seconds) out[at++] = signedLog(ring.sumOfLast(window) / usual);
    },
    reset() {
      scale.clear();
      for (const ring of seconds) ring.clear();
      flows.clear();
    },
  };
}

function describe(level: number | "all", window: number): FeatureColumn {
  const what = level === "all" ? `e_n at the best ${FLOW_LEVELS} levels` : `e_n at level ${level}`;
  return {
    name: level === "all" ? `ofi_all_${window}s` : `ofi_level_${level}_${window}s`,
    unit: "signedLog of a ratio",
    formula: `signedLog(sum of ${what} over ${window} s / depth scale)`,
    source: "Xu, Gould, Howison 2018, multi-level order-flow imbalance",
  };
}
