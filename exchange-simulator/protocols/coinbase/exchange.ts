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

import { formatSteps } from "../../../core/units/decimal.ts";
import { MS_PER_SECOND } from "../../../core/units/time.ts";
import type { EventLevel } from "../../../core/wire/market-events.ts";
import { copyOf, crossingBid } from "../../book-copy.ts";
import type { Applied, AppliedTrade } from "../../market/canonical-market.ts";
import { PendingLevels } from "../../pending-levels.ts";
import { isoMicros } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type {
  Clock,
  Connection,
  Frame,
  KeptBook,
  Listing,
  Protocol,
  RestAnswer,
  RestRequest,
  Session,
  Venue,
  VenueSetup,
} from "../../venue.ts";
import { currenciesOf, DayStatistics, frameOf, MessageRate, namesOf, parseObject, plainSteps, SUBSCRIBE_WITHIN_MS } from "./products.ts";

const VENUE = "coinbase-exchange";
const BATCH_MS = 50;
const CHANNELS = ["level2", "level2_batch", "matches", "ticker", "heartbeat"] as const;
type ExchangeChannel = (typeof CHANNELS)[number];

export const coinbaseExchange: Protocol = {
  venue: VENUE,
  hasRestBook: false,
  create: (setup) => new ExchangeVenue(setup),
  closingNotice: () => ({ frame: null, code: 1001, reason: "going away" }),
  refusalBody: (status) => JSON.stringify({ message: status === 451 ? "Unavailable For Legal Reasons" : "Public rate limit exceeded" }),
};

class ExchangeVenue implements Venue {
  readonly venue = VENUE;
  readonly clock: Clock;
  readonly listings: ReadonlyMap<string, Listing>;
  readonly topics = new Topics<ExchangeSession>();
  readonly isOldForm: boolean;
  skewMs = 0;
  private readonly products: ReadonlyMap<string, Product>;
  private readonly sessions = new Set<ExchangeSession>();
  private nextBatch: number;

  constructor({ listings, clock, form }: VenueSetup) {
    this.clock = clock;
    this.isOldForm = form === "2021";
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    this.products = new Map(listings.map((listing) => [listing.symbol, new Product(listing, this)]));
    this.nextBatch = nextMultiple(clock.now, BATCH_MS);
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return this.nextBatch;
  }

  product(symbol: string): Product | null {
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
  private publish(channel: ExchangeChannel, product: Product, make: () => Frame | null): void {
    const topic = `${channel}:${product.listing.symbol}`;
    if (!this.topics.has(topic)) return;
    const frame = make();
    if (frame !== null) for (const session of this.topics.of(topic)) session.send(frame);
  }
}

const NOT_FOUND = JSON.stringify({ message: "NotFound" });

type Change = readonly [side: "buy" | "sell", level: EventLevel];

/** One product as this venue tells it. */
class Product {
  readonly listing: Listing;
  readonly pending = new PendingLevels();
  private readonly venue: ExchangeVenue;
  private readonly day = new DayStatistics();

  constructor(listing: Listing, venue: ExchangeVenue) {
    this.listing = listing;
    this.venue = venue;
  }

  hear(applied: Applied): void {
    if (applied.kind === "book") this.pending.add(applied.changes);
    if (applied.kind === "trade") this.day.add(applied);
  }

  pendingChanges(): Change[] {
    const { book } = this.listing.market;
    const bids = this.pending.levels(book, "bid").map((level): Change => ["buy", level]);
    return [...bids, ...this.pending.levels(book, "ask").map((level): Change => ["sell", level])];
  }

  snapshotFrame({ bids, asks, time }: KeptBook): Frame {
    const { symbol } = this.listing;
    const side = (levels: readonly EventLevel[]) => levels.map((level) => `[${this.levelText(level)}]`).join(",");
    const moment = this.venue.isOldForm ? "" : `,"time":"${this.venue.time(time)}"`;
    const text = `{"type":"snapshot","product_id":"${symbol}","asks":[${side(asks)}],"bids":[${side(bids)}]${moment}}`;
    return frameOf(text, { channel: "snapshot", symbol });
  }

  changesFrame(changes: readonly Change[]): Frame | null {
    if (changes.length === 0) return null;
    const { symbol, market } = this.listing;
    const time = this.venue.time(market.venueTime);
    const text = `{"type":"l2update","product_id":"${symbol}","changes":[${changes.map((change) => this.changeText(change)).join(",")}],"time":"${time}"}`;
    return frameOf(text, { channel: "depth", symbol });
  }

  changeText([side, level]: Change): string {
    return `["${side}",${this.levelText(level)}]`;
  }

