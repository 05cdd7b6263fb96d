/**
 * A feed's session with its venue: joins the connection, the requests, the reducer and the journal. Pure: the world that it runs in, be it the feed
 * object's or a simulated one, is its port, calls `watch` and `reach` at least each ten seconds, and whenever the session asked to be woken.
 *
 * What comes goes the one way that inputs.ts gives it.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import type { FeedStatus, GapReason } from "../contract.ts";
import type { FeedReducer } from "../feed-reducer.ts";
import type { FrameOutcome, Rebuilt } from "../frame-outcome.ts";
import { succeededAtAgeMs } from "../rotation.ts";
import type { StandbyOutcome } from "../standby.ts";
import { Connection } from "./connection.ts";
import { type Books, Inputs } from "./inputs.ts";
import { Refusals } from "./refusals.ts";
import type { SessionPort } from "./session-port.ts";
import { SnapshotRequests } from "./snapshot-requests.ts";
import type { VenueBudget } from "./venue-budget.ts";
import { INSTRUMENTS_GOOD_FOR_MS, VenueInstruments } from "./venue-instruments.ts";
import { VenueRequests } from "./venue-requests.ts";

export interface FeedSessionOptions {
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  /** In place of the venue's own. */
  readonly hosts?: VenueHosts | undefined;
  /** Of the venue, shared by all who ask it from this address. */
  readonly budget: VenueBudget;
  readonly port: SessionPort;
  /** Makes books on these grids: the first, or those that take the place of the present ones, whose grids have changed. */
  readonly startBooks: (instruments: readonly Instrument[]) => Books;
  /** In place of the adapter's own (feed/rotation.ts), for a world that doesn't last so long. */
  readonly succeededAtAgeMs?: number;
  /** In place of a day, likewise. */
  readonly instrumentsGoodForMs?: number;
}

const NONE: readonly string[] = [];

export class FeedSession {
  /** Frames received, a standby's not counted. */
  messages = 0;
  private readonly options: FeedSessionOptions;
  private readonly adapter: ExchangeAdapter;
  private readonly inputs: Inputs;
  private readonly connection: Connection;
  private readonly venueInstruments: VenueInstruments;
  private readonly snapshots: SnapshotRequests;
  private readonly refusals: Refusals;
  private downReason: GapReason = "connection-down";
  /** The last listing lacked a market that there is. */
  private wasShort = false;

  constructor(options: FeedSessionOptions) {
    const { adapter, symbols, budget, port } = options;
    this.options = options;
    this.adapter = adapter;
    this.inputs = new Inputs(port, () => this.connection.reset("an input failed"));
    this.refusals = new Refusals(this.inputs, port, budget);
    this.connection = new Connection({
      adapter,
      hosts: options.hosts,
      // Those that the venue lists: it may refuse a message whole for one that it doesn't.
      symbols: () => symbols.filter((symbol) => this.books?.reducer.markets.has(symbol)),
      budget,
      port,
      succeededAtAgeMs: options.succeededAtAgeMs ?? succeededAtAgeMs(adapter),
      listener: {
        opened: (connection) => this.onOpened(connection),
        text: (text) => this.onText(text),
        binary: (base64) => this.onBinary(base64),
        down: (reason) => this.onDown(reason),
        standbyOpened: (connection) => this.onStandbyOpened(connection),
        standbyText: (text) => this.onStandbyText(text),
        standbyDown: (reason) => this.onStandbyDown(reason),
        succeeded: (connection, reason) => this.onSucceeded(connection, reason),
      },
    });
    const goodForMs = options.instrumentsGoodForMs ?? INSTRUMENTS_GOOD_FOR_MS;
    const { connection, inputs, refusals } = this;
    const requests = new VenueRequests(port, budget, adapter.limits);
    const venueInstruments = new VenueInstruments({ adapter, symbols, port, requests, connection, goodForMs });
    this.venueInstruments = venueInstruments;
    this.snapshots = new SnapshotRequests({
      source: adapter.snapshots,
      connection,
      requests,
      venueInstruments,
      inputs,
      refusals,
      budget,
      port,
    });
  }

  /** Null before the venue's instruments have been had. */
  get books(): Books | null {
    return this.inputs.books;
  }

  /** Why the instruments could not be had; null when they could. */
  get fault(): string | null {
    return this.venueInstruments.fault;
  }

