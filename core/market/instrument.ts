/** What is traded, and the grids its prices and sizes lie on. */

import type { DecimalGrid } from "../units/decimal.ts";

export interface Instrument {
  /** Venue family and product line, e.g. "binance-spot". */
  readonly venue: string;
  /** The venue's own name, e.g. "BTCUSDT". */
  readonly symbol: string;
  /** Price of one tick in quote currency. */
  readonly tick: DecimalGrid;
  /** Size of one lot, in base currency or contracts. */
  readonly lot: DecimalGrid;
  /** What a size is of, for derivatives; absent for spot, where it is the base currency. */
  readonly contract?: Contract;
}

/** `inverse`: worth a fixed amount of the quote currency, settled in the base. `quanto`: settled in a third. */
export interface Contract {
  readonly kind: "linear" | "inverse" | "quanto";
  /** What one contract is worth, as the venue writes it: of `unit`. */
  readonly size: string;
  readonly unit: string;
}

/** A market is a venue and a symbol: "binance-spot:BTCUSDT". This is its name in URLs, keys and rows. */
export type MarketId = string;

export function marketId(venue: string, symbol: string): MarketId {
  return `${venue}:${symbol}`;
}

/** @returns null when the text is not `venue:SYMBOL` in the characters that venues use. */
export function parseMarketId(text: string): { venue: string; symbol: string } | null {
  const match = /^([a-z0-9-]{1,40}):([A-Za-z0-9_.-]{1,40})$/.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { venue: match[1], symbol: match[2] } : null;
}
