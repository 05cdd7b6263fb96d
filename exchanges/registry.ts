/** The venues we speak. Adding one: a folder beside this file, and one line here. */

import { binanceCoinM } from "./binance/coin-m.ts";
import { binanceSpot } from "./binance/spot.ts";
import { binanceUsdM } from "./binance/usd-m.ts";
import { bitmex } from "./bitmex/bitmex.ts";
import { coinbaseAdvanced } from "./coinbase/advanced.ts";
import { coinbaseExchange } from "./coinbase/exchange.ts";
import type { ExchangeAdapter } from "./contract.ts";

export const adapters: readonly ExchangeAdapter[] = [binanceSpot, binanceUsdM, binanceCoinM, bitmex, coinbaseAdvanced, coinbaseExchange];

/** @returns null for a venue that we don't speak. */
export function findAdapter(venue: string): ExchangeAdapter | null {
  return adapters.find((adapter) => adapter.venue === venue) ?? null;
}
