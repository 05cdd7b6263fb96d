/** A Binance venue: its markets, its clients, its clock's work. One class for spot, USD-M and COIN-M; `product.ts` says in what they differ. */

import type { Applied } from "../../market/canonical-market.ts";
import { nextMultiple } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type {
  Clock,
  ClosingNotice,
  Connection,
  KeptBook,
  Listing,
  Protocol,
  RestAnswer,
  RestRequest,
  Venue,
  VenueSetup,
} from "../../venue.ts";
import { type BinanceProduct, COIN_M, SPOT, USD_M } from "./product.ts";
import { BinanceRest, type RestMarkets, venueError } from "./rest.ts";
import { type BinanceBooks, BinanceSession } from "./session.ts";
import { KLINE_UPDATE_MS, ToldMarket } from "./told-market.ts";

const DEPTH_INTERVAL_MS = 100;

export const binanceSpot: Protocol = protocolOf(SPOT);
export const binanceUsdM: Protocol = protocolOf(USD_M);
export const binanceCoinM: Protocol = protocolOf(COIN_M);

export interface BinanceSetup extends VenueSetup {
  /** Length of a depth batch; 100 ms unless told. */
  readonly intervalMs?: number;
}

export class BinanceVenue implements Venue, BinanceBooks {
  readonly product: BinanceProduct;
  readonly clock: Clock;
  readonly topics = new Topics<BinanceSession>();
  readonly listings: ReadonlyMap<string, Listing>;
  skewMs = 0;
  private readonly intervalMs: number;
  private readonly markets: ReadonlyMap<string, ToldMarket>;
  private readonly requests: BinanceRest;
  private nextBatch: number;
  private nextKline: number;

  constructor(product: BinanceProduct, { listings, clock, intervalMs = DEPTH_INTERVAL_MS }: BinanceSetup) {
    if (!Number.isInteger(intervalMs) || intervalMs < 1) throw new RangeError(`a depth interval of ${intervalMs} ms`);
    this.product = product;
    this.clock = clock;
    this.intervalMs = intervalMs;
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    const listener = {
      wants: (stream: string) => this.topics.has(stream),
      hear: (message: Parameters<BinanceSession["hear"]>[0]) => {
        for (const session of this.topics.of(message.stream)) session.hear(message);
      },
      stamp: (time: number) => this.stamp(time),
    };
    this.markets = new Map(listings.map((listing) => [listing.symbol, new ToldMarket(product, listing, listener)]));
    const grids = new Map([...this.markets].map(([symbol, { messages }]) => [symbol, messages.grids]));
    this.requests = new BinanceRest(product, restMarketsOf(this, grids), clock);
    this.nextBatch = nextMultiple(clock.now, intervalMs);
    this.nextKline = nextMultiple(clock.now, KLINE_UPDATE_MS);
  }

  get venue(): string {
    return this.product.venue;
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return Math.min(this.nextBatch, this.nextKline);
  }

  accept({ path: asked, query }: Pick<RestRequest, "path" | "query">, connection: Connection): BinanceSession | RestAnswer {
    const [prefix, route] = Object.entries(this.product.routes).find(([start]) => asked.startsWith(`${start}/`)) ?? ["", null];
    const path = asked.slice(prefix.length);
    const isCombined = path === "/stream";
    if (!isCombined && path !== "/ws" && !path.startsWith("/ws/")) return { status: 404, body: "" };
    const names = (isCombined ? (query.get("streams") ?? "") : path.slice("/ws/".length)).split("/");
    const streams = names.map(decodeName).filter((name) => name !== "");
    if (streams.length > this.product.streamsPerConnection) return { status: 400, body: "" };
    const session = new BinanceSession(this, connection, { isCombined, route });
    session.subscribe(streams);
    return session;
  }

  hear(listing: Listing, applied: Applied): void {
    this.markets.get(listing.symbol)?.hear(applied);
  }

  tick(): void {
    const { now } = this.clock;
    if (now >= this.nextBatch) {
      for (const market of this.markets.values()) market.endBatch(this.nextBatch);
      this.nextBatch = nextMultiple(now, this.intervalMs);
    }
    if (now >= this.nextKline) {
      for (const market of this.markets.values()) market.tellKline(this.nextKline);
      this.nextKline = nextMultiple(now, KLINE_UPDATE_MS);
    }
  }

  settle(): void {
    for (const market of this.markets.values()) market.endBatch(this.clock.now);
  }

  rest(request: RestRequest, kept: KeptBook | null): RestAnswer {
    return this.requests.answer(request, kept);
  }

  bookAskedBy(request: RestRequest): string | null {
    return this.requests.bookAskedBy(request);
  }

  sequenceOf(symbol: string): number | null {
    return this.markets.get(symbol)?.toldId ?? null;
  }

  copyBook(symbol: string): KeptBook | null {
    return this.markets.get(symbol)?.copyBook() ?? null;
  }

  crossingBid(symbol: string): string | null {
    return this.markets.get(symbol)?.crossingBid() ?? null;
  }

  told(symbol: string): ToldMarket | null {
    return this.markets.get(symbol) ?? null;
  }

  stamp(time: number): number {
    return Math.floor(time) + this.skewMs;
  }
}

function restMarketsOf(venue: BinanceVenue, markets: RestMarkets["markets"]): RestMarkets {
  return {
    gridsAre: "declared",
    markets,
    get venueTime() {
      return venue.stamp(venue.clock.now);
    },
    depth: (symbol, limit, kept) => {
      const market = venue.told(symbol);
      return market === null ? { unavailable: "unknown symbol" } : { body: market.snapshotBody(kept, limit, venue.clock.now) };
    },
    bars: (symbol) => venue.told(symbol)?.bars.all ?? [],
  };
}

function protocolOf(product: BinanceProduct): Protocol {
  return {
    venue: product.venue,
    hasRestBook: true,
    create: (setup: BinanceSetup) => new BinanceVenue(product, setup),
    closingNotice: (time) => closingNotice(product, time),
    refusalBody: (status) => (status === 451 ? BLOCKED : venueError(-1003, status === 418 ? BANNED : "Too many requests.")),
  };
}

const BANNED = "Way too much request weight used; IP banned.";
const BLOCKED = JSON.stringify({
  code: 0,
  msg: "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms.",
});

/** Spot alone says so ten seconds before: web-socket-streams.md, "serverShutdown" (read 2026-11-21). */
function closingNotice(product: BinanceProduct, time: number): ClosingNotice {
  const frame = product.isFutures ? null : `{"e":"serverShutdown","E":${time}}`;
  return { frame, code: 1001, reason: "24 hours" };
}

/** `@` may come escaped. A name that can't be unescaped stays as it is: nobody speaks it. */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
