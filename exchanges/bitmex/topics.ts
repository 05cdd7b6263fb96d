/**
 * Subscriptions: a topic is `table:symbol:pool`, and the venue takes at most 20 in one message ("Too many args sent. Max length is 20.",
 * https://github.com/BitMEX/api-connectors/issues/387, read 2026-11-27).
 *
 * The pool is named because a bare topic gives two things that don't belong together since 2026: the book of both pools, and each pool's
 * quotes. Primary is the book that ordinary orders meet. The form is not in the venue's documents; the field that answers it is
 * (https://www.bitmex.com/blog/api-update-introducing-the-pool-field-to-ws-subscription-response, read 2026-11-27).
 */

import type { Channel, Subscription } from "../contract.ts";

/** What one market's book, features and checks are made from, and what is said of it. Why orderBook10 and instrument: decision 0019. */
const TABLES = ["orderBookL2", "trade", "quote", "orderBook10", "instrument"] as const;
/** What the venue says of its book's top comes and goes together. */
const TABLES_OF_CHANNEL: Readonly<Record<Channel, readonly (typeof TABLES)[number][]>> = {
  depth: ["orderBookL2"],
  trades: ["trade"],
  quotes: ["quote", "orderBook10"],
};
const CHANNELS = ["depth", "trades", "quotes"] as const satisfies readonly Channel[];
const POOL = "Primary";
/** An instrument is one, whatever pools its orders lie in. */
const TABLE_WITHOUT_POOLS = "instrument";

/** Topics that one message may name. */
const MAX_TOPICS_PER_FRAME = 20;

export function subscribeFrames(symbols: readonly string[]): string[] {
  return frames("subscribe", topics(symbols, TABLES));
}

/** Leaves a channel of some symbols and subscribes to it anew. */
export function resubscribeFrames(symbols: readonly string[], channel: Channel): string[] {
  const again = topics(symbols, TABLES_OF_CHANNEL[channel]);
  return [...frames("unsubscribe", again), ...frames("subscribe", again)];
}

/** @returns what a topic is of; null for one that isn't ours. */
export function subscriptionOf(topic: string): Subscription | null {
  const [table = "", symbol = ""] = topic.split(":", 2);
  const channel = CHANNELS.find((each) => TABLES_OF_CHANNEL[each].some((name) => name === table));
  return channel === undefined || symbol === "" ? null : { symbol, channel };
}

function topics(symbols: readonly string[], tables: readonly string[]): string[] {
  return symbols.flatMap((symbol) =>
    tables.map((table) => (table === TABLE_WITHOUT_POOLS ? `${table}:${symbol}` : `${table}:${symbol}:${POOL}`)),
  );
}

function frames(op: "subscribe" | "unsubscribe", all: readonly string[]): string[] {
  const messages: string[] = [];
  for (let at = 0; at < all.length; at += MAX_TOPICS_PER_FRAME) {
    messages.push(JSON.stringify({ op, args: all.slice(at, at + MAX_TOPICS_PER_FRAME) }));
  }
  return messages;
}
