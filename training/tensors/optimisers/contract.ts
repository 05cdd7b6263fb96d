/**
 * What an optimiser is: a step in place on a slice of the flat parameter vector, so that several workers each take a slice.
 *
 * Loops over typed arrays and not a graph: a graph makes some fifteen passes over memory and needs a second copy of everything that changes. AdamW on
 * 4,600, 40,000 and 500,000 parameters took between 0.26 and 0.57 of the graph's time, over nine pairs of runs on a busy machine. Numbers are float64 within
 * a step and float32 where they are kept; the four operations and a square root alone, so the bits are the same on any machine.
 */

/**
 * What is remembered and smaller than this is 0. A gradient that stays 0 would let it fall into the denormal numbers, each of which costs a hundred times
 * a normal one, and which some threads flush and some don't (a flag of the first session of the process): other bits.
 */
export const SMALLEST = 1e-30;

export interface OptimiserSlice {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  /** One for each of `slots`, all 0 before the first step. */
  readonly state: readonly Float32Array[];
  /** 1 where weight decay applies: it shrinks matrices; shrinking biases only shifts the answer. */
  readonly decayed: Float32Array;
}

export interface Optimiser {
  /** What it remembers of each parameter, by name. */
  readonly slots: readonly string[];
  /** Follows `steps` steps already taken: after this the next call of `step` is number steps + 1. */
  seek(steps: number): void;
  /** @param slice of equal lengths, changed in place, the gradient apart. */
  step(slice: OptimiserSlice, rate: number): void;
}
