/**
 * Minimises a smooth function by L-BFGS (Liu and Nocedal 1989; the two loops of Nocedal and Wright 2006, algorithm 7.4) with a strong-Wolfe line
 * search. The inverse Hessian that the loops start from may be the caller's: with a good one, few steps are left to do.
 *
 * Everything is float64, and a function of its arguments alone: the same start gives the same bits. It refuses a start whose value is not finite.
 */

import { type LinePoint, searchLine } from "./line-search.ts";

export interface Objective {
  /** Writes the gradient at `at` into `gradient`. @returns the value. */
  evaluate(at: Float64Array, gradient: Float64Array): number;
}

export interface LbfgsOptions {
  /** Ends where no part of the gradient is larger. */
  readonly gradientTolerance: number;
  readonly maxIterations: number;
  /** Pairs of step and change of gradient that are remembered. */
  readonly memory?: number;
  /** An inverse Hessian, roughly: what it makes of a gradient. Positive definite, and not changing. */
  readonly precondition?: (gradient: Float64Array) => Float64Array;
}

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  /** The largest part of the gradient. */
  readonly gradientSize: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** no-lower-step: as low as float64 tells, though the gradient is above the tolerance. */
  readonly outcome: "converged" | "no-lower-step" | "iteration-limit";
}

/** More gained nothing on the losses here. */
const DEFAULT_MEMORY = 10;
/** A pair whose curvature is below this share of its lengths says nothing of the Hessian but rounding. */
const LEAST_CURVATURE = 1e-14;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** step · change */
  readonly curvature: number;
}

interface Point {
  readonly at: Float64Array;
  readonly gradient: Float64Array;
  readonly value: number;
}

export function minimise(objective: Objective, start: Float64Array, options: LbfgsOptions): Minimum {
  const { gradientTolerance, maxIterations, memory = DEFAULT_MEMORY } = options;
  const precondition = options.precondition ?? ((gradient: Float64Array) => gradient.slice());
  let evaluations = 0;
  const evaluate = (at: Float64Array): Point => {
    evaluations++;
    const gradient = new Float64Array(at.length);
    return { at, gradient, value: objective.evaluate(at, gradient) };
  };
  let point = evaluate(start.slice());
  if (!Number.isFinite(point.value)) throw new RangeError(`a search that starts at the value ${point.value}`);
  const pairs: Pair[] = [];
  const end = (outcome: Minimum["outcome"], iterations: number): Minimum => {
    return { at: point.at, value: point.value, gradientSize: largest(point.gradient), iterations, evaluations, outcome };
  };
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (largest(point.gradient) <= gradientTolerance) return end("converged", iteration);
    const next = step(point, { pairs, precondition, evaluate, isScaled: options.precondition !== undefined });
    if (next === null && pairs.length === 0) return end("no-lower-step", iteration);
    if (next === null) {
      // What was remembered misleads: once more from the plain gradient.
      pairs.length = 0;
      continue;
    }
    const pair = pairBetween(point, next);
    point = next;
    if (pair !== null) pairs.push(pair);
    if (pairs.length > memory) pairs.shift();
  }
  return end(largest(point.gradient) <= gradientTolerance ? "converged" : "iteration-limit", maxIterations);
}

/** Null when no lower point lies in the direction. */
function step(
  from: Point,
  options: {
    pairs: readonly Pair[];
    precondition: (gradient: Float64Array) => Float64Array;
    evaluate: (at: Float64Array) => Point;
    isScaled: boolean;
  },
): Point | null {
  const { pairs, precondition, evaluate } = options;
  const direction = twoLoops(from.gradient, pairs, precondition);
  const slope = dot(direction, from.gradient);
  if (!(slope < 0)) return null;
  // Without any curvature known, a first step of length one at most.
  const firstStep = pairs.length > 0 || options.isScaled ? 1 : Math.min(1, 1 / Math.sqrt(dot(from.gradient, from.gradient)));
  const points = new Map<number, Point>();
  const found = searchLine({ step: 0, value: from.value, slope }, firstStep, (length): LinePoint => {
    const next = evaluate(moved(from.at, direction, length));
    points.set(length, next);
    return { step: length, value: next.value, slope: dot(direction, next.gradient) };
  });
  return found === null ? null : (points.get(found.step) ?? null);
}

/** -H·gradient, H being the inverse Hessian that the pairs tell of. */
function twoLoops(gradient: Float64Array, pairs: readonly Pair[], precondition: (gradient: Float64Array) => Float64Array): Float64Array {
  const rest = gradient.slice();
  const shares = new Float64Array(pairs.length);
  for (let index = pairs.length - 1; index >= 0; index--) {
    const { step, change, curvature } = pairs[index] as Pair;
    shares[index] = dot(step, rest) / curvature;
    addTo(rest, change, -(shares[index] as number));
  }
  const direction = precondition(rest);
  const last = pairs.at(-1);
  // Scaled so that H fits the newest change of the gradient (Nocedal and Wright, 7.20, with the caller's matrix between).
  const scale = last === undefined ? 1 : last.curvature / dot(last.change, precondition(last.change));
  for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] as number) * scale;
  for (const [index, { step, change, curvature }] of pairs.entries()) {
    addTo(direction, step, (shares[index] as number) - dot(change, direction) / curvature);
  }
  for (let at = 0; at < direction.length; at++) direction[at] = -(direction[at] as number);
  return direction;
}

function pairBetween(from: Point, to: Point): Pair | null {
  const step = moved(to.at, from.at, -1);
  const change = moved(to.gradient, from.gradient, -1);
  const curvature = dot(step, change);
  return curvature > LEAST_CURVATURE * Math.sqrt(dot(step, step) * dot(change, change)) ? { step, change, curvature } : null;
}

function moved(from: Float64Array, direction: Float64Array, length: number): Float64Array {
  return from.map((value, at) => value + length * (direction[at] as number));
}

function addTo(sum: Float64Array, values: Float64Array, factor: number): void {
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + factor * (values[at] as number);
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number);
  return sum;
}

/** NaN where one part is: comparisons with it are false. */
function largest(gradient: Float64Array): number {
  return gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
