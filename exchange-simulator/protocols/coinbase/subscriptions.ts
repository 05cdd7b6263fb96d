/** What one client of either feed is subscribed to, by channel, and its place among the venue's listeners (`channel:symbol`). A client that never subscribes is cut. */

import { MS_PER_SECOND } from "../../../core/units/time.ts";
import type { Topics } from "../../topics.ts";
import type { Connection } from "../../venue.ts";

/** A client that says nothing for this long is disconnected: websocket overviews of both feeds, read 2026-11-27. */
const SUBSCRIBE_WITHIN_MS = 5 * MS_PER_SECOND;

export class Subscriptions<Channel extends string, Client> {
  private readonly topics: Topics<Client>;
  private readonly client: Client;
  private readonly openedAt: number;
  /** A channel without any isn't there. */
  private readonly symbols = new Map<Channel, Set<string>>();
  private hasAny = false;

  constructor(topics: Topics<Client>, client: Client, openedAt: number) {
    this.topics = topics;
    this.client = client;
    this.openedAt = openedAt;
  }

  get channels(): readonly Channel[] {
    return [...this.symbols.keys()];
  }

  /** As they were subscribed to. */
  get all(): readonly (readonly [Channel, readonly string[]])[] {
    return [...this.symbols].map(([channel, symbols]) => [channel, [...symbols]] as const);
  }

  has(channel: Channel, symbol: string): boolean {
    return this.symbols.get(channel)?.has(symbol) === true;
  }

  /** Notes it; `listen` makes the client hear it. */
  add(channel: Channel, symbols: readonly string[]): void {
    this.hasAny = true;
    const subscribed = this.symbols.get(channel) ?? new Set<string>();
    this.symbols.set(channel, subscribed);
    for (const symbol of symbols) subscribed.add(symbol);
  }

  listen(channel: Channel, symbol: string): void {
    this.topics.add(`${channel}:${symbol}`, this.client);
  }

  /** @param named all of the channel when empty. */
  remove(channel: Channel, named: readonly string[]): void {
    const subscribed = this.symbols.get(channel);
    for (const symbol of named.length === 0 ? [...(subscribed ?? [])] : named) {
      subscribed?.delete(symbol);
      this.topics.remove(`${channel}:${symbol}`, this.client);
    }
    if (subscribed?.size === 0) this.symbols.delete(channel);
  }

  removeAll(): void {
    for (const channel of this.channels) this.remove(channel, []);
  }

  /** Cuts a client that has been there for long and wants nothing. */
  passSecond(now: number, connection: Connection): void {
    if (!this.hasAny && now - this.openedAt >= SUBSCRIBE_WITHIN_MS) connection.close(1008, "no subscribe message");
  }
}
