/**
 * A feed of one venue in simulated time: the very reducer and adapter that capture runs, and around them the least shell that dials, subscribes, asks for
 * snapshots, rotates and backs off, without sockets or timers. It does in steps of the simulated clock what the feed object does by events.
 *
 * Frames reach the reducer as the venue tells them, at the simulated time. Whatever the feed says itself (a subscription, a request, a ping) waits for the next
 * `step`, as a message of ours takes a moment to the venue; an answer that a fault delays comes so much later. Random waits come from a seed.
 * What it can't show: real sockets, a clock of ours that differs from the world's, storage, and the budget of requests shared by feeds.
 */

import type { FeatureSet } from "../core/features/contract.ts";
import { Random } from "../core/math/random.ts";
import { MS_PER_MINUTE, MS_PER_SECOND } from "../core/units/time.ts";
import type { TapeRecord } from "../core/wire/tape.ts";
import type { ExchangeAdapter, VenueHosts, VenueRequest } from "../exchanges/contract.ts";
import type { GapReason } from "../feed/contract.ts";
import { FeedReducer, type FeedReducerOptions } from "../feed/feed-reducer.ts";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../feed/reconnect.ts";
import { succeededAtAgeMs } from "../feed/rotation.ts";
import type { Link, Wire } from "./link.ts";
import type { RestAnswer } from "./venue.ts";
import type { World } from "./world.ts";

export interface InProcessFeedOptions {
  readonly world: World;
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  readonly featureSet: FeatureSet;
  /** Of the waits between two dials. */
  readonly seed: number;
  /** More of the reducer's own options. */
  readonly reducer?: Partial<Pick<FeedReducerOptions, "silenceMs" | "snapshotLevels">>;
  /** Hears of everything that the reducer takes, in its order: what a tape holds. */
  readonly onRecord?: (record: TapeRecord) => void;
}

const HOSTS: VenueHosts = { stream: "ws://simulator", rest: "http://simulator" };
const BLOCKED: readonly number[] = [451, 403];
const DEFAULT_RATE_LIMIT_WAIT_MS = MS_PER_MINUTE;
const STANDBY_RETRY_MS = 3 * MS_PER_MINUTE;
/** Between two looks at silences; the feed object looks each 10 s, and at each call. */
const WATCH_EVERY_MS = MS_PER_SECOND;

/** One connection, as the feed has it. */
interface Line {
  readonly number: number;
  link: Link | null;
  readonly openedAt: number;
  lastDataAt: number;
  pingedAt: number | null;
  isOver: boolean;
  outbox: { readonly at: number; readonly text: string }[];
  nextSendAt: number;
}

interface Answer {
  readonly at: number;
  readonly symbol: string;
  readonly line: Line;
  readonly answer: RestAnswer;
}

/** A time in which the venue was heard on two connections. */
export interface StandbySpan {
  readonly from: number;
  to: number | null;
}

export class InProcessFeed {
  readonly reducer: FeedReducer;
  readonly venue: string;
  readonly symbols: readonly string[];
  /** What a record of faults is read with: which connections there were side by side, and when. */
  readonly standbySpans: StandbySpan[] = [];
  private readonly world: World;
  private readonly adapter: ExchangeAdapter;
  private readonly random: Random;
  private readonly onRecord: (record: TapeRecord) => void;
  private reconnect: ReconnectState = READY_TO_CONNECT;
  private heldUntil = 0;
  private line: Line | null = null;
  private standby: Line | null = null;
  private closing: Line | null = null;
  private standbyNotBefore = 0;
  private dialled = 0;
  private answers: Answer[] = [];
  private isAsking = false;
  private watchedAt = 0;
  private downReason: GapReason = "connection-down";

  /** Throws when the venue does not give the instruments. */
  constructor({ world, adapter, symbols, featureSet, seed, reducer = {}, onRecord = () => {} }: InProcessFeedOptions) {
    this.world = world;
    this.adapter = adapter;
    this.venue = adapter.venue;
    this.symbols = symbols;
    this.random = new Random(seed);
    this.onRecord = onRecord;
    const decoded = adapter.decodeInstruments(this.ask(adapter.instrumentsRequest(HOSTS, symbols)).answer.body, symbols);
    if ("malformed" in decoded) throw new Error(`${adapter.venue}: ${decoded.malformed}`);
    this.reducer = new FeedReducer({ adapter, instruments: decoded.instruments, featureSet, ...reducer });
    const { now } = this;
    for (const { symbol, tick, lot } of decoded.instruments) onRecord({ kind: "instrument", receivedAt: now, symbol, tick, lot });
    this.reducer.absent(now, now, "started");
  }

