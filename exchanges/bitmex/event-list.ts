/**
 * The quotes or trades of one message, checked whole and given out one by one. Their objects are used again for the next message, so one
 * that carries a thousand rows costs a thousand objects once.
 */

import type { QuoteEvent, TradeEvent } from "../../core/market/event.ts";
import type { Decoded } from "../contract.ts";

/** Rows one message may carry: a second of the busiest recorded market holds 20 quotes, and a sweep of its whole book some thousand trades. */
export const MAX_EVENTS_PER_MESSAGE = 10_000;

export class EventList {
  private readonly quotes: QuoteEvent[] = [];
  private readonly trades: TradeEvent[] = [];
  private kind: "quote" | "trade" = "quote";
  private count = 0;
  private given = 0;
  /** The time of the last row of the last message; 0 before there is one. */
  latest = 0;
  private readonly decoded: Decoded = { kind: "events", next: () => this.nextEvent() };

  begin(kind: "quote" | "trade"): void {
    this.kind = kind;
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

  /** @param reason why there may be none. */
  answer(reason: string): Decoded {
    if (this.count === 0) return { kind: "ignored", reason };
    const list = this.kind === "quote" ? this.quotes : this.trades;
    this.latest = list[this.count - 1]?.venueTime ?? 0;
    return this.decoded;
  }

  private nextEvent(): QuoteEvent | TradeEvent | null {
    if (this.given === this.count) return null;
    const list = this.kind === "quote" ? this.quotes : this.trades;
    return list[this.given++] ?? null;
  }
}

function newQuote(): QuoteEvent {
  return { kind: "quote", symbol: "", venueTime: 0, sequence: null, bidTicks: 0, bidLots: 0, askTicks: 0, askLots: 0 };
}

function newTrade(): TradeEvent {
  return { kind: "trade", symbol: "", venueTime: 0, tradeId: 0, priceTicks: 0, sizeLots: 0, takerSide: "buy" };
}
