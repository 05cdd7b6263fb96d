import { copyOf, crossingBid } from "../../book-copy.ts";
import type { Connection, Frame, KeptBook, Session } from "../../venue.ts";
import type { ExchangeVenue } from "./exchange.ts";
import { frameOf, MessageRate, namesOf, parseObject } from "./products.ts";
import { Subscriptions } from "./subscriptions.ts";

const CHANNELS = ["level2", "level2_batch", "matches", "ticker", "heartbeat"] as const;
export type ExchangeChannel = (typeof CHANNELS)[number];

export class ExchangeSession implements Session {
  private readonly venue: ExchangeVenue;
  private readonly connection: Connection;
  private readonly rate = new MessageRate();
  private readonly subscriptions: Subscriptions<ExchangeChannel, ExchangeSession>;

  constructor(venue: ExchangeVenue, connection: Connection) {
    this.venue = venue;
    this.connection = connection;
    this.subscriptions = new Subscriptions(venue.topics, this, venue.clock.now);
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
    else for (const { channel, products } of wishes) this.subscriptions.remove(channel, products);
    if (message.type === "unsubscribe") this.tellSubscriptions();
  }

  closed(): void {
    this.subscriptions.removeAll();
    this.venue.leave(this);
  }

  passSecond(now: number): void {
    this.subscriptions.passSecond(now, this.connection);
  }

  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null {
    const hears = (["level2", "level2_batch"] as const).some((channel) => this.subscriptions.has(channel, symbol));
    const product = hears ? this.venue.product(symbol) : null;
    return product === null ? null : [product.snapshotFrame(book)];
  }

  /** The false bid comes last of the changes: a removal of the same price among them would undo it. */
  crossedFrames(frame: Frame): readonly Frame[] | null {
    const product = frame.channel === "depth" && frame.symbol !== null ? this.venue.product(frame.symbol) : null;
    const bid = product === null ? null : crossingBid(product.listing.market);
    if (product === null || bid === null) return null;
    const withBid = (_: string, changes: string) => `"changes":[${changes}],${product.changeText(["buy", bid])}]`;
    return [{ ...frame, text: frame.text.replace(/"changes":\[(.*?)\]\]/, withBid) }];
  }

  orphanFrames(): null {
    return null;
  }

  private subscribe(wishes: readonly Wish[]): void {
    for (const { channel, products } of wishes) this.subscriptions.add(channel, products);
    this.tellSubscriptions();
    for (const { channel, products } of wishes) for (const symbol of products) this.welcome(channel, symbol);
  }

  private welcome(channel: ExchangeChannel, symbol: string): void {
    this.subscriptions.listen(channel, symbol);
    const product = this.venue.product(symbol);
    if (product === null) return;
    const { market } = product.listing;
    if (channel === "level2" || channel === "level2_batch") this.send(product.snapshotFrame(copyOf(market)));
    if (market.trade === null) return;
    if (channel === "matches") this.send(product.matchFrame("last_match", market.trade));
    const ticker = channel === "ticker" ? product.tickerFrame(market.trade) : null;
    if (ticker !== null) this.send(ticker);
  }

  private tellSubscriptions(): void {
    const account = this.venue.isOldForm ? {} : { account_ids: null };
    const channels = this.subscriptions.all.map(([name, products]) => ({ name, product_ids: products, ...account }));
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