  /** What is due at the simulated time of now. Called between two advances of the world. */
  step(): void {
    const { now } = this;
    this.reducer.tick(now);
    this.deliverAnswers(now);
    if (this.line === null) this.dialLine(now);
    else if (this.standby === null && now >= this.standbyNotBefore && this.isAgeing(now)) this.dialStandby(now);
    for (const line of [this.line, this.standby]) if (line !== null) this.send(line, now);
    if (now - this.watchedAt >= WATCH_EVERY_MS) this.watch(now);
    this.askSnapshots(now);
  }

  private get now(): number {
    return Math.floor(this.world.clock.now);
  }

  private dialLine(now: number): void {
    if (now < Math.max(this.reconnect.retryAt, this.heldUntil)) return;
    const line = this.dial(now, (opened) => {
      this.line = opened;
      this.reducer.connectionOpened(now);
      this.onRecord({ kind: "open", receivedAt: now, connection: String(opened.number) });
    });
    if (line === null) this.reconnect = afterFailure(this.reconnect, now, { uniform: this.random.uniform(), retryAfterMs: 0 });
  }

  private dialStandby(now: number): void {
    this.standbyNotBefore = now + STANDBY_RETRY_MS;
    this.dial(now, (opened) => {
      this.standby = opened;
      this.standbySpans.push({ from: now, to: null });
      this.reducer.standbyOpened(now);
      this.onRecord({ kind: "standby-open", receivedAt: now, connection: String(opened.number) });
    });
  }

  /** @param opened told before the venue's first word. @returns null where the venue refuses. */
  private dial(now: number, opened: (line: Line) => void): Line | null {
    const { path, query } = targetOf(this.adapter.streamUrl(HOSTS, this.symbols));
    const line: Line = {
      number: ++this.dialled,
      link: null,
      openedAt: now,
      lastDataAt: now,
      pingedAt: null,
      isOver: false,
      outbox: [],
      nextSendAt: now,
    };
    // The welcome comes with the accepted upgrade: kept until the feed knows of the connection.
    const early: string[] = [];
    let isOpen = false;
    const wire: Wire = {
      deliver: (text) => (isOpen ? this.hear(line, text) : early.push(text)),
      close: (code) => this.down(line, `closed with ${code}`),
      terminate: () => this.down(line, "closed with 1006"),
      reset: () => this.down(line, "reset"),
    };
    const link = this.world.connect(this.venue, { path, query }, wire);
    if ("status" in link) {
      this.obey(link);
      return null;
    }
    line.link = link;
    isOpen = true;
    opened(line);
    for (const text of early) this.hear(line, text);
    this.say(line, this.adapter.subscribe(this.symbols, null));
    this.send(line, now);
    return line;
  }

  private hear(line: Line, text: string): void {
    if (line.isOver) return;
    const { now } = this;
    line.lastDataAt = now;
    line.pingedAt = null;
    if (line === this.standby) {
      this.onRecord({ kind: "standby-frame", receivedAt: now, text });
      const { broken } = this.reducer.standbyFrame(text, now);
      if (broken !== null) this.end(line, broken);
      return;
    }
    const { hole, rebuilt, isClosing } = this.reducer.frame(text, now);
    if (hole !== null) this.onRecord({ kind: "hole", receivedAt: now, symbol: null, reason: hole });
    for (const symbol of rebuilt?.symbols ?? []) this.onRecord({ kind: "hole", receivedAt: now, symbol, reason: rebuilt?.reason ?? "" });
    this.onRecord({ kind: "frame", receivedAt: now, text });
    if (isClosing) this.closing = line;
  }

  private down(line: Line, reason: string): void {
    if (line.isOver) return;
    line.isOver = true;
    const { now } = this;
    if (line === this.standby) {
      this.endStandby(now);
      this.reducer.standbyLost(now);
      this.onRecord({ kind: "standby-down", receivedAt: now, reason });
    } else if (line === this.line) {
      if (this.standby === null) this.lost(line, now, reason);
      else this.succeed(now, reason);
    }
  }

  private lost(line: Line, now: number, detail: string): void {
    this.line = null;
    this.answers = [];
    this.isAsking = false;
    const before = wasHealthy(line.openedAt, line.lastDataAt) ? READY_TO_CONNECT : this.reconnect;
    this.reconnect = afterFailure(before, now, { uniform: this.random.uniform(), retryAfterMs: 0 });
    const reason = this.downReason;
    this.downReason = "connection-down";
    this.reducer.connectionLost(now, reason, detail);
    this.onRecord({ kind: "down", receivedAt: now, reason: `${reason}: ${detail}` });
  }

  private succeed(now: number, reason: string): void {
    const { standby } = this;
    if (standby === null) return;
    const old = this.line;
    this.line = standby;
    // Why the old one was given up says nothing of the next end.
    this.downReason = "connection-down";
    this.endStandby(now);
    this.answers = [];
    this.isAsking = false;
    this.reducer.takeOver(now);
    this.onRecord({ kind: "takeover", receivedAt: now, connection: `${standby.number}: ${reason}` });
    if (old !== null) leave(old);
  }

