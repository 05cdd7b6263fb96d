/** Flows of the best levels, weighted by the fit (fitted/integrated-flow.ts), over windows. */

import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import type { Feature } from "../contract.ts";
import { type IntegratedFlow, integratedFlow } from "../fitted/integrated-flow.ts";
import { DEPTH_SCALE_SECONDS, DepthScale } from "./depth-scale.ts";
import { LevelFlows } from "./level-flows.ts";
import { warmupOf } from "./warm-up.ts";

export function createIntegratedFlow(weights: IntegratedFlow, windowsSeconds: readonly number[]): Feature {
  const flows = new LevelFlows();
  const scale = new DepthScale();
  const seconds = new RingBuffer(Math.max(...windowsSeconds));
  return {
    columns: windowsSeconds.map((window) => ({
      name: `ofi_integrated_${window}s`,
      unit: "signedLog of a ratio",
      formula: `signedLog(sum of e_n at the best 10 levels, weighted by the fit, over ${window} s / depth scale)`,
      source: "Cont, Cucuringu, Zhang 2023, integrated order-flow imbalance",
    })),
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...windowsSeconds]),
    onBook: ({ book }) => flows.onBook(book),
    onTrade() {},
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      seconds.push(integratedFlow(weights, flows.lots));
      flows.turn();
      for (const [index, window] of windowsSeconds.entries()) out[offset + index] = signedLog(seconds.sumOfLast(window) / usual);
    },
    reset() {
      scale.clear();
      seconds.clear();
      flows.clear();
    },
  };
}
