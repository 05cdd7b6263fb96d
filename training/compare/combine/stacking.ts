/**
 * Stacking (Wolpert 1992; non-negative weights after Breiman 1996): of each output a weighted sum of the members' forecasts, the weights those that
 * validation likes best, none below 0, together 1 at most, and held a little towards equal shares by a ridge penalty. What is missing to 1 stays with
 * "no move". A weight below 0 would bet on what one member gets wrong of another; a sum above 1 would learn how wild the validation hours were:
 * fitted on a quiet night and validated on a busy afternoon, free weights came to 2.1 together, and took R² from .21 to .05 in the evening.
 *
 *   minimise  mean (y - Σ w·f)² + λ·mean(f̄²)·Σ (w - 1/m)²,  w ≥ 0, Σ w ≤ 1;  f̄ is the members' mean
 *
 * By projected gradient: the sum of squares is convex, and so are the bounds.
 */

import type { Combination, CombinationTask, Combined } from "./combination.ts";
import { targetsOf } from "./targets-of.ts";

/** Of the mean square of a forecast: validation has thousands of rows for some ten weights, which hang together. */
const LAMBDA = 0.1;
const MOST_STEPS = 20_000;
/** A step that moves no weight by more than this ends it. */
const STILL = 1e-10;
/** Smaller weights are not told. */
const LEAST_TOLD = 0.01;

export const stacking: Combination = {
  id: "stacking",
  title: "shares of lines, trees and networks that validation chose",
  settings: { lambda: LAMBDA },
  combine,
};

function combine(task: CombinationTask): Combined {
  const { members, data } = task;
  const outputs = data.columns.length;
  const weights = data.columns.map((_, output) => {
    const { cells, moves } = targetsOf(task, output);
    return stackedWeights(
      members.map(({ validation }) => Float64Array.from(cells, (cell) => validation[cell] as number)),
      moves,
    );
  });
  const sum = (part: "validation" | "test"): Float32Array =>
    Float32Array.from({ length: members[0]?.[part].length ?? 0 }, (_, cell) =>
      members.reduce((total, member, at) => total + (weights[cell % outputs]?.[at] as number) * (member[part][cell] as number), 0),
    );
  return { validation: sum("validation"), test: sum("test"), configurations: 1, notes: data.columns.flatMap(toldOf) };

  function toldOf({ target, horizonMs }: { target: string; horizonMs: number }, output: number): string[] {
    if (target !== "mid") return [];
    const shares = members.flatMap(({ id }, at) => {
      const weight = weights[output]?.[at] as number;
      return weight < LEAST_TOLD ? [] : [`${id} ${weight.toFixed(2)}`];
    });
    return [`mid in ${horizonMs / 1_000} s: ${shares.length === 0 ? "nothing" : shares.join(", ")}`];
  }
}

/** @param forecasts [members][rows]. @returns [members] */
export function stackedWeights(forecasts: readonly Float64Array[], moves: Float64Array): Float64Array {
  const members = forecasts.length;
  const rows = Math.max(1, moves.length);
  const gram = forecasts.map((one) => forecasts.map((other) => dot(one, other) / rows));
  const moments = forecasts.map((one) => dot(one, moves) / rows);
  const all = gram.flat().reduce((sum, value) => sum + value, 0) / (members * members);
  const penalty = LAMBDA * all;
  // No eigenvalue is above the trace: a step of its inverse never overshoots.
  const bound = gram.reduce((sum, row, at) => sum + (row[at] as number) + penalty, 0);
  let weights = new Float64Array(members).fill(1 / members);
  for (let step = 0; bound > 0 && step < MOST_STEPS; step++) {
    const moved = weights.map((weight, at) => {
      const fitted = (gram[at] as number[]).reduce((sum, value, other) => sum + value * (weights[other] as number), 0);
      return weight - (fitted - (moments[at] as number) + penalty * (weight - 1 / members)) / bound;
    });
    const next = withinShares(moved);
    const largest = next.reduce((most, weight, at) => Math.max(most, Math.abs(weight - (weights[at] as number))), 0);
    weights = next;
    if (largest < STILL) break;
  }
  return weights;
}

/** The nearest weights that are 0 or more and come to 1 at most (Duchi et al. 2008). */
function withinShares(weights: Float64Array): Float64Array<ArrayBuffer> {
  const cut = (by: number): Float64Array<ArrayBuffer> => Float64Array.from(weights, (weight) => Math.max(0, weight - by));
  if (cut(0).reduce((sum, weight) => sum + weight, 0) <= 1) return cut(0);
  let [sum, by] = [0, 0];
  for (const [at, weight] of [...weights].sort((one, other) => other - one).entries()) {
    sum += weight;
    const own = (sum - 1) / (at + 1);
    if (weight > own) by = own;
  }
  return cut(by);
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number);
  return sum;
}