  private endStandby(now: number): void {
    this.standby = null;
    const span = this.standbySpans.at(-1);
    if (span !== undefined) span.to = now;
  }

  private isAgeing(now: number): boolean {
    if (this.line === null) return false;
    return this.line === this.closing || now - this.line.openedAt > succeededAtAgeMs(this.adapter);
  }

  private say(line: Line, texts: readonly string[]): void {
    for (const text of texts) {
      const at = Math.max(this.now, line.nextSendAt);
      line.nextSendAt = at + this.adapter.limits.frameIntervalMs;
      line.outbox.push({ at, text });
    }
  }

  private send(line: Line, now: number): void {
    const due = line.outbox.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    line.outbox = line.outbox.filter(({ at }) => at > now);
    for (const { text } of due) line.link?.receive(text);
  }

  private watch(now: number): void {
    this.watchedAt = now;
    for (const line of [this.line, this.standby]) if (line !== null) this.keepAlive(line, now);
    const state = this.reducer.standbyState(now);
    if (state === "joined") this.succeed(now, "its books have met the present ones");
    else if (state === "overdue" && this.standby !== null) this.end(this.standby, "its books did not meet the present ones in time");
    const { line } = this;
    if (line === null) return;
    if (now - line.lastDataAt > this.adapter.staleAfterMs) {
      this.downReason = "stale";
      this.end(line, "nothing received for too long");
      return;
    }
    for (const symbol of this.reducer.staleSymbols(now)) {
      const reason = "silent for longer than its own pace allows";
      this.onRecord({ kind: "hole", receivedAt: now, symbol, reason });
      this.reducer.resync(symbol, now, reason);
    }
    for (const { channel, symbols } of this.reducer.silentChannels(now)) this.say(line, this.adapter.resubscribe(symbols, channel));
  }

  private keepAlive(line: Line, now: number): void {
    const { keepAlive } = this.adapter;
    if (keepAlive === null) return;
    if (line.pingedAt !== null) {
      if (now - line.pingedAt > keepAlive.answerWithinMs) this.end(line, "no answer to a ping");
    } else if (now - line.lastDataAt >= keepAlive.afterSilenceMs) {
      line.pingedAt = now;
      line.link?.receive(keepAlive.frame);
    }
  }

  /** From our side; the feed hears of it as of any other end. */
  private end(line: Line, reason: string): void {
    line.link?.over();
    this.down(line, reason);
  }

  private askSnapshots(now: number): void {
    const { line } = this;
    if (line === null) return;
    const { snapshots } = this.adapter;
    const wanted = this.reducer.wantedSnapshots(now);
    const [first] = wanted;
    if (first === undefined) return;
    if (snapshots.kind === "subscription") {
      for (const symbol of wanted) this.asked(symbol, now);
      this.say(line, this.adapter.resubscribe(wanted, "depth"));
    } else if (!this.isAsking && now >= this.heldUntil) {
      this.isAsking = true;
      this.asked(first, now);
      const { answer, delayMs } = this.ask(snapshots.request(HOSTS, first));
      this.answers.push({ at: now + delayMs, symbol: first, line, answer });
    }
  }

  private asked(symbol: string, now: number): void {
    this.reducer.snapshotAsked(symbol, now);
    this.onRecord({ kind: "asked", receivedAt: now, symbol });
  }

  private deliverAnswers(now: number): void {
    const due = this.answers.filter(({ at }) => at <= now);
    this.answers = this.answers.filter(({ at }) => at > now);
    for (const { symbol, line, answer } of due) {
      this.isAsking = false;
      if (line !== this.line) continue;
      if (answer.status === 200) {
        this.reducer.snapshot(symbol, answer.body, now);
        this.onRecord({ kind: "snapshot", receivedAt: now, symbol, body: answer.body });
        continue;
      }
      this.reducer.snapshotFailed(symbol, now);
      this.obey(answer);
      // As the feed does: a host that is blocked is left for the next one. Here it is the same.
      if (BLOCKED.includes(answer.status)) this.end(line, `REST is blocked here: ${answer.status}`);
    }
  }

  private ask({ url }: VenueRequest): { readonly answer: RestAnswer; readonly delayMs: number } {
    return this.world.rest(this.venue, { method: "GET", ...targetOf(url) });
  }

  /** Silent for as long as the venue wants it. */
  private obey({ status, headers }: RestAnswer): void {
    const told = Number(headers?.["retry-after"] ?? Number.NaN);
    const wait = told > 0 ? told * MS_PER_SECOND : status === 429 || status === 418 ? DEFAULT_RATE_LIMIT_WAIT_MS : 0;
    this.heldUntil = Math.max(this.heldUntil, this.now + wait);
  }
}

function leave(line: Line): void {
  line.isOver = true;
  line.link?.over();
}

function targetOf(url: string): { path: string; query: URLSearchParams } {
  const { pathname, searchParams } = new URL(url);
  return { path: pathname, query: searchParams };
}
