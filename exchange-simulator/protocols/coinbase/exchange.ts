/**
 * Coinbase Exchange's market data.
 *
 * docs.cdp.coinbase.com/exchange/websocket-feed/overview and channels (read 2026-11-27), and a recording of 2021:
 * 1. `subscribe` names channels, with products of their own or those of the message; the answer is `subscriptions`, of all that is subscribed to.
 * 2. `level2` tells each change, `level2_batch` every 50 ms; both begin with a `snapshot` and have no number.
 * 3. `matches` begins with `last_match`; the side is the maker's; `trade_id` is consecutive.
 * 4. `ticker` comes with each match: the best prices behind it, and the taker's side.
 * 5. `heartbeat` comes each second: the product's sequence and last trade id.
 * The form "2021" has no sizes at the ticker's best prices, no time on a snapshot.
 */

import { MS_PER_SECOND } from "../../../core/units/time.ts";
import { copyOf } from "../../book-copy.ts";
import type { Applied } from "../../market/canonical-market.ts";
import { isoMicros, nextMultiple } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type { Clock, Connection, Frame, KeptBook, Listing, Protocol, RestAnswer, RestRequest, Venue, VenueSetup } from "../../venue.ts";
import { changeOf, ExchangeProduct } from "./exchange-product.ts";
import { type ExchangeChannel, ExchangeSession } from "./exchange-session.ts";

const VENUE = "coinbase-exchange";
const BATCH_MS = 50;

export const coinbaseExchange: Protocol = {
  venue: VENUE,
  hasRestBook: false,
  create: (setup) => new ExchangeVenue(setup),
  closingNotice: () => ({ frame: null, code: 1001, reason: "going away" }),
  refusalBody: (status) => JSON.stringify({ message: status === 451 ? "Unavailable For Legal Reasons" : "Public rate limit exceeded" }),
};

export class ExchangeVenue implements Venue {
  readonly venue = VENUE;
  readonly clock: Clock;
  readonly listings: ReadonlyMap<string, Listing>;
  readonly topics = new Topics<ExchangeSession>();
  readonly isOldForm: boolean;
  skewMs = 0;
  private readonly products: ReadonlyMap<string, ExchangeProduct>;
  private readonly sessions = new Set<ExchangeSession>();
  private nextBatch: number;

  constructor({ listings, clock, form }: VenueSetup) {
    this.clock = clock;
    this.isOldForm = form === "2021";
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    this.products = new Map(listings.map((listing) => [listing.symbol, new ExchangeProduct(listing, this)]));
    this.nextBatch = nextMultiple(clock.now, BATCH_MS);
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return this.nextBatch;
  }

  product(symbol: string): ExchangeProduct | null {
    return this.products.get(symbol) ?? null;
  }

  time(time: number): string {
    return isoMicros(Math.floor(time) + this.skewMs);
  }

  accept(_request: Pick<RestRequest, "path" | "query">, connection: Connection): ExchangeSession {
    const session = new ExchangeSession(this, connection);
    this.sessions.add(session);
    return session;
  }

  leave(session: ExchangeSession): void {
    this.sessions.delete(session);
  }

  hear(listing: Listing, applied: Applied): void {
    const product = this.products.get(listing.symbol);
    if (product === undefined) return;
    product.hear(applied);
    if (applied.kind === "book") this.publish("level2", product, () => product.changesFrame(applied.changes.map(changeOf)));
    if (applied.kind !== "trade") return;
    this.publish("matches", product, () => product.matchFrame("match", applied));
    this.publish("ticker", product, () => product.tickerFrame(applied));
  }

  tick(): void {
    const { now } = this.clock;
    if (now < this.nextBatch) return;
    this.nextBatch = nextMultiple(now, BATCH_MS);
    this.tellBatches();
    if (now % MS_PER_SECOND !== 0) return;
    for (const product of this.products.values()) this.publish("heartbeat", product, () => product.heartbeatFrame());
    for (const session of [...this.sessions]) session.passSecond(now);
  }

  settle(): void {
    this.tellBatches();
  }

  rest({ method, path }: RestRequest): RestAnswer {
    if (method !== "GET" || (path !== "/products" && !path.startsWith("/products/"))) return { status: 404, body: NOT_FOUND };
    if (path === "/products")
      return { status: 200, body: JSON.stringify([...this.products.values()].map((product) => product.description())) };
    const product = this.products.get(path.slice("/products/".length));
    return product === undefined ? { status: 404, body: NOT_FOUND } : { status: 200, body: JSON.stringify(product.description()) };
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

  private tellBatches(): void {
    for (const product of this.products.values()) {
      if (!product.pending.isEmpty) this.publish("level2_batch", product, () => product.changesFrame(product.pendingChanges()));
      product.pending.clear();
    }
  }

  /** @param make called once, and only when somebody hears. */
  private publish(channel: ExchangeChannel, product: ExchangeProduct, make: () => Frame | null): void {
    const topic = `${channel}:${product.listing.symbol}`;
    if (!this.topics.has(topic)) return;
    const frame = make();
    if (frame !== null) for (const session of this.topics.of(topic)) session.send(frame);
  }
}

const NOT_FOUND = JSON.stringify({ message: "NotFound" });
