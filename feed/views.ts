/** What can be said of a market right now: a view of plain data, or a refusal with its reason. */

import type { QuoteEvent } from "../core/market/event.ts";
import { type Side, sideSign } from "../core/units/side.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { BookProof, BookView, MarketStatus, MinuteSnapshot, QuoteAnswer, QuoteView, Refusal, Unavailable } from "./contract.ts";
import type { MarketTracker } from "./market-tracker.ts";

/** Levels a side of a minute's snapshot, where its feed's configuration says nothing else. */
export const SNAPSHOT_LEVELS = 20;

export function refuse(reason: Unavailable, detail: string): Refusal {
  return { ok: false, reason, detail };
}

/** Why the book can't be served at `now`; null when it can. */
export function bookRefusal(market: MarketTracker, now: number): Refusal | null {
  const since = market.gaps.current;
  const sinceText = since === null ? "" : ` since ${new Date(since.from).toISOString()} (${since.reason}: ${since.detail})`;
  if (market.state === "disconnected")
    return refuse("disconnected", `${market.market} has no connection${sinceText}; the feed reconnects by itself.`);
  if (market.state === "syncing") return refuse("syncing", `The book of ${market.market} is being built${sinceText}.`);
  const silence = market.silenceMs(now);
  const allowed = market.staleAfterMs();
  if (silence > allowed) {
    return refuse(
      "stale",
      `The book of ${market.market} has not changed for ${(silence / 1000).toFixed(1)} s; its own pace allows ${(allowed / 1000).toFixed(0)} s.`,
    );
  }
  return null;
}

export function marketStatus(market: MarketTracker, now: number): MarketStatus {
  const refusal = bookRefusal(market, now);
  return {
    market: market.market,
    instrument: market.instrument,
    state: refusal === null ? "live" : (refusal.reason as MarketStatus["state"]),
    bookState: market.book.state,
    venueState: market.venueState,
    lastReceivedAt: market.lastReceivedAt,
    marketTime: market.marketTime,
    proof: proofOf(market, now),
    featureRows: {
      count: market.pipeline.rowCount,
      hash: market.pipeline.rowsHash,
      lastTime: market.pipeline.latest?.featureTime ?? null,
    },
    malformedFrames: market.malformedFrames,
  };
}

export function bookView(market: MarketTracker, options: { now: number; levels: number }): BookView | Refusal {
  const { now, levels } = options;
  const refusal = bookRefusal(market, now);
  if (refusal !== null) return refusal;
  const { book } = market;
  return {
    ok: true,
    market: market.market,
    instrument: market.instrument,
    now,
    receivedAt: market.lastBookAt ?? now,
    marketTime: market.marketTime,
    state: book.state,
    bids: topLevels(market, "bid", levels),
    asks: topLevels(market, "ask", levels),
    completeTo: { bidTicks: book.bids.completeToTicks, askTicks: book.asks.completeToTicks },
    contentHash: book.contentHash(),
    proof: proofOf(market, now),
  };
}

/** The venue's quote when it is at least as new as the book, the book's top otherwise. */
export function quoteAnswer(market: MarketTracker, now: number): QuoteAnswer | Refusal {
  const refusal = bookRefusal(market, now);
  if (refusal !== null) return refusal;
  const { quote, lastSequence } = market;
  const isQuoteNewer = quote !== null && isAsNew(quote, market);
  return {
    ok: true,
    market: market.market,
    instrument: market.instrument,
    now,
    receivedAt: (isQuoteNewer ? market.quoteAt : market.lastBookAt) ?? now,
    marketTime: market.marketTime,
    source: isQuoteNewer ? "venue-quote" : "book",
    sequence: isQuoteNewer ? quote.sequence : lastSequence,
    ...(isQuoteNewer
      ? { bidTicks: quote.bidTicks, bidLots: quote.bidLots, askTicks: quote.askTicks, askLots: quote.askLots }
      : topOfBook(market)),
  };
}

/** By the venue's numbers where the quote carries one, by our clock elsewhere. */
function isAsNew(quote: QuoteEvent, { lastSequence, quoteAt, lastBookAt }: MarketTracker): boolean {
  if (quote.sequence !== null) return quote.sequence >= (lastSequence ?? 0);
  return (quoteAt ?? 0) >= (lastBookAt ?? 0);
}

/** Closes a minute of a market: what is stored of it, with so many levels a side. */
export function minuteSnapshot(market: MarketTracker, minute: number, levels: number): MinuteSnapshot {
  const end = minute + MS_PER_MINUTE;
  const { coveredMs, events, trades, pricePath } = market.minute.close(minute);
  const refusal = bookRefusal(market, end);
  const isLive = refusal === null;
  const latest = market.pipeline.latest;
  return {
    market: market.market,
    instrument: market.instrument,
    minute,
    state: refusal === null ? "live" : (refusal.reason as MarketStatus["state"]),
    bookState: market.book.state,
    quote: isLive ? topOfBook(market) : null,
    bids: isLive ? topLevels(market, "bid", levels) : null,
    asks: isLive ? topLevels(market, "ask", levels) : null,
    lastSequence: isLive ? market.lastSequence : null,
    bookHash: isLive ? market.book.contentHash() : null,
    marketTime: market.marketTime,
    features:
      isLive && latest?.isWarm && (market.lastRowAt ?? 0) >= minute
        ? { featureTime: latest.featureTime, fingerprint: market.pipeline.featureSet.fingerprint, row: Array.from(latest.row) }
        : null,
    coveredMs,
    events,
    trades,
    pricePath,
  };
}

export function proofOf(market: MarketTracker, now: number): BookProof {
  return {
    lastSequence: market.lastSequence,
    unbrokenSince: market.unbrokenSince,
    continuity: market.continuity,
    comparisons: market.check.comparisons,
    mismatches: market.check.mismatches,
    topLevels: market.check.topLevels,
    audits: market.audits,
    lastAuditAt: market.lastAuditAt,
    gaps24h: market.gaps.count24h(now),
  };
}

function topOfBook({ book }: MarketTracker): QuoteView {
  return { bidTicks: book.bids.bestTicks, bidLots: book.bids.bestLots, askTicks: book.asks.bestTicks, askLots: book.asks.bestLots };
}

/** The best levels, as far as all of them are known; the best alone where it lies beyond (the venue's quote vouches for it: book-check.ts). */
export function topLevels({ book }: MarketTracker, side: Side, levels: number): [number, number][] {
  const ladder = book.side(side);
  const sign = sideSign(side);
  const end = ladder.completeToTicks === null ? Number.NEGATIVE_INFINITY : ladder.completeToTicks * sign;
  const top: [number, number][] = [];
  for (let depth = 0; depth < Math.min(levels, ladder.levelCount); depth++) {
    const ticks = ladder.ticksAt(depth);
    if (depth > 0 && ticks * sign < end) break;
    top.push([ticks, ladder.lotsAt(depth)]);
  }
  return top;
}
