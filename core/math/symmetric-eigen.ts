/**
 * The largest eigenvalue of a symmetric matrix and its vector, by Jacobi's cyclic rotations (Golub and Van Loan, Matrix Computations, 8.5): for matrices of some tens of rows. Nothing but
 * arithmetic and square roots, so the same bits everywhere.
 *
 * What it doesn't decide: between equal eigenvalues any vector is as good as another. Its sign is chosen so that its entries add up to zero or more.
 */

/** Each sweep squares what is left off the diagonal: six to ten are enough, and a matrix that is not done by then holds something that is no number. */
const MOST_SWEEPS = 50;
/** Of the matrix's own size, squared: rounding. */
const NEGLIGIBLE_SHARE = 1e-30;

export interface LargestEigen {
  readonly value: number;
  /** [size] of length 1. */
  readonly vector: Float64Array;
}

/**
 * @param matrix [size, size] row-major, symmetric. It is not changed.
 * @returns null when an entry is not finite.
 */
export function largestEigen(matrix: Float64Array, size: number): LargestEigen | null {
  if (size < 1 || matrix.length !== size * size) throw new RangeError(`a matrix of ${matrix.length} numbers is not ${size} x ${size}`);
  if (!matrix.every(Number.isFinite)) return null;
  const rotated = matrix.slice();
  const vectors = Float64Array.from(matrix, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
  const negligible = NEGLIGIBLE_SHARE * rotated.reduce((sum, entry) => sum + entry * entry, 0);
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(rotated, size) > negligible; sweep++)
    for (let row = 0; row < size; row++)
      for (let column = row + 1; column < size; column++) rotate(rotated, vectors, { size, row, column });
  let at = 0;
  for (let index = 1; index < size; index++) if (entryOf(rotated, size, index) > entryOf(rotated, size, at)) at = index;
  const vector = Float64Array.from({ length: size }, (_, index) => vectors[index * size + at] as number);
  const isTurned = vector.reduce((sum, entry) => sum + entry, 0) < 0;
  return { value: entryOf(rotated, size, at), vector: isTurned ? vector.map((entry) => -entry) : vector };
}

function entryOf(matrix: Float64Array, size: number, index: number): number {
  return matrix[index * (size + 1)] as number;
}

function offDiagonal(matrix: Float64Array, size: number): number {
  return matrix.reduce((sum, entry, at) => (at % (size + 1) === 0 ? sum : sum + entry * entry), 0);
}

/** Turns the plane of two axes until the entry between them is zero, in the matrix and in what turned it so far. */
function rotate(matrix: Float64Array, vectors: Float64Array, { size, row, column }: Record<"size" | "row" | "column", number>): void {
  const between = matrix[row * size + column] as number;
  if (between === 0) return;
  const theta = (entryOf(matrix, size, column) - entryOf(matrix, size, row)) / (2 * between);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, first: number, second: number): void => {
    const [left, right] = [values[first] as number, values[second] as number];
    values[first] = cosine * left - sine * right;
    values[second] = sine * left + cosine * right;
  };
  for (let index = 0; index < size; index++) turn(matrix, index * size + row, index * size + column);
  for (let index = 0; index < size; index++) turn(matrix, row * size + index, column * size + index);
  for (let index = 0; index < size; index++) turn(vectors, index * size + row, index * size + column);
}
