/** What parameters start from. Randomness comes from the seed of the run, in the order of declaration: same seed, same bytes. */

import { sizeOf } from "./shape.ts";

/** Uniform on [0, 1). */
export type Random = () => number;
export type Initialiser = (shape: readonly number[], random: Random) => Float32Array;

/**
 * Uniform on ±1/√fanIn, with fanIn the first dimension (He et al. 2015, in the variant that PyTorch's Linear uses).
 * Only the four operations and a square root: no rounding that could differ between machines.
 */
export const fanInUniform: Initialiser = (shape, random) => {
  const bound = 1 / Math.sqrt(shape[0] ?? 1);
  return Float32Array.from({ length: sizeOf(shape) }, () => (random() * 2 - 1) * bound);
};

export const zeros: Initialiser = (shape) => new Float32Array(sizeOf(shape));