  /** Symbols of ours that have no market, by the venue's last listing, and why. */
  get unlisted(): FeedStatus["unlisted"] {
    return this.venueInstruments.unlisted;
  }

  get connectionStatus(): FeedStatus["connection"] {
    const { state, host, openedAt, attempts, lastDownReason, retryAt } = this.connection;
    const { count: refusals, last: lastRefusal } = this.refusals;
    return { state, host: host.stream, openedAt, attempts, lastDownReason: lastDownReason ?? this.fault, retryAt, refusals, lastRefusal };
  }

  /** The time of now, never before an input already taken. */
  now(): number {
    return this.inputs.now();
  }

  /** Books on grids that are known already: the venue is asked for them all the same. */
  begin(instruments: readonly Instrument[]): void {
    this.inputs.books = this.options.startBooks(instruments);
  }

  /** The watchdog: ends what is silent or too old, closes minutes, flushes. */
  watch(): void {
    if (this.books === null) return;
    const now = this.now();
    const { reducer, journal } = this.books;
    reducer.tick(now);
    journal.tick(now);
    if (reducer.takeGridDoubt()) this.venueInstruments.doubt();
    const standby = reducer.standbyState(now);
    if (standby === "joined") this.connection.succeed("its books have met the present ones");
    else if (standby === "overdue") this.connection.giveUpStandby("its books did not meet the present ones in time");
    if (this.connection.isSilent(now)) this.drop("stale", `nothing received for over ${this.adapter.staleAfterMs / 1_000} s`);
    else this.lookAfterSilence(reducer, now);
  }

  /**
   * Asks the venue for whatever is missing: instruments, a connection, its successor, snapshots.
   * @param reached when what was begun has been answered, snapshots apart.
   */
  reach(reached: () => void): void {
    this.venueInstruments.ask(this.books === null ? "no-books" : "books", (listed) => {
      try {
        if (listed.length > 0) this.useInstruments(listed);
      } catch (error) {
        // Nothing has been made of them: they are wanted still, not in a day.
        this.venueInstruments.doubt();
        throw error;
      } finally {
        if (this.books === null) reached();
        else this.connect(reached);
      }
    });
  }

  private connect(reached: () => void): void {
    this.connection.ensure(() =>
      this.connection.ensureStandby(() => {
        this.snapshots.ask();
        reached();
      }),
    );
  }

  private onOpened(connection: number): void {
    this.snapshots.connectionOpened();
    this.refusals.forget();
    this.inputs.take((now, { reducer, journal }) => {
      reducer.connectionOpened(now);
      journal.connection(now, { kind: "open", connection: String(connection) });
    });
    this.snapshots.subscribed();
  }

  private onText(text: string): void {
    this.messages++;
    this.inputs.take((now, { reducer, journal }) => {
      let taken: FrameOutcome | null = null;
      try {
        taken = reducer.frame(text, now);
      } finally {
        // Before the frame that showed it, as the reducer had it.
        if (taken !== null && taken.hole !== null) journal.hole(now, null, taken.hole);
        this.recordRebuilt(now, taken?.rebuilt ?? null);
        // Also one that the reducer fails on: of all frames, that one is wanted on the tape.
        journal.frame(symbolsOf(taken), now, text);
      }
      this.afterFrame(now, reducer, taken);
    });
  }

  private afterFrame(now: number, reducer: FeedReducer, { symbol, decoded, isClosing, refusal, hole, rebuilt }: FrameOutcome): void {
    if (refusal !== null) this.refusals.take(refusal, reducer);
    // It may be the grids that have changed.
    if (decoded === "malformed") this.venueInstruments.doubt();
    if (isClosing) this.prepareForClosing();
    else if (hole !== null || rebuilt !== null || (symbol !== null && reducer.markets.get(symbol)?.wantsSnapshot(now)))
      this.snapshots.ask();
  }

  /** The venue has announced that it closes the connection: another one is opened before it does. */
  private prepareForClosing(): void {
    this.connection.announceClosing();
    this.reach(() => {});
  }

  private onBinary(base64: string): void {
    this.messages++;
    this.inputs.take((now, { reducer, journal }) => {
      const rebuilt = reducer.unreadableFrame(base64, "a binary frame", now);
      this.recordRebuilt(now, rebuilt);
      journal.binary(now, base64);
      if (rebuilt !== null) this.snapshots.ask();
    });
  }

