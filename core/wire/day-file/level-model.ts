/**
 * What writer and reader of levels agree on: the kinds of changes, and which context each number is coded in.
 */

import { PREVIOUS_CONTEXTS } from "./integers.ts";

/** The levels of one list over all its rows. `values` null: keys alone, and each removes its level. */
export interface LevelColumns {
  readonly keys: Float64Array;
  readonly values: Float64Array | null;
  readonly count: number;
  /** Lists of one group share trails: the first lists of all messages, the second ones, … */
  readonly group: number;
  /** Lists of one template share tables: what moves bids moves asks. */
  readonly template: number;
}

/** How a row's keys are told. */
export const BY_STEPS = 0;
export const RISING = 1;
export const FALLING = 2;
export const ORDERS = 3;
/** What a value does. */
export const REMOVED = 0;
export const SAME = 1;
export const BACK = 2;
export const MORE = 3;
export const LESS = 4;
export const MORE_AGAIN = 5;
export const LESS_AGAIN = 6;
export const NEW = 7;
export const KINDS = 8;
export const STATES = 3;
/** Trailing zeros that a new value is told without: most hand-typed sizes have some. */
export const MOST_ZEROS = 3;
export const ZEROS = [1, 10, 100, 1000] as const;
/** Contexts of how far the next key of a trail is: octaves of how far back we are, times whether more are left than one. */
export const AGE_OCTAVES = 11;
export const LEFT_CLASSES = 4;
/** Contexts of how many keys stand on a trail: octaves of how many there may be. */
export const COUNT_OCTAVES = 8;
export const STEP_CONTEXTS = 1 + PREVIOUS_CONTEXTS;

export function ageContext(age: number, left: number): number {
  const octave = 32 - Math.clz32(age);
  return (octave < AGE_OCTAVES ? octave : AGE_OCTAVES - 1) * LEFT_CLASSES + (left < 3 ? left - 1 : left < 8 ? 2 : 3);
}

export function countContext(most: number): number {
  const octave = 32 - Math.clz32(most);
  return octave < COUNT_OCTAVES ? octave : COUNT_OCTAVES - 1;
}
