/** What takers bought less what they sold, by the aggressor that the venue names. Sums of lots are integers, exact while below 2^53. */

import { takerSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DEPTH_SCALE_SECONDS } from "./depth-scale.ts";
import { FlowWindows } from "./flow-windows.ts";
import { warmupOf } from "./warm-up.ts";

export function createSignedVolume(windowsSeconds: readonly number[]): Feature {
  const windows = new FlowWindows(windowsSeconds);
  return {
    columns: windowsSeconds.map((window) => ({
      name: `signed_volume_${window}s`,
      unit: "signedLog of a ratio",
      formula: `signedLog(lots bought less lots sold by takers over ${window} s / depth scale)`,
      source: "trade imbalance, cf. Cont, Kukanov, Stoikov 2014, section 4",
    })),
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...windowsSeconds]),
    onBook() {},
    onTrade(trade) {
      windows.add(takerSign(trade.takerSide) * trade.sizeLots);
    },
    write({ book }, _time, out, offset) {
      windows.write(book, out, offset);
    },
    reset() {
      windows.clear();
    },
  };
}
