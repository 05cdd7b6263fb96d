/**
 * The micro-price (S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18(12), 2018): where the mid will be after many of its moves, given the imbalance of
 * the best queues and the spread. A martingale by construction, where the size-weighted mid is none.
 *
 * States are pairs of an imbalance bucket and a spread bucket. With Q_ij the chance that the mid stays and the next state is j, m_i the mean move of the mid in a step from i (0 where it stays),
 * and R_ij the chance that it moves and the next state is j:
 *
 *   g = (1 - Q)⁻¹ m,   B = (1 - Q)⁻¹ R,   micro-price = mid + Σ_{k ≥ 0} Bᵏ g
 *
 * Each step is counted a second time in the mirror (imbalance turned over, move of the other sign): what is learnt favours no side, the sum converges, and a balanced book is worth its mid.
 * Fitted to training rows alone. Moves are in ticks, or whatever the spreads are counted in, so it belongs to one instrument.
 */

import { solveLinear } from "../../math/linear-solve.ts";
import { quantile } from "../../math/quantile.ts";

/** One row of the book after another, in order of time. */
export interface MicroPriceRows {
  /** [rows] bid lots / (bid lots + ask lots) at the best prices, 0 to 1. */
  readonly shares: ArrayLike<number>;
  /** [rows] */
  readonly spreadTicks: ArrayLike<number>;
  /** [rows] */
  readonly midTicks: ArrayLike<number>;
  /** [rows] steps within one segment alone are counted. */
  readonly segments: ArrayLike<number>;
}

export interface MicroPriceOptions {
  /** Of the imbalance, of equal frequency. */
  readonly shareBuckets: number;
  /** 1: every spread alike; 2: one tick or less, and more; and so on by whole ticks. */
  readonly spreadBuckets: number;
}

export interface MicroPrice {
  /** [shareBuckets - 1] ascending, mirrored about one half. */
  readonly shareCuts: readonly number[];
  readonly spreadBuckets: number;
  /** [spreadBuckets, shareBuckets] ticks from the mid. */
  readonly adjustments: readonly number[];
}

/** The paper's own: ten and two. */
export const MICRO_PRICE_DEFAULTS: MicroPriceOptions = { shareBuckets: 10, spreadBuckets: 2 };

/** Six are enough by the paper; each further one is a few per cent of the one before. */
const TERMS = 6;

/** @returns null where there are too few rows to say: a state that was never left has no future. */
export function fitMicroPrice(rows: MicroPriceRows, options: MicroPriceOptions = MICRO_PRICE_DEFAULTS): MicroPrice | null {
  const { shareBuckets, spreadBuckets } = options;
  const shareCuts = cutsOf(rows.shares, shareBuckets);
  if (shareCuts === null) return null;
  const counts = countSteps(rows, { shareCuts, shareBuckets, spreadBuckets });
  const adjustments = adjustmentsOf(counts, TERMS);
  return adjustments === null ? null : { shareCuts, spreadBuckets, adjustments: Array.from(adjustments) };
}

/** @returns ticks to add to the mid. */
export function microPriceAdjustment({ shareCuts, spreadBuckets, adjustments }: MicroPrice, share: number, spreadTicks: number): number {
  return adjustments[stateOf(share, spreadTicks, { shareCuts, spreadBuckets })] as number;
}

/** What of all steps from a state goes where; each row of `stay` and `move` together adds up to 1. */
export interface StepShares {
  readonly states: number;
  /** [states, states] */
  readonly stay: Float64Array;
  /** [states, states] */
  readonly move: Float64Array;
  /** [states] mean move of the mid, ticks. */
  readonly meanMove: Float64Array;
}

/** Σ_{k < terms} Bᵏ g, [states]; null where a state is never left. */
export function adjustmentsOf({ states, stay, move, meanMove }: StepShares, terms: number): Float64Array | null {
  const left = stay.map((share, at) => (at % (states + 1) === 0 ? 1 : 0) - share);
  const first = solveLinear(left, meanMove, states);
  const onward = solveLinear(left, move, states);
  if (first === null || onward === null) return null;
  const sum = first.slice();
  let term = first;
  for (let count = 1; count < terms; count++) {
    term = times(onward, term, states);
    for (let state = 0; state < states; state++) sum[state] = (sum[state] as number) + (term[state] as number);
  }
  return sum;
}

interface Buckets {
  readonly shareCuts: readonly number[];
  readonly spreadBuckets: number;
}

function stateOf(share: number, spreadTicks: number, { shareCuts, spreadBuckets }: Buckets): number {
  // A share of one half belongs to both sides; it goes up, and its mirror image too.
  const bucket = shareCuts.filter((cut) => share >= cut).length;
  const spread = Math.min(spreadBuckets, Math.max(1, Math.ceil(spreadTicks))) - 1;
  return spread * (shareCuts.length + 1) + bucket;
}

/** Of the shares and their mirror images together. */
function cutsOf(shares: ArrayLike<number>, buckets: number): number[] | null {
  const both = new Float64Array(2 * shares.length);
  for (let row = 0; row < shares.length; row++) {
    both[2 * row] = shares[row] as number;
    both[2 * row + 1] = 1 - (shares[row] as number);
  }
  const cuts = Array.from({ length: buckets - 1 }, (_, at) => quantile(both, (at + 1) / buckets));
  return cuts.every((cut) => cut !== null) ? cuts : null;
}

function countSteps(rows: MicroPriceRows, { shareCuts, shareBuckets, spreadBuckets }: Buckets & { shareBuckets: number }): StepShares {
  const states = shareBuckets * spreadBuckets;
  const [stay, move, meanMove, steps] = [
    new Float64Array(states * states),
    new Float64Array(states * states),
    new Float64Array(states),
    new Float64Array(states),
  ];
  const count = (from: number, to: number, ticks: number): void => {
    const cells = ticks === 0 ? stay : move;
    cells[from * states + to] = (cells[from * states + to] as number) + 1;
    meanMove[from] = (meanMove[from] as number) + ticks;
    steps[from] = (steps[from] as number) + 1;
  };
  const mirrorOf = (state: number): number => state - (state % shareBuckets) + (shareBuckets - 1 - (state % shareBuckets));
  const stateAt = (row: number): number =>
    stateOf(rows.shares[row] as number, rows.spreadTicks[row] as number, { shareCuts, spreadBuckets });
  for (let row = 0; row + 1 < rows.shares.length; row++) {
    if (rows.segments[row] !== rows.segments[row + 1]) continue;
    const [from, to] = [stateAt(row), stateAt(row + 1)];
    const ticks = (rows.midTicks[row + 1] as number) - (rows.midTicks[row] as number);
    count(from, to, ticks);
    count(mirrorOf(from), mirrorOf(to), -ticks);
  }
  const shareOf = (value: number, state: number): number => value / Math.max(1, steps[state] as number);
  return {
    states,
    stay: stay.map((value, at) => shareOf(value, Math.floor(at / states))),
    move: move.map((value, at) => shareOf(value, Math.floor(at / states))),
    meanMove: meanMove.map(shareOf),
  };
}

function times(matrix: Float64Array, vector: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < size; column++) sum += (matrix[row * size + column] as number) * (vector[column] as number);
    return sum;
  });
}
