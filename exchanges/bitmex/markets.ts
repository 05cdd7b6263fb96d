/** The markets that a decoder knows, by the venue's name. */

import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";

export interface BitmexMarket {
  readonly symbol: string;
  /** Its place among the decoder's markets. */
  readonly place: number;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export function marketsBySymbol(instruments: readonly Instrument[]): ReadonlyMap<string, BitmexMarket> {
  const markets = new Map<string, BitmexMarket>();
  for (const { symbol, tick, lot } of instruments) {
    if (!markets.has(symbol)) markets.set(symbol, { symbol, place: markets.size, tick, lot });
  }
  return markets;
}
