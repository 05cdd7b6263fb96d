/**
 * The venue's grids, asked for at each start, once a day, and again when what came could not be read on those we have: how that went, and when it is
 * asked next. What is known is good until something better comes.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { type FeedConfiguration, missingSymbols } from "../../feed/configuration.ts";
import type { Connection } from "./connection.ts";
import type { VenueRest } from "./venue-rest.ts";

/** Between two requests: while there is no book for want of them, and where there are books. */
const RETRY_MS = 5_000;
const REFRESH_MS = 300_000;
/** A finer lot shows in nothing that comes: its sizes are read, and rounded up. */
const GOOD_FOR_MS = 86_400_000;

export class VenueInstruments {
  /** Why they could not be had, for a person; null when they could. */
  fault: string | null = null;
  private isFresh = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private readonly adapter: ExchangeAdapter;
  private readonly configuration: FeedConfiguration;
  private readonly rest: VenueRest;

  constructor(adapter: ExchangeAdapter, configuration: FeedConfiguration, rest: VenueRest) {
    this.adapter = adapter;
    this.configuration = configuration;
    this.rest = rest;
  }

  /** Something could not be read on these grids: they are asked for anew. */
  doubt(): void {
    this.isFresh = false;
  }

  /** Asks when it is time to. @returns what the venue listed of our symbols; empty when nothing was asked, or nothing of use was answered. */
  async ask(connection: Connection, now: number, has: "books" | "no-books"): Promise<readonly Instrument[]> {
    if (now >= this.askedAt + GOOD_FOR_MS) this.doubt();
    if (this.isFresh || now < this.askedAt + (has === "books" ? REFRESH_MS : RETRY_MS) || !connection.mayTry) return [];
    const { symbols } = this.configuration;
    const request = this.adapter.instrumentsRequest(connection.host, symbols);
    if (!this.rest.mayAsk(now, request.weight)) return [];
    this.askedAt = now;
    const result = await this.rest.ask(request);
    if (!result.ok) {
      this.fault = `the venue's instruments could not be had: ${result.detail}`;
      if (has === "no-books") connection.passOver(result.isBlocked ? "blocked" : "unreachable", this.fault);
      return [];
    }
    const decoded = this.adapter.decodeInstruments(result.body, symbols);
    if ("malformed" in decoded) {
      this.fault = `the venue's instruments could not be read: ${decoded.malformed}`;
      return [];
    }
    const missing = missingSymbols(this.configuration, decoded.instruments);
    this.fault = missing.length === 0 ? null : `the venue lists no ${missing.join(", ")}`;
    this.isFresh = missing.length === 0;
    return decoded.instruments;
  }
}
