/** The combined-stream URL of a set of symbols: the subscription is the URL, so a reconnect needs no message. */

import type { Channel, VenueHosts } from "../contract.ts";

/** Which streams of each symbol a connection carries, and the path on which the venue gives them. */
export interface StreamRoute {
  /** "" or e.g. "/public". */
  readonly path: string;
  readonly channels: readonly string[];
}

/** What one market's book, features and checks are made from, all on one path. */
export const ALL_STREAMS: StreamRoute = { path: "", channels: ["depth@100ms", "trade", "bookTicker", "kline_1m"] };

/** How many symbols fit on a connection of so many streams. */
export function symbolsWithin(streams: number, { channels }: StreamRoute): number {
  return Math.floor(streams / channels.length);
}

export function combinedStreamUrl(hosts: VenueHosts, symbols: readonly string[], { path, channels }: StreamRoute): string {
  const streams = symbols.flatMap((symbol) => channels.map((channel) => `${symbol.toLowerCase()}@${channel}`));
  return `${hosts.stream}${path}/stream?streams=${streams.join("/")}`;
}

const STREAM_OF_CHANNEL: Readonly<Record<Channel, string>> = { depth: "depth@100ms", trades: "trade", quotes: "bookTicker" };

/** Leaves a channel of some symbols and subscribes to it anew, by the live subscription messages of the combined stream. */
export function resubscribeFrames(symbols: readonly string[], channel: Channel): readonly string[] {
  const params = symbols.map((symbol) => `${symbol.toLowerCase()}@${STREAM_OF_CHANNEL[channel]}`);
  return ["UNSUBSCRIBE", "SUBSCRIBE"].map((method, id) => JSON.stringify({ method, params, id: id + 1 }));
}
