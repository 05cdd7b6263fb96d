/** One product as Coinbase Exchange tells it: the messages of its channels, and its description. */

import { formatSteps } from "../../../core/units/decimal.ts";
import type { EventLevel } from "../../../core/wire/market-events.ts";
import type { Applied, AppliedTrade } from "../../market/canonical-market.ts";
import { PendingLevels } from "../../pending-levels.ts";
import type { Frame, KeptBook, Listing } from "../../venue.ts";
import type { ExchangeVenue } from "./exchange.ts";
import { currenciesOf, DayStatistics, frameOf, plainSteps } from "./products.ts";

export type Change = readonly [side: "buy" | "sell", level: EventLevel];

export class ExchangeProduct {
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

export function changeOf({ side, priceTicks, sizeLots }: Extract<Applied, { kind: "book" }>["changes"][number]): Change {
  return [side === "bid" ? "buy" : "sell", [priceTicks, sizeLots]];
}

/** An id that tells nothing, as an order's at a venue. */
function orderId(kind: "a" | "b", tradeId: number): string {
  return `${kind.repeat(8)}-0000-4000-8000-${tradeId.toString(16).padStart(12, "0")}`;
}
