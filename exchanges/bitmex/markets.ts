/** The markets that a decoder knows, by the venue's name. */

import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";

export interface BitmexMarket {
  readonly symbol: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export function marketsBySymbol(instruments: readonly Instrument[]): ReadonlyMap<string, BitmexMarket> {
  return new Map(instruments.map(({ symbol, tick, lot }) => [symbol, { symbol, tick, lot }] as const));
}
