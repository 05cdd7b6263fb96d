/**
 * A feed at work: joins the connection, the REST requests, the reducer and the recorder. One per feed; an object has several.
 *
 * Each input goes the same way: its time is read once, minutes that have ended are closed, the reducer takes it, the tape gets it. So the tape
 * holds the very sequence, with the very times, that the reducer saw.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { minuteOf } from "../../core/units/time.ts";
import type { ExchangeAdapter, SnapshotSource, VenueHosts, VenueKey } from "../../exchanges/contract.ts";
import { type FeedConfiguration, missingSymbols } from "../../feed/configuration.ts";
import type { FeedStatus, GapReason, Refusal } from "../../feed/contract.ts";
import { FeedReducer, type FrameOutcome, type Rebuilt } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import type { StandbyOutcome } from "../../feed/standby.ts";
import { marketStatus, refuse, SNAPSHOT_LEVELS } from "../../feed/views.ts";
import { Connection } from "./connection.ts";
import type { AliveMark, FeedStore } from "./feed-store.ts";
import { logFault } from "./log-fault.ts";
import { Recorder, unclosedMinuteSnapshots } from "./recorder.ts";
import { sharedBudget } from "./request-budget.ts";
import { platformSigner } from "./signer.ts";
import { VenueInstruments } from "./venue-instruments.ts";
import { type RestResult, VenueRest } from "./venue-rest.ts";

export interface RunningFeedOptions {
  readonly configuration: FeedConfiguration;
  readonly adapter: ExchangeAdapter;
  /** In place of the venue's own hosts. */
  readonly hosts: VenueHosts | undefined;
  /** Of the venue, where the deployment has one. */
  readonly key: VenueKey | undefined;
  readonly store: FeedStore;
  /** Has the object come back at this time, if not sooner. */
  readonly wake: (at: number) => void;
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
  private readonly connection: Connection;
  private readonly rest: VenueRest;
  private readonly venueInstruments: VenueInstruments;
  private books: { reducer: FeedReducer; recorder: Recorder } | null = null;
  private isAsking = false;
  /** How often the books were begun anew by a connection. */
  private opening = 0;
  private messages = 0;
  private downReason: GapReason = "connection-down";
  private readonly onBooks: RunningFeedOptions["onBooks"];

  constructor(options: RunningFeedOptions) {
    this.configuration = options.configuration;
    this.adapter = options.adapter;
    this.store = options.store;
    this.onBooks = options.onBooks;
    const { weightPerMinute, usedWeightHeader } = options.adapter.limits;
    const budget = sharedBudget(options.adapter.venue, weightPerMinute);
    this.rest = new VenueRest({ budget, usedWeightHeader });
    this.venueInstruments = new VenueInstruments(this.adapter, this.configuration, this.rest);
    const { adapter, hosts, key } = options;
    const { authenticate } = adapter;
    this.connection = new Connection({
      adapter,
      hosts,
      budget,
      authenticate: async () => (authenticate === null || key === undefined ? null : authenticate(key, platformSigner, Date.now())),
      listener: {
        opened: (connection) => this.onOpened(connection),
        text: (text) => this.onText(text),
        binary: (bytes) => this.onBinary(bytes),
        down: (reason) => this.onDown(reason),
        standbyOpened: (connection) => this.onStandbyOpened(connection),
        standbyText: (text) => this.onStandbyText(text),
        standbyDown: (reason) => this.onStandbyDown(reason),
        succeeded: (connection, reason) => this.onSucceeded(connection, reason),
        wake: options.wake,
      },
    });
    const kept = this.store.kept<Instrument[]>("instruments");
    if (kept !== null && missingSymbols(this.configuration, kept).length === 0) this.startBooks(kept, Date.now());
  }

  get instruments(): readonly Instrument[] {
    return this.books === null ? [] : [...this.books.reducer.markets.values()].map((market) => market.instrument);
  }

  /** The time of now, never before an input already taken. */
  now(): number {
    return Math.max(Date.now(), this.books?.reducer.now ?? 0);
  }

  /** The watchdog: ends what is silent or too old, closes minutes, flushes. */
  watch(at: number): void {
    if (this.books === null) return;
    const now = Math.max(at, this.now());
    const { reducer, recorder } = this.books;
    recorder.tick(now);
    const standby = reducer.standbyState(now);
    if (standby === "joined") this.connection.succeed("its books have met the present ones");
    else if (standby === "overdue") this.connection.giveUpStandby("its books did not meet the present ones in time");
    if (this.connection.isSilent(now)) this.drop("stale", `nothing received for over ${this.adapter.staleAfterMs / 1000} s`);
    else this.lookAfterSilence(reducer, now);
  }

  /** Asks the venue for whatever is missing: instruments, a connection, snapshots. Takes as long as the venue does; never throws. */
  async reach(at: number): Promise<void> {
    const now = Math.max(at, this.now());
    const listed = await this.venueInstruments.ask(this.connection, now, this.books === null ? "no-books" : "books");
    if (listed.length > 0) this.useInstruments(listed);
    if (this.books === null) return;
    await this.connection.ensure(this.configuration.symbols, now);
    await this.connection.ensureStandby(this.configuration.symbols, now);
    this.askSnapshots();
  }

  view<T>(market: string, look: (tracker: MarketTracker) => T): T | Refusal {
    const parts = parseMarketId(market);
    const isOurs = parts !== null && parts.venue === this.configuration.venue && this.configuration.symbols.includes(parts.symbol);
    if (!isOurs) return refuse("unknown-market", `Feed ${this.configuration.feed} holds no market ${market}.`);
    const tracker = this.books?.reducer.markets.get(parts.symbol);
    if (tracker === undefined)
      return refuse("disconnected", `${market}: ${this.venueInstruments.fault ?? "the venue's instruments have not come yet"}.`);
    return look(tracker);
  }

  status(at: number): RunningStatus {
    const now = Math.max(at, this.now());
    const { connection } = this;
    const reducer = this.books?.reducer;
    const pending = this.store.pendingCount();
    return {
      feed: this.configuration.feed,
      venue: this.configuration.venue,
      now,
      connection: {
        state: connection.state,
        host: connection.host.stream,
        openedAt: connection.openedAt,
        attempts: connection.attempts,
        lastDownReason: connection.lastDownReason ?? this.venueInstruments.fault,
        retryAt: connection.retryAt,
      },
      messages: this.messages,
      frames: reducer?.frames ?? 0,
      malformedFrames: reducer?.malformedFrames ?? 0,
      malformedSamples: reducer?.malformedSamples.slice() ?? [],
      pendingMinutes: pending.minutes,
      oldestPendingMinute: pending.oldest,
      tapeBytesHeld: this.store.heldBytes(),
      markets: [...(reducer?.markets.values() ?? [])].map((market) => marketStatus(market, now)),
    };
  }

  private onOpened(connection: number): void {
    this.opening++;
    this.take((now, { reducer, recorder }) => {
      reducer.connectionOpened(now);
      recorder.connection(now, { kind: "open", connection: String(connection) });
    });
  }

  private onText(text: string): void {
    this.messages++;
    this.take((now, { reducer, recorder }) => {
      let taken: FrameOutcome | null = null;
      try {
        taken = reducer.frame(text, now);
      } finally {
        // Before the frame that showed it, as the reducer had it.
        if (taken !== null && taken.hole !== null) recorder.hole(now, null, taken.hole);
        this.recordRebuilt(now, taken?.rebuilt ?? null);
        // Also one that the reducer fails on: of all frames, that one is wanted on the tape.
        recorder.frame(taken?.symbol ?? null, now, text);
        for (const symbol of taken?.others ?? []) recorder.frame(symbol, now, text);
      }
      const { symbol, isClosing, hole, rebuilt } = taken;
      // It may be the grids that have changed.
      if (taken.decoded === "malformed") this.venueInstruments.doubt();
      if (isClosing) this.prepareForClosing();
      else if (hole !== null || rebuilt !== null || (symbol !== null && reducer.markets.get(symbol)?.wantsSnapshot(now)))
        this.askSnapshots();
    });
  }

  /** The venue has announced that it closes the connection: another one is opened before it does. */
  private prepareForClosing(): void {
    this.connection.announceClosing();
    void this.reach(this.now());
  }

  private onBinary(bytes: ArrayBuffer): void {
    this.messages++;
    this.take((now, { reducer, recorder }) => {
      const base64 = toBase64(new Uint8Array(bytes));
      const rebuilt = reducer.unreadableFrame(base64, "a binary frame", now);
      this.recordRebuilt(now, rebuilt);
      recorder.binary(now, base64);
      if (rebuilt !== null) this.askSnapshots();
    });
  }

  /** On the tapes of markets that don't have the frame. */
  private recordRebuilt(now: number, rebuilt: Rebuilt | null): void {
    for (const symbol of rebuilt?.symbols ?? []) this.books?.recorder.hole(now, symbol, rebuilt?.reason ?? "");
  }

  private onDown(reason: string): void {
    this.take((now, { reducer, recorder }) => {
      reducer.connectionLost(now, this.downReason, reason);
      recorder.connection(now, { kind: "down", reason: `${this.downReason}: ${reason}` });
      recorder.flush(now);
    });
    this.downReason = "connection-down";
  }

  private onStandbyOpened(connection: number): void {
    this.take((now, { reducer, recorder }) => {
      reducer.standbyOpened(now);
      recorder.connection(now, { kind: "standby-open", connection: String(connection) });
    });
  }

  private onStandbyText(text: string): void {
    this.take((now, { reducer, recorder }) => {
      let taken: StandbyOutcome | null = null;
      try {
        taken = reducer.standbyFrame(text, now);
      } finally {
        recorder.standbyFrame(taken?.symbols ?? [], now, text);
      }
      if (taken.broken !== null) this.connection.giveUpStandby(taken.broken);
    });
  }

  private onStandbyDown(reason: string): void {
    this.take((now, { reducer, recorder }) => {
      reducer.standbyLost(now);
      recorder.connection(now, { kind: "standby-down", reason });
    });
    // Markets that it had are to begin anew on the connection that is left.
    this.askSnapshots();
  }

  private onSucceeded(connection: number, reason: string): void {
    // Why the old one was given up says nothing of the next end.
    this.downReason = "connection-down";
    this.take((now, { reducer, recorder }) => {
      reducer.takeOver(now);
      recorder.connection(now, { kind: "takeover", connection: `${connection}: ${reason}` });
    });
  }

  private drop(reason: GapReason, detail: string): void {
    if (!this.connection.isOpen) return;
    this.downReason = reason;
    this.connection.drop(detail);
  }

  /** A market that is silent against its own pace while others speak is asked for anew. */
  private lookAfterSilence(reducer: FeedReducer, now: number): void {
    for (const symbol of reducer.staleSymbols(now)) {
      const detail = "silent for longer than its own pace allows";
      this.books?.recorder.hole(now, symbol, detail);
      reducer.resync(symbol, now, detail);
    }
    for (const { channel, symbols } of reducer.silentChannels(now)) this.connection.send(this.adapter.resubscribe(symbols, channel));
  }

  /** Asks for the snapshots that are wanted, in the venue's way. */
  private askSnapshots(): void {
    const { books } = this;
    if (books === null || !this.connection.isOpen) return;
    const { snapshots } = this.adapter;
    const wanted = books.reducer.wantedSnapshots(this.now());
    if (wanted[0] === undefined) return;
    if (snapshots.kind === "request") this.requestSnapshot(wanted[0], snapshots);
    else this.subscribeAnew(wanted);
  }

  private asked(symbol: string): void {
    this.take((now, { reducer, recorder }) => {
      reducer.snapshotAsked(symbol, now);
      recorder.asked(symbol, now);
    });
  }

  private subscribeAnew(symbols: readonly string[]): void {
    for (const symbol of symbols) this.asked(symbol);
    this.connection.send(this.adapter.resubscribe(symbols, "depth"));
  }

  /** One request at a time; the next when this one is answered. */
  private requestSnapshot(symbol: string, source: Extract<SnapshotSource, { kind: "request" }>): void {
    const { books } = this;
    if (books === null || this.isAsking) return;
    const request = source.request(this.connection.host, symbol);
    if (!this.rest.mayAsk(Date.now(), request.weight)) return;
    const { opening } = this;
    this.isAsking = true;
    this.asked(symbol);
    void this.rest.ask(request).then((result) => {
      this.isAsking = false;
      // Asked for on a connection that is gone, or on other grids: nothing that comes now joins it, and its book would look whole until then. A
      // standby that has taken over goes on with the same books.
      const isWanted = this.books === books && this.opening === opening && this.connection.isOpen;
      if (isWanted) this.takeSnapshot(symbol, result);
      if (isWanted && !result.ok && result.isBlocked) this.connection.passOver("blocked", `REST is blocked here: ${result.detail}`);
      this.askSnapshots();
    });
  }

  private takeSnapshot(symbol: string, result: RestResult): void {
    this.take((now, { reducer, recorder }) => {
      if (!result.ok) {
        reducer.snapshotFailed(symbol, now);
        logFault(`snapshot of ${symbol} failed`, result.detail);
        return;
      }
      const malformed = reducer.malformedFrames;
      try {
        reducer.snapshot(symbol, result.body, now);
      } finally {
        recorder.snapshot(symbol, now, result.body);
      }
      if (reducer.malformedFrames > malformed) this.venueInstruments.doubt();
    });
  }

  /** Starts the books, or starts them again where a grid has changed: what is on the old one can't be joined with what comes. */
  private useInstruments(instruments: readonly Instrument[]): void {
    if (this.books !== null && gridsText(this.instruments) === gridsText(instruments)) return;
    this.store.keep("instruments", instruments);
    if (this.books !== null) {
      this.downReason = "restarted";
      this.connection.reset("the venue's grids have changed");
      this.downReason = "connection-down";
      this.books.recorder.flush(this.now());
    }
    this.startBooks(instruments, Date.now());
  }

  /** Books begin empty; what an earlier process left open is closed or carried on. */
  private startBooks(instruments: readonly Instrument[], at: number): void {
    const alive = this.store.kept<AliveMark>("alive");
    // Another machine's clock may be behind: a minute that was closed must not be opened again.
    const now = Math.max(at, alive?.at ?? 0);
    const reducer = new FeedReducer({
      adapter: this.adapter,
      instruments,
      featureSet: featureSetV1,
      snapshotLevels: this.configuration.levels ?? SNAPSHOT_LEVELS,
      ...(this.configuration.silenceMs === undefined ? {} : { silenceMs: this.configuration.silenceMs }),
    });
    const recorder = new Recorder(this.store, reducer, now);
    for (const gap of this.store.openGaps()) {
      const symbol = parseMarketId(gap.market)?.symbol;
      if (symbol !== undefined) reducer.markets.get(symbol)?.resumeGap(gap);
    }
    reducer.absent(alive?.at ?? now, now, alive === null ? "started" : "restarted");
    if (alive !== null) {
      for (const minute of this.store.unclosedMinutes(minuteOf(now), alive.minute))
        this.store.saveMinute(minute, unclosedMinuteSnapshots(reducer, minute, alive));
      for (const [symbol, market] of reducer.markets) {
        const known = alive.markets[symbol];
        if (known === undefined) continue;
        market.gaps.remember(known.gapStarts);
        if (alive.minute === minuteOf(now)) market.minute.resume(alive.minute, known);
      }
      recorder.hole(now, null, `restarted; last alive at ${alive.at}`);
    }
    recorder.flush(now);
    this.books = { reducer, recorder };
    this.onBooks?.(reducer.markets.values());
  }

  /**
   * One input: its time is read once, and ended minutes are closed first. An input that throws is a bug of ours: books can't be trusted
   * after it, so they are built again, by a connection that backs off.
   */
  private take(input: (now: number, books: { reducer: FeedReducer; recorder: Recorder }) => void): void {
    if (this.books === null) return;
    const now = this.now();
    try {
      this.books.recorder.advance(now);
      input(now, this.books);
    } catch (error) {
      logFault("an input failed", error);
      this.connection.reset("an input failed");
    }
  }
}

/** Equal for equal grids of the same symbols, in whatever order the venue lists them. */
function gridsText(instruments: readonly Instrument[]): string {
  return JSON.stringify(
    instruments.map(({ symbol, tick, lot }) => [symbol, tick.mantissa, tick.decimals, lot.mantissa, lot.decimals]).toSorted(),
  );
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, 1_000_000)) text += String.fromCharCode(byte);
  return btoa(text);
}
