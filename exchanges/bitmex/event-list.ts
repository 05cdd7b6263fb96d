/**
 * The quotes, trades, best levels or instruments of one message, checked whole and given out one by one. Their objects are used again for the next message, so one
 * that carries a thousand rows costs a thousand objects once.
 */

import type { InstrumentEvent, QuoteEvent, TopLevelsEvent, TradeEvent } from "../../core/market/event.ts";
import type { Decoded } from "../contract.ts";

/** Rows one message may carry: a second of the busiest recorded market holds 20 quotes, and a sweep of its whole book some thousand trades. */
export const MAX_EVENTS_PER_MESSAGE = 10_000;
/** Rows of best levels one message may carry: one for each symbol of a connection (bitmex.ts: 60), and some. */
export const MAX_TOPS_PER_MESSAGE = 100;
/** Levels a side of orderBook10. */
export const TOP_LEVELS = 10;

type ListedEvent = QuoteEvent | TradeEvent | TopLevelsEvent | InstrumentEvent;

export class EventList {
  private readonly quotes: QuoteEvent[] = [];
  private readonly trades: TradeEvent[] = [];
  private readonly tops: TopLevelsEvent[] = [];
  private readonly instruments: InstrumentEvent[] = [];
  /** That of the message at hand. */
  private list: readonly ListedEvent[] = this.quotes;
  private count = 0;
  private given = 0;
  /** The time of the last row of the last message; null where it names none. */
  latest: number | null = null;
  private readonly decoded: Decoded = { kind: "events", next: () => this.nextEvent() };

  begin(kind: ListedEvent["kind"]): void {
    this.list = kind === "quote" ? this.quotes : kind === "trade" ? this.trades : kind === "top-levels" ? this.tops : this.instruments;
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

  /** The next instrument to be filled. */
  addInstrument(): InstrumentEvent {
    const instrument = this.instruments[this.count] ?? newInstrument();
    this.instruments[this.count++] = instrument;
    return instrument;
  }

  /** @param reason why there may be none. */
  answer(reason: string): Decoded {
    if (this.count === 0) return { kind: "ignored", reason };
    const last = this.list[this.count - 1];
    this.latest = last === undefined || last.kind === "instrument" ? null : last.venueTime;
    return this.decoded;
  }

  private nextEvent(): ListedEvent | null {
    return this.given === this.count ? null : (this.list[this.given++] ?? null);
  }
}

function newQuote(): QuoteEvent {
  return { kind: "quote", symbol: "", venueTime: 0, sequence: null, bidTicks: 0, bidLots: 0, askTicks: 0, askLots: 0 };
}

function newTrade(): TradeEvent {
  return { kind: "trade", symbol: "", venueTime: 0, tradeId: 0, priceTicks: 0, sizeLots: 0, takerSide: "buy" };
}

function newInstrument(): InstrumentEvent {
  return { kind: "instrument", symbol: "", venueState: null, hasOtherGrids: false };
}

function newTopLevels(): TopLevelsEvent {
  const capacity = 2 * TOP_LEVELS;
  const levels = { bidCount: 0, askCount: 0, priceTicks: new Float64Array(capacity), sizeLots: new Float64Array(capacity) };
  return { kind: "top-levels", symbol: "", venueTime: 0, depth: TOP_LEVELS, levels };
}
