/**
 * The feed object: a venue's sockets and the books of the markets assigned to it.
 *
 * A shell: it translates what the platform says into inputs of the reducer (feed/), performs what the reducer wants (dial, ask for snapshots,
 * store) and answers by RPC with the reducer's views. It may be killed between any two events: books are rebuilt from the venue, everything
 * else is in the store, and the hole is a gap in the ledger.
 *
 * The alarm, re-armed before anything else, keeps the object from being evicted for having only an outgoing socket (seen after 70-140 s) and
 * is the watchdog: it dials, rotates, judges silence, flushes.
 */

import { DurableObject } from "cloudflare:workers";
import type { Instrument } from "../../core/market/instrument.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { parseFeeds, parseVenueHosts } from "../../feed/configuration.ts";
import type { BookView, FeatureView, FeedRpc, FeedStatus, GapRecord, PendingMinute, QuoteAnswer, Refusal } from "../../feed/contract.ts";
import { bookView, featureView, quoteAnswer } from "../../feed/views.ts";
import { FeedStore } from "./feed-store.ts";
import { logFault, RunningFeed } from "./running-feed.ts";

export interface FeedEnv {
  readonly FEEDS: string;
  readonly VENUE_HOSTS: string;
}

/** The object comes back at least this often; 30 s is the most that was seen to keep it from eviction. */
const ALARM_INTERVAL_MS = 10_000;
/** Most minutes handed out at once: an RPC answer may hold 32 MB, a minute of 20 markets takes some 60 kB. */
const MAX_PENDING = 60;
const MAX_LEVELS = 5_000;

export class MarketFeed extends DurableObject<FeedEnv> implements FeedRpc {
  private readonly store: FeedStore;
  private readonly running: { feed: RunningFeed } | { fault: string };

  constructor(ctx: DurableObjectState, env: FeedEnv) {
    super(ctx, env);
    this.store = new FeedStore(ctx.storage.sql);
    this.running = this.load();
    void this.arm();
  }

  override async alarm(): Promise<void> {
    // Armed anew before anything can fail: this is what keeps the feed alive.
    await this.ctx.storage.setAlarm(Date.now() + ALARM_INTERVAL_MS);
    if (!("feed" in this.running)) return;
    try {
      await this.running.feed.watch(Date.now());
    } catch (error) {
      logFault("watch failed", error);
    }
  }

  async status(): Promise<FeedStatus> {
    const feed = this.feed();
    await feed.watch(Date.now());
    return feed.status(Date.now());
  }

  async book(market: string, levels: number): Promise<BookView | Refusal> {
    const feed = this.feed();
    const options = { now: feed.now(), levels: Math.min(levels, MAX_LEVELS) };
    return feed.view(market, (tracker) => bookView(tracker, options));
  }

  async quote(market: string): Promise<QuoteAnswer | Refusal> {
    const feed = this.feed();
    return feed.view(market, (tracker) => quoteAnswer(tracker, feed.now()));
  }

  async features(market: string): Promise<FeatureView | Refusal> {
    const feed = this.feed();
    return feed.view(market, (tracker) => featureView(tracker, feed.now()));
  }

  async pending(limit: number): Promise<{ minutes: readonly PendingMinute[]; gaps: readonly GapRecord[]; remaining: number }> {
    await this.feed().watch(Date.now());
    const minutes = this.store.pendingMinutes(Math.min(limit, MAX_PENDING));
    return { minutes, gaps: this.store.pendingGaps(), remaining: this.store.pendingCount().minutes - minutes.length };
  }

  async tape(symbol: string, minute: number): Promise<Uint8Array | null> {
    return this.store.tape(symbol, minute);
  }

  async acknowledge(minutes: readonly number[], gaps: readonly Pick<GapRecord, "id" | "to">[]): Promise<void> {
    this.store.acknowledgeMinutes(minutes);
    this.store.acknowledgeGaps(gaps);
  }

  async instruments(): Promise<readonly Instrument[]> {
    return this.feed().instruments;
  }

  private async arm(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  private load(): { feed: RunningFeed } | { fault: string } {
    const name = this.ctx.id.name ?? this.store.kept<string>("name");
    if (name === null) return { fault: "this object has no name: reach it by getByName" };
    this.store.keep("name", name);
    const feeds = parseFeeds(this.env.FEEDS);
    if ("malformed" in feeds) return { fault: feeds.malformed };
    const hosts = parseVenueHosts(this.env.VENUE_HOSTS);
    if ("malformed" in hosts) return { fault: hosts.malformed };
    const configuration = feeds.find((feed) => feed.feed === name);
    if (configuration === undefined) return { fault: `FEEDS has no feed named ${name}` };
    const adapter = findAdapter(configuration.venue);
    if (adapter === null) return { fault: `no adapter for venue ${configuration.venue}` };
    return { feed: new RunningFeed({ configuration, adapter, hosts: hosts.get(configuration.venue), store: this.store }) };
  }

  private feed(): RunningFeed {
    if ("fault" in this.running) throw new Error(`the feed can't run: ${this.running.fault}`);
    return this.running.feed;
  }
}
