/** Steers the fake exchange, and brings the feed object to where tests begin. */

import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import type { MarketFeed } from "../../durable-objects/main.ts";
import { processBudgets } from "../../durable-objects/market-feed/process-budgets.ts";
import type { FeedRpc } from "../../feed/contract.ts";
import { feedAt } from "../../workers/feed-client.ts";

/** For vi.waitFor: reconnecting backs off by half a second at first. */
export const PATIENCE = { timeout: 20_000, interval: 100 };

type Levels = readonly (readonly [string, string])[];

export const control = {
  snapshots: (bodies: Record<string, string>) => steer("snapshots", bodies),
  refuse: (status: number | null) => steer("refusal", status),
  send: (frames: readonly string[]) => steer("frames", frames),
  close: () => steer("close", null),
  /** Snapshots asked for from now on are answered, as of when they were asked for, once it is called with false. */
  hold: (isHeld: boolean) => steer("hold", isHeld),
  /** Connections dialled from now on are opened once it is called with false. */
  holdUpgrades: (isHeld: boolean) => steer("upgrades", isHeld),
  /** How many wait for one or the other. */
  waiting: async () => (await steer("", null)).waiting,
  /** How many connections are open. */
  sockets: async () => (await steer("", null)).sockets,
  /** How many have been asked for, answered or not. */
  asked: async () => (await steer("", null)).asked,
};

export function feedStub(feed = "main"): DurableObjectStub<MarketFeed> {
  return env.FEED.getByName(feed) as unknown as DurableObjectStub<MarketFeed>;
}

/** What is asked of a feed, as the Workers ask it. */
export function feedRpc(feed = "main"): FeedRpc {
  return feedAt(env.FEED as unknown as DurableObjectNamespace, { feed, object: "main" });
}

export function snapshotBody(lastSequence: number): string {
  return JSON.stringify({ lastUpdateId: lastSequence, bids: [["99.99", "1.00000"]], asks: [["100.01", "1.00000"]] });
}

export function depthFrame(symbol: string, change: { from: number; time?: number; bids?: Levels; asks?: Levels }): string {
  const { from, time = Date.now(), bids = [], asks = [] } = change;
  const data = { e: "depthUpdate", E: time, s: symbol, U: from, u: from, b: bids, a: asks };
  return JSON.stringify({ stream: `${symbol.toLowerCase()}@depth@100ms`, data });
}

/** Sequence numbers only go up, whatever an earlier test has left behind. */
let nextSequence = 1_000;

/** Both markets live at the returned sequence. */
export async function startedFeed(): Promise<number> {
  nextSequence += 1_000;
  const sequence = nextSequence;
  // A process of its own: the backoff that an earlier test has run up is gone with the old one. The exchange forgets its script with it.
  await abortAllDurableObjects();
  // So is what it has spent of the venue's budget.
  processBudgets.clear();
  await vi.waitFor(async () => {
    await feedRpc().status();
    expect(await control.sockets()).toBe(1);
  }, PATIENCE);
  // Only now: an exchange without a connection may be started anew by the runtime, without its script.
  await control.snapshots({ BTCUSDT: snapshotBody(sequence), ETHUSDT: snapshotBody(sequence) });
  // A change that the snapshot holds already: without any, a snapshot is asked for only when a market has been quiet for three seconds.
  await control.send(["BTCUSDT", "ETHUSDT"].map((symbol) => depthFrame(symbol, { from: sequence })));
  await vi.waitFor(async () => {
    const status = await feedRpc().status();
    expect(status.markets.map((market) => market.state)).toEqual(["live", "live"]);
    expect(status.markets.map((market) => market.proof.lastSequence)).toEqual([sequence, sequence]);
  }, PATIENCE);
  return sequence;
}

async function steer(path: string, body: unknown): Promise<{ sockets: number; waiting: number; asked: number }> {
  const response = await env.EXCHANGE.fetch(`https://control/${path}`, { method: "POST", body: JSON.stringify(body) });
  return response.json();
}
