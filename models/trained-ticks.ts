/**
 * Whether a market's tick is of the size that a model has learnt from, as a share of the price: where a tick is much, queues are long and spreads are one tick; where it is little,
 * spreads are many, and sizes at the best say less. A model of the one is no model of the other. A price wanders, so a tick up to twice as coarse or as fine as any in training is taken for the same.
 */

import { bpsOfTicks } from "../core/math/bps.ts";

/** What a tick was, in bps of the mid, over the markets of training: least and greatest. */
export interface TrainedTicks {
  readonly low: number;
  readonly high: number;
}

/** Beyond a halved or doubled price nothing of training was seen. */
const MOST_TIMES = 2;

/** @param mids mean mids in ticks; @returns null where there are none, or one isn't known. */
export function trainedTicks(mids: readonly (number | undefined)[]): TrainedTicks | null {
  const sizes = mids.map((midTicks) => (midTicks === undefined || !(midTicks > 0) ? Number.NaN : bpsOfTicks(1, midTicks)));
  if (sizes.length === 0 || sizes.some((size) => !Number.isFinite(size))) return null;
  return { low: Math.min(...sizes), high: Math.max(...sizes) };
}

/** @returns null where the model doesn't say what it was trained on. */
export function hasOtherTick(trained: TrainedTicks | null, tickBps: number): boolean | null {
  return trained === null ? null : tickBps * MOST_TIMES < trained.low || tickBps > trained.high * MOST_TIMES;
}
