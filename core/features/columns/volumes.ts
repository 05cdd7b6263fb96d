/**
 * What rests on the best ten levels of both sides, in lots, and no price: the input of the volumes-only network (sturex/pyOrderbookTrading),
 * in its order, bids from the worst to the best, then asks from the best to the worst, so that neighbours in the row are neighbours in the book.
 *
 * Under a logarithm, since raw volumes saturate that network's sigmoids. In this market's own lots: such a model belongs to one instrument.
 * A level that isn't there holds nothing: 0.
 */

import { logOnePlus } from "../../math/elementary.ts";
import type { Side } from "../../units/side.ts";
import type { Feature, FeatureColumn } from "../contract.ts";

export const LEVEL_COUNT = 10;

export function createVolumeColumns(): Feature {
  return {
    columns: placesOfRow().map(describe),
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      for (let depth = 0; depth < LEVEL_COUNT; depth++) {
        out[offset + LEVEL_COUNT - 1 - depth] = depth < book.bids.levelCount ? logOnePlus(book.bids.lotsAt(depth)) : 0;
        out[offset + LEVEL_COUNT + depth] = depth < book.asks.levelCount ? logOnePlus(book.asks.lotsAt(depth)) : 0;
      }
    },
    reset() {},
  };
}

function placesOfRow(): { side: Side; level: number }[] {
  const levels = Array.from({ length: LEVEL_COUNT }, (_, index) => index + 1);
  return [
    ...levels.map((level) => ({ side: "bid", level }) as const).reverse(),
    ...levels.map((level) => ({ side: "ask", level }) as const),
  ];
}

function describe({ side, level }: { side: Side; level: number }): FeatureColumn {
  return {
    name: `${side}_volume_${level}`,
    unit: "ln of 1 + lots",
    formula: `ln(1 + lots at ${side} level ${level}); 0 where there are fewer`,
    source: "volumes by level, as in sturex/pyOrderbookTrading",
  };
}
