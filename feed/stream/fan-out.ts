/**
 * The streams of a feed and their clients. Pure: sockets, clock and ids that can't be guessed come as arguments; each turn is called by a timer.
 *
 * A client that is too slow lags: it is sent nothing until it has answered a ping, then what a new subscription gets. One that doesn't answer
 * within the bound, or speaks too much, is closed. Nothing that a client sends or fails to read reaches another one, or the feed.
 */

import type { MarketTracker } from "../market-tracker.ts";
import { Client, type ClientPort } from "./client.ts";
import { ANSWER_WITHIN_MS } from "./client-flow.ts";
import { MarketStream } from "./market-stream.ts";
import { errorText, MAX_MARKETS, resumedText, type Subscription, unsubscribedText, welcomeText } from "./protocol.ts";
import { errorSentence, readClientMessage } from "./requests.ts";

/** Close codes of RFC 6455: 1013 "try again later", 1008 "policy". */
const TRY_AGAIN_LATER = 1013;
const POLICY = 1008;

export interface FanOutOptions {
  readonly feed: string;
  /** Every market that the feed carries. */
  readonly markets: readonly string[];
  /** A text that nobody can guess. */
  readonly nonce: () => string;
  /** Turns are wanted again, where they had ended for quiet. */
  readonly onNews: () => void;
}

export class FanOut {
  readonly markets: readonly string[];
  private readonly feed: string;
  private readonly nonce: () => string;
  private readonly streams: ReadonlyMap<string, MarketStream>;
  private readonly clients = new Set<Client>();
  private turns = 0;

  constructor({ feed, markets, nonce, onNews }: FanOutOptions) {
    this.feed = feed;
    this.markets = markets;
    this.nonce = nonce;
    this.streams = new Map(markets.map((market) => [market, new MarketStream(market, onNews)]));
  }

  get clientCount(): number {
    return this.clients.size;
  }

  /** The feed's books begin, or begin anew. */
  attach(trackers: Iterable<MarketTracker>): void {
    for (const tracker of trackers) this.streams.get(tracker.market)?.attach(tracker);
  }

  join(port: ClientPort, subscriptions: readonly Subscription[], now: number): Client {
    const client = this.enter(port, now);
    client.send(welcomeText(this.feed, now, this.markets), now);
    this.subscribe(client, subscriptions);
    client.flush();
    return client;
  }

  /** A socket that has outlived the process before this one: what it has still to read is not known, so it lags until it answers. */
  rejoin(port: ClientPort, subscriptions: readonly Subscription[], now: number): Client {
    const client = this.enter(port, now);
    this.subscribe(
      client,
      subscriptions.filter(({ market }) => this.streams.has(market)),
    );
    client.startLagging(now);
    client.flush();
    return client;
  }

  leave(client: Client): void {
    this.clients.delete(client);
    for (const market of client.subscriptions.keys()) this.streams.get(market)?.leave(client);
    client.subscriptions.clear();
  }

  message(client: Client, data: unknown, now: number): void {
    if (!this.clients.has(client)) return;
    this.hear(client, data, now);
    client.flush();
  }

  /** One turn of all streams. @returns whether another is wanted while there is no news. */
  turn(now: number): "going-on" | "quiet" {
    this.turns++;
    for (const client of this.clients) {
      if (client.flow.isOverdue(now)) this.end(client, TRY_AGAIN_LATER, `a ping was not answered within ${ANSWER_WITHIN_MS / 1_000} s`);
      else client.pingWhenDue(now);
    }
    for (const stream of this.streams.values()) stream.advance(this.turns, now);
    for (const client of this.clients) client.flush();
    return [...this.streams.values()].every(({ isQuiet }) => isQuiet) ? "quiet" : "going-on";
  }

  private hear(client: Client, data: unknown, now: number): void {
    const message = readClientMessage(data, [...client.subscriptions.keys()], this.markets);
    if ("kind" in message && message.kind === "pong" && client.flow.answered(message.id)) {
      this.resumeWhenRead(client, now);
      return;
    }
    if (!client.budget.take(now)) {
      this.end(client, POLICY, "too many messages");
      return;
    }
    if ("errors" in message) client.send(errorText(errorSentence(message)), now);
    else if (message.kind === "subscribe") this.subscribeOrRefuse(client, message.subscriptions, now);
    else if (message.kind === "unsubscribe") this.unsubscribe(client, message, now);
    // An answer to no ping of ours: to one of the process before, perhaps.
  }

  private enter(port: ClientPort, now: number): Client {
    const client = new Client(port, this.nonce, now);
    this.clients.add(client);
    return client;
  }

  private subscribeOrRefuse(client: Client, subscriptions: readonly Subscription[], now: number): void {
    const markets = new Set([...client.subscriptions.keys(), ...subscriptions.map(({ market }) => market)]);
    if (markets.size > MAX_MARKETS)
      client.send(errorText(`markets: ${markets.size} with those before: at most ${MAX_MARKETS} on one socket`), now);
    else this.subscribe(client, subscriptions);
  }

  /** Channels are added to those before; levels and interval take the place of those before. */
  private subscribe(client: Client, subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      const { market, channels } = subscription;
      const before = client.subscriptions.get(market)?.channels ?? [];
      const joined = { ...subscription, channels: [...new Set([...before, ...channels])] };
      client.subscriptions.set(market, joined);
      this.streams.get(market)?.subscribe(client, joined);
    }
    client.remember();
  }

  private unsubscribe(
    client: Client,
    { markets, channels }: { markets: readonly string[]; channels: readonly string[] | null },
    now: number,
  ): void {
    for (const market of markets) {
      const before = client.subscriptions.get(market);
      if (before === undefined) continue;
      const left = channels === null ? [] : before.channels.filter((channel) => !channels.includes(channel));
      const stream = this.streams.get(market);
      if (left.length === 0) {
        client.subscriptions.delete(market);
        stream?.leave(client);
        client.send(unsubscribedText(market), now);
      } else {
        const reduced = { ...before, channels: left };
        client.subscriptions.set(market, reduced);
        stream?.subscribe(client, reduced);
      }
    }
    client.remember();
  }

  private resumeWhenRead(client: Client, now: number): void {
    if (!client.flow.isLagging || !client.flow.hasCaughtUp) return;
    client.flow.isLagging = false;
    client.send(resumedText(client.missedTrades === null ? "restart" : "lag", client.missedTrades), now);
    client.missedTrades = 0;
    for (const market of client.subscriptions.keys()) this.streams.get(market)?.renew(client);
  }

  private end(client: Client, code: number, reason: string): void {
    this.leave(client);
    client.close(code, reason);
  }
}
