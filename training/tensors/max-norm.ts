/**
 * Max-norm (Srivastava et al. 2014): a projection after each step of the optimiser, no part of the gradient. A parameter whose Frobenius norm is above its
 * limit is scaled back to it, in the flat vector of all parameters.
 *
 * The engine takes `normLimitsOf` the graph's parameters once; after a step, when all of the flat vector is written, each limit is held by one worker.
 * Sums run in order in double precision, so the result doesn't depend on which.
 */

import type { Parameter } from "./graph-builder.ts";
import { sizeOf } from "./shape.ts";

export interface NormLimit {
  /** Where the parameter lies in the flat vector. */
  readonly offset: number;
  readonly size: number;
  readonly limit: number;
}

/** The limits that parameters declare, in their order in the flat vector. */
export function normLimitsOf(parameters: readonly Parameter[]): NormLimit[] {
  let offset = 0;
  return parameters.flatMap(({ value, maxNorm }) => {
    const size = sizeOf(value.shape);
    offset += size;
    return maxNorm === undefined ? [] : [{ offset: offset - size, size, limit: maxNorm }];
  });
}

/** Changes `flat` in place. */
export function limitNorms(flat: Float32Array, limits: readonly NormLimit[]): void {
  for (const { offset, size, limit } of limits) {
    let squares = 0;
    for (let index = offset; index < offset + size; index++) squares += (flat[index] as number) * (flat[index] as number);
    const norm = Math.sqrt(squares);
    if (!(norm > limit)) continue;
    const factor = limit / norm;
    for (let index = offset; index < offset + size; index++) flat[index] = (flat[index] as number) * factor;
  }
}
