/**
 * What the fitted statistics are fitted to, computed as any set of columns is: by the one pipeline, on the one clock. In no list of sets: nothing is trained on it.
 *
 * | columns | |
 * |---|---|
 * | bid_share | bid lots / (bid lots + ask lots) at the best prices |
 * | flow_1 … flow_10 | lots of buy pressure at each level since the second before, over the depth scale |
 */

import { DepthScale } from "../columns/depth-scale.ts";
import { FLOW_LEVELS, LevelFlows } from "../columns/level-flows.ts";
import { DEPTH_SCALE_WARMUP_MS } from "../columns/warm-up.ts";
import type { Feature } from "../contract.ts";
import { defineFeatureSet } from "../define.ts";

export const fitInputs = defineFeatureSet("fit-inputs", 1, () => [createFitInputs()]);

function createFitInputs(): Feature {
  const flows = new LevelFlows();
  const scale = new DepthScale();
  const levels = Array.from({ length: FLOW_LEVELS }, (_, index) => index + 1);
  return {
    columns: [
      { name: "bid_share", unit: "0 to 1", formula: "bid / (bid + ask), lots of the best level", source: "Stoikov 2018" },
      ...levels.map((level) => ({
        name: `flow_${level}`,
        unit: "a ratio",
        formula: `sum of e_n at level ${level} over 1 s / depth scale`,
        source: "Xu, Gould, Howison 2018",
      })),
    ],
    warmupMs: DEPTH_SCALE_WARMUP_MS,
    onBook: ({ book }) => flows.onBook(book),
    onTrade() {},
    write({ book }, _time, out, offset) {
      const [bid, ask] = [book.bids.lotsAt(0), book.asks.lotsAt(0)];
      const usual = scale.measure(book);
      out[offset] = bid / (bid + ask);
      for (const level of levels) out[offset + level] = (flows.lots[level - 1] as number) / usual;
      flows.turn();
    },
    reset() {
      scale.clear();
      flows.clear();
    },
  };
}
