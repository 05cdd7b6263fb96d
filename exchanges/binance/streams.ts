/** The combined-stream URL of a set of symbols: the subscription is the URL, so a reconnect needs no message. */

import type { Channel, VenueHosts } from "../contract.ts";

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

const STREAM_OF_CHANNEL: Readonly<Record<Channel, string>> = { depth: "depth@100ms", trades: "trade", quotes: "bookTicker" };

/** Leaves a channel of some symbols and subscribes to it anew, by the live subscription messages of the combined stream. */
export function resubscribeFrames(symbols: readonly string[], channel: Channel): readonly string[] {
  const params = symbols.map((symbol) => `${symbol.toLowerCase()}@${STREAM_OF_CHANNEL[channel]}`);
  return ["UNSUBSCRIBE", "SUBSCRIBE"].map((method, id) => JSON.stringify({ method, params, id: id + 1 }));
}
