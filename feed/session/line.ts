/**
 * One connection to a venue, from its dialling to its end: what it carries goes to its listener, frames of ours are spaced as the venue's limit
 * wants, and a silence is asked into where the venue's protocol has a ping of its own. It ends once, whoever ended it.
 */

import type { ExchangeAdapter, VenueHosts } from "../../exchanges/contract.ts";
import type { SessionPort, VenueAnswer, Wire } from "./session-port.ts";

export interface LineListener {
  /** Called before the first frame, once. */
  opened(line: Line): void;
  /** In place of `opened`. */
  refused(answer: VenueAnswer): void;
  text(line: Line, text: string): void;
  binary(line: Line, base64: string): void;
  /** Called once after `opened`, whatever happened; never before it. */
  down(line: Line, reason: string): void;
}

/** How often a silence is looked for; of a venue that wants a ping after five seconds, often enough. */
const KEEP_ALIVE_CHECK_MS = 1_000;

export interface LineOptions {
  readonly adapter: ExchangeAdapter;
  readonly port: SessionPort;
  readonly number: number;
  readonly listener: LineListener;
}

export class Line {
  readonly number: number;
  openedAt = 0;
  lastDataAt = 0;
  /** When the last frame that was given to it goes, or went. */
  lastSendAt = Number.NEGATIVE_INFINITY;
  private readonly adapter: ExchangeAdapter;
  private readonly port: SessionPort;
  private readonly listener: LineListener;
  /** Null before it is open, and after its end. */
  private wire: Wire | null = null;
  private pingedAt: number | null = null;

  constructor({ adapter, port, number, listener }: LineOptions) {
    this.adapter = adapter;
    this.port = port;
    this.number = number;
    this.listener = listener;
  }

  /** @param token what shows the venue whose key it is; null without keys. */
  dial(hosts: VenueHosts, symbols: readonly string[], token: string | null): void {
    this.port.dial(this.adapter.streamUrl(hosts, symbols), {
      opened: (wire) => this.open(wire, this.adapter.subscribe(symbols, token)),
      refused: (answer) => this.listener.refused(answer),
      text: (text) => {
        if (!this.isHeard()) return;
        this.pingedAt = null;
        this.listener.text(this, text);
      },
      binary: (base64) => {
        if (this.isHeard()) this.listener.binary(this, base64);
      },
      down: (reason) => this.end(reason),
    });
  }

  /** Time since something was received, or since it was opened. */
  silenceMs(now: number): number {
    return now - this.lastDataAt;
  }

  /** When a frame goes at once: none of ours is before it. */
  get freeAt(): number {
    return this.lastSendAt + this.adapter.limits.frameIntervalMs;
  }

  send(frames: readonly string[]): void {
    const now = this.port.now();
    for (const frame of frames) {
      const at = Math.max(now, this.freeAt);
      this.lastSendAt = at;
      if (at <= now) this.wire?.send(frame);
      else this.port.later(at, () => this.wire?.send(frame));
    }
  }

  /** Ends it from our side; the listener hears of it like of any other end. */
  close(reason: string): void {
    const { wire } = this;
    this.end(reason);
    wire?.close(reason);
  }

  private open(wire: Wire, first: readonly string[]): void {
    this.wire = wire;
    this.openedAt = this.port.now();
    this.lastDataAt = this.openedAt;
    // Before the listener, which may have more to say.
    this.send(first);
    this.lookForSilence();
    this.listener.opened(this);
  }

  /** Whether what comes is still anybody's; if so, it has been heard now. */
  private isHeard(): boolean {
    if (this.wire === null) return false;
    this.lastDataAt = this.port.now();
    return true;
  }

  private end(reason: string): void {
    if (this.wire === null) return;
    this.wire = null;
    this.listener.down(this, reason);
  }

  private lookForSilence(): void {
    const { keepAlive } = this.adapter;
    if (keepAlive === null) return;
    this.port.later(this.port.now() + KEEP_ALIVE_CHECK_MS, () => {
      if (this.wire === null) return;
      const now = this.port.now();
      if (this.pingedAt === null) {
        if (this.silenceMs(now) >= keepAlive.afterSilenceMs) {
          this.pingedAt = now;
          this.wire.send(keepAlive.frame);
        }
      } else if (now - this.pingedAt > keepAlive.answerWithinMs) {
        this.close(`no answer to a ping within ${keepAlive.answerWithinMs / 1_000} s`);
        return;
      }
      this.lookForSilence();
    });
  }
}
