/**
 * The world of a session, played by a test: the clock is moved by it, sockets and requests are answered by it, and whatever the session does can be
 * read. It is the outer end of the port; everything behind that is the real thing.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { ExchangeAdapter, VenueRequest } from "../../exchanges/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { FeedSession } from "../../feed/session/feed-session.ts";
import type { Journal } from "../../feed/session/journal.ts";
import type { SessionPort, VenueAnswer, WireListener } from "../../feed/session/session-port.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";

export const START = Date.UTC(2026, 0, 5, 12, 0, 10);

/** A dial of the session's. */
export interface Dialled {
  readonly at: number;
  readonly url: string;
  readonly listener: WireListener;
  /** Since it was opened, at their times. */
  readonly sent: { readonly at: number; readonly text: string }[];
  closed: string | null;
}

export const SILENT: Journal = {
  advance: () => {},
  tick: () => {},
  flush: () => "stored",
  frame: () => {},
  standbyFrame: () => {},
  binary: () => {},
  asked: () => {},
  snapshot: () => {},
  connection: () => {},
  hole: () => {},
};

export class ScriptedWorld implements SessionPort {
  readonly dials: Dialled[] = [];
  readonly requests: { readonly request: VenueRequest; readonly answered: (answer: VenueAnswer) => void }[] = [];
  readonly wakes: number[] = [];
  readonly logged: string[] = [];
  /** Made so far; null for a venue without a key. */
  tokens: number | null = null;
  /** Why no token can be made; null when one can. */
  keyFault: string | null = null;
  private time = START;
  private due: { readonly at: number; readonly act: () => void }[] = [];

  now(): number {
    return this.time;
  }

  uniform(): number {
    return 0.5;
  }

  later(at: number, act: () => void): void {
    this.due.push({ at, act });
  }

  wake(at: number): void {
    this.wakes.push(at);
  }

  dial(url: string, listener: WireListener): void {
    this.dials.push({ at: this.time, url, listener, sent: [], closed: null });
  }

  request(request: VenueRequest, answered: (answer: VenueAnswer) => void): void {
    this.requests.push({ request, answered });
  }

  authenticate(made: (token: string | null | { readonly failed: string }) => void): void {
    if (this.keyFault !== null) made({ failed: this.keyFault });
    else if (this.tokens === null) made(null);
    else made(`token-${++this.tokens}`);
  }

  log(what: string): void {
    this.logged.push(what);
  }

  bug(what: string, error: unknown): never {
    throw new Error(what, { cause: error });
  }

  advance(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const next = this.due.filter(({ at }) => at <= until).toSorted((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.due = this.due.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.act();
    }
    this.time = until;
  }

  /** The last dial succeeds. */
  open(): Dialled {
    const dialled = this.dials.at(-1);
    if (dialled === undefined) throw new Error("nothing was dialled");
    dialled.listener.opened({
      send: (text) => dialled.sent.push({ at: this.time, text }),
      close: (reason) => {
        dialled.closed = reason;
      },
    });
    return dialled;
  }

  /** What the object's alarm does, at a venue that gives no grids now. */
  alarm(session: FeedSession): void {
    session.watch();
    session.reach(() => {});
    for (const { answered: take } of this.requests.splice(0)) take(answered(503));
  }
}

export interface SessionSetup {
  readonly adapter: ExchangeAdapter;
  readonly instruments: readonly Instrument[];
  readonly budget?: VenueBudget;
  readonly symbols?: readonly string[];
  readonly succeededAtAgeMs?: number;
}

/** A session with its books begun, on which nothing has been dialled. */
export function sessionIn(world: ScriptedWorld, { adapter, instruments, budget, symbols, succeededAtAgeMs }: SessionSetup): FeedSession {
  const session = new FeedSession({
    adapter,
    symbols: symbols ?? instruments.map(({ symbol }) => symbol),
    budget: budget ?? new VenueBudget(adapter.limits),
    port: world,
    ...(succeededAtAgeMs === undefined ? {} : { succeededAtAgeMs }),
    startBooks: (of) => ({ reducer: new FeedReducer({ adapter, instruments: of, featureSet: featureSetV1 }), journal: SILENT }),
  });
  session.begin(instruments);
  return session;
}

export function answered(status: number, body = ""): VenueAnswer {
  return { status, body, header: () => null };
}
