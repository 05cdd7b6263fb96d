/** The markets that a scanner knows, found by the name that stands in a frame without cutting it out. */

import { hashOfName, MAX_WORD_DIGITS, type TextScanner } from "../decoding/text-scanner.ts";
import type { CoinbaseMarket } from "./messages.ts";

export class ScannedMarkets<Market extends CoinbaseMarket> {
  /** By hash of the symbol; of two that collide one is left to the parser. */
  private readonly markets = new Map<number, { readonly market: Market; readonly name: string }>();

  constructor(markets: Iterable<Market>) {
    for (const market of markets) {
      if (market.tick.decimals > MAX_WORD_DIGITS || market.lot.decimals > MAX_WORD_DIGITS) continue;
      const hash = hashOfName(market.symbol);
      if (hash >= 0) this.markets.set(hash, { market, name: `${market.symbol}"` });
    }
  }

  /** Reads a symbol and its closing quote. @returns null when it is none of these markets'. */
  read(scanner: TextScanner): Market | null {
    const found = this.markets.get(scanner.nameHash());
    return found?.market !== undefined && scanner.literal(found.name) ? found.market : null;
  }
}
