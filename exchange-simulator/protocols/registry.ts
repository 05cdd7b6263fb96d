/** The protocols that the simulator speaks. Adding one: a folder beside this file, and one line here. */

import type { Protocol } from "../venue.ts";
import { binanceCoinM, binanceSpot, binanceUsdM } from "./binance/venue.ts";
import { bitmex } from "./bitmex/venue.ts";
import { coinbaseAdvanced } from "./coinbase/advanced.ts";
import { coinbaseExchange } from "./coinbase/exchange.ts";

export const protocols: readonly Protocol[] = [binanceSpot, binanceUsdM, binanceCoinM, coinbaseAdvanced, coinbaseExchange, bitmex];

/** @returns null for a venue that isn't spoken. */
export function findProtocol(venue: string): Protocol | null {
  return protocols.find((protocol) => protocol.venue === venue) ?? null;
}
