/**
 * Asks a venue for the instruments of some symbols. A venue may refuse the whole request for one symbol that it doesn't know (Binance spot: 400, -1121): then
 * the symbols are halved until those that it refuses stand alone, one request after the other. What is found is given whole, or not at all: half of a listing
 * would look like markets that are gone.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { ExchangeAdapter, Unlisted, VenueHosts } from "../../exchanges/contract.ts";
import type { RequestResult, VenueRequests } from "./venue-requests.ts";

/** One unknown symbol of 300 takes 19 requests, three take some 50. With more it is FEEDS that wants looking at. */
const MAX_REQUESTS = 64;

export type SearchResult =
  | { readonly ok: true; readonly instruments: readonly Instrument[]; readonly unlisted: readonly Unlisted[] }
  /** `passOver`: it is the host that gives none, for this reason. */
  | { readonly ok: false; readonly fault: string; readonly passOver: "blocked" | "unreachable" | null };

export interface InstrumentSearchOptions {
  readonly adapter: ExchangeAdapter;
  readonly requests: VenueRequests;
  readonly hosts: VenueHosts;
}

export class InstrumentSearch {
  private readonly options: InstrumentSearchOptions;
  private readonly waiting: (readonly string[])[];
  private readonly instruments: Instrument[] = [];
  private readonly unlisted: Unlisted[] = [];
  private asked = 0;

  constructor(options: InstrumentSearchOptions, symbols: readonly string[]) {
    this.options = options;
    this.waiting = [symbols];
  }

  run(found: (result: SearchResult) => void): void {
    const { adapter, requests, hosts } = this.options;
    const symbols = this.waiting.pop();
    if (symbols === undefined) {
      found({ ok: true, instruments: this.instruments, unlisted: this.unlisted });
      return;
    }
    const request = adapter.instrumentsRequest(hosts, symbols);
    if (this.asked >= MAX_REQUESTS || !requests.mayAsk(request.weight)) {
      const fault = `the venue refuses some of the symbols, and there was no room to find out which in ${this.asked} requests`;
      found({ ok: false, fault, passOver: null });
      return;
    }
    this.asked++;
    requests.ask(request, (result) => {
      const failed = this.take(symbols, result, request.url);
      if (failed === null) this.run(found);
      else found(failed);
    });
  }

  /** @returns what ends the search; null where it goes on. */
  private take(symbols: readonly string[], result: RequestResult, url: string): SearchResult | null {
    if (!result.ok) return this.narrow(symbols, result, url);
    const decoded = this.options.adapter.decodeInstruments(result.body, symbols);
    if ("malformed" in decoded) return this.unreadable(symbols, decoded.malformed);
    this.instruments.push(...decoded.instruments);
    this.unlisted.push(...(decoded.unreadable ?? []));
    return null;
  }

  private narrow(
    symbols: readonly string[],
    { isBlocked, isRefused, detail }: Exclude<RequestResult, { ok: true }>,
    url: string,
  ): SearchResult | null {
    const { adapter, hosts } = this.options;
    // A venue that gives its whole list to whoever asks refuses no symbol.
    const isWholeList = adapter.instrumentsRequest(hosts, []).url === url;
    if (!isRefused || isWholeList) {
      return { ok: false, fault: `the venue's instruments could not be had: ${detail}`, passOver: isBlocked ? "blocked" : "unreachable" };
    }
    const [first] = symbols;
    if (symbols.length === 1 && first !== undefined) this.unlisted.push({ symbol: first, reason: `the venue answers ${detail}` });
    else this.waiting.push(...halvesOf(symbols));
    return null;
  }

  /** Of one symbol among others that were found, it is that one's. */
  private unreadable(symbols: readonly string[], reason: string): SearchResult | null {
    const [first] = symbols;
    if (this.asked === 1 || symbols.length > 1 || first === undefined)
      return { ok: false, fault: `the venue's instruments could not be read: ${reason}`, passOver: null };
    this.unlisted.push({ symbol: first, reason });
    return null;
  }
}

function halvesOf(symbols: readonly string[]): [readonly string[], readonly string[]] {
  const middle = Math.ceil(symbols.length / 2);
  return [symbols.slice(middle), symbols.slice(0, middle)];
}
