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
import type { EventLevel } from "../../../core/wire/market-events.ts";
import { copyOf, crossingBid } from "../../book-copy.ts";
import type { Applied, AppliedTrade } from "../../market/canonical-market.ts";
import { PendingLevels } from "../../pending-levels.ts";
import { isoMicros, isoNanos } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type {
  Channel,
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
import { FiveMinuteCandle } from "./candles.ts";
import { currenciesOf, DayStatistics, frameOf, MessageRate, namesOf, parseObject, plainSteps, SUBSCRIBE_WITHIN_MS } from "./products.ts";

const VENUE = "coinbase-advanced";
/** Steps of the venue's clock: books, then trades. */
const BOOK_EVERY_MS = 50;
const TRADES_EVERY_MS = 250;
const QUIET_CLOSES_AFTER_MS = 75 * MS_PER_SECOND;
const TRADES_IN_SNAPSHOT = 50;
/** Every so many book messages of a product, one with this many updates or more is told as two events. */
const SPLIT_EVERY = 4;
const SPLIT_FROM_UPDATES = 2;
const CHANNELS = ["level2", "market_trades", "ticker", "candles", "heartbeats"] as const;
type AdvancedChannel = (typeof CHANNELS)[number];

/** What the venue's channels are called on messages, and what the simulator calls their frames. */
const TOLD_AS: Readonly<Record<AdvancedChannel, { name: string; channel: Channel }>> = {
  level2: { name: "l2_data", channel: "depth" },
  market_trades: { name: "market_trades", channel: "trade" },
  ticker: { name: "ticker", channel: "quote" },
  candles: { name: "candles", channel: "kline" },
  heartbeats: { name: "heartbeats", channel: "heartbeat" },
};

export const coinbaseAdvanced: Protocol = {
  venue: VENUE,
  hasRestBook: false,
  create: (setup) => new AdvancedVenue(setup),
  closingNotice: () => ({ frame: null, code: 1001, reason: "going away" }),
  refusalBody: (status) => JSON.stringify({ error: status === 451 ? "unavailable_for_legal_reasons" : "rate_limit_exceeded", message: "" }),
};

class AdvancedVenue implements Venue {
  readonly venue = VENUE;
  readonly clock: Clock;
  readonly listings: ReadonlyMap<string, Listing>;
  readonly topics = new Topics<AdvancedSession>();
  skewMs = 0;
  private readonly products: ReadonlyMap<string, Product>;
  private readonly sessions = new Set<AdvancedSession>();
  private nextBook: number;

  constructor({ listings, clock }: VenueSetup) {
    this.clock = clock;
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    this.products = new Map(listings.map((listing) => [listing.symbol, new Product(listing)]));
    this.nextBook = nextMultiple(clock.now, BOOK_EVERY_MS);
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return this.nextBook;
  }

  product(symbol: string): Product | null {
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

/** One product as this venue tells it. */
class Product {
  readonly listing: Listing;
  readonly pending = new PendingLevels();
  readonly candle: FiveMinuteCandle;
  private readonly day = new DayStatistics();
  private recent: AppliedTrade[] = [];
  private untold: AppliedTrade[] = [];
  private messages = 0;

  constructor(listing: Listing) {
    this.listing = listing;
    this.candle = new FiveMinuteCandle(listing);
  }

  hear(applied: Applied): void {
    if (applied.kind === "book") this.pending.add(applied.changes);
    if (applied.kind !== "trade") return;
    this.day.add(applied);
    this.candle.add(applied);
    this.untold.push(applied);
    this.recent.push(applied);
    if (this.recent.length > 2 * TRADES_IN_SNAPSHOT) this.recent = this.recent.slice(-TRADES_IN_SNAPSHOT);
  }

  takeTrades(): readonly AppliedTrade[] {
    const { untold } = this;
    this.untold = [];
    return untold;
  }

  snapshotEvent(book: KeptBook, time: string): string {
    const updates = [...this.updateTexts("bid", book.bids, time), ...this.updateTexts("offer", book.asks, time)];
    return `{"type":"snapshot","product_id":"${this.listing.symbol}","updates":[${updates.join(",")}]}`;
  }

  /** @returns null when nothing changed. */
  updateEvents(time: string): string | null {
    if (this.pending.isEmpty) return null;
    const { book } = this.listing.market;
    const bids = this.updateTexts("bid", this.pending.levels(book, "bid"), time);
    const updates = [...bids, ...this.updateTexts("offer", this.pending.levels(book, "ask"), time)];
    this.messages++;
    const isSplit = updates.length >= SPLIT_FROM_UPDATES && this.messages % SPLIT_EVERY === 0;
    const half = isSplit ? updates.length >> 1 : updates.length;
    const parts = [updates.slice(0, half), updates.slice(half)].filter((part) => part.length > 0);
    const event = (part: readonly string[]) => `{"type":"update","product_id":"${this.listing.symbol}","updates":[${part.join(",")}]}`;
    return `[${parts.map(event).join(",")}]`;
  }

  updateTexts(side: "bid" | "offer", levels: readonly EventLevel[], time: string): string[] {
    const { tick, lot } = this.listing.market;
    return levels.map(
      ([ticks, lots]) =>
        `{"side":"${side}","event_time":"${time}","price_level":"${plainSteps(ticks, tick)}","new_quantity":"${plainSteps(lots, lot)}"}`,
    );
  }

  /** Newest first. */
  tradesSnapshotEvent(stamp: (time: number) => number): string {
    const trades = this.recent.slice(-TRADES_IN_SNAPSHOT).reverse();
    return `{"type":"snapshot","trades":[${trades.map((trade) => this.tradeText(trade, stamp(trade.time))).join(",")}]}`;
  }

  /** The side is the maker's. */
  tradeText({ tradeId, priceTicks, sizeLots, takerSide }: AppliedTrade, time: number): string {
    const { tick, lot } = this.listing.market;
    return (
      `{"trade_id":"${tradeId}","product_id":"${this.listing.symbol}","price":"${plainSteps(priceTicks, tick)}",` +
      `"size":"${plainSteps(sizeLots, lot)}","time":"${isoMicros(time)}","side":"${takerSide === "buy" ? "SELL" : "BUY"}"}`
    );
  }

  tickerEvent(type: "snapshot" | "update"): string {
    const { market, symbol } = this.listing;
    const { bid, ask } = market.best;
    const price = (ticks: number | undefined) => (ticks === undefined ? "0" : plainSteps(ticks, market.tick));
    const size = (lots: number | undefined) => (lots === undefined ? "0" : plainSteps(lots, market.lot));
    const open = this.day.openTicks ?? 0;
    const last = market.trade?.priceTicks ?? 0;
    const changed = open === 0 ? "0" : String((100 * (last - open)) / open);
    return (
      `{"type":"${type}","tickers":[{"type":"ticker","product_id":"${symbol}","price":"${price(market.trade?.priceTicks)}",` +
      `"volume_24_h":"${size(this.day.lots)}","low_24_h":"${price(this.day.lowTicks)}","high_24_h":"${price(this.day.highTicks)}",` +
      `"low_52_w":"${price(this.day.lowTicks)}","high_52_w":"${price(this.day.highTicks)}","price_percent_chg_24_h":"${changed}",` +
      `"best_bid":"${price(bid?.[0])}","best_ask":"${price(ask?.[0])}","best_bid_quantity":"${size(bid?.[1])}",` +
      `"best_ask_quantity":"${size(ask?.[1])}"}]}`
    );
  }

  description(): Readonly<Record<string, unknown>> {
    const { market, symbol } = this.listing;
    const { base, quote } = currenciesOf(symbol);
    const tick = plainSteps(1, market.tick);
    const lot = plainSteps(1, market.lot);
    return {
      product_id: symbol,
      price: plainSteps(market.trade?.priceTicks ?? 0, market.tick),
      price_percentage_change_24h: "0",
      volume_24h: plainSteps(this.day.lots, market.lot),
      volume_percentage_change_24h: "0",
      base_increment: lot,
      quote_increment: tick,
      quote_min_size: "1",
      quote_max_size: "150000000",
      base_min_size: lot,
      base_max_size: "3400",
      base_name: base,
      quote_name: quote,
      watched: false,
      is_disabled: false,
      new: false,
      status: "online",
      cancel_only: false,
      limit_only: false,
      post_only: false,
      trading_disabled: false,
      auction_mode: false,
      product_type: "SPOT",
      quote_currency_id: quote,
      base_currency_id: base,
      mid_market_price: "",
      alias: "",
      alias_to: [],
      base_display_symbol: base,
      quote_display_symbol: quote,
      view_only: false,
      price_increment: tick,
      display_name: symbol,
      product_venue: "CBE",
    };
  }
}

class AdvancedSession implements Session {
  private readonly venue: AdvancedVenue;
  private readonly connection: Connection;
  private readonly rate = new MessageRate();
  /** Products by channel; a channel without any isn't there. */
  private readonly subscribed = new Map<AdvancedChannel, Set<string>>();
  private readonly toldAt = new Map<AdvancedChannel, number>();
  private readonly openedAt: number;
  private sequence = 0;
  private heartbeats = 0;
  private hasSubscribed = false;

  constructor(venue: AdvancedVenue, connection: Connection) {
    this.venue = venue;
    this.connection = connection;
    this.openedAt = venue.clock.now;
  }

  tell(channel: AdvancedChannel, symbol: string | null, events: string): void {
    this.toldAt.set(channel, this.venue.clock.now);
    const { name, channel: kind } = TOLD_AS[channel];
    this.connection.send(this.message(name, symbol, { events, kind }));
  }

  receive(text: string): void {
    if (!this.rate.admit(this.venue.clock.now, this.connection)) return;
    const message = parseObject(text);
    const refusal = message === null ? "invalid json" : this.obey(message);
    if (refusal === null) return;
    this.connection.send(frameOf(JSON.stringify({ type: "error", message: refusal }), { channel: "control", symbol: null }));
  }

  closed(): void {
    for (const channel of [...this.subscribed.keys()]) this.unsubscribe(channel, []);
    this.venue.leave(this);
  }

  passSecond(now: number): void {
    if (this.subscribed.has("heartbeats")) {
      this.heartbeats++;
      const stamp = isoNanos(this.venue.stamp(now)).replace("T", " ").replace("Z", "");
      const uptime = `m=+${((now - this.openedAt) / MS_PER_SECOND).toFixed(9)}`;
      const event = `[{"current_time":"${stamp} +0000 UTC ${uptime}","heartbeat_counter":${this.heartbeats}}]`;
      this.tell("heartbeats", null, event);
      return;
    }
    if (!this.hasSubscribed && now - this.openedAt >= SUBSCRIBE_WITHIN_MS) this.connection.close(1008, "no subscribe message");
    for (const channel of [...this.subscribed.keys()]) {
      if (now - (this.toldAt.get(channel) ?? now) >= QUIET_CLOSES_AFTER_MS) this.unsubscribe(channel, []);
    }
  }

  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null {
    const product = this.venue.product(symbol);
    if (product === null || !this.hears("level2", symbol)) return null;
    return [this.snapshotFrame(product, book)];
  }

  /** The false bid goes to the front of the first event's updates. */
  crossedFrames(frame: Frame): readonly Frame[] | null {
    const product = frame.channel === "depth" && frame.symbol !== null ? this.venue.product(frame.symbol) : null;
    const bid = product === null ? null : crossingBid(product.listing.market);
    if (product === null || bid === null) return null;
    const [update] = product.updateTexts("bid", [bid], isoMicros(this.venue.stamp(product.listing.market.venueTime)));
    return [{ ...frame, text: frame.text.replace('"updates":[', `"updates":[${update},`) }];
  }

  orphanFrames(): null {
    return null;
  }

  private hears(channel: AdvancedChannel, symbol: string): boolean {
    return this.subscribed.get(channel)?.has(symbol) === true;
  }

  private obey(message: Readonly<Record<string, unknown>>): string | null {
    const channel = CHANNELS.find((name) => name === message.channel);
    const products = namesOf(message.product_ids);
    if (message.type !== "subscribe" && message.type !== "unsubscribe") return "unrecognized message type";
    if (channel === undefined) return "channel required or not supported";
    if (products === null) return "product_ids must be a list of names";
    const unknown = products.find((name) => this.venue.product(name) === null);
    if (unknown !== undefined) return `failure to ${message.type}: ${unknown} is not a valid product`;
    if (message.type === "unsubscribe") this.unsubscribe(channel, products);
    else this.subscribe(channel, products);
    this.tellSubscriptions();
    return null;
  }

  private subscribe(channel: AdvancedChannel, named: readonly string[]): void {
    this.hasSubscribed = true;
    const products = channel === "heartbeats" ? ["heartbeats"] : named.length === 0 ? [...this.venue.listings.keys()] : named;
    const subscribed = this.subscribed.get(channel) ?? new Set<string>();
    this.subscribed.set(channel, subscribed);
    this.toldAt.set(channel, this.venue.clock.now);
    for (const symbol of products) {
      subscribed.add(symbol);
      this.venue.topics.add(`${channel}:${symbol}`, this);
      this.welcome(channel, symbol);
    }
  }

  private welcome(channel: AdvancedChannel, symbol: string): void {
    const product = this.venue.product(symbol);
    if (product === null) return;
    if (channel === "level2") this.connection.send(this.snapshotFrame(product, copyOf(product.listing.market)));
    if (channel === "market_trades") this.tell(channel, symbol, `[${product.tradesSnapshotEvent((time) => this.venue.stamp(time))}]`);
    if (channel === "ticker") this.tell(channel, symbol, `[${product.tickerEvent("snapshot")}]`);
    if (channel === "candles") this.tell(channel, symbol, `[{"type":"snapshot","candles":[${product.candle.allTexts().join(",")}]}]`);
  }

  /** @param named all of the channel when empty. */
  private unsubscribe(channel: AdvancedChannel, named: readonly string[]): void {
    const subscribed = this.subscribed.get(channel);
    for (const symbol of named.length === 0 ? [...(subscribed ?? [])] : named) {
      subscribed?.delete(symbol);
      this.venue.topics.remove(`${channel}:${symbol}`, this);
    }
    if (subscribed?.size === 0) this.subscribed.delete(channel);
  }

  private tellSubscriptions(): void {
    const subscriptions = Object.fromEntries([...this.subscribed].map(([channel, symbols]) => [channel, [...symbols]]));
    this.connection.send(this.message("subscriptions", null, { events: JSON.stringify([{ subscriptions }]), kind: "control" }));
  }

  private snapshotFrame(product: Product, book: KeptBook): Frame {
    const events = `[${product.snapshotEvent(book, isoMicros(this.venue.stamp(book.time)))}]`;
    return this.message("l2_data", product.listing.symbol, { events, kind: "snapshot" });
  }

  private message(name: string, symbol: string | null, { events, kind }: { events: string; kind: Channel }): Frame {
    const sequence = this.sequence++;
    const now = this.venue.stamp(this.venue.clock.now);
    const client = name === "l2_data" ? '"client_id":"",' : "";
    const timestamp = name === "l2_data" ? isoMicros(now) : isoNanos(now);
    const text = `{"channel":"${name}",${client}"timestamp":"${timestamp}","sequence_num":${sequence},"events":${events}}`;
    return { text, channel: kind, symbol, first: sequence, last: sequence };
  }
}

function nextMultiple(value: number, step: number): number {
  return (Math.floor(value / step) + 1) * step;
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
