/** Relative moves in basis points. Prices may be in any unit, as long as both are in the same; both must be above zero. */

import { logOnePlus } from "./elementary.ts";

/** Basis points in one whole. */
export const BPS = 10_000;

/** The simple move from `then` to `now`, in bps of `then`. */
export function moveBps(then: number, now: number): number {
  return ((now - then) / then) * BPS;
}

/**
 * The log return from `then` to `now` in bps: 10^4·ln(now / then). Taken by log1p of the difference, which between whole ticks is exact,
 * so that a move of one tick keeps all its digits however large the price.
 */
export function logReturnBps(then: number, now: number): number {
  return logOnePlus((now - then) / then) * BPS;
}
