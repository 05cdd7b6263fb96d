/**
 * Asks for the snapshots that books want, in the venue's way: by a request, one at a time, or by subscribing to their depth anew. An answer to what
 * was asked on a connection that is gone, or on other grids, is passed over.
 *
 * Where a venue wants our frames spaced, nothing is asked before it can be sent: books that break meanwhile are asked for together, and one that has
 * come meanwhile isn't asked for at all. An ask that waited in a queue would break a book that is whole again when it is sent at last.
 */

import type { SnapshotSource } from "../../exchanges/contract.ts";
import type { FeedReducer } from "../feed-reducer.ts";
import type { CarriedSymbols } from "../frame-outcome.ts";
import type { Connection } from "./connection.ts";
import type { Inputs } from "./inputs.ts";
import type { Refusals } from "./refusals.ts";
import type { SessionPort } from "./session-port.ts";
import type { VenueBudget } from "./venue-budget.ts";
import type { VenueInstruments } from "./venue-instruments.ts";
import type { RequestResult, VenueRequests } from "./venue-requests.ts";

export interface SnapshotRequestsOptions {
  readonly source: SnapshotSource;
  readonly connection: Connection;
  readonly requests: VenueRequests;
  /** Doubted where a snapshot can't be read. */
  readonly venueInstruments: VenueInstruments;
  readonly inputs: Inputs;
  readonly refusals: Refusals;
  readonly budget: VenueBudget;
  readonly port: SessionPort;
}

export class SnapshotRequests {
  private readonly options: SnapshotRequestsOptions;
  private isAsking = false;
  /** They are asked for by themselves once frames of ours go at once. */
  private isWaiting = false;
  /** How often the books were begun anew by a connection. */
  private opening = 0;

  constructor(options: SnapshotRequestsOptions) {
    this.options = options;
  }

  /** The books are begun anew: what was asked for before is of no use to them. */
  connectionOpened(): void {
    this.opening++;
  }

  /** All books have been subscribed to, by frames of which the last may go later. */
  subscribed(): void {
    const { books } = this.options.inputs;
    if (books !== null && this.options.source.kind === "subscription")
      this.countFromSent({ on: "present", symbols: [...books.reducer.markets.keys()] });
  }

  /** Asks for the snapshots that are wanted, in the venue's way. */
  ask(): void {
    const { inputs, connection, source } = this.options;
    if (inputs.books === null || !connection.isOpen) return;
    const wanted = inputs.books.reducer.wantedSnapshots(inputs.now());
    if (wanted[0] === undefined) return;
    if (source.kind === "request") this.requestSnapshot(wanted[0], source);
    else this.subscribeAnew(inputs.books.reducer, wanted);
  }

  private asked(symbol: string): void {
    this.options.inputs.take((now, { reducer, journal }) => {
      reducer.snapshotAsked(symbol, now);
      journal.asked(symbol, now);
    });
  }

  /** Each on the connection that carries it: what the other one would answer is nobody's. */
  private subscribeAnew(reducer: FeedReducer, wanted: readonly string[]): void {
    const { inputs, budget, refusals, connection } = this.options;
    const now = inputs.now();
    if (budget.isHeld(now)) return;
    const symbols = wanted.filter((symbol) => !refusals.isHeldBack(symbol, "depth", now));
    for (const carried of reducer.byCarrier(symbols)) {
      const freeAt = connection.freeAt(carried.on);
      if (freeAt > now) {
        this.askAt(freeAt);
        continue;
      }
      for (const symbol of carried.symbols) this.asked(symbol);
      connection.resubscribe(carried, "depth", () => this.countFromSent(carried));
    }
  }

  private askAt(at: number): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.options.port.later(at, () => {
      this.isWaiting = false;
      this.ask();
    });
  }

  /** The wait for what has just been subscribed to begins when the last frame that asks has gone. */
  private countFromSent({ on, symbols }: CarriedSymbols): void {
    const { inputs, connection, port } = this.options;
    const { opening } = this;
    const { books } = inputs;
    const lastSendAt = connection.lastSendAt(on);
    if (lastSendAt <= inputs.now()) return;
    port.later(lastSendAt, () => {
      if (books === null || inputs.books !== books || this.opening !== opening) return;
      for (const symbol of symbols) if (books.reducer.awaitsSnapshot(symbol)) this.asked(symbol);
    });
  }

  /** One request at a time; the next when this one is answered. */
  private requestSnapshot(symbol: string, source: Extract<SnapshotSource, { kind: "request" }>): void {
    const { opening } = this;
    const { inputs, connection, requests } = this.options;
    const { books } = inputs;
    if (this.isAsking) return;
    const request = source.request(connection.host, symbol);
    if (!requests.mayAsk(request.weight)) return;
    this.isAsking = true;
    this.asked(symbol);
    requests.ask(request, (result) => {
      this.isAsking = false;
      // Asked for on a connection that is gone, or on other grids: nothing that comes now joins it, and its book would look whole until then. A
      // standby that has taken over goes on with the same books.
      const isWanted = inputs.books === books && this.opening === opening && connection.isOpen;
      if (isWanted) this.takeSnapshot(symbol, result);
      if (isWanted && !result.ok && result.isBlocked) connection.passOver("blocked", `REST is blocked here: ${result.detail}`);
      this.ask();
    });
  }

  private takeSnapshot(symbol: string, result: RequestResult): void {
    this.options.inputs.take((now, { reducer, journal }) => {
      if (!result.ok) {
        reducer.snapshotFailed(symbol, now);
        this.options.port.log(`snapshot of ${symbol} failed`, result.detail);
        return;
      }
      const malformed = reducer.malformedFrames;
      try {
        reducer.snapshot(symbol, result.body, now);
      } finally {
        journal.snapshot(symbol, now, result.body);
      }
      if (reducer.malformedFrames > malformed) this.options.venueInstruments.doubt();
    });
  }
}
