/**
 * Which side is heavier, with each level counted the less the farther it lies from the mid: D = Σ lots·e^(-d/τ), d the distance in bps, τ in bps. As a share,
 * (bid - ask) / (bid + ask), and as ln(bid / ask), which still tells a tenfold side from a hundredfold one.
 *
 * Levels counted by number say something else on every market and in every hour, since what lies between them is empty prices; a sharp reach in bps
 * jumps when a level crosses it. On three days of a perpetual's book (../../../docs/features.md) this is what adds most to the reference set.
 *
 * Of the middle reach also how the logarithm has changed in some seconds: a side that is filling up says more than one that is heavy.
 *
 * One exponential a level: with τ three bps, one and three tenths of one, the others are its third and tenth powers.
 */

import type { Ladder } from "../../book/ladder.ts";
import { BPS } from "../../math/bps.ts";
import { exponential, naturalLog } from "../../math/elementary.ts";
import { RingBuffer } from "../../math/ring-buffer.ts";
import type { Feature } from "../contract.ts";
import { DEPTH_SCALE_SECONDS, DepthScale } from "./depth-scale.ts";
import { warmupOf } from "./warm-up.ts";

const LARGEST_TAU_BPS = 3;
const TAUS_BPS = [0.3, 1, LARGEST_TAU_BPS] as const;
/** In TAUS_BPS: the one whose changes are told. */
const MIDDLE = 1;
/** Beyond, a level counts less than a thousandth of what it is. */
const REACH_BPS = 7 * LARGEST_TAU_BPS;
/** In a book with a level at each tick the reach holds thousands: as many are looked at. */
const MOST_LEVELS = 200;
/** Of the depth scale: an empty side is a thousandth, not nothing, and the logarithm stays finite. */
const LEAST = 0.001;

/** @param changesSeconds over which changes are told. */
export function createDistanceWeightedDepth(changesSeconds: readonly number[]): Feature {
  const scale = new DepthScale();
  const reach = Math.max(...changesSeconds) + 1;
  /** Of the middle reach, a row each: what they were, so that then and now are measured by the depth scale of now. */
  const pastBids = new RingBuffer(reach);
  const pastAsks = new RingBuffer(reach);
  const bids = new Float64Array(TAUS_BPS.length);
  const asks = new Float64Array(TAUS_BPS.length);
  return {
    columns: [
      ...TAUS_BPS.flatMap((tau) => [
        {
          name: `weighted_imbalance_${name(tau)}`,
          unit: "-1 to 1",
          formula: `(B - A) / (B + A), B and A the sums of lots·e^(-d/${tau}), d the distance from the mid in bps`,
          source: "depth imbalance with a soft reach",
        },
        {
          name: `weighted_log_ratio_${name(tau)}`,
          unit: "ln of a ratio",
          formula: `ln((B + ${LEAST}·depth scale) / (A + ${LEAST}·depth scale)), as above`,
          source: "depth imbalance with a soft reach",
        },
      ]),
      ...changesSeconds.map((window) => ({
        name: `weighted_log_ratio_${name(TAUS_BPS[MIDDLE])}_change_${window}s`,
        unit: "ln of a ratio",
        formula: `weighted_log_ratio_${name(TAUS_BPS[MIDDLE])} less what the same sums of ${window} s ago give, with the depth scale of now`,
        source: "depth imbalance with a soft reach",
      })),
    ],
    warmupMs: warmupOf([DEPTH_SCALE_SECONDS, ...changesSeconds]),
    onBook() {},
    onTrade() {},
    write({ book }, _time, out, offset) {
      const mid = (book.bids.ticksAt(0) + book.asks.ticksAt(0)) / 2;
      const least = LEAST * scale.measure(book);
      weigh(book.bids, mid, bids);
      weigh(book.asks, mid, asks);
      for (let index = 0; index < TAUS_BPS.length; index++) {
        const bid = bids[index] as number;
        const ask = asks[index] as number;
        out[offset + 2 * index] = bid + ask === 0 ? 0 : (bid - ask) / (bid + ask);
        out[offset + 2 * index + 1] = naturalLog((bid + least) / (ask + least));
      }
      pastBids.push(bids[MIDDLE] as number);
      pastAsks.push(asks[MIDDLE] as number);
      const now = out[offset + 2 * MIDDLE + 1] as number;
      for (let index = 0; index < changesSeconds.length; index++) {
        const age = changesSeconds[index] as number;
        out[offset + 2 * TAUS_BPS.length + index] = now - naturalLog((pastBids.ago(age) + least) / (pastAsks.ago(age) + least));
      }
    },
    reset() {
      scale.clear();
      pastBids.clear();
      pastAsks.clear();
    },
  };
}

/** Into sums: one for each τ. */
function weigh(ladder: Ladder, mid: number, sums: Float64Array): void {
  let [near, middle, far] = [0, 0, 0];
  const count = Math.min(MOST_LEVELS, ladder.levelCount);
  for (let depth = 0; depth < count; depth++) {
    const distance = (BPS * Math.abs(ladder.ticksAt(depth) - mid)) / mid;
    if (distance > REACH_BPS) break;
    const lots = ladder.lotsAt(depth);
    const factor = exponential(-distance / LARGEST_TAU_BPS);
    const third = factor * factor * factor;
    far += lots * factor;
    middle += lots * third;
    near += lots * third * third * third * factor;
  }
  sums[0] = near;
  sums[1] = middle;
  sums[2] = far;
}

/** No point in a column's name. */
function name(tau: number): string {
  return `${String(tau).replace(".", "_")}bps`;
}
