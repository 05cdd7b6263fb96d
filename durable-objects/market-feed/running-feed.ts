/**
 * A feed at work: its session with the venue (feed/session/) on the sockets and the clock that it is given, its books recorded in the object's store.
 * One per feed; an object has several.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { minuteOf } from "../../core/units/time.ts";
import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import { type FeedConfiguration, featureSetsOf, missingSymbols } from "../../feed/configuration.ts";
import type { FeedStatus, Refusal } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { succeededAtAgeMs } from "../../feed/rotation.ts";
import { FeedSession } from "../../feed/session/feed-session.ts";
import type { Books } from "../../feed/session/inputs.ts";
import type { SessionPort } from "../../feed/session/session-port.ts";
import { marketStatus, refuse, SNAPSHOT_LEVELS } from "../../feed/views.ts";
import type { AliveMark, FeedStore } from "./feed-store.ts";
import { sharedBudget } from "./process-budgets.ts";
import { earlierCounts, Recorder, unclosedMinuteSnapshots } from "./recorder.ts";

export interface RunningFeedOptions {
  readonly configuration: FeedConfiguration;
  readonly adapter: ExchangeAdapter;
  /** In place of the venue's own hosts. */
  readonly hosts: VenueHosts | undefined;
  readonly store: FeedStore;
  /** Clock, sockets, requests and the object's alarm. */
  readonly port: SessionPort;
  /** The books begin, or begin anew. */
  readonly onBooks?: (markets: Iterable<MarketTracker>) => void;
}

/** All that a feed says of itself; what its object is billed for, the object adds. */
export interface RunningStatus extends Omit<FeedStatus, "counters"> {
  readonly messages: number;
}

export class RunningFeed {
  readonly adapter: ExchangeAdapter;
  private readonly configuration: FeedConfiguration;
  private readonly store: FeedStore;
  private readonly session: FeedSession;
  private readonly onBooks: RunningFeedOptions["onBooks"];

  constructor({ configuration, adapter, hosts, store, port, onBooks }: RunningFeedOptions) {
    this.configuration = configuration;
    this.adapter = adapter;
    this.store = store;
    this.onBooks = onBooks;
    this.session = new FeedSession({
      adapter,
      symbols: configuration.symbols,
      hosts,
      budget: sharedBudget(adapter.venue, adapter.limits),
      port,
      startBooks: (instruments) => this.startBooks(instruments, port.now()),
      succeededAtAgeMs: succeededAtAgeMs(adapter, configuration.auditMs),
    });
    const kept = this.store.kept<Instrument[]>("instruments");
    if (kept !== null && missingSymbols(this.configuration, kept).length === 0) this.session.begin(kept);
  }

  get instruments(): readonly Instrument[] {
    return [...(this.reducer?.markets.values() ?? [])].map((market) => market.instrument);
  }

  /** The time of now, never before an input already taken. */
  now(): number {
    return this.session.now();
  }

  /** The watchdog: ends what is silent or too old, closes minutes, flushes. */
  watch(): void {
    this.session.watch();
  }

  /** Asks the venue for whatever is missing: instruments, a connection, snapshots. Takes as long as the venue does. */
  async reach(): Promise<void> {
    await new Promise<void>((reached) => this.session.reach(reached));
  }

  view<T>(market: string, look: (tracker: MarketTracker) => T): T | Refusal {
    const parts = parseMarketId(market);
    const isOurs = parts !== null && parts.venue === this.configuration.venue && this.configuration.symbols.includes(parts.symbol);
    if (!isOurs) return refuse("unknown-market", `Feed ${this.configuration.feed} holds no market ${market}.`);
    const tracker = this.reducer?.markets.get(parts.symbol);
    if (tracker === undefined)
      return refuse("disconnected", `${market}: ${this.session.fault ?? "the venue's instruments have not come yet"}.`);
    return look(tracker);
  }

  status(): RunningStatus {
    const now = this.now();
    const { reducer } = this;
    const pending = this.store.pendingCount();
    return {
      feed: this.configuration.feed,
      venue: this.configuration.venue,
      now,
      connection: this.session.connectionStatus,
      unlisted: this.session.unlisted,
      messages: this.session.messages,
      frames: reducer?.frames ?? 0,
      malformedFrames: reducer?.malformedFrames ?? 0,
      malformedSamples: reducer?.malformedSamples.slice() ?? [],
      pendingMinutes: pending.minutes,
      oldestPendingMinute: pending.oldest,
      tapeBytesHeld: this.store.heldBytes(),
      markets: [...(reducer?.markets.values() ?? [])].map((market) => marketStatus(market, now)),
    };
  }

  private get reducer(): FeedReducer | undefined {
    return this.session.books?.reducer;
  }

  /** Books begin empty; what an earlier process left open is closed or carried on. */
  private startBooks(instruments: readonly Instrument[], at: number): Books {
    const earlier = this.store.kept<Instrument[]>("instruments") ?? [];
    this.store.keep("instruments", instruments);
    const alive = this.store.kept<AliveMark>("alive");
    // Another machine's clock may be behind: a minute that was closed must not be opened again.
    const now = Math.max(at, alive?.at ?? 0);
    const [featureSet, ...furtherFeatureSets] = featureSetsOf(this.configuration);
    const reducer = new FeedReducer({
      adapter: this.adapter,
      instruments,
      featureSet,
      furtherFeatureSets,
      pendingRoom: this.store.object.pendingRoom,
      snapshotLevels: this.configuration.levels ?? SNAPSHOT_LEVELS,
      ...(this.configuration.silenceMs === undefined ? {} : { silenceMs: this.configuration.silenceMs }),
    });
    const recorder = new Recorder(this.store, reducer, now);
    for (const gap of this.store.openGaps()) {
      const symbol = parseMarketId(gap.market)?.symbol;
      if (symbol !== undefined) reducer.markets.get(symbol)?.resumeGap(gap);
    }
    // One that was added has a beginning of its own: what there is of an earlier time of it is in the ledger.
    reducer.begin(now, (symbol) => (alive?.markets[symbol] === undefined ? null : alive.at));
    if (alive !== null) {
      for (const minute of this.store.unclosedMinutes(minuteOf(now), alive.minute))
        this.store.saveMinute(minute, unclosedMinuteSnapshots(instruments, minute, alive));
      for (const [symbol, market] of reducer.markets) {
        const known = alive.markets[symbol];
        if (known === undefined) continue;
        market.gaps.remember(known.gapStarts);
        if (alive.minute === minuteOf(now)) market.minute.resume(alive.minute, earlierCounts(known, market.instrument, earlier));
      }
      recorder.hole(now, null, `restarted; last alive at ${alive.at}`);
    }
    recorder.flush(now);
    this.onBooks?.(reducer.markets.values());
    return { reducer, journal: recorder };
  }
}
