/** What the workers and the thread that leads them share: everything that changes while training goes on. Typed arrays over shared memory. */

import type { GradientStep } from "../tensors/training-step.ts";

export interface SharedState {
  /** [3] the barrier's. */
  readonly barrier: Int32Array;
  /** See CONTROL. */
  readonly control: Int32Array;
  /** See NUMBERS. */
  readonly numbers: Float64Array;
  /** [workers] of the present step: each one's part of the loss, and of the gradient's squared norm. */
  readonly losses: Float64Array;
  readonly squares: Float64Array;
  readonly parameters: Float32Array;
  /** One a slot of the optimiser, each as long as the parameters. */
  readonly state: readonly Float32Array[];
  readonly statistics: Float32Array;
  /** One a worker. */
  readonly gradients: readonly Float32Array[];
  readonly observed: readonly Float32Array[];
  /** [items] the order of this epoch. */
  readonly order: Uint32Array;
  /** [blocks] of the validation rows: the weighted sum of losses of each. */
  readonly blockLosses: Float64Array;
}

export const CONTROL = {
  /** 1: the leader asks all to stop after the present step. */
  stop: 0,
  /** What worker 0 read there: all follow it, so that all stop after the same step. */
  decision: 1,
  /** Steps of this epoch that are done. */
  done: 2,
  /** 1: the loss of the step after those was no number; the step was not taken. */
  failed: 3,
} as const;

export const NUMBERS = {
  /** Loss times the weight of its rows, summed over the steps of this epoch. */
  lossSum: 0,
  lastLoss: 1,
  lastRate: 2,
  /** What a plateau has cut the rate to; 1 at first. */
  plateau: 3,
} as const;

export function createSharedState(
  step: GradientStep,
  options: { workers: number; slots: number; items: number; blocks: number },
): SharedState {
  const { workers, slots, items, blocks } = options;
  const floats = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));
  const doubles = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length));
  const integers = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const numbers = doubles(4);
  numbers[NUMBERS.plateau] = 1;
  const statistics = floats(step.statistics.length);
  statistics.set(step.statistics);
  return {
    barrier: integers(3),
    control: integers(4),
    numbers,
    losses: doubles(workers),
    squares: doubles(workers),
    parameters: floats(step.parameterCount),
    state: each(slots, () => floats(step.parameterCount)),
    statistics,
    gradients: each(workers, () => floats(step.parameterCount)),
    observed: each(workers, () => floats(step.statistics.length)),
    order: new Uint32Array(new SharedArrayBuffer(4 * items)),
    blockLosses: doubles(blocks),
  };
}
