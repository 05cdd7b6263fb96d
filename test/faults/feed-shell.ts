/**
 * The reducer and an adapter at a venue of the simulated world, in simulated time.
 *
 * It stands for the feed object's shell, durable-objects/market-feed/{running-feed,connection,venue-rest}.ts, and does what they do, in the same
 * order: dials, backs off, subscribes, asks for the snapshots that are wanted, one request at a time within the budget, looks for silences at each
 * alarm, rotates. The reducer, the adapter, the backoff and the budget are the real ones. The real shell is tested with sockets, in test/workerd and
 * test/whole; what is proved here is that the reducer's answers, carried out like this, keep every book right.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { RestAnswer } from "../../exchange-simulator/venue.ts";
import type { World } from "../../exchange-simulator/world.ts";
import type { ExchangeAdapter, SnapshotSource, VenueRequest } from "../../exchanges/contract.ts";
import type { GapReason, GapRecord } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../../feed/reconnect.ts";
import { succeededAtAgeMs } from "../../feed/rotation.ts";
import { RequestBudget } from "../../feed/session/request-budget.ts";
import { LATENCY_MS, SimulatedLine } from "./simulated-line.ts";
import { SimulatedTime } from "./simulated-time.ts";

const HOSTS = { stream: "ws://simulated", rest: "http://simulated" } as const;
/** Of the object's alarm. */
const ALARM_INTERVAL_MS = 10_000;
const STANDBY_RETRY_MS = 3 * MS_PER_MINUTE;
const REQUEST_TIMEOUT_MS = 10_000;
const DEFAULT_RATE_LIMIT_WAIT_MS = MS_PER_MINUTE;

export interface FeedShellOptions {
  readonly world: World;
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  /** In place of the adapter's own (feed/rotation.ts), for a world that doesn't last so long. */
  readonly succeededAtAgeMs?: number;
}

export class FeedShell {
  readonly reducer: FeedReducer;
  readonly time: SimulatedTime;
  /** By id. */
  readonly ledger = new Map<string, GapRecord>();
  requests = 0;
  connections = 0;
  takeovers = 0;
  private readonly world: World;
  private readonly adapter: ExchangeAdapter;
  private readonly symbols: readonly string[];
  private readonly budget: RequestBudget;
  private readonly succeededAtAgeMs: number;
  private line: SimulatedLine | null = null;
  private standby: SimulatedLine | null = null;
  private closing: SimulatedLine | null = null;
  private isDialling = false;
  private isAsking = false;
  private reconnect: ReconnectState = READY_TO_CONNECT;
  private standbyNotBefore = 0;
  private downReason: GapReason = "connection-down";
  private alarmAt = 0;

  constructor({ world, adapter, symbols, succeededAtAgeMs: age }: FeedShellOptions) {
    this.world = world;
    this.adapter = adapter;
    this.symbols = symbols;
    this.succeededAtAgeMs = age ?? succeededAtAgeMs(adapter);
    this.time = new SimulatedTime(world);
    this.budget = new RequestBudget(adapter.limits.weightPerMinute);
    const { now } = this.time;
    this.reducer = new FeedReducer({ adapter, instruments: this.instruments(), featureSet: featureSetV1 });
    this.reducer.absent(now, now, "started");
    this.setAlarm(now);
  }

  advanceTo(until: number): void {
    this.time.advanceTo(until);
    this.reducer.tick(until);
    for (const gap of this.reducer.takeGapChanges()) this.ledger.set(gap.id, gap);
  }

  private instruments() {
    const { answer } = this.rest(this.adapter.instrumentsRequest(HOSTS, this.symbols));
    const listed = this.adapter.decodeInstruments(answer.body, this.symbols);
    if ("malformed" in listed) throw new Error(`${this.adapter.venue}: ${listed.malformed}`);
    return listed.instruments;
  }

  private setAlarm(at: number): void {
    this.alarmAt = at;
    this.time.at(at, () => {
      if (this.alarmAt !== at) return;
      this.setAlarm(this.time.now + ALARM_INTERVAL_MS);
      this.watch();
      this.reach();
    });
  }

  /** The alarm is only ever brought forward. */
  private wake(at: number): void {
    if (at < this.alarmAt) this.setAlarm(at);
  }

  private watch(): void {
    const { reducer } = this;
    const { now } = this.time;
    reducer.tick(now);
    const standby = reducer.standbyState(now);
    if (standby === "joined") this.succeed();
    else if (standby === "overdue") this.giveUpStandby();
    if (this.line !== null && this.line.silenceMs(now) > this.adapter.staleAfterMs) {
      this.downReason = "stale";
      this.line.close(`nothing received for over ${this.adapter.staleAfterMs / 1_000} s`);
    } else this.lookAfterSilence();
  }

  private lookAfterSilence(): void {
    const { reducer } = this;
    const { now } = this.time;
    for (const symbol of reducer.staleSymbols(now)) reducer.resync(symbol, now, "silent for longer than its own pace allows");
    for (const { channel, symbols } of reducer.silentChannels(now)) this.line?.send(this.adapter.resubscribe(symbols, channel));
  }

  private reach(): void {
    const { now } = this.time;
    const mayDial = !this.isDialling && now >= this.reconnect.retryAt && !this.budget.isHeld(now);
    if (this.line === null && mayDial)
      this.dial({ opened: (line) => this.opened(line), refused: (answer) => this.backOff(retryAfterMs(answer)) });
    if (this.line !== null && this.standby === null && !this.isDialling && now >= this.standbyNotBefore && this.isAgeing(now)) {
      this.standbyNotBefore = now + STANDBY_RETRY_MS;
      this.dial({ opened: (line) => this.standbyOpened(line), refused: () => {} });
    }
    this.askSnapshots();
  }

