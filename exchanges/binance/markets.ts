/** The markets that a decoder knows, by the venue's name and by the name that its streams carry. */

import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";

/** Whether the venue's messages follow the spot documents or the futures ones (USD-M, COIN-M: `T`, `ps`, and `pu` chain). */
export type BinanceProduct = "spot" | "futures";

export interface BinanceMarket {
  readonly symbol: string;
  /** The symbol as streams write it: lower case. */
  readonly streamSymbol: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export function marketsBySymbol(instruments: readonly Instrument[]): ReadonlyMap<string, BinanceMarket> {
  return new Map(instruments.map(({ symbol, tick, lot }) => [symbol, { symbol, streamSymbol: symbol.toLowerCase(), tick, lot }] as const));
}
