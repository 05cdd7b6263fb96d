/**
 * The feed object: the sockets and books of the feeds assigned to it. By default all feeds share one, since one that is always on lies inside the
 * plan, and each further one costs as much again.
 *
 * A shell: it translates what the platform says into inputs of the reducer (feed/), performs what the reducer wants (dial, ask for snapshots,
 * store) and answers by RPC with the reducer's views. It may be killed between any two events: books are rebuilt from the venue, everything
 * else is in the store, and the hole is a gap in the ledger.
 *
 * The alarm, re-armed before anything else, keeps the object from being evicted for having only outgoing sockets (seen after 70-140 s) and
 * is the watchdog: it dials, rotates, judges silence, flushes.
 */

import { DurableObject } from "cloudflare:workers";
import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { SymbolTape } from "../../core/wire/minute-tapes.ts";
import type { VenueHosts, VenueKey } from "../../exchanges/contract.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { type FeedConfiguration, parseFeeds, parseVenueHosts, parseVenueKeys } from "../../feed/configuration.ts";
import type {
  BookView,
  FeatureView,
  FeedObjectRpc,
  FeedStatus,
  FormerFeed,
  GapRecord,
  PendingMinute,
  QuoteAnswer,
  Refusal,
  WantedRows,
} from "../../feed/contract.ts";
import type { SessionPort } from "../../feed/session/session-port.ts";
import { FeedStore, ObjectStore } from "./feed-store.ts";
import { endFormerFeeds, endFormerMarkets } from "./former-markets.ts";
import { HostedFeed } from "./hosted-feed.ts";
import { logFault } from "./log-fault.ts";
import { type PlatformPortOptions, platformPort } from "./platform-port.ts";

export interface FeedEnv {
  readonly FEEDS: string;
  readonly VENUE_HOSTS: string;
  /** A secret: keys of venues that ask for them on market data. Absent for most. */
  readonly VENUE_KEYS?: string;
}

/** The object comes back at least this often; 30 s is the most that was seen to keep it from eviction. */
const ALARM_INTERVAL_MS = 10_000;
/** Feeds that aren't configured and were asked for: their faults are remembered, and not without end. */
const MAX_FAULTY = 20;
const NO_OBJECT_COUNTS = { alarms: 0, rowsWritten: 0 };

export class MarketFeed extends DurableObject<FeedEnv> implements FeedObjectRpc {
  private readonly objectStore: ObjectStore;
  private readonly feeds = new Map<string, HostedFeed>();
  /** Those that FEEDS names in this object, whether they can run or not. */
  private configured: readonly string[] = [];
  /** Configured no more, and not all stored. */
  private readonly formerFeeds = new Map<string, HostedFeed>();
  /** Why none of its feeds can run; null when they can. */
  private fault: string | null = null;
  /** What is billed, from here on. */
  private readonly since = Date.now();
  private alarms = 0;
  private alarmsSet = 0;

  constructor(ctx: DurableObjectState, env: FeedEnv) {
    super(ctx, env);
    this.objectStore = new ObjectStore(ctx.storage);
    this.fault = this.load();
    if (this.hasFeeds) ctx.waitUntil(this.arm());
  }

  override async alarm(): Promise<void> {
    // An object that has no feed any more is awake when it is asked for what is left, and costs nothing otherwise.
    if (!this.hasFeeds) return;
    // Armed anew before anything can fail: this is what keeps the feeds alive.
    await this.ctx.storage.setAlarm(Date.now() + ALARM_INTERVAL_MS);
    this.alarms++;
    this.alarmsSet++;
    const woken = [...this.feeds.values()].map((feed) => feed.wake());
    for (const outcome of await Promise.allSettled(woken)) if (outcome.status === "rejected") logFault("watch failed", outcome.reason);
  }

