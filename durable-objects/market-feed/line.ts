/**
 * One open connection to a venue, from its dialling to its end: what it carries goes to its listener, frames of ours are spaced as the venue's limit
 * wants, and a silence is asked into where the venue's protocol has a ping of its own.
 */

import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import { type DialResult, dial, type VenueSocket } from "./venue-socket.ts";

export interface LineListener {
  /** Called before the first frame, once. */
  opened(line: Line): void;
  text(line: Line, text: string): void;
  binary(line: Line, bytes: ArrayBuffer): void;
  /** Called once after `opened`, whatever happened; never before it. */
  down(line: Line, reason: string): void;
}

/** How often a silence is looked for; of a venue that wants a ping after five seconds, often enough. */
const KEEP_ALIVE_CHECK_MS = 1_000;

export interface LineOptions {
  readonly adapter: ExchangeAdapter;
  readonly number: number;
  readonly listener: LineListener;
}

export class Line {
  readonly number: number;
  openedAt: number | null = null;
  lastDataAt = 0;
  private readonly adapter: ExchangeAdapter;
  private readonly listener: LineListener;
  private socket: VenueSocket | null = null;
  private endReason: string | null = null;
  private nextSendAt = 0;
  private pingedAt: number | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor({ adapter, number, listener }: LineOptions) {
    this.adapter = adapter;
    this.number = number;
    this.listener = listener;
  }

  /** @param token what shows the venue whose key it is; null without keys. @returns why there is no connection, when there is none. */
  async dial(hosts: VenueHosts, symbols: readonly string[], token: string | null): Promise<DialResult> {
    const result = await dial(this.adapter.streamUrl(hosts, symbols), {
      text: (text) => {
        // A frame may come before dial has returned the socket.
        this.open();
        this.lastDataAt = Date.now();
        this.pingedAt = null;
        this.listener.text(this, text);
      },
      binary: (bytes) => {
        this.open();
        this.lastDataAt = Date.now();
        this.listener.binary(this, bytes);
      },
      down: (reason) => this.end(reason),
    });
    if (!result.ok) return result;
    if (this.endReason !== null) {
      result.socket.close(this.endReason);
      return { ok: false, isBlocked: false, retryAfterMs: 0, detail: this.endReason };
    }
    this.socket = result.socket;
    this.open();
    this.send(this.adapter.subscribe(symbols, token));
    return result;
  }

  /** Time since something was received, or since it was opened. */
  silenceMs(now: number): number {
    return now - Math.max(this.lastDataAt, this.openedAt ?? 0);
  }

  send(frames: readonly string[]): void {
    const now = Date.now();
    for (const frame of frames) {
      const at = Math.max(now, this.nextSendAt);
      this.nextSendAt = at + this.adapter.limits.frameIntervalMs;
      // A socket that has gone down meanwhile sends nothing.
      if (at <= now) this.socket?.send(frame);
      else setTimeout(() => this.socket?.send(frame), at - now);
    }
  }

  /** Ends it from our side; the listener hears of it like of any other end. */
  close(reason: string): void {
    if (this.socket === null) this.end(reason);
    else this.socket.close(reason);
  }

  private open(): void {
    if (this.openedAt !== null || this.endReason !== null) return;
    this.openedAt = Date.now();
    this.listener.opened(this);
    if (this.adapter.keepAlive !== null) this.timer = setInterval(() => this.keepAlive(), KEEP_ALIVE_CHECK_MS);
  }

  private end(reason: string): void {
    if (this.endReason !== null) return;
    this.endReason = reason;
    if (this.timer !== null) clearInterval(this.timer);
    // One that never opened is a dial that failed: its result says so.
    if (this.openedAt !== null) this.listener.down(this, reason);
  }

  private keepAlive(): void {
    const { keepAlive } = this.adapter;
    if (keepAlive === null || this.endReason !== null) return;
    const now = Date.now();
    if (this.pingedAt !== null) {
      if (now - this.pingedAt > keepAlive.answerWithinMs) this.close(`no answer to a ping within ${keepAlive.answerWithinMs / 1_000} s`);
    } else if (this.silenceMs(now) >= keepAlive.afterSilenceMs) {
      this.pingedAt = now;
      this.socket?.send(keepAlive.frame);
    }
  }
}
