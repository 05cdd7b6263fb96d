/**
 * The connection of a feed, and beside it, ahead of a forced close, the standby that is to succeed it: where they are dialled, when again, and what is
 * known of them. What they carry goes to the listener.
 *
 * Hosts that refuse this address (451, 403) are passed over for the venue's fallback hosts; when all refuse, the state says "blocked" and the
 * round goes on at the longest backoff.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { Channel, ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import type { FeedStatus } from "../contract.ts";
import type { CarriedSymbols, Carrier } from "../frame-outcome.ts";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../reconnect.ts";
import { Line } from "./line.ts";
import type { SessionPort, VenueAnswer } from "./session-port.ts";
import { isBlocked, retryAfterMs } from "./venue-answers.ts";
import type { VenueBudget } from "./venue-budget.ts";

/** After a standby that failed, the next one; some ten of them fit before the venue closes. */
const STANDBY_RETRY_MS = 3 * MS_PER_MINUTE;

export interface ConnectionListener {
  opened(connection: number): void;
  text(text: string): void;
  binary(base64: string): void;
  /** The connection is gone, and no standby took its place. */
  down(reason: string): void;
  standbyOpened(connection: number): void;
  standbyText(text: string): void;
  standbyDown(reason: string): void;
  /** The standby is the connection from here on. */
  succeeded(connection: number, reason: string): void;
}

export interface ConnectionOptions {
  readonly adapter: ExchangeAdapter;
  /** In place of the venue's own hosts. */
  readonly hosts: VenueHosts | undefined;
  /** Those that a connection is to carry, when it is dialled. */
  readonly symbols: () => readonly string[];
  /** Shared with the REST requests: a venue that wants silence wants it of both. */
  readonly budget: VenueBudget;
  readonly port: SessionPort;
  /** Age at which the connection's successor is opened (feed/rotation.ts). */
  readonly succeededAtAgeMs: number;
  readonly listener: ConnectionListener;
}

/** How a dial of ours ends. */
interface DialEnd {
  opened(line: Line): void;
  refused(refusal: Refusal): void;
}

interface Refusal {
  readonly isBlocked: boolean;
  readonly retryAfterMs: number;
  readonly detail: string;
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
  private readonly options: ConnectionOptions;
  private readonly port: SessionPort;
  private readonly listener: ConnectionListener;
  private readonly hosts: readonly VenueHosts[];

  constructor(options: ConnectionOptions) {
    const { adapter, hosts, port, listener } = options;
    this.options = options;
    this.port = port;
    this.listener = listener;
    this.hosts = hosts === undefined ? [adapter.hosts, ...adapter.fallbackHosts] : [hosts];
  }

  /** The hosts in use: REST goes where the stream comes from. */
  get host(): VenueHosts {
    return this.hosts[this.hostIndex % this.hosts.length] ?? this.options.adapter.hosts;
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
    return this.port.now() >= this.reconnect.retryAt;
  }

  /** Dials unless it is open, being dialled, or told to wait. @param done when that has ended, or at once. */
  ensure(done: () => void): void {
    const now = this.port.now();
    if (this.line !== null || this.dialling || now < this.reconnect.retryAt || !this.mayDial(now, "needed")) {
      done();
      return;
    }
    if (this.state !== "blocked") this.state = "connecting";
    this.dial({ opened: (line) => this.takeAsLine(line), refused: (refusal) => this.refused(refusal) }, done);
  }

  /** Opens a standby where the venue will close the connection by age before long, or the books are to be audited (feed/rotation.ts). */
  ensureStandby(done: () => void): void {
    const now = this.port.now();
    const isDue = this.line !== null && this.standby === null && now >= this.standbyNotBefore && this.isAgeing(now);
    if (!isDue || this.dialling || !this.mayDial(now, "spare")) {
      done();
      return;
    }
    this.standbyNotBefore = now + STANDBY_RETRY_MS;
    this.dial({ opened: (line) => this.takeNext(line), refused: ({ retryAfterMs: wait }) => this.hold(wait) }, done);
  }

