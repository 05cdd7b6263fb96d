/** One product as Coinbase Advanced Trade tells it: the events of its channels, and its description. */

import type { EventLevel } from "../../../core/wire/market-events.ts";
import type { Applied, AppliedTrade } from "../../market/canonical-market.ts";
import { PendingLevels } from "../../pending-levels.ts";
import { isoMicros } from "../../times.ts";
import type { KeptBook, Listing } from "../../venue.ts";
import { FiveMinuteCandle } from "./candles.ts";
import { currenciesOf, DayStatistics, plainSteps } from "./products.ts";

const TRADES_IN_SNAPSHOT = 50;
/** Every so many book messages of a product, one with this many updates or more is told as two events. */
const SPLIT_EVERY = 4;
const SPLIT_FROM_UPDATES = 2;

export class AdvancedProduct {
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
