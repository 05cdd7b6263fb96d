/**
 * Solving A·X = B for a symmetric positive definite A by Cholesky's factors A = L·Lᵀ (Golub and Van Loan, Matrix Computations, 4.2):
 * what the normal equations of ridge regression ask for. No pivoting is needed; a matrix that is not positive definite is told by a
 * pivot that is not above zero, and refused.
 */

/** A pivot below this share of its own diagonal is rounding, not information: the column is a combination of those before it. */
const SMALLEST_PIVOT_SHARE = 1e-14;

/**
 * @param matrix [n, n] row-major; only the lower triangle is read.
 * @param right [n, m] row-major.
 * @returns X, [n, m]; null when the matrix is not positive definite (for ridge: add to the diagonal). Neither argument is changed.
 */
export function solvePositiveDefinite(matrix: Float64Array, right: Float64Array, size: number): Float64Array | null {
  if (matrix.length !== size * size) throw new RangeError(`a matrix of ${matrix.length} numbers is not ${size} x ${size}`);
  if (size === 0 || right.length % size !== 0) throw new RangeError(`a right side of ${right.length} numbers has no ${size} rows`);
  const lower = choleskyFactor(matrix, size);
  return lower === null ? null : solveFactored(lower, right, size);
}

/** X of L·Lᵀ·X = B: for a matrix that is factored once and solved often. */
export function solveFactored(lower: Float64Array, right: Float64Array, size: number): Float64Array {
  const solution = right.slice();
  const columns = right.length / size;
  substituteForward(lower, solution, { size, columns });
  substituteBackward(lower, solution, { size, columns });
  return solution;
}

interface Shape {
  size: number;
  columns: number;
}

/** L of A = L·Lᵀ, [n, n] row-major, zero above the diagonal; null when A is not positive definite. */
export function choleskyFactor(matrix: Float64Array, size: number): Float64Array | null {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row * size + column] as number;
      for (let inner = 0; inner < column; inner++) {
        rest -= (lower[row * size + inner] as number) * (lower[column * size + inner] as number);
      }
      if (row !== column) {
        lower[row * size + column] = rest / (lower[column * size + column] as number);
        continue;
      }
      const diagonal = matrix[row * size + row] as number;
      if (!(rest > SMALLEST_PIVOT_SHARE * diagonal) || !Number.isFinite(rest)) return null;
      lower[row * size + row] = Math.sqrt(rest);
    }
  }
  return lower;
}

/** L·Y = B, in place. */
function substituteForward(lower: Float64Array, values: Float64Array, { size, columns }: Shape): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < columns; column++) {
      let rest = values[row * columns + column] as number;
      for (let inner = 0; inner < row; inner++)
        rest -= (lower[row * size + inner] as number) * (values[inner * columns + column] as number);
      values[row * columns + column] = rest / (lower[row * size + row] as number);
    }
  }
}

/** Lᵀ·X = Y, in place. */
function substituteBackward(lower: Float64Array, values: Float64Array, { size, columns }: Shape): void {
  for (let row = size - 1; row >= 0; row--) {
    for (let column = 0; column < columns; column++) {
      let rest = values[row * columns + column] as number;
      for (let inner = row + 1; inner < size; inner++) {
        rest -= (lower[inner * size + row] as number) * (values[inner * columns + column] as number);
      }
      values[row * columns + column] = rest / (lower[row * size + row] as number);
    }
  }
}

/**
 * X of A·X = B for any square A, by elimination with the largest pivot of each column (Golub and Van Loan, 3.4).
 * @param matrix [n, n] row-major. @param right [n, m] row-major. Neither is changed.
 * @returns X, [n, m]; null when a pivot is rounding: the matrix is singular.
 */
export function solveLinear(matrix: Float64Array, right: Float64Array, size: number): Float64Array | null {
  if (matrix.length !== size * size) throw new RangeError(`a matrix of ${matrix.length} numbers is not ${size} x ${size}`);
  if (size === 0 || right.length % size !== 0) throw new RangeError(`a right side of ${right.length} numbers has no ${size} rows`);
  const columns = right.length / size;
  const [left, solution] = [matrix.slice(), right.slice()];
  const largest = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let step = 0; step < size; step++) {
    const pivot = pivotRow(left, size, step);
    if (!(Math.abs(left[pivot * size + step] as number) > SMALLEST_PIVOT_SHARE * largest)) return null;
    swapRows(left, { size, one: step, other: pivot });
    swapRows(solution, { size: columns, one: step, other: pivot });
    for (let row = 0; row < size; row++) {
      if (row === step) continue;
      const factor = (left[row * size + step] as number) / (left[step * size + step] as number);
      for (let column = step; column < size; column++)
        subtractScaled(left, row * size + column, factor * (left[step * size + column] as number));
      for (let column = 0; column < columns; column++)
        subtractScaled(solution, row * columns + column, factor * (solution[step * columns + column] as number));
    }
  }
  return solution.map((value, at) => {
    const row = Math.floor(at / columns);
    return value / (left[row * size + row] as number);
  });
}

function pivotRow(matrix: Float64Array, size: number, step: number): number {
  let best = step;
  for (let row = step + 1; row < size; row++) {
    if (Math.abs(matrix[row * size + step] as number) > Math.abs(matrix[best * size + step] as number)) best = row;
  }
  return best;
}

function swapRows(matrix: Float64Array, { size, one, other }: { size: number; one: number; other: number }): void {
  const kept = matrix.slice(one * size, (one + 1) * size);
  matrix.copyWithin(one * size, other * size, (other + 1) * size);
  matrix.set(kept, other * size);
}

function subtractScaled(values: Float64Array, at: number, amount: number): void {
  values[at] = (values[at] as number) - amount;
}
