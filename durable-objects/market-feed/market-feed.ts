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
import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { SymbolTape } from "../../core/wire/minute-tapes.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { parseFeeds, parseVenueHosts, parseVenueKeys } from "../../feed/configuration.ts";
import type { BookView, FeatureView, FeedRpc, FeedStatus, GapRecord, PendingMinute, QuoteAnswer, Refusal } from "../../feed/contract.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { bookView, featureView, quoteAnswer, refuse } from "../../feed/views.ts";
import { ClientSockets } from "./client-sockets.ts";
import { FeedStore } from "./feed-store.ts";
import { logFault } from "./log-fault.ts";
import { RunningFeed, type RunningStatus } from "./running-feed.ts";

export interface FeedEnv {
  readonly FEEDS: string;
  readonly VENUE_HOSTS: string;
  /** A secret: keys of venues that ask for them on market data. Absent for most. */
  readonly VENUE_KEYS?: string;
}

/** The object comes back at least this often; 30 s is the most that was seen to keep it from eviction. */
const ALARM_INTERVAL_MS = 10_000;
/** Most minutes handed out at once: an RPC answer may hold 32 MB, a minute of 20 markets takes some 60 kB. */
const MAX_PENDING = 60;
const MAX_LEVELS = 5_000;

/** `fault`: the configuration doesn't let it run, and says why. */
type Running =
  | { readonly kind: "feed"; readonly feed: RunningFeed; readonly clients: ClientSockets }
  | { readonly kind: "fault"; readonly name: string; readonly fault: string };

export class MarketFeed extends DurableObject<FeedEnv> implements FeedRpc {
  private readonly store: FeedStore;
  private readonly running: Running;
  /** What is billed, from here on. */
  private readonly since = Date.now();
  private calls = 0;
  private alarms = 0;

  constructor(ctx: DurableObjectState, env: FeedEnv) {
    super(ctx, env);
    this.store = new FeedStore(ctx.storage);
    this.running = this.load();
    ctx.waitUntil(this.arm());
  }

  override async alarm(): Promise<void> {
    // Armed anew before anything can fail: this is what keeps the feed alive.
    await this.ctx.storage.setAlarm(Date.now() + ALARM_INTERVAL_MS);
    this.alarms++;
    this.store.countRowWritten();
    if (this.running.kind === "fault") return;
    try {
      this.running.feed.watch(Date.now());
      this.running.clients.wake();
      await this.running.feed.reach(Date.now());
    } catch (error) {
      logFault("watch failed", error);
    }
  }