  /** The side is the maker's. */
  matchFrame(type: "match" | "last_match", trade: AppliedTrade): Frame {
    const { symbol, market } = this.listing;
    const { tradeId } = trade;
    const side = trade.takerSide === "buy" ? "sell" : "buy";
    const text =
      `{"type":"${type}","trade_id":${tradeId},"maker_order_id":"${orderId("a", tradeId)}","taker_order_id":"${orderId("b", tradeId)}",` +
      `"side":"${side}","size":"${plainSteps(trade.sizeLots, market.lot)}","price":"${plainSteps(trade.priceTicks, market.tick)}",` +
      `"product_id":"${symbol}","sequence":${this.sequence},"time":"${this.venue.time(trade.time)}"}`;
    return frameOf(text, { channel: "trade", symbol, first: tradeId, last: tradeId });
  }

  /** @returns null while a side of the book is empty. */
  tickerFrame(trade: AppliedTrade): Frame | null {
    const { symbol, market } = this.listing;
    const { bid, ask } = market.best;
    if (bid === null || ask === null) return null;
    const price = (ticks: number) => plainSteps(ticks, market.tick);
    const sizeOf = (side: "bid" | "ask", [, lots]: EventLevel) =>
      this.venue.isOldForm ? "" : `"best_${side}_size":"${plainSteps(lots, market.lot)}",`;
    const volume = formatSteps(this.day.lots, market.lot);
    const { sequence } = this;
    const text =
      `{"type":"ticker","sequence":${sequence},"product_id":"${symbol}","price":"${price(trade.priceTicks)}",` +
      `"open_24h":"${price(this.day.openTicks ?? trade.priceTicks)}","volume_24h":"${volume}","low_24h":"${price(this.day.lowTicks)}",` +
      `"high_24h":"${price(this.day.highTicks)}","volume_30d":"${volume}","best_bid":"${formatSteps(bid[0], market.tick)}",` +
      `${sizeOf("bid", bid)}"best_ask":"${formatSteps(ask[0], market.tick)}",${sizeOf("ask", ask)}"side":"${trade.takerSide}",` +
      `"time":"${this.venue.time(trade.time)}","trade_id":${trade.tradeId},"last_size":"${plainSteps(trade.sizeLots, market.lot)}"}`;
    return frameOf(text, { channel: "quote", symbol, first: sequence, last: sequence });
  }

  heartbeatFrame(): Frame {
    const { symbol, market } = this.listing;
    const { sequence } = this;
    const time = this.venue.time(this.venue.clock.now);
    const text =
      `{"type":"heartbeat","last_trade_id":${market.trade?.tradeId ?? 0},"product_id":"${symbol}","sequence":${sequence},` +
      `"time":"${time}"}`;
    return frameOf(text, { channel: "heartbeat", symbol, first: sequence, last: sequence });
  }

  description(): Readonly<Record<string, unknown>> {
    const { symbol, market } = this.listing;
    const { base, quote } = currenciesOf(symbol);
    return {
      id: symbol,
      base_currency: base,
      quote_currency: quote,
      quote_increment: plainSteps(1, market.tick),
      base_increment: plainSteps(1, market.lot),
      display_name: `${base}-${quote}`,
      min_market_funds: "1",
      margin_enabled: false,
      post_only: false,
      limit_only: false,
      cancel_only: false,
      status: "online",
      status_message: "",
      trading_disabled: false,
      fx_stablecoin: false,
      max_slippage_percentage: "0.02000000",
      auction_mode: false,
      high_bid_limit_percentage: "",
    };
  }

  private levelText([ticks, lots]: EventLevel): string {
    const { tick, lot } = this.listing.market;
    return `"${formatSteps(ticks, tick)}","${lots === 0 && lot.decimals === 0 ? "0.0" : formatSteps(lots, lot)}"`;
  }

  /** The product's own number: grows with all that happens to it. */
  private get sequence(): number {
    const { updateId, tradeId } = this.listing.market;
    return updateId + tradeId;
  }
}

class ExchangeSession implements Session {
  private readonly venue: ExchangeVenue;
  private readonly connection: Connection;
  private readonly rate = new MessageRate();
  private readonly subscribed = new Map<ExchangeChannel, Set<string>>();
  private readonly openedAt: number;
  private hasSubscribed = false;

  constructor(venue: ExchangeVenue, connection: Connection) {
    this.venue = venue;
    this.connection = connection;
    this.openedAt = venue.clock.now;
  }

  send(frame: Frame): void {
    this.connection.send(frame);
  }

  receive(text: string): void {
    if (!this.rate.admit(this.venue.clock.now, this.connection)) return;
    const message = parseObject(text);
    if (message === null) {
      this.refuse("Malformed JSON", "");
      return;
    }
    if (message.type !== "subscribe" && message.type !== "unsubscribe") {
      this.refuse("Failed to subscribe", "Type is not valid");
      return;
    }
    const wishes = wishesOf(message);
    if (typeof wishes === "string") {
      this.refuse("Failed to subscribe", wishes);
      return;
    }
    const unknown = wishes.flatMap(({ products }) => products).find((name) => this.venue.product(name) === null);
    if (unknown !== undefined) {
      this.refuse("Failed to subscribe", `${unknown} is not a valid product`);
      return;
    }
    if (message.type === "subscribe") this.subscribe(wishes);
    else for (const { channel, products } of wishes) this.unsubscribe(channel, products);
    if (message.type === "unsubscribe") this.tellSubscriptions();
  }

