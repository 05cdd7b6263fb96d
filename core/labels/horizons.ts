/** How far ahead moves are looked at. A dataset says its own horizons; what is trained on it, exported and served answers these. */

import { FEATURE_INTERVAL_MS } from "../features/contract.ts";
import { MS_PER_DAY } from "../units/time.ts";

/** Of a dataset that names none: those that forecasts of this field are scored at. */
export const DEFAULT_HORIZONS_MS: readonly number[] = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000];

/** Three targets each: 36 columns, more than anybody reads. */
export const MAX_HORIZONS = 12;
/** Days are split and purged by horizons, and a target reaches over no longer stretch without a gap than a day's file. */
export const MAX_HORIZON_MS = MS_PER_DAY;

/** @returns what is wrong with a list of horizons, as the end of a sentence; null where nothing is. */
export function horizonFault(horizonsMs: readonly number[]): string | null {
  if (horizonsMs.length === 0 || horizonsMs.length > MAX_HORIZONS)
    return `${horizonsMs.length} horizons: 1 to ${MAX_HORIZONS} may be asked for`;
  for (const [index, horizonMs] of horizonsMs.entries()) {
    if (!Number.isSafeInteger(horizonMs / FEATURE_INTERVAL_MS) || horizonMs < FEATURE_INTERVAL_MS || horizonMs > MAX_HORIZON_MS)
      return `a horizon of ${horizonMs} ms: multiples of ${FEATURE_INTERVAL_MS} up to ${MAX_HORIZON_MS} are possible`;
    const before = horizonsMs[index - 1];
    if (before !== undefined && before >= horizonMs) return `${horizonMs} ms behind ${before} ms: horizons ascend, each once`;
  }
  return null;
}

/** The horizons of columns or questions, ascending, each once. */
export function horizonsOf(columns: readonly { readonly horizonMs: number }[]): number[] {
  return [...new Set(columns.map(({ horizonMs }) => horizonMs))].sort((one, other) => one - other);
}
