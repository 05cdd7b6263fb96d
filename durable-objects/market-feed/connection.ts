/**
 * The connection of a feed, and beside it, ahead of a forced close, the standby that is to succeed it: where they are dialled, when again, and what is
 * known of them. What they carry goes to the listener.
 *
 * Hosts that refuse this address (451, 403) are passed over for the venue's fallback hosts; when all refuse, the state says "blocked" and the
 * round goes on at the longest backoff.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import type { FeedStatus } from "../../feed/contract.ts";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../../feed/reconnect.ts";
import { succeededAtAgeMs } from "../../feed/rotation.ts";
import { Line, type LineListener } from "./line.ts";
import type { RequestBudget } from "./request-budget.ts";
import type { DialResult } from "./venue-socket.ts";

/** After a standby that failed, the next one; some ten of them fit before the venue closes. */
const STANDBY_RETRY_MS = 3 * MS_PER_MINUTE;

export interface ConnectionListener {
  opened(connection: number): void;
  text(text: string): void;
  binary(bytes: ArrayBuffer): void;
  /** The connection is gone, and no standby took its place. */
  down(reason: string): void;
  standbyOpened(connection: number): void;
  standbyText(text: string): void;
  standbyDown(reason: string): void;
  /** The standby is the connection from here on. */
  succeeded(connection: number, reason: string): void;
  /** Nothing will happen by itself before `at`: be back then. */
  wake(at: number): void;
}

export interface ConnectionOptions {
  readonly adapter: ExchangeAdapter;
  /** In place of the venue's own hosts. */
  readonly hosts: VenueHosts | undefined;
  /** Shared with the REST requests: a venue that wants silence wants it of both. */
  readonly budget: RequestBudget;
  /** Makes what shows the venue whose key it is; null without keys. @throws when the key can't be used. */
  readonly authenticate: () => Promise<string | null>;
  readonly listener: ConnectionListener;
}

export class Connection {
  state: FeedStatus["connection"]["state"] = "connecting";
  lastDownReason: string | null = null;
  private reconnect: ReconnectState = READY_TO_CONNECT;
  private line: Line | null = null;
  private standby: Line | null = null;
  private dialling = false;
  private hostIndex = 0;
  private dialled = 0;
  private standbyNotBefore = 0;
  /** The line that the venue has announced to close. */
  private closing: Line | null = null;
  private readonly adapter: ExchangeAdapter;
  private readonly hosts: readonly VenueHosts[];
  private readonly budget: RequestBudget;
  private readonly authenticate: ConnectionOptions["authenticate"];
  private readonly listener: ConnectionListener;

  constructor({ adapter, hosts, budget, authenticate, listener }: ConnectionOptions) {
    this.adapter = adapter;
    this.hosts = hosts === undefined ? [adapter.hosts, ...adapter.fallbackHosts] : [hosts];
    this.budget = budget;
    this.authenticate = authenticate;
    this.listener = listener;
  }

  /** The hosts in use: REST goes where the stream comes from. */
  get host(): VenueHosts {
    return this.hosts[this.hostIndex % this.hosts.length] ?? this.adapter.hosts;
  }

  /** Of the connection that is open, or was last: what was asked for on one connection says nothing of another. */
  get number(): number {
    return this.line?.number ?? this.dialled;
  }

  get isOpen(): boolean {
    return this.line !== null;
  }

  get openedAt(): number | null {
    return this.line?.openedAt ?? null;
  }

  get attempts(): number {
    return this.reconnect.attempts;
  }

  get retryAt(): number | null {
    return this.line === null ? this.reconnect.retryAt : null;
  }

  get mayTry(): boolean {
    return Date.now() >= this.reconnect.retryAt;
  }

  /** Dials unless it is open, being dialled, or told to wait. */
  async ensure(symbols: readonly string[], now: number): Promise<void> {
    if (this.line !== null || this.dialling || now < this.reconnect.retryAt || this.budget.isHeld(now)) return;
    if (this.state !== "blocked") this.state = "connecting";
    let wasOpened = false;
    const result = await this.dial(symbols, (line) => {
      wasOpened = true;
      this.takeAsLine(line);
    });
    // One that opened and went down at once has been told of already.
    if (!result.ok && !wasOpened) this.refused(result.isBlocked, result.retryAfterMs, result.detail);
  }

  /** Opens a standby where the venue will close the connection by age before long, or the books are to be audited (feed/rotation.ts). */
  async ensureStandby(symbols: readonly string[], now: number): Promise<void> {
    if (this.line === null || this.standby !== null || this.dialling || now < this.standbyNotBefore || !this.isAgeing(now)) return;
    if (this.budget.isHeld(now)) return;
    this.standbyNotBefore = now + STANDBY_RETRY_MS;
    const result = await this.dial(symbols, (line) => {
      // The connection that it was to succeed may have ended while it was dialled.
      if (this.line === null) this.takeAsLine(line);
      else this.takeAsStandby(line);
    });
    if (!result.ok && result.retryAfterMs > 0) this.budget.hold(Date.now() + result.retryAfterMs);
  }

