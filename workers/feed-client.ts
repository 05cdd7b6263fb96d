/**
 * Speaks to feed objects. A feed answers market conditions with values; whatever it throws is transport (restarting, overloaded, deployed
 * over) or a bug of its own, and becomes FeedUnreachable here.
 */

import type { FeedConfiguration } from "../feed/configuration.ts";
import type { FeedObjectRpc, FeedRpc, FormerFeed } from "../feed/contract.ts";

export class FeedUnreachable extends Error {
  override readonly name = "FeedUnreachable";
  /** The object restarts by itself: asking again is right. */
  readonly retryable = true;
  readonly feed: string;

  constructor(feed: string, cause: unknown) {
    super(`the feed "${feed}" does not answer`, { cause });
    this.feed = feed;
  }
}

export type FeedAddress = Pick<FeedConfiguration, "feed" | "object">;

/** @throws FeedUnreachable */
export async function askFeed<T>(namespace: DurableObjectNamespace, address: FeedAddress, ask: (rpc: FeedRpc) => Promise<T>): Promise<T> {
  try {
    return await ask(feedAt(namespace, address));
  } catch (cause) {
    throw new FeedUnreachable(address.feed, cause);
  }
}

/** Feeds of an object that FEEDS names there no more, and that have something to store. */
export async function formerFeeds(namespace: DurableObjectNamespace, object: string): Promise<readonly FormerFeed[]> {
  return objectAt(namespace, object).former();
}

/** The object lives in another script: its class can't be imported as a type without importing its code, so the contract stands in. */
function objectAt(namespace: DurableObjectNamespace, object: string): FeedObjectRpc {
  return namespace.getByName(object) as unknown as FeedObjectRpc;
}

export function feedAt(namespace: DurableObjectNamespace, { feed, object }: FeedAddress): FeedRpc {
  const rpc = objectAt(namespace, object);
  return {
    status: () => rpc.status(feed),
    book: (market, levels) => rpc.book(feed, market, levels),
    quote: (market) => rpc.quote(feed, market),
    features: (market, wanted) => rpc.features(feed, market, wanted),
    pending: (limit) => rpc.pending(feed, limit),
    tapes: (symbols, minute) => rpc.tapes(feed, symbols, minute),
    acknowledge: (minutes, gaps) => rpc.acknowledge(feed, minutes, gaps),
    instruments: () => rpc.instruments(feed),
  };
}