  /** The standby is the connection from here on; the old one is closed. */
  succeed(reason: string): void {
    const { line, standby } = this;
    if (standby === null) return;
    this.standby = null;
    this.standbyNotBefore = 0;
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

  /** When a frame of ours goes at once: none waits before it. */
  freeAt(on: Carrier): number {
    return this.lineOf(on)?.freeAt ?? Number.NEGATIVE_INFINITY;
  }

  /** When the last frame of ours goes, or went. */
  lastSendAt(on: Carrier): number {
    return this.lineOf(on)?.lastSendAt ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Leaves a channel of some symbols and subscribes to it anew, with a token made for this: that of the first subscription has run out.
   * @param begun called once the frames are on their way, each in its turn (`lastSendAt`).
   */
  resubscribe({ symbols, on }: CarriedSymbols, channel: Channel, begun: () => void = () => {}): void {
    const line = this.lineOf(on);
    if (line === null) return;
    this.port.authenticate((token) => {
      if (token !== null && typeof token === "object") {
        this.port.log("the venue's key can't be used", token.failed);
      } else if (line === this.line || line === this.standby) {
        line.send(this.options.adapter.resubscribe(symbols, channel, token));
        begun();
      }
    });
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
    return this.line !== null && this.line.silenceMs(now) > this.options.adapter.staleAfterMs;
  }

  /** A host that gives nothing on REST is passed over for the next one, like one that refuses the socket. */
  passOver(why: "blocked" | "unreachable", detail: string): void {
    if (this.line !== null) this.reset(detail);
    this.refused({ isBlocked: why === "blocked", retryAfterMs: 0, detail });
  }

  /** Whether the venue's budget allows a dial now. It is looked at again once it does. */
  private mayDial(now: number, purpose: "needed" | "spare"): boolean {
    const at = this.options.budget.dialAt(purpose);
    if (at <= now) return true;
    this.port.wake(at);
    return false;
  }

  private lineOf(on: Carrier): Line | null {
    return on === "present" ? this.line : this.standby;
  }

  private isAgeing(now: number): boolean {
    const { openedAt } = this;
    if (this.line !== null && this.closing === this.line) return true;
    return openedAt !== null && now - openedAt > this.options.succeededAtAgeMs;
  }

  private takeAsLine(line: Line): void {
    this.line = line;
    this.state = "open";
    this.listener.opened(line.number);
  }

  /** The connection that it was to succeed may have ended while it was dialled. */
  private takeNext(line: Line): void {
    if (this.line === null) {
      this.takeAsLine(line);
      return;
    }
    this.standby = line;
    this.listener.standbyOpened(line.number);
  }

  private dial(end: DialEnd, done: () => void): void {
    this.dialling = true;
    this.options.budget.dialled(this.port.now());
    const ended = (tell: () => void): void => {
      this.dialling = false;
      try {
        tell();
      } finally {
        done();
      }
    };
    this.port.authenticate((token) => {
      if (token !== null && typeof token === "object") {
        ended(() => end.refused({ isBlocked: false, retryAfterMs: 0, detail: `the venue's key can't be used: ${token.failed}` }));
        return;
      }
      const { adapter, symbols } = this.options;
      const listener = {
        opened: (line: Line) => ended(() => end.opened(line)),
        refused: (answer: VenueAnswer) => ended(() => end.refused(this.refusalOf(answer))),
        text: (line: Line, text: string) => this.onText(line, text),
        binary: (line: Line, base64: string) => this.onBinary(line, base64),
        down: (line: Line, reason: string) => this.onDown(line, reason),
      };
      new Line({ adapter, port: this.port, number: ++this.dialled, listener }).dial(this.host, symbols(), token);
    });
  }

  private refusalOf(answer: VenueAnswer): Refusal {
    const detail =
      "failed" in answer ? `could not connect: ${answer.failed}` : `the venue answered ${answer.status} instead of a websocket`;
    return { isBlocked: isBlocked(answer), retryAfterMs: retryAfterMs(answer, this.port.now()), detail };
  }

  private onText(line: Line, text: string): void {
    if (line === this.line) this.listener.text(text);
    else if (line === this.standby) this.listener.standbyText(text);
  }

  private onBinary(line: Line, base64: string): void {
    if (line === this.line) this.listener.binary(base64);
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
    const now = this.port.now();
    this.line = null;
    this.state = "waiting";
    this.lastDownReason = reason;
    const before = wasHealthy(line.openedAt, line.lastDataAt) ? READY_TO_CONNECT : this.reconnect;
    this.reconnect = afterFailure(before, now, { uniform: this.port.uniform(), retryAfterMs: 0 });
    this.port.wake(this.reconnect.retryAt);
    this.listener.down(reason);
  }

  private refused({ isBlocked: blocked, retryAfterMs: wait, detail }: Refusal): void {
    this.hold(wait);
    this.lastDownReason = detail;
    this.state = blocked ? "blocked" : "waiting";
    this.hostIndex++;
    this.reconnect = afterFailure(this.reconnect, this.port.now(), { uniform: this.port.uniform(), retryAfterMs: wait });
    this.port.wake(this.reconnect.retryAt);
  }

  private hold(ms: number): void {
    if (ms > 0) this.options.budget.hold(this.port.now() + ms);
  }
}
