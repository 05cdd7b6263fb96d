/**
 * The quotes, trades or best levels of one message, checked whole and given out one by one. Their objects are used again for the next message, so one
 * that carries a thousand rows costs a thousand objects once.
 */

import type { QuoteEvent, TopLevelsEvent, TradeEvent } from "../../core/market/event.ts";
import type { Decoded } from "../contract.ts";

/** Rows one message may carry: a second of the busiest recorded market holds 20 quotes, and a sweep of its whole book some thousand trades. */
export const MAX_EVENTS_PER_MESSAGE = 10_000;
/** Rows of best levels one message may carry: one for each symbol of a connection (bitmex.ts: 60), and some. */
export const MAX_TOPS_PER_MESSAGE = 100;
/** Levels a side of orderBook10. */
export const TOP_LEVELS = 10;

export class EventList {
  private readonly quotes: QuoteEvent[] = [];
  private readonly trades: TradeEvent[] = [];
  private readonly tops: TopLevelsEvent[] = [];
  /** That of the message at hand. */
  private list: readonly (QuoteEvent | TradeEvent | TopLevelsEvent)[] = this.quotes;
  private count = 0;
  private given = 0;
  /** The time of the last row of the last message; 0 before there is one. */
  latest = 0;
  private readonly decoded: Decoded = { kind: "events", next: () => this.nextEvent() };

  begin(kind: "quote" | "trade" | "top-levels"): void {
    this.list = kind === "quote" ? this.quotes : kind === "trade" ? this.trades : this.tops;
    this.count = 0;
    this.given = 0;
  }

  /** The next quote to be filled. */
  addQuote(): QuoteEvent {
    const quote = this.quotes[this.count] ?? newQuote();
    this.quotes[this.count++] = quote;
    return quote;
  }

  /** The next trade to be filled. */
  addTrade(): TradeEvent {
    const trade = this.trades[this.count] ?? newTrade();
    this.trades[this.count++] = trade;
    return trade;
  }

  /** The next best levels to be filled. */
  addTopLevels(): TopLevelsEvent {
    const top = this.tops[this.count] ?? newTopLevels();
    this.tops[this.count++] = top;
    return top;
  }

  /** @param reason why there may be none. */
  answer(reason: string): Decoded {
    if (this.count === 0) return { kind: "ignored", reason };
    this.latest = this.list[this.count - 1]?.venueTime ?? 0;
    return this.decoded;
  }

  private nextEvent(): QuoteEvent | TradeEvent | TopLevelsEvent | null {
    return this.given === this.count ? null : (this.list[this.given++] ?? null);
  }
}

function newQuote(): QuoteEvent {
  return { kind: "quote", symbol: "", venueTime: 0, sequence: null, bidTicks: 0, bidLots: 0, askTicks: 0, askLots: 0 };
}

function newTrade(): TradeEvent {
  return { kind: "trade", symbol: "", venueTime: 0, tradeId: 0, priceTicks: 0, sizeLots: 0, takerSide: "buy" };
}

function newTopLevels(): TopLevelsEvent {
  const capacity = 2 * TOP_LEVELS;
  const levels = { bidCount: 0, askCount: 0, priceTicks: new Float64Array(capacity), sizeLots: new Float64Array(capacity) };
  return { kind: "top-levels", symbol: "", venueTime: 0, depth: TOP_LEVELS, levels };
}
