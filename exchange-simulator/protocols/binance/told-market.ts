/**
 * One market as a Binance venue tells it: depth in batches, bookTicker at each change of the top, trades, 1-minute klines.
 *
 * A batch ends at whole multiples of its interval and holds each changed price once, with the size at the batch's end, bids from the highest, asks
 * from the lowest. A kline is told each 2 s of its minute and at its end.
 */

import { MS_PER_MINUTE } from "../../../core/units/time.ts";
import { copyOf, crossingBid } from "../../book-copy.ts";
import type { Applied } from "../../market/canonical-market.ts";
import { MinuteBars } from "../../minute-bars.ts";
import { PendingLevels } from "../../pending-levels.ts";
import { streamName } from "../../stream-names.ts";
import type { KeptBook, Listing } from "../../venue.ts";
import { BinanceMessages } from "./messages.ts";
import type { BinanceProduct } from "./product.ts";
import type { StreamMessage } from "./session.ts";

export const KLINE_UPDATE_MS = 2_000;

/** Who hears. `wants` lets the text of what nobody hears go unwritten. */
export interface StreamListener {
  wants(stream: string): boolean;
  hear(message: StreamMessage): void;
  /** By the venue's clock. */
  stamp(time: number): number;
}

export class ToldMarket {
  readonly listing: Listing;
  readonly bars = new MinuteBars();
  readonly messages: BinanceMessages;
  private readonly product: BinanceProduct;
  private readonly listener: StreamListener;
  private readonly names: Readonly<Record<"depth" | "quote" | "trade" | "kline", string>>;
  private readonly pending = new PendingLevels();
  /** The last update id of the batch before; null before the book's first record. */
  private batchedId: number | null = null;

  constructor(product: BinanceProduct, listing: Listing, listener: StreamListener) {
    this.product = product;
    this.listing = listing;
    this.listener = listener;
    const { symbol, market } = listing;
    this.messages = new BinanceMessages(product, { symbol, tick: market.tick, lot: market.lot });
    this.names = {
      depth: streamName(symbol, "depth"),
      quote: streamName(symbol, "quote"),
      trade: streamName(symbol, "trade"),
      kline: streamName(symbol, "kline"),
    };
  }

  /** The venue's update id as of now. */
  get updateId(): number {
    return this.listing.market.updateId * this.product.idsPerChange;
  }

  /** Of the last batch told. */
  get toldId(): number | null {
    return this.batchedId === null ? null : this.batchedId * this.product.idsPerChange;
  }

  hear(applied: Applied): void {
    switch (applied.kind) {
      case "book":
        this.batchedId ??= applied.isSnapshot ? this.listing.market.updateId : this.listing.market.updateId - applied.changes.length;
        this.pending.add(applied.changes);
        return;
      case "top":
        this.tellQuote(applied);
        return;
      case "trade":
        this.bars.add(applied);
        if (!this.listener.wants(this.names.trade)) return;
        this.tell("trade", this.messages.trade(applied, this.listener.stamp(applied.time)), applied.tradeId);
    }
  }

  endBatch(time: number): void {
    const { updateId: lastId, book } = this.listing.market;
    if (this.batchedId === null || lastId <= this.batchedId) return;
    if (this.listener.wants(this.names.depth)) {
      const { messages, pending } = this;
      this.tellDepth(time, messages.levels(pending.levels(book, "bid")), messages.levels(pending.levels(book, "ask")));
    }
    this.pending.clear();
    this.batchedId = lastId;
  }

  tellKline(time: number): void {
    const closed = time % MS_PER_MINUTE === 0 ? this.bars.closeUntil(time) : null;
    const bar = closed ?? this.bars.open;
    if (bar === null || !this.listener.wants(this.names.kline)) return;
    const moment = { eventTime: this.listener.stamp(time), isClosed: closed !== null };
    this.listener.hear({ ...this.header("kline"), data: this.messages.kline(bar, moment), first: null, last: null });
  }

  /** A bid above the best ask, as a level of a message. */
  crossingBid(): string | null {
    const bid = crossingBid(this.listing.market);
    return bid === null ? null : this.messages.levels([bid]);
  }

  copyBook(): KeptBook {
    return copyOf(this.listing.market, this.updateId);
  }

  snapshotBody(kept: KeptBook | null, limit: number, time: number): string {
    const { bids, asks, sequence } = kept ?? this.copyBook();
    const moment = { time: this.listener.stamp(time), lastUpdateId: sequence };
    return this.messages.snapshot(moment, this.messages.levels(bids.slice(0, limit)), this.messages.levels(asks.slice(0, limit)));
  }

  private tellDepth(time: number, bids: string, asks: string): void {
    const { firstId, lastId, previousId } = this.idsOf((this.batchedId ?? 0) + 1, this.listing.market.updateId);
    const data = this.messages.depth({ time: this.listener.stamp(time), firstId, lastId, previousId }, bids, asks);
    this.listener.hear({ ...this.header("depth"), data, first: firstId, last: lastId });
  }

  /** The venue's ids of the market's changes `first` to `last`. */
  private idsOf(first: number, last: number): { firstId: number; lastId: number; previousId: number } {
    const { idsPerChange } = this.product;
    const spread = idsPerChange === 1 ? 0 : 1;
    return { firstId: first * idsPerChange - spread, lastId: last * idsPerChange, previousId: (first - 1) * idsPerChange };
  }

  private tellQuote({ time, bid, ask }: Extract<Applied, { kind: "top" }>): void {
    if (bid === null || ask === null || !this.listener.wants(this.names.quote)) return;
    const { updateId } = this;
    this.tell("quote", this.messages.quote({ time: this.listener.stamp(time), updateId }, bid, ask), updateId);
  }

  private tell(channel: "trade" | "quote", data: string, id: number): void {
    this.listener.hear({ ...this.header(channel), data, first: id, last: id });
  }

  private header(channel: "depth" | "quote" | "trade" | "kline") {
    return { stream: this.names[channel], channel, symbol: this.listing.symbol };
  }
}