  /** A client's websocket: the one thing that is asked of this object by HTTP, at /<feed>. */
  override async fetch(request: Request): Promise<Response> {
    return this.feed(new URL(request.url).pathname.slice(1)).accept(request);
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    this.feedOfSocket(socket)?.message(socket, data);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.feedOfSocket(socket)?.gone(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.feedOfSocket(socket)?.gone(socket, null);
  }

  async status(feed: string): Promise<FeedStatus> {
    // The object's alarms are counted once, by the first of its feeds.
    const speaks = feed === this.feeds.keys().next().value;
    const { alarms, alarmsSet } = this;
    return this.feed(feed).status(this.since, speaks ? { alarms, rowsWritten: alarmsSet } : NO_OBJECT_COUNTS);
  }

  async book(feed: string, market: string, levels: number): Promise<BookView | Refusal> {
    return this.feed(feed).book(market, levels);
  }

  async quote(feed: string, market: string): Promise<QuoteAnswer | Refusal> {
    return this.feed(feed).quote(market);
  }

  async features(feed: string, market: string, wanted: readonly WantedRows[]): Promise<FeatureView | Refusal> {
    return this.feed(feed).features(market, wanted);
  }

  async pending(
    feed: string,
    limit: number,
  ): Promise<{ minutes: readonly PendingMinute[]; gaps: readonly GapRecord[]; remaining: number }> {
    return this.feed(feed).pending(limit);
  }

  async tapes(feed: string, symbols: readonly string[], minute: number): Promise<readonly SymbolTape[]> {
    return this.feed(feed).tapes(symbols, minute);
  }

  async acknowledge(feed: string, minutes: readonly number[], gaps: readonly Pick<GapRecord, "id" | "to">[]): Promise<void> {
    this.feed(feed).acknowledge(minutes, gaps);
  }

  async instruments(feed: string): Promise<readonly Instrument[]> {
    return this.feed(feed).instruments();
  }

  /**
   * Feeds that are configured here no more, of which something is not stored yet: it can be had like any other's. While FEEDS can't be read there are
   * none, since any might be named in it.
   */
  async former(): Promise<readonly FormerFeed[]> {
    if (this.fault !== null) return [];
    const former = endFormerFeeds(this.objectStore, this.configured);
    this.formerFeeds.clear();
    for (const each of former)
      this.formerFeeds.set(each.feed, HostedFeed.former(this.ctx, new FeedStore(this.objectStore, each.feed), each));
    return former;
  }

  private get hasFeeds(): boolean {
    return this.fault !== null || this.configured.length > 0;
  }

  private async arm(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  private feed(name: string): HostedFeed {
    const known = this.formerFeeds.get(name) ?? this.feeds.get(name);
    if (known !== undefined) return known;
    const fault = this.fault ?? `FEEDS has no feed named ${name} in this object`;
    if (this.feeds.size >= MAX_FAULTY) return HostedFeed.faulty(this.ctx, new FeedStore(this.objectStore, name), { name, fault });
    return this.host(name, fault);
  }

  private feedOfSocket(socket: WebSocket): HostedFeed | undefined {
    return this.feeds.get(this.ctx.getTags(socket)[0] ?? "");
  }

  /** @returns why no feed can run at all; null when they can. One that can't doesn't keep the others from it. */
  private load(): string | null {
    const name = this.ctx.id.name ?? this.objectStore.name();
    if (name === null) return "this object has no name: reach it by getByName";
    this.objectStore.keepName(name);
    const feeds = parseFeeds(this.env.FEEDS);
    if ("malformed" in feeds) return feeds.malformed;
    const hosts = parseVenueHosts(this.env.VENUE_HOSTS);
    if ("malformed" in hosts) return hosts.malformed;
    const keys = parseVenueKeys(this.env.VENUE_KEYS ?? "");
    if ("malformed" in keys) return keys.malformed;
    const own = feeds.filter(({ object }) => object === name);
    this.configured = own.map(({ feed }) => feed);
    for (const configuration of own) {
      const { venue } = configuration;
      this.start(configuration, { hosts: hosts.get(venue), key: keys.get(venue) });
    }
    return null;
  }

  private start(configuration: FeedConfiguration, of: { hosts: VenueHosts | undefined; key: VenueKey | undefined }): void {
    const { feed, venue, symbols } = configuration;
    const adapter = findAdapter(venue);
    if (adapter === null) {
      this.host(feed, `no adapter for venue ${venue}`);
      return;
    }
    const most = adapter.limits.symbolsPerConnection;
    if (symbols.length > most) {
      this.host(feed, `FEEDS gives ${feed} ${symbols.length} symbols, and a connection to ${venue} carries ${most}: split them over feeds`);
      return;
    }
    const { ctx } = this;
    this.objectStore.putAsideOtherVenue(feed, venue);
    const store = new FeedStore(this.objectStore, feed);
    endFormerMarkets(
      store,
      symbols.map((symbol) => marketId(venue, symbol)),
    );
    const wake = (at: number): void => ctx.waitUntil(this.wakeAt(at));
    const port = this.portOf({ adapter, key: of.key, wake });
    this.feeds.set(feed, HostedFeed.running({ ctx, configuration, adapter, hosts: of.hosts, store, port }));
  }

  /** The world that a feed runs in: a simulated one, where a test says so. */
  protected portOf(options: PlatformPortOptions): SessionPort {
    return platformPort(options);
  }

  private host(name: string, fault: string): HostedFeed {
    const hosted = HostedFeed.faulty(this.ctx, new FeedStore(this.objectStore, name), { name, fault });
    this.feeds.set(name, hosted);
    return hosted;
  }

  /** There is one alarm an object: it is only ever brought forward here, and put back by the alarm itself. */
  private async wakeAt(at: number): Promise<void> {
    const { storage } = this.ctx;
    const alarm = await storage.getAlarm();
    if (alarm !== null && at >= alarm) return;
    await storage.setAlarm(at);
    this.alarmsSet++;
  }
}