  private isAgeing(now: number): boolean {
    const { line } = this;
    if (line === null) return false;
    return this.closing === line || now - line.openedAt > this.succeededAtAgeMs;
  }

  private dial(told: { opened: (line: SimulatedLine) => void; refused: (answer: RestAnswer) => void }): void {
    const { world, time, adapter, symbols } = this;
    this.isDialling = true;
    time.at(time.now + 2 * LATENCY_MS, () => {
      this.isDialling = false;
      const line = new SimulatedLine({
        world,
        time,
        adapter,
        symbols,
        text: (from, text) => this.onText(from, text),
        down: (from, reason) => this.onDown(from, reason),
      });
      const refusal = line.open(adapter.streamUrl(HOSTS, symbols));
      if (refusal !== null) {
        told.refused(refusal);
        return;
      }
      this.connections++;
      told.opened(line);
      line.begin();
    });
  }

  private opened(line: SimulatedLine): void {
    this.line = line;
    this.reducer.connectionOpened(this.time.now);
  }

  private standbyOpened(line: SimulatedLine): void {
    this.standby = line;
    this.reducer.standbyOpened(this.time.now);
  }

  private backOff(retryAfterMs: number): void {
    const { now } = this.time;
    if (retryAfterMs > 0) this.budget.hold(now + retryAfterMs);
    this.reconnect = afterFailure(this.reconnect, now, { uniform: 0.5, retryAfterMs });
    this.wake(this.reconnect.retryAt);
  }

  private onText(line: SimulatedLine, text: string): void {
    const { reducer } = this;
    const { now } = this.time;
    if (line === this.standby && reducer.standbyFrame(text, now).broken !== null) this.giveUpStandby();
    if (line !== this.line) return;
    const { symbol, isClosing, hole, rebuilt } = reducer.frame(text, now);
    if (isClosing) {
      this.closing = line;
      this.reach();
    } else if (hole !== null || rebuilt !== null || (symbol !== null && reducer.markets.get(symbol)?.wantsSnapshot(now)))
      this.askSnapshots();
  }

  private onDown(line: SimulatedLine, reason: string): void {
    const { now } = this.time;
    if (line === this.standby) {
      this.giveUpStandby();
    } else if (line === this.line) {
      if (this.standby !== null) {
        this.succeed();
        return;
      }
      this.line = null;
      const before = wasHealthy(line.openedAt, line.lastDataAt) ? READY_TO_CONNECT : this.reconnect;
      this.reconnect = afterFailure(before, now, { uniform: 0.5, retryAfterMs: 0 });
      this.wake(this.reconnect.retryAt);
      this.reducer.connectionLost(now, this.downReason, reason);
      this.downReason = "connection-down";
    }
  }

  private giveUpStandby(): void {
    const { standby } = this;
    this.standby = null;
    this.reducer.standbyLost(this.time.now);
    standby?.close("given up");
    this.askSnapshots();
  }

  private succeed(): void {
    const { line } = this;
    this.line = this.standby;
    this.standby = null;
    this.takeovers++;
    this.reducer.takeOver(this.time.now);
    line?.close("rotated");
  }

  private askSnapshots(): void {
    if (this.line === null) return;
    const { snapshots } = this.adapter;
    const wanted = this.reducer.wantedSnapshots(this.time.now);
    if (wanted[0] === undefined) return;
    if (snapshots.kind === "request") {
      this.requestSnapshot(wanted[0], snapshots);
      return;
    }
    for (const symbol of wanted) this.reducer.snapshotAsked(symbol, this.time.now);
    this.line.send(this.adapter.resubscribe(wanted, "depth"));
  }

  private requestSnapshot(symbol: string, source: Extract<SnapshotSource, { kind: "request" }>): void {
    const { line, time } = this;
    const request = source.request(HOSTS, symbol);
    if (this.isAsking || !this.budget.mayAsk(time.now, request.weight)) return;
    this.isAsking = true;
    this.reducer.snapshotAsked(symbol, time.now);
    this.budget.spend(time.now, request.weight);
    time.at(time.now + LATENCY_MS, () => {
      const { answer, delayMs } = this.rest(request);
      const isInTime = delayMs < REQUEST_TIMEOUT_MS;
      time.at(time.now + LATENCY_MS + Math.min(delayMs, REQUEST_TIMEOUT_MS), () => {
        this.isAsking = false;
        if (this.line === line) this.takeAnswer(symbol, isInTime ? answer : null);
        this.askSnapshots();
      });
    });
  }

  private takeAnswer(symbol: string, answer: RestAnswer | null): void {
    const { now } = this.time;
    if (answer?.status === 200) {
      this.reducer.snapshot(symbol, answer.body, now);
      return;
    }
    this.reducer.snapshotFailed(symbol, now);
    if (answer === null) return;
    const wait = retryAfterMs(answer);
    if (wait > 0) this.budget.hold(now + wait);
    if (answer.status !== 451 && answer.status !== 403) return;
    // Passed over for the venue's next host.
    this.line?.close(`REST is blocked here: ${answer.status}`);
    this.backOff(0);
  }

  private rest({ url }: VenueRequest): { readonly answer: RestAnswer; readonly delayMs: number } {
    const { pathname: path, searchParams: query } = new URL(url);
    this.requests++;
    return this.world.rest(this.adapter.venue, { method: "GET", path, query });
  }
}

function retryAfterMs({ status, headers }: RestAnswer): number {
  const seconds = Number(headers?.["retry-after"] ?? Number.NaN);
  if (seconds > 0) return seconds * 1_000;
  return status === 429 || status === 418 ? DEFAULT_RATE_LIMIT_WAIT_MS : 0;
}
