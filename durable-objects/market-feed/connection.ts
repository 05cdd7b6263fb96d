/**
 * The one connection of a feed: where it is dialled, when again, and what is known of it. The sockets' events go to the listener.
 *
 * Hosts that refuse this address (451, 403) are passed over for the venue's fallback hosts; when all refuse, the state says "blocked" and the
 * round goes on at the longest backoff.
 */

import { MS_PER_HOUR } from "../../core/units/time.ts";
import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import type { FeedStatus } from "../../feed/contract.ts";
import { afterFailure, READY_TO_CONNECT, type ReconnectState, wasHealthy } from "../../feed/reconnect.ts";
import { dial, type VenueSocket } from "./venue-socket.ts";

/** A venue that closes after a day is left a little before, at a time of our choosing. */
const ROTATE_BEFORE_MS = MS_PER_HOUR / 2;

export interface ConnectionListener {
  opened(connection: number): void;
  text(text: string): void;
  binary(bytes: ArrayBuffer): void;
  down(reason: string): void;
  /** Nothing will happen by itself before `at`: be back then. */
  wake(at: number): void;
}

export class Connection {
  state: FeedStatus["connection"]["state"] = "connecting";
  openedAt: number | null = null;
  lastDataAt = 0;
  lastDownReason: string | null = null;
  private reconnect: ReconnectState = READY_TO_CONNECT;
  private socket: VenueSocket | null = null;
  private dialling = false;
  private hostIndex = 0;
  private opened = 0;
  private nextSendAt = 0;
  private readonly adapter: ExchangeAdapter;
  private readonly hosts: readonly VenueHosts[];
  private readonly listener: ConnectionListener;

  constructor(adapter: ExchangeAdapter, override: VenueHosts | undefined, listener: ConnectionListener) {
    this.adapter = adapter;
    this.hosts = override === undefined ? [adapter.hosts, ...adapter.fallbackHosts] : [override];
    this.listener = listener;
  }

  /** The hosts in use: REST goes where the stream comes from. */
  get host(): VenueHosts {
    return this.hosts[this.hostIndex % this.hosts.length] ?? this.adapter.hosts;
  }

  /** Counts the dials: what was asked for on one connection says nothing of the next. */
  get number(): number {
    return this.opened;
  }

  get isOpen(): boolean {
    return this.socket !== null;
  }

  get attempts(): number {
    return this.reconnect.attempts;
  }

  get retryAt(): number | null {
    return this.socket === null ? this.reconnect.retryAt : null;
  }

  /** Dials unless it is open, being dialled, or told to wait. */
  async ensure(symbols: readonly string[], now: number): Promise<void> {
    if (this.socket !== null || this.dialling || now < this.reconnect.retryAt) return;
    this.dialling = true;
    if (this.state !== "blocked") this.state = "connecting";
    const number = this.opened + 1;
    // A frame may come before dial has returned the socket: it is ours as long as no later one was opened.
    const isCurrent = (): boolean => this.opened === number;
    this.opened = number;
    let announced = false;
    let isDown = false;
    const announce = (): void => {
      if (announced) return;
      announced = true;
      this.state = "open";
      this.openedAt = Date.now();
      this.listener.opened(number);
    };
    const result = await dial(this.adapter.streamUrl(this.host, symbols), {
      text: (text) => {
        if (!isCurrent()) return;
        announce();
        this.lastDataAt = Date.now();
        this.listener.text(text);
      },
      binary: (bytes) => {
        if (isCurrent()) this.listener.binary(bytes);
      },
      down: (reason) => {
        isDown = true;
        if (isCurrent()) this.onDown(reason);
      },
    });
    this.dialling = false;
    if (!result.ok) {
      this.refused(result.isBlocked, result.retryAfterMs, result.detail);
      return;
    }
    if (isDown) return;
    this.socket = result.socket;
    announce();
    this.send(this.adapter.subscribe(symbols, null));
  }

  /** Sends frames of ours on the connection that is open now, spaced so that the venue's limit on them holds. */
  send(frames: readonly string[]): void {
    const { socket } = this;
    if (socket === null || frames.length === 0) return;
    const now = Date.now();
    for (const frame of frames) {
      const at = Math.max(now, this.nextSendAt);
      this.nextSendAt = at + this.adapter.limits.frameIntervalMs;
      // A socket that has gone down meanwhile sends nothing.
      if (at <= now) socket.send(frame);
      else setTimeout(() => socket.send(frame), at - now);
    }
  }

  /** Ends the connection from our side; it will be dialled again. */
  drop(reason: string): void {
    this.socket?.close(reason);
  }

  get mayTry(): boolean {
    return Date.now() >= this.reconnect.retryAt;
  }

  /** The venue is about to close it by age. */
  isDueForRotation(now: number): boolean {
    return (
      this.socket !== null && this.openedAt !== null && now - this.openedAt > this.adapter.limits.connectionLifetimeMs - ROTATE_BEFORE_MS
    );
  }

  /** Nothing at all has come for longer than a live venue keeps silent. */
  isSilent(now: number): boolean {
    return this.socket !== null && now - Math.max(this.lastDataAt, this.openedAt ?? 0) > this.adapter.staleAfterMs;
  }

  private onDown(reason: string): void {
    const now = Date.now();
    this.socket = null;
    this.state = "waiting";
    this.lastDownReason = reason;
    const before = wasHealthy(this.openedAt ?? now, this.lastDataAt) ? READY_TO_CONNECT : this.reconnect;
    this.reconnect = afterFailure(before, now, { uniform: Math.random(), retryAfterMs: 0 });
    this.listener.wake(this.reconnect.retryAt);
    this.openedAt = null;
    this.listener.down(reason);
  }

  /** A host that gives nothing on REST is passed over for the next one, like one that refuses the socket. */
  passOver(why: "blocked" | "unreachable", detail: string): void {
    if (this.socket !== null) this.drop(detail);
    this.refused(why === "blocked", 0, detail);
  }

  private refused(isBlocked: boolean, retryAfterMs: number, detail: string): void {
    this.lastDownReason = detail;
    this.state = isBlocked ? "blocked" : "waiting";
    this.hostIndex++;
    this.reconnect = afterFailure(this.reconnect, Date.now(), { uniform: Math.random(), retryAfterMs });
    this.listener.wake(this.reconnect.retryAt);
  }
}
