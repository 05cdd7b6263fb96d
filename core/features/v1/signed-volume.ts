/** What takers bought less what they sold, by the aggressor that the venue names. Sums of lots are integers, exact while below 2^53. */

import { RingBuffer } from "../../math/ring-buffer.ts";
import { signedLog } from "../../math/signed-log.ts";
import { takerSign } from "../../units/side.ts";
import type { Feature } from "../contract.ts";
import { DepthScale } from "./depth-scale.ts";
import { FLOW_WINDOWS_SECONDS, LONGEST_FLOW_WINDOW_SECONDS, WARMUP_MS } from "./windows.ts";

export function createSignedVolume(): Feature {
  const scale = new DepthScale();
  const seconds = new RingBuffer(LONGEST_FLOW_WINDOW_SECONDS);
  let lotsThisSecond = 0;
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
      lotsThisSecond += takerSign(trade.takerSide) * trade.sizeLots;
    },
    write({ book }, _time, out, offset) {
      const usual = scale.measure(book);
      seconds.push(lotsThisSecond);
      lotsThisSecond = 0;
      for (let index = 0; index < FLOW_WINDOWS_SECONDS.length; index++) {
        out[offset + index] = signedLog(seconds.sumOfLast(FLOW_WINDOWS_SECONDS[index] as number) / usual);
      }
    },
    reset() {
      scale.clear();
      seconds.clear();
      lotsThisSecond = 0;
    },
  };
}
