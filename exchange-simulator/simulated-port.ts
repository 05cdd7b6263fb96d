/**
 * The world that a feed's session runs in, made of simulated time: what is sent arrives a moment later, as on a line; what the venue says is heard at
 * once; an answer that a fault holds back comes so much later, or not in time. No socket, no timer, and no key.
 */

import type { VenueRequest } from "../exchanges/contract.ts";
import type { SessionPort, VenueAnswer, WireListener } from "../feed/session/session-port.ts";
import type { Wire as VenueWire } from "./link.ts";
import { LATENCY_MS, type SimulatedTime } from "./simulated-time.ts";
import type { RestAnswer } from "./venue.ts";

/** The platform's (durable-objects/market-feed/venue-rest.ts). */
const REQUEST_TIMEOUT_MS = 10_000;

export interface SimulatedPortOptions {
  readonly time: SimulatedTime;
  readonly venue: string;
  /** Of the waits between two dials: numbers in [0, 1). */
  readonly uniform: () => number;
  /** The session is to be looked after at this time, if not sooner. */
  readonly wake: (at: number) => void;
}

export class SimulatedPort implements SessionPort {
  requests = 0;
  dials = 0;
  readonly uniform: () => number;
  readonly wake: (at: number) => void;
  private readonly time: SimulatedTime;
  private readonly venue: string;

  constructor({ time, venue, uniform, wake }: SimulatedPortOptions) {
    this.time = time;
    this.venue = venue;
    this.uniform = uniform;
    this.wake = wake;
  }

  now(): number {
    return this.time.now;
  }

  later(at: number, act: () => void): void {
    this.time.at(at, act);
  }

  dial(url: string, listener: WireListener): void {
    this.dials++;
    this.time.at(this.time.now + 2 * LATENCY_MS, () => this.connect(url, listener));
  }

  request(request: VenueRequest, answered: (answer: VenueAnswer) => void): void {
    this.time.at(this.time.now + LATENCY_MS, () => {
      const { answer, delayMs } = this.ask(request);
      const isInTime = delayMs < REQUEST_TIMEOUT_MS;
      this.time.at(this.time.now + LATENCY_MS + Math.min(delayMs, REQUEST_TIMEOUT_MS), () =>
        answered(isInTime ? answerOf(answer) : { failed: "no answer in time" }),
      );
    });
  }

  /** Answered at once. */
  ask({ url }: VenueRequest): { readonly answer: RestAnswer; readonly delayMs: number } {
    this.requests++;
    return this.time.world.rest(this.venue, { method: "GET", ...targetOf(url) });
  }

  authenticate(made: (token: null) => void): void {
    made(null);
  }

  /** What an operator would read is in the ledger here. */
  log(): void {}

  bug(what: string, error: unknown): never {
    throw new Error(what, { cause: error });
  }

  private connect(url: string, listener: WireListener): void {
    // What comes with the accepted upgrade, a welcome or the end already, is kept until the feed knows of the connection.
    let early: (() => void)[] | null = [];
    const tell = (act: () => void): void => {
      if (early === null) act();
      else early.push(act);
    };
    const down = (reason: string): void => tell(() => listener.down(reason));
    const wire: VenueWire = {
      deliver: (text) => tell(() => listener.text(text)),
      close: (code, reason) => down(`closed by the venue with ${code} ${reason}`.trim()),
      terminate: () => down("closed by the venue with 1006"),
      reset: () => down("closed by the venue with 1006"),
    };
    const link = this.time.world.connect(this.venue, targetOf(url), wire);
    if ("status" in link) {
      listener.refused(answerOf(link));
      return;
    }
    listener.opened({
      send: (text) => this.time.at(this.time.now + LATENCY_MS, () => link.receive(text)),
      close: () => link.over(),
    });
    const kept = early;
    early = null;
    for (const act of kept) act();
  }
}

function answerOf({ status, body, headers }: RestAnswer): VenueAnswer {
  return { status, body, header: (name) => headers?.[name] ?? null };
}

function targetOf(url: string): { path: string; query: URLSearchParams } {
  const { pathname, searchParams } = new URL(url.replace(/^ws/, "http"));
  return { path: pathname, query: searchParams };
}