  /** On the tapes of markets that don't have the frame. */
  private recordRebuilt(now: number, rebuilt: Rebuilt | null): void {
    for (const symbol of rebuilt?.symbols ?? NONE) this.books?.journal.hole(now, symbol, rebuilt?.reason ?? "");
  }

  private onDown(reason: string): void {
    this.inputs.take((now, { reducer, journal }) => {
      reducer.connectionLost(now, this.downReason, reason);
      journal.connection(now, { kind: "down", reason: `${this.downReason}: ${reason}` });
      journal.flush(now);
    });
    this.downReason = "connection-down";
  }

  private onStandbyOpened(connection: number): void {
    this.inputs.take((now, { reducer, journal }) => {
      reducer.standbyOpened(now);
      journal.connection(now, { kind: "standby-open", connection: String(connection) });
    });
  }

  private onStandbyText(text: string): void {
    this.inputs.take((now, { reducer, journal }) => {
      let taken: StandbyOutcome | null = null;
      try {
        taken = reducer.standbyFrame(text, now);
      } finally {
        journal.standbyFrame(taken?.symbols ?? NONE, now, text);
      }
      if (taken.refusal !== null) this.refusals.takeOfStandby(taken.refusal, reducer);
      if (taken.broken !== null) this.connection.giveUpStandby(taken.broken);
      else if (taken.symbols.some((symbol) => reducer.markets.get(symbol)?.wantsSnapshot(now))) this.snapshots.ask();
    });
  }

  private onStandbyDown(reason: string): void {
    this.refusals.standbyOver();
    this.inputs.take((now, { reducer, journal }) => {
      reducer.standbyLost(now);
      journal.connection(now, { kind: "standby-down", reason });
    });
    // Markets that it had are to begin anew on the connection that is left.
    this.snapshots.ask();
  }

  private onSucceeded(connection: number, reason: string): void {
    // Why the old one was given up says nothing of the next end.
    this.downReason = "connection-down";
    this.inputs.take((now, { reducer, journal }) => {
      reducer.takeOver(now);
      this.refusals.succeeded(reducer);
      journal.connection(now, { kind: "takeover", connection: `${connection}: ${reason}` });
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
      this.books?.journal.hole(now, symbol, detail);
      reducer.resync(symbol, now, detail);
    }
    for (const { channel, symbols } of [...reducer.silentChannels(now), ...this.refusals.takeDue(reducer, now)])
      for (const carried of reducer.byCarrier(symbols)) this.connection.resubscribe(carried, channel);
  }

  /**
   * Starts the books, or starts them again where a grid has changed: what is on the old one can't be joined with what comes. All of them, since one
   * decoder reads for all. So a listing that lacks one of them is believed only with the next, while any book is live.
   */
  private useInstruments(instruments: readonly Instrument[]): void {
    const held = this.books;
    if (held !== null) {
      const present = [...held.reducer.markets.values()].map(({ instrument }) => instrument);
      const isWhole = present.every(({ symbol }) => instruments.some((each) => each.symbol === symbol));
      const isDoubtful = !isWhole && !this.wasShort && present.some(({ symbol }) => held.reducer.markets.get(symbol)?.state === "live");
      this.wasShort = !isWhole;
      // It is asked for again before long, as one that lacks any of our symbols always is.
      if (isDoubtful || gridsText(present) === gridsText(instruments)) return;
      if (!this.isStored(held)) return;
      this.downReason = "restarted";
      this.connection.reset("the venue's grids have changed");
      this.downReason = "connection-down";
      if (!this.isStored(held)) return;
    }
    this.begin(instruments);
  }

  /** Whether all that books have written down is stored. What isn't would go with them: they go on, and the listing is asked for again. */
  private isStored({ journal }: Books): boolean {
    if (journal.flush(this.now()) === "stored") return true;
    this.venueInstruments.doubt();
    return false;
  }
}

function symbolsOf(taken: FrameOutcome | null): readonly string[] {
  if (taken === null || taken.symbol === null) return NONE;
  return taken.others.length === 0 ? [taken.symbol] : [taken.symbol, ...taken.others];
}

/** Equal for equal grids of the same symbols, in whatever order the venue lists them. */
function gridsText(instruments: readonly Instrument[]): string {
  return JSON.stringify(
    instruments.map(({ symbol, tick, lot }) => [symbol, tick.mantissa, tick.decimals, lot.mantissa, lot.decimals]).toSorted(),
  );
}
