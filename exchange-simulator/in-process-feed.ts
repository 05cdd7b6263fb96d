/**
 * A feed of one venue in simulated time: the very session, reducer and adapter that capture runs (feed/session/), on the simulated world in place of
 * sockets, requests, alarms and a store. The fault matrix and the soak are made of it.
 *
 * It does what the world's time brings: whoever advances that (simulated-time.ts) has it dial, ask, ping and look after itself at each alarm.
 * What it can't show: real sockets, a clock of ours that differs from the world's, storage, a process that dies.
 */

import type { FeatureSet } from "../core/features/contract.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { TapeRecord } from "../core/wire/tape.ts";
import type { ExchangeAdapter, VenueHosts } from "../exchanges/contract.ts";
import type { GapRecord } from "../feed/contract.ts";
import type { FeedReducerOptions } from "../feed/feed-markets.ts";
import { FeedReducer } from "../feed/feed-reducer.ts";
import { FeedSession } from "../feed/session/feed-session.ts";
import type { Books } from "../feed/session/inputs.ts";
import type { ConnectionRecord, Journal } from "../feed/session/journal.ts";
import { VenueBudget } from "../feed/session/venue-budget.ts";
import { SimulatedPort } from "./simulated-port.ts";
import type { SimulatedTime } from "./simulated-time.ts";

export interface InProcessFeedOptions {
  readonly time: SimulatedTime;
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  readonly featureSet: FeatureSet;
  /** Of the waits between two dials: numbers in [0, 1). */
  readonly uniform: () => number;
  /** More of the reducer's own options. */
  readonly reducer?: Partial<Pick<FeedReducerOptions, "silenceMs" | "snapshotLevels">>;
  /** Hears of everything that the reducer takes, in its order: what a tape holds. */
  readonly onRecord?: (record: TapeRecord) => void;
  /** In place of the adapter's own (feed/rotation.ts), for a world that doesn't last so long. */
  readonly succeededAtAgeMs?: number;
  /** In place of a day, likewise. */
  readonly instrumentsGoodForMs?: number;
}

const HOSTS: VenueHosts = { stream: "ws://simulator", rest: "http://simulator" };
/** Of the object's alarm. */
const ALARM_INTERVAL_MS = 10_000;

/** A time in which the venue was heard on two connections. */
export interface StandbySpan {
  readonly from: number;
  to: number | null;
}

export class InProcessFeed {
  readonly venue: string;
  readonly symbols: readonly string[];
  /** What a record of faults is read with: which connections there were side by side, and when. */
  readonly standbySpans: StandbySpan[] = [];
  private readonly options: InProcessFeedOptions;
  private readonly session: FeedSession;
  private readonly port: SimulatedPort;
  private readonly journal: Journal;
  private alarmAt = Number.POSITIVE_INFINITY;
  /** Of books that others have taken the place of. */
  private earlierGaps: GapRecord[] = [];
  private books: Books;

  /** Throws when the venue does not give the instruments. */
  constructor(options: InProcessFeedOptions) {
    const { time, adapter, symbols, uniform } = options;
    this.options = options;
    this.venue = adapter.venue;
    this.symbols = symbols;
    this.port = new SimulatedPort({ time, venue: adapter.venue, uniform, wake: (at) => this.wake(at) });
    this.journal = this.journalOf(options.onRecord ?? (() => {}));
    const { succeededAtAgeMs, instrumentsGoodForMs } = options;
    this.session = new FeedSession({
      adapter,
      symbols,
      hosts: HOSTS,
      budget: new VenueBudget(adapter.limits),
      port: this.port,
      startBooks: (instruments) => this.startAnew(instruments),
      ...(succeededAtAgeMs === undefined ? {} : { succeededAtAgeMs }),
      ...(instrumentsGoodForMs === undefined ? {} : { instrumentsGoodForMs }),
    });
    const instruments = this.listed();
    this.books = this.booksOf(instruments);
    this.books.reducer.begin(time.now, () => null);
    this.session.begin(instruments);
    this.wake(time.now);
  }

  get reducer(): FeedReducer {
    return this.books.reducer;
  }

  /** What its alarm does, and whoever asks the object anything. */
  look(): void {
    this.session.watch();
    this.session.reach(() => {});
  }

  /** As the ledger gets them. */
  takeGapChanges(): readonly GapRecord[] {
    const taken = [...this.earlierGaps, ...this.reducer.takeGapChanges()];
    this.earlierGaps = [];
    return taken;
  }

  /** As after a start at which the store had them: without asking, so that the books are there at once. */
  private listed(): readonly Instrument[] {
    const { adapter, symbols } = this.options;
    const { answer } = this.port.ask(adapter.instrumentsRequest(HOSTS, symbols));
    const decoded = adapter.decodeInstruments(answer.body, symbols);
    if ("malformed" in decoded) throw new Error(`${adapter.venue}: ${decoded.malformed}`);
    return decoded.instruments;
  }

  private booksOf(instruments: readonly Instrument[]): Books {
    const { adapter, featureSet, reducer = {}, onRecord = () => {} } = this.options;
    const { now } = this.options.time;
    for (const { symbol, tick, lot } of instruments) onRecord({ kind: "instrument", receivedAt: now, symbol, tick, lot });
    return { reducer: new FeedReducer({ adapter, instruments, featureSet, ...reducer }), journal: this.journal };
  }

  /** The first books, or those on changed grids: gaps that are open go on in them. */
  private startAnew(instruments: readonly Instrument[]): Books {
    if (this.session.books === null) return this.books;
    const { now } = this.options.time;
    const { markets } = this.reducer;
    this.earlierGaps.push(...this.reducer.takeGapChanges());
    this.books = this.booksOf(instruments);
    for (const [symbol, { gaps }] of markets) if (gaps.current !== null) this.reducer.markets.get(symbol)?.resumeGap(gaps.current);
    this.reducer.begin(now, () => now);
    return this.books;
  }

  /** The alarm is only ever brought forward. */
  private wake(at: number): void {
    if (at >= this.alarmAt) return;
    this.alarmAt = at;
    this.options.time.at(at, () => {
      if (this.alarmAt !== at) return;
      this.alarmAt = Number.POSITIVE_INFINITY;
      this.wake(this.options.time.now + ALARM_INTERVAL_MS);
      this.look();
    });
  }

  private journalOf(record: (record: TapeRecord) => void): Journal {
    return {
      advance: () => {},
      tick: () => {},
      flush: () => "stored",
      frame: (_, receivedAt, text) => record({ kind: "frame", receivedAt, text }),
      standbyFrame: (_, receivedAt, text) => record({ kind: "standby-frame", receivedAt, text }),
      binary: (receivedAt, base64) => record({ kind: "binary", receivedAt, base64 }),
      asked: (symbol, receivedAt) => record({ kind: "asked", receivedAt, symbol }),
      snapshot: (symbol, receivedAt, body) => record({ kind: "snapshot", receivedAt, symbol, body }),
      hole: (receivedAt, symbol, reason) => record({ kind: "hole", receivedAt, symbol, reason }),
      connection: (receivedAt, of) => {
        this.noteStandby(receivedAt, of);
        record({ ...of, receivedAt });
      },
    };
  }

  private noteStandby(at: number, { kind }: ConnectionRecord): void {
    const span = this.standbySpans.at(-1);
    if (kind === "standby-open") this.standbySpans.push({ from: at, to: null });
    else if ((kind === "standby-down" || kind === "takeover") && span !== undefined) span.to = at;
  }
}
