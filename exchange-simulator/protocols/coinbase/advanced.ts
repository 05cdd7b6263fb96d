/**
 * Coinbase Advanced Trade's market data.
 *
 * docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview and websocket-channels, and the AsyncAPI document of
 * docs.cdp.coinbase.com/api-reference/advanced-trade-api (read 2026-11-27):
 * 1. One channel a subscribe message; `level2` is answered on `l2_data`: a snapshot, then updates with absolute sizes, 0 removes.
 * 2. `sequence_num` counts each message of the connection, whatever its channel.
 * 3. `market_trades` has the maker's side, begins with a snapshot of the last trades, and comes each 250 ms.
 * 4. `heartbeats` come each second with a counter; without them a channel closes after 60-90 s of quiet: here after 75 s, without a word.
 * 5. Who doesn't subscribe within 5 s is disconnected.
 * A message may hold several events; here one of many updates is told as two events at times.
 */

import { MS_PER_SECOND } from "../../../core/units/time.ts";
import { copyOf } from "../../book-copy.ts";
import type { Applied } from "../../market/canonical-market.ts";
import { isoMicros, nextMultiple } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type { Clock, Connection, KeptBook, Listing, Protocol, RestAnswer, RestRequest, Venue, VenueSetup } from "../../venue.ts";
import { AdvancedProduct } from "./advanced-product.ts";
import { AdvancedSession } from "./advanced-session.ts";

const VENUE = "coinbase-advanced";
/** Steps of the venue's clock: books, then trades. */
const BOOK_EVERY_MS = 50;
const TRADES_EVERY_MS = 250;

export const coinbaseAdvanced: Protocol = {
  venue: VENUE,
  hasRestBook: false,
  create: (setup) => new AdvancedVenue(setup),
  closingNotice: () => ({ frame: null, code: 1001, reason: "going away" }),
  refusalBody: (status) => JSON.stringify({ error: status === 451 ? "unavailable_for_legal_reasons" : "rate_limit_exceeded", message: "" }),
};

export class AdvancedVenue implements Venue {
  readonly venue = VENUE;
  readonly clock: Clock;
  readonly listings: ReadonlyMap<string, Listing>;
  readonly topics = new Topics<AdvancedSession>();
  skewMs = 0;
  private readonly products: ReadonlyMap<string, AdvancedProduct>;
  private readonly sessions = new Set<AdvancedSession>();
  private nextBook: number;

  constructor({ listings, clock }: VenueSetup) {
    this.clock = clock;
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    this.products = new Map(listings.map((listing) => [listing.symbol, new AdvancedProduct(listing)]));
    this.nextBook = nextMultiple(clock.now, BOOK_EVERY_MS);
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return this.nextBook;
  }

  product(symbol: string): AdvancedProduct | null {
    return this.products.get(symbol) ?? null;
  }

  stamp(time: number): number {
    return Math.floor(time) + this.skewMs;
  }

  accept(_request: Pick<RestRequest, "path" | "query">, connection: Connection): AdvancedSession {
    const session = new AdvancedSession(this, connection);
    this.sessions.add(session);
    return session;
  }

  leave(session: AdvancedSession): void {
    this.sessions.delete(session);
  }

  hear(listing: Listing, applied: Applied): void {
    const product = this.products.get(listing.symbol);
    if (product === undefined) return;
    product.hear(applied);
    if (applied.kind !== "trade") return;
    for (const session of this.topics.of(`ticker:${listing.symbol}`)) {
      session.tell("ticker", listing.symbol, `[${product.tickerEvent("update")}]`);
    }
  }

  tick(): void {
    const { now } = this.clock;
    if (now < this.nextBook) return;
    this.nextBook = nextMultiple(now, BOOK_EVERY_MS);
    this.tellBooks();
    if (now % TRADES_EVERY_MS === 0) this.tellTrades();
    if (now % MS_PER_SECOND === 0) this.passSecond(now);
  }

  settle(): void {
    this.tellBooks();
    this.tellTrades();
  }

  rest({ method, path, query }: RestRequest): RestAnswer {
    const root = "/api/v3/brokerage/market/products";
    if (method !== "GET" || (path !== root && !path.startsWith(`${root}/`))) {
      return { status: 404, body: JSON.stringify({ error: "NOT_FOUND", error_details: "", message: "" }) };
    }
    if (path === root) {
      const asked = query.getAll("product_ids");
      const products = [...this.products.values()].filter(({ listing }) => asked.length === 0 || asked.includes(listing.symbol));
      return {
        status: 200,
        body: JSON.stringify({ products: products.map((product) => product.description()), num_products: products.length }),
      };
    }
    const product = this.products.get(decodeURIComponentSafely(path.slice(root.length + 1)));
    if (product !== undefined) return { status: 200, body: JSON.stringify(product.description()) };
    return { status: 404, body: JSON.stringify({ error: "NOT_FOUND", error_details: "valid product_id is required", message: "" }) };
  }

  bookAskedBy(): null {
    return null;
  }

  copyBook(symbol: string): KeptBook | null {
    const listing = this.listings.get(symbol);
    return listing === undefined ? null : copyOf(listing.market);
  }

  sequenceOf(): null {
    return null;
  }

  private tellBooks(): void {
    for (const product of this.products.values()) {
      const symbol = product.listing.symbol;
      if (this.topics.has(`level2:${symbol}`)) {
        const events = product.updateEvents(isoMicros(this.stamp(product.listing.market.venueTime)));
        if (events !== null) for (const session of this.topics.of(`level2:${symbol}`)) session.tell("level2", symbol, events);
      }
      product.pending.clear();
    }
  }

  private tellTrades(): void {
    for (const product of this.products.values()) {
      const symbol = product.listing.symbol;
      const trades = product.takeTrades();
      if (trades.length === 0) continue;
      const events = `[{"type":"update","trades":[${trades.map((trade) => product.tradeText(trade, this.stamp(trade.time))).join(",")}]}]`;
      for (const session of this.topics.of(`market_trades:${symbol}`)) session.tell("market_trades", symbol, events);
    }
  }

  private passSecond(now: number): void {
    for (const product of this.products.values()) {
      const symbol = product.listing.symbol;
      const candle = product.candle.takeText();
      if (candle === null) continue;
      for (const session of this.topics.of(`candles:${symbol}`))
        session.tell("candles", symbol, `[{"type":"update","candles":[${candle}]}]`);
    }
    for (const session of [...this.sessions]) session.passSecond(now);
  }
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
