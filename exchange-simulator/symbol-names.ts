/** What each venue calls a market unless it is told: BTC-USD is BTCUSD at Binance, BTCUSD_PERP on COIN-M, XBTUSD at BitMEX. */

const QUOTES = ["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "GBP", "BTC", "ETH", "BNB", "TRY"];

/** @param market `BTC-USD` or `BTCUSD`. */
export function symbolAt(venue: string, market: string): string {
  const { base, quote } = partsOf(market);
  switch (venue) {
    case "coinbase-advanced":
    case "coinbase-exchange":
      return `${base}-${quote}`;
    case "binance-coin-m":
      return `${base}${quote === "USDT" || quote === "USDC" ? "USD" : quote}_PERP`;
    case "bitmex":
      return `${base === "BTC" ? "XBT" : base}${quote}`;
    default:
      return `${base}${quote}`;
  }
}

function partsOf(market: string): { base: string; quote: string } {
  const name = market.toUpperCase().replace(/[/_]/g, "-");
  const dash = name.indexOf("-");
  if (dash > 0) return { base: name.slice(0, dash), quote: name.slice(dash + 1).replace(/-/g, "") };
  const quote = QUOTES.find((asset) => name.endsWith(asset) && name.length > asset.length) ?? "USD";
  return { base: name.endsWith(quote) ? name.slice(0, -quote.length) : name, quote };
}
