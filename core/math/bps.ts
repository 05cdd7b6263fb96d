/** Relative moves in basis points. Prices may be in any unit, as long as both are in the same; both must be above zero. */

import { logOnePlus } from "./elementary.ts";

/** Basis points in one whole. */
export const BPS = 10_000;

/** The simple move from `then` to `now`, in bps of `then`. */
export function moveBps(then: number, now: number): number {
  return ((now - then) / then) * BPS;
}

/** How many ticks a move is, of a price in ticks: what a move in bps is worth on one market's own grid. */
export function ticksOfMove(moveBps: number, priceTicks: number): number {
  return (moveBps / BPS) * priceTicks;
}

/** The move that so many ticks are, in bps of a price in ticks. */
export function bpsOfTicks(ticks: number, priceTicks: number): number {
  return (ticks / priceTicks) * BPS;
}

/**
 * The log return from `then` to `now` in bps: 10^4·ln(now / then). Taken by log1p of the difference, which between whole ticks is exact,
 * so that a move of one tick keeps all its digits however large the price.
 */
export function logReturnBps(then: number, now: number): number {
  return logOnePlus((now - then) / then) * BPS;
}
