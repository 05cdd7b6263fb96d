/** The combined-stream URL of a set of symbols: the subscription is the URL, so a reconnect needs no message. */

import type { VenueHosts } from "../contract.ts";

/** What one market's book, features and checks are made from. */
const CHANNELS = ["depth@100ms", "trade", "bookTicker", "kline_1m"] as const;

/** How many symbols fit on a connection of so many streams. */
export function symbolsWithin(streams: number): number {
  return Math.floor(streams / CHANNELS.length);
}

export function combinedStreamUrl(hosts: VenueHosts, symbols: readonly string[]): string {
  const streams = symbols.flatMap((symbol) => CHANNELS.map((channel) => `${symbol.toLowerCase()}@${channel}`));
  return `${hosts.stream}/stream?streams=${streams.join("/")}`;
}
