/** Which feed carries which market: the FEEDS variable, which the feed script reads by the same rules (feed/configuration.ts). */

import { marketId } from "../core/market/instrument.ts";
import { type FeedConfiguration, parseFeeds } from "../feed/configuration.ts";

/** The variable is one for an isolate's life: read again at each request, a long one would cost more than what is asked. */
let last: { readonly text: string; readonly feeds: readonly FeedConfiguration[] } | null = null;

/** @throws Error that says what is wrong with the variable: half a configuration would record half the markets in silence. */
export function configuredFeeds(text: string): readonly FeedConfiguration[] {
  if (last?.text === text) return last.feeds;
  const feeds = parseFeeds(text);
  if ("malformed" in feeds) throw new Error(feeds.malformed);
  last = { text, feeds };
  return feeds;
}

export function marketsOfFeed({ venue, symbols }: FeedConfiguration): string[] {
  return symbols.map((symbol) => marketId(venue, symbol));
}
