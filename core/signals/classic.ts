/**
 * The signals as sturex/pyOrderbookTrading (MIT) computes them, faults and all, so that what it says of a book can be set beside what simple.ts and neural.ts say.
 * For parity alone: nothing here is a definition to use.
 *
 * 1. A book is 100 volumes: 50 bids from the worst to the best, then 50 asks from the best to the worst.
 * 2. Simple: first = volumes[0:51], second = volumes[50:101], in Python's slices. The best ask stands in both. Indicator (second - first) / (second + first):
 *    above the threshold SELL, below its negative BUY. That way round is right.
 * 3. Neural: indicator p[1] - p[0], where class 1 was trained as up: above the threshold SELL, below its negative BUY. That is inverted.
 *
 * As the quantitative notes (0.1 D and 5.6) record the original's indicator functions.
 */

import { type Signal, signalOf } from "./signal.ts";
import type { SideSizes } from "./simple.ts";

export const CLASSIC_LEVELS = 50;

export interface ClassicSignal {
  /** The original's: above 0 where it leans to SELL. */
  readonly indicator: number;
  readonly signal: Signal;
}

/** @param bids and asks best first. @returns [100]; null where a side has fewer than 50 levels: the original knows no such book. */
export function classicVolumes({ bids, asks }: { readonly bids: SideSizes; readonly asks: SideSizes }): number[] | null {
  if (bids.length < CLASSIC_LEVELS || asks.length < CLASSIC_LEVELS) return null;
  return [...bids.slice(0, CLASSIC_LEVELS).reverse(), ...asks.slice(0, CLASSIC_LEVELS)];
}

/** @param volumes as classicVolumes orders them, [100]. @returns null where they are all 0: the original divides by it. */
export function classicSimpleSignal(volumes: readonly number[], threshold: number): ClassicSignal | null {
  if (volumes.length !== 2 * CLASSIC_LEVELS) throw new RangeError(`${volumes.length} volumes: the classic definition takes 100`);
  const first = sumOf(volumes.slice(0, CLASSIC_LEVELS + 1));
  const second = sumOf(volumes.slice(CLASSIC_LEVELS, 2 * CLASSIC_LEVELS + 1));
  if (first + second === 0) return null;
  return inverted((second - first) / (second + first), threshold);
}

/** @param probabilities of the classes 0 (down) and 1 (up). */
export function classicNeuralSignal([down, up]: readonly [number, number], threshold: number): ClassicSignal {
  // A float32's rounding may lift either above 1.
  return inverted(Math.max(-1, Math.min(1, up - down)), threshold);
}

function inverted(indicator: number, threshold: number): ClassicSignal {
  return { indicator, signal: signalOf(-indicator, threshold) };
}

function sumOf(volumes: readonly number[]): number {
  return volumes.reduce((sum, volume) => sum + volume, 0);
}
