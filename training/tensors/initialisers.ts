/**
 * What parameters start from. Randomness comes from the seed of the run, in the order of declaration: same seed, same bytes. Only the four operations, square
 * roots and the logarithm of core/math: no rounding that could differ between machines.
 *
 * Fans: of a matrix [in, out] the first size and the second. Of a convolution's weights [out, in, ...kernel] use `fans`.
 */

import { naturalLog } from "../../core/math/elementary.ts";
import { sizeOf } from "./shape.ts";

/** Uniform on [0, 1). */
export type Random = () => number;
export type Initialiser = (shape: readonly number[], random: Random) => Float32Array;

export interface Fans {
  /** Numbers that an output is made of. */
  readonly fanIn: number;
  /** Outputs that an input goes into. */
  readonly fanOut: number;
}

/**
 * Uniform on ±1/√fanIn, with fanIn the first dimension (He et al. 2015, in the variant that PyTorch's Linear uses).
 */
export const fanInUniform: Initialiser = (shape, random) => uniform(1 / Math.sqrt(shape[0] ?? 1))(shape, random);

export const zeros: Initialiser = (shape) => new Float32Array(sizeOf(shape));

/** Every element `value`. */
export function constant(value: number): Initialiser {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Uniform on ±bound. */
export function uniform(bound: number): Initialiser {
  return (shape, random) => Float32Array.from({ length: sizeOf(shape) }, () => (random() * 2 - 1) * bound);
}

/** Mean 0 and this standard deviation. */
export function normal(deviation: number): Initialiser {
  return (shape, random) => {
    const draw = normalDraws(random);
    return Float32Array.from({ length: sizeOf(shape) }, () => draw() * deviation);
  };
}

/** Glorot and Bengio (2010): the variance 2 / (fanIn + fanOut) keeps both passes in scale, for tanh and the like. */
export function glorotUniform(fans?: Fans): Initialiser {
  return (shape, random) => {
    const { fanIn, fanOut } = fans ?? fansOf(shape);
    return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
  };
}

export function glorotNormal(fans?: Fans): Initialiser {
  return (shape, random) => {
    const { fanIn, fanOut } = fans ?? fansOf(shape);
    return normal(Math.sqrt(2 / (fanIn + fanOut)))(shape, random);
  };
}

/** He et al. (2015): the variance 2 / fanIn makes up for the half that relu takes away. */
export function heUniform(fans?: Fans): Initialiser {
  return (shape, random) => uniform(Math.sqrt(6 / (fans ?? fansOf(shape)).fanIn))(shape, random);
}

export function heNormal(fans?: Fans): Initialiser {
  return (shape, random) => normal(Math.sqrt(2 / (fans ?? fansOf(shape)).fanIn))(shape, random);
}

/**
 * Each square block of a matrix [n, k n] is orthogonal (Saxe et al. 2013), as the recurrent weights of k gates should be: what goes round keeps its length.
 * Normal numbers made orthonormal, row by row, by Gram and Schmidt's method, twice over since once leaves errors.
 */
export const orthogonal: Initialiser = (shape, random) => {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined || columns % rows !== 0) {
    throw new RangeError(`orthogonal weights are one or more square blocks side by side, not [${shape.join(", ")}]`);
  }
  const weights = new Float32Array(rows * columns);
  for (let from = 0; from < columns; from += rows) {
    for (const [row, vector] of orthonormalRows(rows, random).entries()) weights.set(vector, row * columns + from);
  }
  return weights;
};

function fansOf(shape: readonly number[]): Fans {
  const [fanIn, fanOut] = shape;
  if (shape.length !== 2 || fanIn === undefined || fanOut === undefined) throw new RangeError(`tell the fans of [${shape.join(", ")}]`);
  return { fanIn, fanOut };
}

function orthonormalRows(size: number, random: Random): Float64Array[] {
  const draw = normalDraws(random);
  const done: Float64Array[] = [];
  while (done.length < size) {
    const row = Float64Array.from({ length: size }, draw);
    for (let pass = 0; pass < 2; pass++) for (const other of done) takeOff(row, other);
    const length = Math.sqrt(dot(row, row));
    done.push(row.map((number) => number / length));
  }
  return done;
}

/** Leaves of `row` what is at right angles to the unit vector `other`. */
function takeOff(row: Float64Array, other: Float64Array): void {
  const along = dot(row, other);
  for (let index = 0; index < row.length; index++) row[index] = (row[index] as number) - along * (other[index] as number);
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number);
  return sum;
}

/** Standard normal numbers by Marsaglia's polar method (1964), both of each pair used. */
function normalDraws(random: Random): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const number = spare;
      spare = null;
      return number;
    }
    for (;;) {
      const x = 2 * random() - 1;
      const y = 2 * random() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * naturalLog(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };
}
