/** Copies of a book, and the level that would make it cross. */

import type { OrderBook } from "../core/book/order-book.ts";
import type { Side } from "../core/units/side.ts";
import type { CanonicalMarket } from "./market/canonical-market.ts";
import type { KeptBook } from "./venue.ts";

type Level = readonly [ticks: number, lots: number];

export function levelsOf(book: OrderBook, side: Side, limit = Number.POSITIVE_INFINITY): Level[] {
  const ladder = book.side(side);
  return Array.from({ length: Math.min(limit, ladder.levelCount) }, (_, depth) => [ladder.ticksAt(depth), ladder.lotsAt(depth)] as const);
}

export function copyOf(market: CanonicalMarket, sequence = market.updateId): KeptBook {
  return { time: market.venueTime, sequence, bids: levelsOf(market.book, "bid"), asks: levelsOf(market.book, "ask") };
}

/** Ticks beyond the best ask at which a false bid is put: enough to cross, and on no level that a quote would excuse. */
const CROSS_BY_TICKS = 2;

/** A bid above the best ask where nobody bids; null without both sides. */
export function crossingBid(market: CanonicalMarket): Level | null {
  const ask = market.book.asks.bestTicks;
  const lots = market.book.bids.bestLots;
  return ask === null || lots === null ? null : [ask + CROSS_BY_TICKS, lots];
}
