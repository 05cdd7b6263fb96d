/**
 * What a forecast is of: the moves of the best bid, the mid and the best ask from a row's own time t over the horizon h, in bps. By kind:
 *
 *   point     from the price at t to the one at exactly t + h: noisy, but nothing of it can be known from the past alone
 *   anchored  from the price at t to the mean over (t, t + h]: as honest, less noisy
 *   smoothed  from the mean over (t - h, t] to that over (t, t + h]: the past alone explains much of it (averaged.ts has how much)
 *
 * A label exists only where every second that it looks at has its row in one unbroken segment. Absence is a zero in the mask, and the
 * value beside it is 0, never NaN: whoever forgets the mask trains on a wrong zero, not on a poisoned sum.
 *
 * Means are running sums of whole ticks, which stay exact however many rows have gone by: a label doesn't depend on where the rows begin.
 * averaged.ts has the same formulas over one stretch, window by window, with their source.
 */

import { FEATURE_INTERVAL_MS } from "../features/contract.ts";
import { moveBps } from "../math/bps.ts";

export const LABEL_KINDS = ["point", "anchored", "smoothed"] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** What a dataset, a run or a manifest means that names no kind: there was one alone when their formats were made. */
export const DEFAULT_LABEL_KIND: LabelKind = "point";

/** What `edgebook dataset` makes where nothing is said: as honest as point, and less of it is noise that no forecast can know. */
export const USUAL_LABEL_KIND: LabelKind = "anchored";

/** In the order of the columns of one horizon. */
export const LABEL_TARGETS = ["bid", "mid", "ask"] as const;
export type LabelTarget = (typeof LABEL_TARGETS)[number];

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

/** Of a dataset, a run or a manifest: what it says, or what is meant where it says nothing. */
export function labelKindOf({ label }: { readonly label?: LabelKind | undefined }): LabelKind {
  return label ?? DEFAULT_LABEL_KIND;
}

/** Steps that a label looks back from its own row, beyond the row itself. */
export function stepsBehind(kind: LabelKind, steps: number): number {
  return kind === "smoothed" ? steps - 1 : 0;
}

/**
 * Labels of all rows at all horizons, in O(rows) a horizon.
 * @throws when a horizon is not a positive whole number of grid steps, the arrays differ in length, or prices to be averaged are not whole ticks.
 */
export function labelMoves(rows: PriceRows, horizonsMs: readonly number[], kind: LabelKind = DEFAULT_LABEL_KIND): MoveLabels {
  const count = rows.times.length;
  for (const part of [rows.bidTicks, rows.askTicks, rows.segments]) {
    if (part.length !== count) throw new RangeError(`${part.length} values beside ${count} times`);
  }
  const columns = labelColumns(horizonsMs);
  const labels = { columns, values: new Float64Array(count * columns.length), mask: new Uint8Array(count * columns.length) };
  horizonsMs.forEach((horizonMs, index) => {
    labelHorizon(rows, labels, { horizonMs, offset: index * LABEL_TARGETS.length, kind });
  });
  return labels;
}

function labelHorizon(
  rows: PriceRows,
  labels: MoveLabels,
  { horizonMs, offset, kind }: { horizonMs: number; offset: number; kind: LabelKind },
): void {
  const steps = horizonMs / FEATURE_INTERVAL_MS;
  if (!Number.isSafeInteger(steps) || steps < 1) throw new RangeError(`a horizon of ${horizonMs} ms`);
  const { times, segments } = rows;
  const bids = pathOf(rows.bidTicks, steps, kind);
  const asks = pathOf(rows.askTicks, steps, kind);
  const width = labels.columns.length;
  const behind = stepsBehind(kind, steps);
  for (let now = behind; now + steps < times.length; now++) {
    const first = now - behind;
    const last = now + steps;
    // So many rows later, and as much later by the clock: none is missing between.
    const isWhole = (times[last] as number) - (times[first] as number) === (last - first) * FEATURE_INTERVAL_MS;
    if (!isWhole || segments[last] !== segments[first]) continue;
    const bid = (bids.from[now] as number) * bids.scale;
    const ask = (asks.from[now] as number) * asks.scale;
    const laterBid = bids.to[last] as number;
    const laterAsk = asks.to[last] as number;
    const at = now * width + offset;
    labels.values[at] = moveBps(bid, laterBid);
    labels.values[at + 1] = moveBps(bid + ask, laterBid + laterAsk);
    labels.values[at + 2] = moveBps(ask, laterAsk);
    labels.mask.fill(1, at, at + LABEL_TARGETS.length);
  }
}

/** Of one price: a row's move goes from `from` of the row, times `scale`, to `to` of the row `steps` later. Sums of as many prices on either side. */
interface Path {
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
  readonly scale: number;
}

function pathOf(ticks: ArrayLike<number>, steps: number, kind: LabelKind): Path {
  if (kind === "point") return { from: ticks, to: ticks, scale: 1 };
  const sums = runningSums(ticks, steps);
  return kind === "anchored" ? { from: ticks, to: sums, scale: steps } : { from: sums, to: sums, scale: 1 };
}

/** [rows] sums of the last `steps` ticks up to each row; of fewer at the beginning, where no label looks. */
function runningSums(ticks: ArrayLike<number>, steps: number): Float64Array {
  const sums = new Float64Array(ticks.length);
  let sum = 0;
  for (let row = 0; row < ticks.length; row++) {
    const left = row < steps ? 0 : (ticks[row - steps] as number);
    sum = sum - left + (ticks[row] as number);
    if (!Number.isSafeInteger(sum)) throw new RangeError(`prices up to row ${row} add up to ${sum}: means are taken of whole ticks`);
    sums[row] = sum;
  }
  return sums;
}
