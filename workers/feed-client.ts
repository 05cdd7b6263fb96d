/**
 * Speaks to feed objects. A feed answers market conditions with values; whatever it throws is transport (restarting, overloaded, deployed
 * over) or a bug of its own, and becomes FeedUnreachable here.
 */

import type { FeedRpc } from "../feed/contract.ts";

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

/** @throws FeedUnreachable */
export async function askFeed<T>(namespace: DurableObjectNamespace, feed: string, ask: (rpc: FeedRpc) => Promise<T>): Promise<T> {
  try {
    return await ask(feedByName(namespace, feed));
  } catch (cause) {
    throw new FeedUnreachable(feed, cause);
  }
}

export function feedByName(namespace: DurableObjectNamespace, feed: string): FeedRpc {
  // The object lives in another script: its class can't be imported as a type without importing its code, so the contract stands in.
  return namespace.getByName(feed) as unknown as FeedRpc;
}
