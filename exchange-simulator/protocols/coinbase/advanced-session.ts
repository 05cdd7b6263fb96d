/** One client of Coinbase Advanced Trade: what it is subscribed to, and the number of its messages. The rules are in `advanced.ts`. */

import { MS_PER_SECOND } from "../../../core/units/time.ts";
import { copyOf, crossingBid } from "../../book-copy.ts";
import { isoMicros, isoNanos } from "../../times.ts";
import type { Channel, Connection, Frame, KeptBook, Session } from "../../venue.ts";
import type { AdvancedVenue } from "./advanced.ts";
import type { AdvancedProduct } from "./advanced-product.ts";
import { frameOf, MessageRate, namesOf, parseObject } from "./products.ts";
import { Subscriptions } from "./subscriptions.ts";

const QUIET_CLOSES_AFTER_MS = 75 * MS_PER_SECOND;
const CHANNELS = ["level2", "market_trades", "ticker", "candles", "heartbeats"] as const;
export type AdvancedChannel = (typeof CHANNELS)[number];
/** What the venue's channels are called on messages, and what the simulator calls their frames. */
const TOLD_AS: Readonly<Record<AdvancedChannel, { name: string; channel: Channel }>> = {
  level2: { name: "l2_data", channel: "depth" },
  market_trades: { name: "market_trades", channel: "trade" },
  ticker: { name: "ticker", channel: "quote" },
  candles: { name: "candles", channel: "kline" },
  heartbeats: { name: "heartbeats", channel: "heartbeat" },
};

export class AdvancedSession implements Session {
  private readonly venue: AdvancedVenue;
  private readonly connection: Connection;
  private readonly rate = new MessageRate();
  private readonly subscriptions: Subscriptions<AdvancedChannel, AdvancedSession>;
  private readonly toldAt = new Map<AdvancedChannel, number>();
  private readonly openedAt: number;
  private sequence = 0;
  private heartbeats = 0;

  constructor(venue: AdvancedVenue, connection: Connection) {
    this.venue = venue;
    this.connection = connection;
    this.openedAt = venue.clock.now;
    this.subscriptions = new Subscriptions(venue.topics, this, venue.clock.now);
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
    this.subscriptions.removeAll();
    this.venue.leave(this);
  }

  passSecond(now: number): void {
    if (this.subscriptions.channels.includes("heartbeats")) {
      this.heartbeats++;
      const stamp = isoNanos(this.venue.stamp(now)).replace("T", " ").replace("Z", "");
      const uptime = `m=+${((now - this.openedAt) / MS_PER_SECOND).toFixed(9)}`;
      const event = `[{"current_time":"${stamp} +0000 UTC ${uptime}","heartbeat_counter":${this.heartbeats}}]`;
      this.tell("heartbeats", null, event);
      return;
    }
    this.subscriptions.passSecond(now, this.connection);
    for (const channel of this.subscriptions.channels) {
      if (now - (this.toldAt.get(channel) ?? now) >= QUIET_CLOSES_AFTER_MS) this.subscriptions.remove(channel, []);
    }
  }

  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null {
    const product = this.venue.product(symbol);
    if (product === null || !this.subscriptions.has("level2", symbol)) return null;
    return [this.snapshotFrame(product, book)];
  }

  /** The false bid comes last of the first event's updates: a removal of the same price among them would undo it. */
  crossedFrames(frame: Frame): readonly Frame[] | null {
    const product = frame.channel === "depth" && frame.symbol !== null ? this.venue.product(frame.symbol) : null;
    const bid = product === null ? null : crossingBid(product.listing.market);
    if (product === null || bid === null) return null;
    const [update] = product.updateTexts("bid", [bid], isoMicros(this.venue.stamp(product.listing.market.venueTime)));
    return [{ ...frame, text: frame.text.replace(/"updates":\[([^\]]*)\]/, (_, updates: string) => `"updates":[${updates},${update}]`) }];
  }

  orphanFrames(): null {
    return null;
  }

  private obey(message: Readonly<Record<string, unknown>>): string | null {
    const channel = CHANNELS.find((name) => name === message.channel);
    const products = namesOf(message.product_ids);
    if (message.type !== "subscribe" && message.type !== "unsubscribe") return "unrecognized message type";
    if (channel === undefined) return "channel required or not supported";
    if (products === null) return "product_ids must be a list of names";
    const unknown = products.find((name) => this.venue.product(name) === null);
    if (unknown !== undefined) return `failure to ${message.type}: ${unknown} is not a valid product`;
    if (message.type === "unsubscribe") this.subscriptions.remove(channel, products);
    else this.subscribe(channel, products);
    this.tellSubscriptions();
    return null;
  }

  private subscribe(channel: AdvancedChannel, named: readonly string[]): void {
    const products = channel === "heartbeats" ? ["heartbeats"] : named.length === 0 ? [...this.venue.listings.keys()] : named;
    this.toldAt.set(channel, this.venue.clock.now);
    this.subscriptions.add(channel, products);
    for (const symbol of products) {
      this.subscriptions.listen(channel, symbol);
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

  private tellSubscriptions(): void {
    const subscriptions = Object.fromEntries(this.subscriptions.all);
    this.connection.send(this.message("subscriptions", null, { events: JSON.stringify([{ subscriptions }]), kind: "control" }));
  }

  private snapshotFrame(product: AdvancedProduct, book: KeptBook): Frame {
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
