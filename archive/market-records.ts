/**
 * What the reducer does with one market, as records: it listens to the market's book, trades and quotes while a tape's record goes through, and gives out in
 * their order what it heard. Nothing is decoded or judged again here.
 *
 * A book that was replaced is given out whole where it was, as it stands when the record has been dealt with: the changes behind are in it.
 */

import type { DepthEvent, KlineEvent, LevelBatch, QuoteEvent, TradeEvent } from "../core/market/event.ts";
import type { EventLevel, MarketRecord } from "../core/wire/market-events.ts";
import type { BookListener } from "../feed/book-life.ts";
import type { GapRecord } from "../feed/contract.ts";
import type { MarketTracker } from "../feed/market-tracker.ts";
import { TradeIds } from "../feed/trade-ids.ts";
import { topLevels } from "../feed/views.ts";

export class MarketRecords implements BookListener {
  /** Changed and not given out yet: those that are open, and those that have closed by this record. */
  readonly openGaps = new Map<string, GapRecord>();
  private readonly tracker: MarketTracker;
  private heard: MarketRecord[] = [];
  /** How much had been heard when the book was replaced; null when it wasn't. */
  private replacedAt: number | null = null;
  /** Two connections bring the same quotes and bars: those are known by their numbers and their times, as trades by their ids. */
  private readonly quoteNumbers = new TradeIds("unordered");
  private readonly barTimes = new TradeIds("unordered");

  constructor(tracker: MarketTracker) {
    this.tracker = tracker;
    tracker.bookListener = this;
    tracker.tradeListener = (trade, receivedAt) => this.heard.push(tradeRecord(trade, receivedAt));
    tracker.quoteListener = (event, receivedAt) => this.takeQuote(event, receivedAt);
  }

  /** Before a record that opens a connection: the venue may count anew. */
  connectionOpens(): void {
    this.quoteNumbers.clear();
    this.barTimes.clear();
  }

  applied({ venueTime, lastSequence, levels }: DepthEvent, receivedAt: number): void {
    if (this.replacedAt !== null) return;
    this.heard.push({ kind: "depth", receivedAt, venueTime, sequence: lastSequence, ...levelsOf(levels) });
  }

  replaced(): void {
    this.replacedAt = this.heard.length;
  }

  /** Takes what was heard, once the tape's record has been dealt with. */
  settle(now: number): readonly MarketRecord[] {
    const { heard, replacedAt } = this;
    const settled = this.takeClosedGaps(now);
    if (replacedAt !== null && this.tracker.state === "live") settled.push(snapshotRecord(this.tracker, now));
    this.heard = [];
    this.replacedAt = null;
    heard.splice(replacedAt ?? 0, 0, ...settled);
    return heard;
  }

  private takeQuote(event: QuoteEvent | KlineEvent, receivedAt: number): void {
    if (event.kind === "quote") {
      if (event.sequence === null || this.quoteNumbers.add(event.sequence).isNew) this.heard.push(quoteRecord(event, receivedAt));
    } else if (event.isClosed && this.barTimes.add(event.openTime).isNew) this.heard.push(barRecord(event, receivedAt));
  }

  private takeClosedGaps(now: number): MarketRecord[] {
    const closed: MarketRecord[] = [];
    for (const [id, gap] of this.openGaps) {
      if (gap.to === null) continue;
      closed.push(gapEvent(gap, now));
      this.openGaps.delete(id);
    }
    return closed;
  }
}

export function gapEvent({ from, to, reason, detail }: GapRecord, now: number): MarketRecord {
  return { kind: "gap", receivedAt: now, from, to, reason, detail };
}

function tradeRecord({ venueTime, tradeId, priceTicks, sizeLots, takerSide }: TradeEvent, receivedAt: number): MarketRecord {
  return { kind: "trade", receivedAt, venueTime, tradeId: String(tradeId), priceTicks, sizeLots, takerSide };
}

function quoteRecord({ venueTime, sequence, bidTicks, bidLots, askTicks, askLots }: QuoteEvent, receivedAt: number): MarketRecord {
  return { kind: "quote", receivedAt, venueTime, sequence, bid: [bidTicks, bidLots], ask: [askTicks, askLots] };
}

function barRecord(event: KlineEvent, receivedAt: number): MarketRecord {
  const { venueTime, openTime, openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, trades } = event;
  const prices = { openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, trades };
  return { kind: "bar", receivedAt, venueTime, openTime, closeTime: event.closeTime + 1, ...prices, turnover: null };
}

function snapshotRecord(tracker: MarketTracker, receivedAt: number): MarketRecord {
  const bids = topLevels(tracker, "bid", Number.POSITIVE_INFINITY);
  const asks = topLevels(tracker, "ask", Number.POSITIVE_INFINITY);
  return { kind: "snapshot", receivedAt, venueTime: null, sequence: tracker.lastSequence, bids, asks };
}

function levelsOf({ bidCount, askCount, priceTicks, sizeLots }: LevelBatch): { bids: EventLevel[]; asks: EventLevel[] } {
  const level = (index: number): EventLevel => [priceTicks[index] as number, sizeLots[index] as number];
  return {
    bids: Array.from({ length: bidCount }, (_, index) => level(index)),
    asks: Array.from({ length: askCount }, (_, index) => level(bidCount + index)),
  };
}
