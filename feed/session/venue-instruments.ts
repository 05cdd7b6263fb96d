/**
 * The venue's grids, asked for at each start, once a day, and again when what came could not be read on those we have: how that went, and when it is
 * asked next. What is known is good until something better comes.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import { MS_PER_DAY } from "../../core/units/time.ts";
import type { ExchangeAdapter, Unlisted } from "../../exchanges/contract.ts";
import type { Connection } from "./connection.ts";
import { InstrumentSearch, type SearchResult } from "./instrument-search.ts";
import type { SessionPort } from "./session-port.ts";
import type { VenueRequests } from "./venue-requests.ts";

/** Between two requests: while there is no book for want of them, and where there are books. */
const RETRY_MS = 5_000;
const REFRESH_MS = 300_000;
/** A finer lot shows in nothing that comes: its sizes are read, and rounded up. */
export const INSTRUMENTS_GOOD_FOR_MS = MS_PER_DAY;

export interface VenueInstrumentsOptions {
  readonly adapter: ExchangeAdapter;
  readonly symbols: readonly string[];
  readonly port: SessionPort;
  readonly requests: VenueRequests;
  /** Passed over for the next host where this one gives none and there are no books. */
  readonly connection: Connection;
  readonly goodForMs: number;
}

export class VenueInstruments {
  /** Why they could not be had, for a person; null when they could. */
  fault: string | null = null;
  /** Symbols of ours that have no market, by the last listing, and why. */
  unlisted: readonly Unlisted[] = [];
  private isFresh = false;
  private isAsking = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private readonly options: VenueInstrumentsOptions;

  constructor(options: VenueInstrumentsOptions) {
    this.options = options;
  }

  /** Something could not be read on these grids: they are asked for anew. */
  doubt(): void {
    this.isFresh = false;
  }

  /** Asks when it is time to. @param listed is given what the venue listed of our symbols; nothing when it wasn't asked, or answered nothing of use. */
  ask(has: "books" | "no-books", listed: (instruments: readonly Instrument[]) => void): void {
    const { adapter, symbols, port, requests, connection, goodForMs } = this.options;
    const now = port.now();
    if (now >= this.askedAt + goodForMs) this.doubt();
    // A venue that lists none of them has been asked well: that needs other FEEDS, or another day.
    const hasAnswered = has === "books" || this.unlisted.length === symbols.length;
    const retryMs = hasAnswered ? Math.min(REFRESH_MS, goodForMs) : RETRY_MS;
    const isDue = !this.isFresh && !this.isAsking && now >= this.askedAt + retryMs && connection.mayTry;
    const request = isDue ? adapter.instrumentsRequest(connection.host, symbols) : null;
    if (request === null || !requests.mayAsk(request.weight)) {
      listed([]);
      return;
    }
    this.askedAt = now;
    const search = new InstrumentSearch({ adapter, requests, hosts: connection.host }, symbols);
    this.isAsking = true;
    search.run((found) => {
      this.isAsking = false;
      listed(this.take(found, has));
    });
  }

  private take(found: SearchResult, has: "books" | "no-books"): readonly Instrument[] {
    const { symbols, connection } = this.options;
    if (!found.ok) {
      this.fault = found.fault;
      if (has === "no-books" && found.passOver !== null) connection.passOver(found.passOver, found.fault);
      return [];
    }
    const { instruments, unlisted } = found;
    const absent = symbols.filter((name) => ![...instruments, ...unlisted].some(({ symbol }) => symbol === name));
    this.unlisted = [...unlisted, ...absent.map((symbol) => ({ symbol, reason: "the venue doesn't list it" }))];
    this.fault = this.unlisted.length === 0 ? null : this.unlisted.map(({ symbol, reason }) => `${symbol}: ${reason}`).join("; ");
    this.isFresh = this.unlisted.length === 0;
    return instruments;
  }
}