  /** The standby is the connection from here on; the old one is closed. */
  succeed(reason: string): void {
    const { line, standby } = this;
    if (standby === null) return;
    this.standby = null;
    this.line = standby;
    this.state = "open";
    this.listener.succeeded(standby.number, reason);
    line?.close(reason);
  }

  /** The venue has said that it will close the connection. */
  announceClosing(): void {
    this.closing = this.line;
    this.standbyNotBefore = 0;
  }

  /** At once: what still comes on it is nobody's, whenever the socket is closed. */
  giveUpStandby(reason: string): void {
    const { standby } = this;
    if (standby === null) return;
    this.standby = null;
    this.listener.standbyDown(reason);
    standby.close(reason);
  }

  send(frames: readonly string[]): void {
    this.line?.send(frames);
  }

  /** Ends the connection from our side; a standby takes its place, or it will be dialled again. */
  drop(reason: string): void {
    this.line?.close(reason);
  }

  /** Ends the connection and its standby: the books that they carried can't go on. */
  reset(reason: string): void {
    this.giveUpStandby(reason);
    this.drop(reason);
  }

  /** Nothing at all has come for longer than a live venue keeps silent. */
  isSilent(now: number): boolean {
    return this.line !== null && this.line.silenceMs(now) > this.adapter.staleAfterMs;
  }

  /** A host that gives nothing on REST is passed over for the next one, like one that refuses the socket. */
  passOver(why: "blocked" | "unreachable", detail: string): void {
    if (this.line !== null) this.reset(detail);
    this.refused(why === "blocked", 0, detail);
  }

  private isAgeing(now: number): boolean {
    const { openedAt } = this;
    if (this.line !== null && this.closing === this.line) return true;
    return openedAt !== null && now - openedAt > succeededAtAgeMs(this.adapter);
  }

  private takeAsLine(line: Line): void {
    this.line = line;
    this.state = "open";
    this.listener.opened(line.number);
  }

  private takeAsStandby(line: Line): void {
    this.standby = line;
    this.listener.standbyOpened(line.number);
  }

  private async dial(symbols: readonly string[], opened: LineListener["opened"]): Promise<DialResult> {
    this.dialling = true;
    const listener: LineListener = {
      opened,
      text: (line, text) => this.onText(line, text),
      binary: (line, bytes) => this.onBinary(line, bytes),
      down: (line, reason) => this.onDown(line, reason),
    };
    try {
      const token = await this.authenticate();
      return await new Line({ adapter: this.adapter, number: ++this.dialled, listener }).dial(this.host, symbols, token);
    } catch (error) {
      return { ok: false, isBlocked: false, retryAfterMs: 0, detail: `the venue's key can't be used: ${String(error)}` };
    } finally {
      this.dialling = false;
    }
  }

  private onText(line: Line, text: string): void {
    if (line === this.line) this.listener.text(text);
    else if (line === this.standby) this.listener.standbyText(text);
  }

  private onBinary(line: Line, bytes: ArrayBuffer): void {
    if (line === this.line) this.listener.binary(bytes);
    else if (line === this.standby) this.giveUpStandby("a binary frame came on it");
  }

  private onDown(line: Line, reason: string): void {
    if (line === this.standby) {
      this.standby = null;
      this.listener.standbyDown(reason);
    } else if (line === this.line) {
      // What the standby has joined of goes on there.
      if (this.standby !== null) this.succeed(reason);
      else this.lost(line, reason);
    }
  }

  private lost(line: Line, reason: string): void {
    const now = Date.now();
    this.line = null;
    this.state = "waiting";
    this.lastDownReason = reason;
    const before = wasHealthy(line.openedAt ?? now, line.lastDataAt) ? READY_TO_CONNECT : this.reconnect;
    this.reconnect = afterFailure(before, now, { uniform: Math.random(), retryAfterMs: 0 });
    this.listener.wake(this.reconnect.retryAt);
    this.listener.down(reason);
  }

  private refused(isBlocked: boolean, retryAfterMs: number, detail: string): void {
    if (retryAfterMs > 0) this.budget.hold(Date.now() + retryAfterMs);
    this.lastDownReason = detail;
    this.state = isBlocked ? "blocked" : "waiting";
    this.hostIndex++;
    this.reconnect = afterFailure(this.reconnect, Date.now(), { uniform: Math.random(), retryAfterMs });
    this.listener.wake(this.reconnect.retryAt);
  }
}
