/** Which feed carries which market: the FEEDS variable, which the feed script reads by the same rules (feed/configuration.ts). */

import { marketId } from "../core/market/instrument.ts";
import { type FeedConfiguration, parseFeeds } from "../feed/configuration.ts";

/** @throws Error that says what is wrong with the variable: half a configuration would record half the markets in silence. */
export function configuredFeeds(text: string): readonly FeedConfiguration[] {
  const feeds = parseFeeds(text);
  if ("malformed" in feeds) throw new Error(feeds.malformed);
  return feeds;
}

export function marketsOfFeed({ venue, symbols }: FeedConfiguration): string[] {
  return symbols.map((symbol) => marketId(venue, symbol));
}
