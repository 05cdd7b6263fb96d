/**
 * One connection to a venue of the simulated world, in simulated time: in the place of durable-objects/market-feed/{line,venue-socket}.ts, by their
 * rules. What is sent arrives a little later, spaced as the venue wants; what the venue says is heard at once; it ends once.
 */

import type { Link, Wire } from "../../exchange-simulator/link.ts";
import type { RestAnswer } from "../../exchange-simulator/venue.ts";
import type { World } from "../../exchange-simulator/world.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import type { SimulatedTime } from "./simulated-time.ts";

/** One way. The venue answers what is sent to it, and never within the message that it is telling. */
export const LATENCY_MS = 10;
const KEEP_ALIVE_CHECK_MS = 1_000;

export interface SimulatedLineOptions {
  readonly world: World;
  readonly time: SimulatedTime;
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  readonly text: (line: SimulatedLine, text: string) => void;
  readonly down: (line: SimulatedLine, reason: string) => void;
}

export class SimulatedLine {
  readonly openedAt: number;
  lastDataAt: number;
  private readonly options: SimulatedLineOptions;
  private link: Link | null = null;
  /** What comes while the handshake goes on; null once the owner knows of the connection. */
  private early: string[] | null = [];
  private nextSendAt = 0;
  private pingedAt: number | null = null;
  private isDown = false;

  constructor(options: SimulatedLineOptions) {
    this.options = options;
    this.openedAt = options.time.now;
    this.lastDataAt = this.openedAt;
  }

  /** @returns the answer that refuses the websocket; null when it is open. Nothing is told before `begin`. */
  open(url: string): RestAnswer | null {
    const { world, adapter } = this.options;
    const { pathname: path, searchParams: query } = new URL(url.replace(/^ws/, "http"));
    const wire: Wire = {
      deliver: (text) => this.hear(text),
      close: (code, reason) => this.end(`closed by the venue with ${code} ${reason}`.trim()),
      terminate: () => this.end("closed by the venue with 1006"),
      reset: () => this.end("closed by the venue with 1006"),
    };
    const link = world.connect(adapter.venue, { path, query }, wire);
    if ("status" in link) return link;
    this.link = link;
    return null;
  }

  begin(): void {
    const { adapter, symbols, time } = this.options;
    const early = this.early ?? [];
    this.early = null;
    for (const text of early) this.hear(text);
    this.send(adapter.subscribe(symbols, null));
    if (adapter.keepAlive !== null) time.at(time.now + KEEP_ALIVE_CHECK_MS, () => this.keepAlive());
  }

  silenceMs(now: number): number {
    return now - this.lastDataAt;
  }

  send(frames: readonly string[]): void {
    const { time, adapter } = this.options;
    for (const frame of frames) {
      const at = Math.max(time.now, this.nextSendAt);
      this.nextSendAt = at + adapter.limits.frameIntervalMs;
      time.at(at + LATENCY_MS, () => {
        if (!this.isDown) this.link?.receive(frame);
      });
    }
  }

  close(reason: string): void {
    this.link?.over();
    this.end(reason);
  }

  private hear(text: string): void {
    if (this.isDown) return;
    if (this.early !== null) {
      this.early.push(text);
      return;
    }
    this.lastDataAt = this.options.time.now;
    this.pingedAt = null;
    this.options.text(this, text);
  }

  private end(reason: string): void {
    if (this.isDown) return;
    this.isDown = true;
    this.options.down(this, reason);
  }

  private keepAlive(): void {
    const { time, adapter } = this.options;
    const { keepAlive } = adapter;
    if (keepAlive === null || this.isDown) return;
    time.at(time.now + KEEP_ALIVE_CHECK_MS, () => this.keepAlive());
    if (this.pingedAt !== null) {
      if (time.now - this.pingedAt > keepAlive.answerWithinMs) this.close("no answer to a ping");
    } else if (this.silenceMs(time.now) >= keepAlive.afterSilenceMs) {
      this.pingedAt = time.now;
      time.at(time.now + LATENCY_MS, () => this.link?.receive(keepAlive.frame));
    }
  }
}
