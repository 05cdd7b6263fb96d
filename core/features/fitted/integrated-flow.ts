/**
 * Integrated order-flow imbalance (R. Cont, M. Cucuringu, C. Zhang, "Cross-impact of order flow imbalance in equity markets", Quantitative Finance 23(10), 2023): one number of the flows at the best
 * levels (columns/level-flows.ts), weighted as they move together. The weights are the first principal component of the levels' flows, each a multiple of the usual depth, scaled so that
 * their absolute values add up to 1.
 *
 * Flows are taken as they are, lots over the depth scale, not under signedLog: a sum of logarithms is no flow.
 * Fitted to training rows alone. The component is of the rows less their means; a flow is weighted without them, so no flow is none.
 */

import { largestEigen } from "../../math/symmetric-eigen.ts";

/** Of the flows' mean square: a smaller variance is the rounding of their means. */
const NO_VARIANCE_SHARE = 1e-24;

export interface LevelFlowRows {
  /** [rows, levels] lots of buy pressure over the depth scale. */
  readonly flows: ArrayLike<number>;
  readonly levels: number;
}

export interface IntegratedFlow {
  /** [levels] absolute values add up to 1; they add up to zero or more. */
  readonly weights: readonly number[];
  /** Of the levels' variance, what lies along the component: 0 to 1. The paper finds above .89 for ten levels of liquid shares. */
  readonly explainedShare: number;
}

/** @returns null where the rows say nothing: fewer than two, all alike, or a flow that is no finite number. */
export function fitIntegratedFlow({ flows, levels }: LevelFlowRows): IntegratedFlow | null {
  const rows = flows.length / levels;
  if (!Number.isSafeInteger(rows)) throw new RangeError(`${flows.length} flows are not rows of ${levels}`);
  if (rows < 2) return null;
  const covariance = covarianceOf(flows, rows, levels);
  let variance = 0;
  for (let level = 0; level < levels; level++) variance += covariance[level * (levels + 1)] as number;
  let meanSquare = 0;
  for (let at = 0; at < flows.length; at++) meanSquare += ((flows[at] as number) * (flows[at] as number)) / rows;
  const first = largestEigen(covariance, levels);
  if (first === null || variance <= NO_VARIANCE_SHARE * meanSquare) return null;
  const length = first.vector.reduce((sum, weight) => sum + Math.abs(weight), 0);
  return { weights: Array.from(first.vector, (weight) => weight / length), explainedShare: first.value / variance };
}

/** @param flows [levels] of one row. @returns their weighted sum, in multiples of the usual depth. */
export function integratedFlow({ weights }: IntegratedFlow, flows: ArrayLike<number>): number {
  if (flows.length !== weights.length) throw new RangeError(`${flows.length} flows for ${weights.length} weights`);
  return weights.reduce((sum, weight, level) => sum + weight * (flows[level] as number), 0);
}

/** [levels, levels], of the rows less their means. */
function covarianceOf(flows: ArrayLike<number>, rows: number, levels: number): Float64Array {
  const flowOf = (row: number, level: number): number => flows[row * levels + level] as number;
  const means = new Float64Array(levels);
  for (let row = 0; row < rows; row++)
    for (let level = 0; level < levels; level++) means[level] = (means[level] as number) + flowOf(row, level) / rows;
  const covariance = new Float64Array(levels * levels);
  for (let row = 0; row < rows; row++)
    for (let one = 0; one < levels; one++)
      for (let other = 0; other < levels; other++) {
        const product = (flowOf(row, one) - (means[one] as number)) * (flowOf(row, other) - (means[other] as number));
        covariance[one * levels + other] = (covariance[one * levels + other] as number) + product / (rows - 1);
      }
  return covariance;
}
