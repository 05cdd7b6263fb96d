/**
 * One feed of a feed object: its connection and books at work, its clients' sockets, its part of the store, and what is asked of it.
 *
 * A feed whose configuration doesn't let it run is hosted too, so that it says so where its health is asked for, instead of failing without a word.
 */

import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { SymbolTape } from "../../core/wire/minute-tapes.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import type {
  BookView,
  FeatureView,
  FeedStatus,
  FormerFeed,
  GapRecord,
  PendingMinute,
  QuoteAnswer,
  Refusal,
  WantedRows,
} from "../../feed/contract.ts";
import { featureView } from "../../feed/feature-view.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { bookView, quoteAnswer, refuse } from "../../feed/views.ts";
import { ClientSockets } from "./client-sockets.ts";
import type { FeedStore } from "./feed-store.ts";
import { RunningFeed, type RunningFeedOptions, type RunningStatus } from "./running-feed.ts";

/** Most minutes handed out at once: an RPC answer may hold 32 MB, a minute of 20 markets takes some 60 kB. */
const MAX_PENDING = 60;
const MAX_LEVELS = 5_000;

/** `fault`: the configuration doesn't let it run, and says why. `former`: it is configured no more, and what it holds is still to be stored. */
type Running =
  | { readonly kind: "feed"; readonly feed: RunningFeed; readonly clients: ClientSockets }
  | { readonly kind: "fault" | "former"; readonly name: string; readonly venue: string; readonly fault: string };

export interface HostedFeedOptions extends Omit<RunningFeedOptions, "onBooks"> {
  readonly ctx: DurableObjectState;
}

export class HostedFeed {
  private readonly ctx: DurableObjectState;
  private readonly store: FeedStore;
  private readonly running: Running;
  private calls = 0;

  private constructor(ctx: DurableObjectState, store: FeedStore, running: Running) {
    this.ctx = ctx;
    this.store = store;
    this.running = running;
  }

  static running({ ctx, ...options }: HostedFeedOptions): HostedFeed {
    const { configuration, store } = options;
    const clients = new ClientSockets(ctx, configuration.feed, marketsOf(configuration));
    const onBooks = (trackers: Iterable<MarketTracker>): void => clients.attach(trackers);
    return new HostedFeed(ctx, store, { kind: "feed", feed: new RunningFeed({ ...options, onBooks }), clients });
  }

  static faulty(ctx: DurableObjectState, store: FeedStore, at: { name: string; fault: string }): HostedFeed {
    return new HostedFeed(ctx, store, { kind: "fault", venue: "unknown", ...at });
  }

  static former(ctx: DurableObjectState, store: FeedStore, { feed, venue }: FormerFeed): HostedFeed {
    return new HostedFeed(ctx, store, { kind: "former", name: feed, venue, fault: "FEEDS names it in this object no more" });
  }

  /** The object's alarm: the watchdog. */
  async wake(): Promise<void> {
    if (this.running.kind !== "feed") return;
    this.running.feed.watch();
    this.running.clients.wake();
    await this.running.feed.reach();
  }

  accept(request: Request): Response {
    if (this.running.kind !== "feed")
      return Response.json({ reason: "fault", detail: `The feed can't run: ${this.running.fault}.` }, { status: 503 });
    this.watched(this.running.feed);
    return this.running.clients.accept(request);
  }

  message(socket: WebSocket, data: string | ArrayBuffer): void {
    if (this.running.kind === "feed") this.running.clients.message(socket, data);
  }

  /** @param code that the socket closed with; null where it broke. */
  gone(socket: WebSocket, code: number | null): void {
    if (this.running.kind === "feed") this.running.clients.gone(socket, code);
  }

  /** @param object what the whole object has counted, for the one of its feeds that speaks for it. */
  status(since: number, object: { readonly alarms: number; readonly rowsWritten: number }): FeedStatus {
    this.calls++;
    const { calls } = this;
    const running = this.running.kind === "feed" ? this.watched(this.running.feed).status() : faultStatus(this.running);
    const { messages, ...status } = running;
    const { rowsRead, rowsWritten } = this.store;
    const counters = { since, calls, alarms: object.alarms, messages, rowsRead, rowsWritten: rowsWritten + object.rowsWritten };
    return { ...status, counters };
  }

  book(market: string, levels: number): BookView | Refusal {
    return this.look(market, (tracker, now) => bookView(tracker, { now, levels: Math.min(levels, MAX_LEVELS) }));
  }

  quote(market: string): QuoteAnswer | Refusal {
    return this.look(market, quoteAnswer);
  }

  features(market: string, wanted: readonly WantedRows[]): FeatureView | Refusal {
    return this.look(market, (tracker, now) => featureView(tracker, { now, wanted }));
  }

  /** @throws where the feed can't run: whoever stores must not take it for one with nothing to store. */
  pending(limit: number): { minutes: readonly PendingMinute[]; gaps: readonly GapRecord[]; remaining: number } {
    this.calls++;
    if (this.running.kind === "fault") throw new Error(`the feed can't run: ${this.running.fault}`);
    if (this.running.kind === "feed") this.watched(this.running.feed);
    const minutes = this.store.pendingMinutes(Math.min(limit, MAX_PENDING));
    return { minutes, gaps: this.store.pendingGaps(), remaining: this.store.pendingCount().minutes - minutes.length };
  }

  tapes(symbols: readonly string[], minute: number): readonly SymbolTape[] {
    this.calls++;
    return this.store.tapes(symbols, minute);
  }

  acknowledge(minutes: readonly number[], gaps: readonly Pick<GapRecord, "id" | "to">[]): void {
    this.calls++;
    this.store.acknowledgeMinutes(minutes);
    this.store.acknowledgeGaps(gaps);
  }

  instruments(): readonly Instrument[] {
    this.calls++;
    return this.running.kind === "feed" ? this.running.feed.instruments : [];
  }

  /** Looked after, and on its way to the venue: whoever asks does not wait for that. */
  private watched(feed: RunningFeed): RunningFeed {
    feed.watch();
    this.ctx.waitUntil(feed.reach());
    return feed;
  }

  private look<T>(market: string, view: (tracker: MarketTracker, now: number) => T): T | Refusal {
    this.calls++;
    if (this.running.kind !== "feed") return refuse("disconnected", `The feed can't run: ${this.running.fault}.`);
    const { feed } = this.running;
    return feed.view(market, (tracker) => view(tracker, feed.now()));
  }
}

function marketsOf({ venue, symbols }: FeedConfiguration): string[] {
  return symbols.map((symbol) => marketId(venue, symbol));
}

function faultStatus({ name, venue, fault }: { name: string; venue: string; fault: string }): RunningStatus {
  return {
    feed: name,
    venue,
    now: Date.now(),
    connection: {
      state: "waiting",
      host: "",
      openedAt: null,
      attempts: 0,
      lastDownReason: `the feed can't run: ${fault}`,
      retryAt: null,
      refusals: 0,
      lastRefusal: null,
    },
    unlisted: [],
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
