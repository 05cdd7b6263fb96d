/** Quote, book and market as the API shows them. Pure. */

import type { FeedConfiguration } from "../../../feed/configuration.ts";
import type { BookView, MarketStatus, QuoteAnswer } from "../../../feed/contract.ts";
import { instrumentView, levelOrNull, levelViews, midText, priceOrNull } from "../prices.ts";
import type { BookBody, FreshnessView, MarketDetailView, MarketView, QuoteBody } from "../schemas.ts";

export function freshnessOf(answer: { now: number; receivedAt: number; marketTime: number | null }): FreshnessView {
  const { now, receivedAt, marketTime } = answer;
  return { receivedAt, ageMs: now - receivedAt, marketTime };
}

export function quoteBody(answer: QuoteAnswer): QuoteBody {
  const { market, instrument, bidTicks, bidLots, askTicks, askLots, source, sequence } = answer;
  return {
    market,
    bid: levelOrNull(bidTicks, bidLots, instrument),
    ask: levelOrNull(askTicks, askLots, instrument),
    mid: midText(bidTicks, askTicks, instrument.tick),
    source,
    sequence,
    freshness: freshnessOf(answer),
  };
}

export function bookBody(view: BookView): BookBody {
  const { market, state, instrument, bids, asks, completeTo, contentHash, proof } = view;
  return {
    market,
    state,
    mid: midText(bids[0]?.[0] ?? null, asks[0]?.[0] ?? null, instrument.tick),
    bids: levelViews(bids, instrument),
    asks: levelViews(asks, instrument),
    completeTo: { bid: priceOrNull(completeTo.bidTicks, instrument), ask: priceOrNull(completeTo.askTicks, instrument) },
    contentHash,
    proof,
    freshness: freshnessOf(view),
  };
}

/** @param status null when the feed does not answer; undefined when it answers and does not know the market yet. */
export function marketView(market: string, configuration: FeedConfiguration, status: MarketStatus | null | undefined): MarketView {
  return {
    market,
    feed: configuration.feed,
    venue: configuration.venue,
    symbol: market.slice(configuration.venue.length + 1),
    state: status === null ? "unreachable" : (status?.state ?? "disconnected"),
    instrument: status ? instrumentView(status.instrument) : null,
    lastReceivedAt: status?.lastReceivedAt ?? null,
  };
}

export function marketDetailView(market: string, configuration: FeedConfiguration, status: MarketStatus | undefined): MarketDetailView {
  return {
    ...marketView(market, configuration, status),
    bookState: status?.bookState ?? null,
    venueState: status?.venueState ?? null,
    marketTime: status?.marketTime ?? null,
    proof: status?.proof ?? null,
    featureRows: status?.featureRows ?? null,
    malformedFrames: status?.malformedFrames ?? null,
  };
}
