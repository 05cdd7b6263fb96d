/** What takers bought less what they sold, by the aggressor that the venue names. Sums of lots are integers, exact while below 2^53. */

import { takerSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { FlowWindows } from "./flow-windows.ts";
import { FLOW_WINDOWS_SECONDS, WARMUP_MS } from "./windows.ts";

export function createSignedVolume(): Feature {
  const windows = new FlowWindows();
  return {
    columns: FLOW_WINDOWS_SECONDS.map((window) => ({
      name: `signed_volume_${window}s`,
      unit: "signedLog of a ratio",
      formula: `signedLog(lots bought less lots sold by takers over ${window} s / depth scale)`,
      source: "trade imbalance, cf. Cont, Kukanov, Stoikov 2014, section 4",
    })),
    warmupMs: WARMUP_MS,
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