  closed(): void {
    for (const channel of [...this.subscribed.keys()]) this.unsubscribe(channel, []);
    this.venue.leave(this);
  }

  passSecond(now: number): void {
    if (!this.hasSubscribed && now - this.openedAt >= SUBSCRIBE_WITHIN_MS) this.connection.close(1008, "no subscribe message");
  }

  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null {
    const hears = (["level2", "level2_batch"] as const).some((channel) => this.subscribed.get(channel)?.has(symbol) === true);
    const product = hears ? this.venue.product(symbol) : null;
    return product === null ? null : [product.snapshotFrame(book)];
  }

  crossedFrames(frame: Frame): readonly Frame[] | null {
    const product = frame.channel === "depth" && frame.symbol !== null ? this.venue.product(frame.symbol) : null;
    const bid = product === null ? null : crossingBid(product.listing.market);
    if (product === null || bid === null) return null;
    return [{ ...frame, text: frame.text.replace('"changes":[', `"changes":[${product.changeText(["buy", bid])},`) }];
  }

  orphanFrames(): null {
    return null;
  }

  private subscribe(wishes: readonly Wish[]): void {
    this.hasSubscribed = true;
    for (const { channel, products } of wishes) {
      const subscribed = this.subscribed.get(channel) ?? new Set<string>();
      this.subscribed.set(channel, subscribed);
      for (const symbol of products) subscribed.add(symbol);
    }
    this.tellSubscriptions();
    for (const { channel, products } of wishes) for (const symbol of products) this.welcome(channel, symbol);
  }

  private welcome(channel: ExchangeChannel, symbol: string): void {
    this.venue.topics.add(`${channel}:${symbol}`, this);
    const product = this.venue.product(symbol);
    if (product === null) return;
    const { market } = product.listing;
    if (channel === "level2" || channel === "level2_batch") this.send(product.snapshotFrame(copyOf(market)));
    if (market.trade === null) return;
    if (channel === "matches") this.send(product.matchFrame("last_match", market.trade));
    const ticker = channel === "ticker" ? product.tickerFrame(market.trade) : null;
    if (ticker !== null) this.send(ticker);
  }

  /** @param named all of the channel when empty. */
  private unsubscribe(channel: ExchangeChannel, named: readonly string[]): void {
    const subscribed = this.subscribed.get(channel);
    for (const symbol of named.length === 0 ? [...(subscribed ?? [])] : named) {
      subscribed?.delete(symbol);
      this.venue.topics.remove(`${channel}:${symbol}`, this);
    }
    if (subscribed?.size === 0) this.subscribed.delete(channel);
  }

  private tellSubscriptions(): void {
    const account = this.venue.isOldForm ? {} : { account_ids: null };
    const channels = [...this.subscribed].map(([name, products]) => ({ name, product_ids: [...products], ...account }));
    this.send(frameOf(JSON.stringify({ type: "subscriptions", channels }), { channel: "control", symbol: null }));
  }

  private refuse(message: string, reason: string): void {
    this.send(frameOf(JSON.stringify({ type: "error", message, reason }), { channel: "control", symbol: null }));
  }
}

interface Wish {
  readonly channel: ExchangeChannel;
  readonly products: readonly string[];
}

/** @returns why the message can't be followed. */
function wishesOf(message: Readonly<Record<string, unknown>>): Wish[] | string {
  const common = namesOf(message.product_ids);
  if (common === null) return "product_ids must be a list of names";
  if (!Array.isArray(message.channels) || message.channels.length > CHANNELS.length) return "channels must be a list";
  const wishes: Wish[] = [];
  for (const item of message.channels as unknown[]) {
    const { name, product_ids } =
      typeof item === "object" && item !== null ? (item as Record<string, unknown>) : { name: item, product_ids: [] };
    const channel = CHANNELS.find((known) => known === name);
    const own = namesOf(product_ids);
    if (channel === undefined) return `${String(name).slice(0, 40)} is not a valid channel`;
    if (own === null) return "product_ids must be a list of names";
    wishes.push({ channel, products: own.length === 0 ? common : own });
  }
  return wishes;
}

function changeOf({ side, priceTicks, sizeLots }: Extract<Applied, { kind: "book" }>["changes"][number]): Change {
  return [side === "bid" ? "buy" : "sell", [priceTicks, sizeLots]];
}

/** An id that tells nothing, as an order's at a venue. */
function orderId(kind: "a" | "b", tradeId: number): string {
  return `${kind.repeat(8)}-0000-4000-8000-${tradeId.toString(16).padStart(12, "0")}`;
}

function nextMultiple(value: number, step: number): number {
  return (Math.floor(value / step) + 1) * step;
}
