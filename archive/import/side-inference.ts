/**
 * Which side took, where a source doesn't say: the quote rule, then the tick rule (Lee and Ready, Journal of Finance 46, 1991).
 *
 * A trade above the mid of the book as last received was bought, below it sold; at the mid, or without a book, it is compared with the last
 * trade at another price: higher, bought; lower, sold. What neither decides stays null. It is a guess: the header says that it was made.
 */

import { OrderBook } from "../../core/book/order-book.ts";
import type { TakerSide } from "../../core/units/side.ts";
import type { BookRecord, MarketRecord } from "../../core/wire/market-events.ts";
import { levelBatch } from "../level-batch.ts";

/** A book heard of longer ago says nothing of a trade now: the silence that the StandX recorder counts as one. */
const LONGEST_SILENCE_MS = 2_000;

export class SideInference {
  static readonly RULE = "quote rule, then tick rule";
  private readonly book = new OrderBook();
  /** Twice the mid, whole ticks; null without both sides. */
  private twiceMid: number | null = null;
  private bookAt = 0;
  private lastTicks: number | null = null;
  private lastSide: TakerSide | null = null;

  /** @returns the record itself, or a trade with its side in place of null. */
  take(record: MarketRecord): MarketRecord {
    switch (record.kind) {
      case "snapshot":
      case "depth":
        this.apply(record);
        return record;
      case "quote":
        this.twiceMid = record.bid === null || record.ask === null ? null : record.bid[0] + record.ask[0];
        this.bookAt = record.receivedAt;
        return record;
      case "gap":
        this.lastTicks = null;
        this.lastSide = null;
        return record;
      case "bar":
        return record;
      case "trade": {
        const side = record.takerSide ?? this.byQuote(record.priceTicks, record.receivedAt) ?? this.byTick(record.priceTicks);
        this.lastSide = this.byTick(record.priceTicks);
        this.lastTicks = record.priceTicks;
        return record.takerSide === null && side !== null ? { ...record, takerSide: side } : record;
      }
    }
  }

  private apply(record: BookRecord): void {
    if (record.kind === "snapshot") this.book.clear();
    this.book.apply(levelBatch(record));
    const { bestTicks: bid } = this.book.bids;
    const { bestTicks: ask } = this.book.asks;
    this.twiceMid = bid === null || ask === null ? null : bid + ask;
    this.bookAt = record.receivedAt;
  }

  private byQuote(ticks: number, at: number): TakerSide | null {
    if (this.twiceMid === null || at - this.bookAt > LONGEST_SILENCE_MS || 2 * ticks === this.twiceMid) return null;
    return 2 * ticks > this.twiceMid ? "buy" : "sell";
  }

  /** At the price of the trade before, the side of its tick goes on. */
  private byTick(ticks: number): TakerSide | null {
    if (this.lastTicks === null) return null;
    if (ticks === this.lastTicks) return this.lastSide;
    return ticks > this.lastTicks ? "buy" : "sell";
  }
}
