/**
 * What the venue refuses of what was sent to it: counted, the last one kept for a person, and what of it has not come is asked for again later: of
 * trades and quotes by the watchdog, of books like any other that is wanted.
 */

import type { Channel, SocketRefusal, Subscription } from "../../exchanges/contract.ts";
import type { FeedStatus } from "../contract.ts";
import type { FeedReducer } from "../feed-reducer.ts";
import type { Inputs } from "./inputs.ts";
import { RefusedSubscriptions } from "./refused-subscriptions.ts";
import type { SessionPort } from "./session-port.ts";
import type { VenueBudget } from "./venue-budget.ts";

const CHANNELS = ["depth", "trades", "quotes"] as const satisfies readonly Channel[];
/** Books are asked for with all others that are wanted. */
const ASKED_HERE = ["trades", "quotes"] as const satisfies readonly Channel[];
/** Of a venue's words, shown and kept. */
const REFUSAL_CHARACTERS = 200;

interface RefusedOnStandby {
  readonly subscription: Subscription;
  /** The venue wants to be left alone until then. */
  readonly notBefore: number;
}

export class Refusals {
  count = 0;
  last: FeedStatus["connection"]["lastRefusal"] = null;
  private readonly subscriptions = new RefusedSubscriptions();
  /** On the standby, by symbol and channel: as many as the feed's markets have. */
  private readonly onStandby = new Map<string, RefusedOnStandby>();
  /** When the connection took over from another, whose messages were not its own. */
  private tookOverAt = Number.NEGATIVE_INFINITY;
  private readonly inputs: Inputs;
  private readonly port: SessionPort;
  private readonly budget: VenueBudget;

  constructor(inputs: Inputs, port: SessionPort, budget: VenueBudget) {
    this.inputs = inputs;
    this.port = port;
    this.budget = budget;
  }

  /** Of the connection that the books are on: what of it has not come waits for its time. */
  take(refusal: SocketRefusal, reducer: FeedReducer): void {
    const now = this.inputs.now();
    const notBefore = this.note(refusal);
    for (const subscription of refusal.among ?? everyOf(reducer))
      if (this.isMissing(reducer, subscription)) this.subscriptions.add(subscription, now, notBefore);
  }

  /** Of the standby: what of it doesn't come there is missing from the takeover on. */
  takeOfStandby(refusal: SocketRefusal, reducer: FeedReducer): void {
    const notBefore = this.note(refusal);
    for (const subscription of refusal.among ?? everyOf(reducer)) {
      const { symbol, channel } = subscription;
      if (reducer.markets.has(symbol)) this.onStandby.set(`${channel} ${symbol}`, { subscription, notBefore });
    }
  }

  /** There is no standby any more, or another one. */
  standbyOver(): void {
    this.onStandby.clear();
  }

  /** The standby is the connection: what was refused on it is asked for again, after the first wait, in which what does come may show. */
  succeeded(reducer: FeedReducer): void {
    const now = this.inputs.now();
    this.subscriptions.forget();
    this.tookOverAt = now;
    for (const { subscription, notBefore } of this.onStandby.values())
      if (this.isMissing(reducer, subscription)) this.subscriptions.add(subscription, now, notBefore);
    this.onStandby.clear();
  }

  /** Whether it is not to be asked for yet. */
  isHeldBack(symbol: string, channel: Channel, now: number): boolean {
    return this.subscriptions.isHeldBack(symbol, channel, now);
  }

  /** Trades and quotes that are to be asked for again, by channel, each once for each refusal. */
  takeDue(reducer: FeedReducer, now: number): { channel: Channel; symbols: string[] }[] {
    const missing = this.subscriptions.takeDue(now).filter((due) => this.isMissing(reducer, due));
    const symbolsOf = (channel: Channel): string[] => missing.filter((due) => due.channel === channel).map(({ symbol }) => symbol);
    const due = ASKED_HERE.map((channel) => ({ channel, symbols: symbolsOf(channel) }));
    return due.filter(({ symbols }) => symbols.length > 0);
  }

  /** Another connection: what was refused on the last one says nothing of this one. */
  forget(): void {
    this.subscriptions.forget();
    this.onStandby.clear();
  }

  /** @returns until when the venue wants to be left alone, by all of this process. */
  private note({ detail, retryAfterMs }: SocketRefusal): number {
    const now = this.port.now();
    this.count++;
    this.last = { at: now, detail: detail.slice(0, REFUSAL_CHARACTERS) };
    const until = now + (retryAfterMs ?? 0);
    this.budget.hold(until);
    return until;
  }

  /** Nothing of it has come on this connection; of a book, it isn't whole. */
  private isMissing(reducer: FeedReducer, { symbol, channel }: Subscription): boolean {
    const market = reducer.markets.get(symbol);
    if (market === undefined) return false;
    return channel === "depth" ? market.state !== "live" : (market[channel].lastAt ?? Number.NEGATIVE_INFINITY) <= this.tookOverAt;
  }
}

function* everyOf(reducer: FeedReducer): Generator<Subscription> {
  for (const symbol of reducer.markets.keys()) for (const channel of CHANNELS) yield { symbol, channel };
}
