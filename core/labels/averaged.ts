/**
 * Labels that average over the horizon, as the literature on order-book forecasting uses them. In bps; k counts rows.
 *
 *   point     (M(t+k) - M(t)) / M(t)
 *   anchored  (m+ - M(t)) / M(t),  m+ = mean of M(t+1 … t+k)     Zhang, Zohren, Roberts 2019 (DeepLOB), eq. 3; the labels of FI-2010 are of this kind
 *   smoothed  (m+ - m-) / m-,      m- = mean of M(t-k+1 … t)     ibid., eq. 4
 *
 * The smoothed one flatters: m- lags behind the present price, so on a pure random walk the past alone explains R² = `freeR2(k)` of it.
 * It is here to compare with published numbers and to show that effect; report the anchored one.
 *
 * @param prices one unbroken stretch, in any unit.
 * @returns each function: null where the stretch doesn't reach far enough.
 */

import { moveBps } from "../math/bps.ts";

export function pointMove(prices: ArrayLike<number>, at: number, k: number): number | null {
  return at < 0 || at + k >= prices.length ? null : moveBps(prices[at] as number, prices[at + k] as number);
}

export function anchoredMove(prices: ArrayLike<number>, at: number, k: number): number | null {
  const ahead = meanOf(prices, at + 1, at + k);
  return at < 0 || ahead === null ? null : moveBps(prices[at] as number, ahead);
}

export function smoothedMove(prices: ArrayLike<number>, at: number, k: number): number | null {
  const ahead = meanOf(prices, at + 1, at + k);
  const behind = meanOf(prices, at - k + 1, at);
  return ahead === null || behind === null ? null : moveBps(behind, ahead);
}

/** R² of the smoothed label that the past alone explains on a random walk: (k-1)(2k-1) / [(k-1)(2k-1) + (k+1)(2k+1)]. */
export function freeR2(k: number): number {
  const known = (k - 1) * (2 * k - 1);
  return known / (known + (k + 1) * (2 * k + 1));
}

/** How often sign(M(t) - m-) then has the label's sign: 1/2 + asin(√freeR2) / π, for Gaussian steps. */
export function freeHitRate(k: number): number {
  // biome-ignore lint/plugin: a figure to compare reports with, and in no row: its last bit may differ.
  return 0.5 + Math.asin(Math.sqrt(freeR2(k))) / Math.PI;
}

/** Mean of prices[first … last]; null when the range leaves the array or is empty. */
function meanOf(prices: ArrayLike<number>, first: number, last: number): number | null {
  if (first < 0 || last >= prices.length || last < first) return null;
  let sum = 0;
  for (let index = first; index <= last; index++) sum += prices[index] as number;
  return sum / (last - first + 1);
}
