/**
 * The signal of the book alone: which side is heavier on its best levels, each level counted once. Heavy bids mean BUY: where bids outweigh asks, the mid's
 * next move is up more often than not (Gould and Bonart 2016, "Queue imbalance as a one-tick-ahead price predictor in a limit order book").
 * The idea as a signal is sturex/pyOrderbookTrading's; what that code really does is in classic.ts.
 *
 * On a market that follows others it is right most of the time, and what it gains is a fraction of a taker's fee: a signal is no strategy.
 */

import { type Signal, signalOf } from "./signal.ts";

/** Sizes of one side, best first, in any unit that both sides share. */
export type SideSizes = readonly number[];

export interface SimpleSignal {
  /** (bid - ask) / (bid + ask) of the best levels, -1 to 1. */
  readonly pressure: number;
  readonly signal: Signal;
}

/**
 * @param levels of each side that are counted; a side that has fewer counts with those it has.
 * @returns null where a side is empty: a book without a price to lean on is no reason to buy.
 */
export function simpleSignal(
  book: { readonly bids: SideSizes; readonly asks: SideSizes },
  { levels, threshold }: { readonly levels: number; readonly threshold: number },
): SimpleSignal | null {
  if (!(Number.isSafeInteger(levels) && levels >= 1)) throw new RangeError(`${levels} levels`);
  const bid = sumOf(book.bids, levels);
  const ask = sumOf(book.asks, levels);
  if (bid === 0 || ask === 0) return null;
  const pressure = (bid - ask) / (bid + ask);
  return { pressure, signal: signalOf(pressure, threshold) };
}

function sumOf(sizes: SideSizes, levels: number): number {
  let sum = 0;
  for (let level = 0; level < levels && level < sizes.length; level++) sum += sizes[level] as number;
  return sum;
}