  /** A client's websocket: the one thing that is asked of this object by HTTP. */
  override async fetch(request: Request): Promise<Response> {
    if (this.running.kind === "fault")
      return Response.json({ reason: "fault", detail: `The feed can't run: ${this.running.fault}.` }, { status: 503 });
    this.watched(this.running.feed);
    return this.running.clients.accept(request);
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    if (this.running.kind === "feed") this.running.clients.message(socket, data);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    if (this.running.kind === "feed") this.running.clients.gone(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    if (this.running.kind === "feed") this.running.clients.gone(socket, null);
  }

  async status(): Promise<FeedStatus> {
    this.calls++;
    const { since, calls, alarms, store } = this;
    const running = this.running.kind === "feed" ? this.watched(this.running.feed).status(Date.now()) : faultStatus(this.running);
    const { messages, ...status } = running;
    const { rowsRead, rowsWritten } = store;
    return { ...status, counters: { since, calls, alarms, messages, rowsRead, rowsWritten } };
  }

  async book(market: string, levels: number): Promise<BookView | Refusal> {
    return this.look(market, (tracker, now) => bookView(tracker, { now, levels: Math.min(levels, MAX_LEVELS) }));
  }

  async quote(market: string): Promise<QuoteAnswer | Refusal> {
    return this.look(market, quoteAnswer);
  }

  async features(market: string): Promise<FeatureView | Refusal> {
    return this.look(market, featureView);
  }

  async pending(limit: number): Promise<{ minutes: readonly PendingMinute[]; gaps: readonly GapRecord[]; remaining: number }> {
    this.calls++;
    // Whoever stores must not take a feed that can't run for one with nothing to store.
    if (this.running.kind === "fault") throw new Error(`the feed can't run: ${this.running.fault}`);
    this.watched(this.running.feed);
    const minutes = this.store.pendingMinutes(Math.min(limit, MAX_PENDING));
    return { minutes, gaps: this.store.pendingGaps(), remaining: this.store.pendingCount().minutes - minutes.length };
  }

  async tapes(symbols: readonly string[], minute: number): Promise<readonly SymbolTape[]> {
    this.calls++;
    return this.store.tapes(symbols, minute);
  }

  async acknowledge(minutes: readonly number[], gaps: readonly Pick<GapRecord, "id" | "to">[]): Promise<void> {
    this.calls++;
    this.store.acknowledgeMinutes(minutes);
    this.store.acknowledgeGaps(gaps);
  }

  async instruments(): Promise<readonly Instrument[]> {
    this.calls++;
    return this.running.kind === "feed" ? this.running.feed.instruments : [];
  }

  private async arm(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  private load(): Running {
    const name = this.ctx.id.name ?? this.store.kept<string>("name");
    if (name === null) return { kind: "fault", name: "", fault: "this object has no name: reach it by getByName" };
    this.store.keep("name", name);
    const fault = (text: string): Running => ({ kind: "fault", name, fault: text });
    const feeds = parseFeeds(this.env.FEEDS);
    if ("malformed" in feeds) return fault(feeds.malformed);
    const hosts = parseVenueHosts(this.env.VENUE_HOSTS);
    if ("malformed" in hosts) return fault(hosts.malformed);
    const configuration = feeds.find((feed) => feed.feed === name);
    if (configuration === undefined) return fault(`FEEDS has no feed named ${name}`);
    const adapter = findAdapter(configuration.venue);
    if (adapter === null) return fault(`no adapter for venue ${configuration.venue}`);
    const most = adapter.limits.symbolsPerConnection;
    if (configuration.symbols.length > most) {
      return fault(
        `FEEDS gives ${name} ${configuration.symbols.length} symbols, and a connection to ${adapter.venue} carries ${most}: split them over feeds`,
      );
    }
    const keys = parseVenueKeys(this.env.VENUE_KEYS ?? "");
    if ("malformed" in keys) return fault(keys.malformed);
    const { ctx, store } = this;
    const { venue } = configuration;
    const wake = (at: number): void =>
      ctx.waitUntil(wakeAt(ctx.storage, at).then((isSet) => (isSet ? store.countRowWritten() : undefined)));
    const markets = configuration.symbols.map((symbol) => marketId(venue, symbol));
    const clients = new ClientSockets(ctx, name, markets);
    const onBooks = (trackers: Iterable<MarketTracker>): void => clients.attach(trackers);
    const feed = new RunningFeed({ configuration, adapter, hosts: hosts.get(venue), key: keys.get(venue), store, wake, onBooks });
    return { kind: "feed", feed, clients };
  }

  /** Looked after, and on its way to the venue: whoever asks does not wait for that. */
  private watched(feed: RunningFeed): RunningFeed {
    feed.watch(Date.now());
    this.ctx.waitUntil(feed.reach(Date.now()));
    return feed;
  }

  private look<T>(market: string, view: (tracker: MarketTracker, now: number) => T): T | Refusal {
    this.calls++;
    if (this.running.kind === "fault") return refuse("disconnected", `The feed can't run: ${this.running.fault}.`);
    const { feed } = this.running;
    return feed.view(market, (tracker) => view(tracker, feed.now()));
  }
}

/** There is one alarm an object: it is only ever brought forward here, and put back by the alarm itself. */
async function wakeAt(storage: DurableObjectStorage, at: number): Promise<boolean> {
  const alarm = await storage.getAlarm();
  const isLater = alarm === null || at < alarm;
  if (isLater) await storage.setAlarm(at);
  return isLater;
}

/** A feed that can't run says so where its health is asked for, instead of failing without a word. */
function faultStatus({ name, fault }: { name: string; fault: string }): RunningStatus {
  return {
    feed: name,
    venue: "unknown",
    now: Date.now(),
    connection: { state: "waiting", host: "", openedAt: null, attempts: 0, lastDownReason: `the feed can't run: ${fault}`, retryAt: null },
    messages: 0,
    frames: 0,
    malformedFrames: 0,
    malformedSamples: [],
    pendingMinutes: 0,
    oldestPendingMinute: null,
    tapeBytesHeld: 0,
    markets: [],
  };
}
