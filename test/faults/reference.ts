/**
 * What the books of a venue are, moment by moment: the naive clients (test/exchange-simulator/naive-clients.ts) on the same world without faults.
 * Written down once a venue; every cell of the matrix is held to it.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { NaiveBinance, type PlainBook } from "../exchange-simulator/naive-clients.ts";
import { askForBook, naiveOf, subscribe, truthOf } from "../exchange-simulator/venue-world.ts";
import { LONGEST_SECONDS, START, symbolsAt, worldOf } from "./shared-markets.ts";

/** Multiples of it are ends of every venue's batches: what has been told by then is the truth. */
export const SAMPLE_MS = 100;

export interface Reference {
  readonly symbols: readonly string[];
  /** The book of a symbol at a multiple of SAMPLE_MS since START, as `contentsOf` writes it. */
  at(symbol: string, time: number): string;
}

const references = new Map<string, Reference>();

export function referenceOf(venue: string): Reference {
  const known = references.get(venue) ?? record(venue);
  references.set(venue, known);
  return known;
}

function record(venue: string): Reference {
  const world = worldOf(venue, null);
  const symbols = symbolsAt(venue);
  const client = subscribe(world, venue, symbols);
  const naive = naiveOf(venue);
  if (naive instanceof NaiveBinance) for (const symbol of symbols) naive.snapshot(symbol, askForBook(world, venue, symbol));
  const books = new Map(symbols.map((symbol) => [symbol, [] as string[]]));
  for (let time = START; time <= START + LONGEST_SECONDS * 1_000; time += SAMPLE_MS) {
    world.advanceTo(time);
    for (const text of client.take()) naive.hear(text);
    for (const symbol of symbols) {
      const book = naive.book(symbol);
      books.get(symbol)?.push(contentsOf(book));
      // The clients are as right as the market is.
      if (time % 10_000 !== 0) continue;
      if (contentsOf(truthOf(world, venue, symbol)) !== contentsOf(book)) throw new Error(`${venue}: ${symbol} isn't the market's book`);
    }
  }
  return { symbols, at: (symbol, time) => books.get(symbol)?.[(time - START) / SAMPLE_MS] ?? "beyond the reference" };
}

/** A book as text, best first. */
export function contentsOf({ bids, asks }: PlainBook): string {
  return `${bids.map(([price, size]) => `${price.toFixed(2)}x${size.toFixed(3)}`).join(" ")} | ${asks.map(([price, size]) => `${price.toFixed(2)}x${size.toFixed(3)}`).join(" ")}`;
}

/** The book that a feed holds, in the same form. */
export function heldContents({ book, instrument: { tick, lot } }: MarketTracker): string {
  const side = (name: "bid" | "ask") => {
    const ladder = book.side(name);
    return Array.from(
      { length: ladder.levelCount },
      (_, depth) => [ladder.ticksAt(depth) * stepOf(tick), ladder.lotsAt(depth) * stepOf(lot)] as const,
    );
  };
  return contentsOf({ bids: side("bid"), asks: side("ask") });
}

function stepOf({ mantissa, decimals }: DecimalGrid): number {
  return mantissa / 10 ** decimals;
}
