/**
 * What a forecast is of: the moves of the best bid, the mid and the best ask from a row's own time to h later, in bps of the row's own
 * price. The price at exactly t + h is taken ("point" label; noisy, but nothing of it can be known from the past alone).
 *
 * A label exists only where every second of (t, t + h] has its row in the same unbroken segment. Absence is a zero in the mask, and the
 * value beside it is 0, never NaN: whoever forgets the mask trains on a wrong zero, not on a poisoned sum.
 */

import { FEATURE_INTERVAL_MS } from "../features/contract.ts";
import { moveBps } from "../math/bps.ts";

/** In the order of the columns of one horizon. */
export const LABEL_TARGETS = ["bid", "mid", "ask"] as const;
export type LabelTarget = (typeof LABEL_TARGETS)[number];

/** Horizons that forecasts are made for by default. */
export const DEFAULT_HORIZONS_MS: readonly number[] = [1_000, 5_000, 10_000, 30_000];

export interface LabelColumn {
  readonly target: LabelTarget;
  readonly horizonMs: number;
}

/** Columns of the grid's rows, [rows] each, in order of time. */
export interface PriceRows {
  /** Grid times, epoch ms, strictly increasing. */
  readonly times: ArrayLike<number>;
  readonly bidTicks: ArrayLike<number>;
  readonly askTicks: ArrayLike<number>;
  /** Rows of one segment follow each other grid step by grid step. */
  readonly segments: ArrayLike<number>;
}

export interface MoveLabels {
  /** Horizon by horizon, and in each bid, mid, ask. */
  readonly columns: readonly LabelColumn[];
  /** [rows, columns] in bps; 0 where there is no label. */
  readonly values: Float64Array;
  /** [rows, columns]: 1 where there is a label. */
  readonly mask: Uint8Array;
}

export function labelColumns(horizonsMs: readonly number[]): LabelColumn[] {
  return horizonsMs.flatMap((horizonMs) => LABEL_TARGETS.map((target) => ({ target, horizonMs })));
}

/**
 * Labels of all rows at all horizons.
 * @throws when a horizon is not a positive whole number of grid steps, or the arrays differ in length.
 */
export function labelMoves(rows: PriceRows, horizonsMs: readonly number[]): MoveLabels {
  const count = rows.times.length;
  for (const part of [rows.bidTicks, rows.askTicks, rows.segments]) {
    if (part.length !== count) throw new RangeError(`${part.length} values beside ${count} times`);
  }
  const columns = labelColumns(horizonsMs);
  const labels = { columns, values: new Float64Array(count * columns.length), mask: new Uint8Array(count * columns.length) };
  horizonsMs.forEach((horizonMs, index) => {
    labelHorizon(rows, labels, { horizonMs, offset: index * LABEL_TARGETS.length });
  });
  return labels;
}

function labelHorizon(rows: PriceRows, labels: MoveLabels, { horizonMs, offset }: { horizonMs: number; offset: number }): void {
  const steps = horizonMs / FEATURE_INTERVAL_MS;
  if (!Number.isSafeInteger(steps) || steps < 1) throw new RangeError(`a horizon of ${horizonMs} ms`);
  const { times, bidTicks, askTicks, segments } = rows;
  const width = labels.columns.length;
  for (let now = 0; now + steps < times.length; now++) {
    const then = now + steps;
    // `steps` rows later and h later by the clock: so none is missing between.
    if (segments[then] !== segments[now] || (times[then] as number) - (times[now] as number) !== horizonMs) continue;
    const bid = bidTicks[now] as number;
    const ask = askTicks[now] as number;
    const laterBid = bidTicks[then] as number;
    const laterAsk = askTicks[then] as number;
    const at = now * width + offset;
    labels.values[at] = moveBps(bid, laterBid);
    labels.values[at + 1] = moveBps(bid + ask, laterBid + laterAsk);
    labels.values[at + 2] = moveBps(ask, laterAsk);
    labels.mask.fill(1, at, at + LABEL_TARGETS.length);
  }
}
