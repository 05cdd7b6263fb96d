import { describe, expect, it } from "vitest";
import { solvePositiveDefinite } from "../../core/math/linear-solve.ts";
import { Random } from "../../core/math/random.ts";

const random = new Random(11);

function randomMatrix(rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, () => random.uniform() - 0.5);
}

/** Aᵀ·A, [columns, columns]. */
function gram(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      for (let row = 0; row < rows; row++) {
        result[i * columns + j] = (result[i * columns + j] ?? 0) + (matrix[row * columns + i] ?? 0) * (matrix[row * columns + j] ?? 0);
      }
    }
  }
  return result;
}

/** Gauss-Jordan with pivoting: another method, so another set of mistakes. */
function solveNaively(matrix: Float64Array, right: Float64Array, size: number): number[][] {
  const width = right.length / size;
  const rows = Array.from({ length: size }, (_, row) => [
    ...matrix.subarray(row * size, row * size + size),
    ...right.subarray(row * width, row * width + width),
  ]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column; row < size; row++) if (Math.abs(at(rows, row, column)) > Math.abs(at(rows, pivot, column))) pivot = row;
    const swapped = rows[pivot] ?? [];
    rows[pivot] = rows[column] ?? [];
    rows[column] = swapped.map((value) => value / (swapped[column] ?? 0));
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = at(rows, row, column);
      rows[row] = (rows[row] ?? []).map((value, index) => value - factor * at(rows, column, index));
    }
  }
  return rows.map((row) => row.slice(size));
}

function at(rows: readonly number[][], row: number, column: number): number {
  return rows[row]?.[column] ?? Number.NaN;
}

describe("solving for a symmetric positive definite matrix", () => {
  it("agrees with elimination on ridge's normal equations, for several right sides at once", () => {
    for (const size of [1, 2, 5, 27]) {
      const matrix = gram(randomMatrix(200, size), 200, size);
      for (let at = 0; at < size; at++) matrix[at * size + at] = (matrix[at * size + at] ?? 0) + 0.1;
      const right = randomMatrix(size, 12);
      const before = [matrix.slice(), right.slice()];
      const solution = solvePositiveDefinite(matrix, right, size);
      solveNaively(matrix, right, size).forEach((row, index) => {
        row.forEach((value, column) => {
          expect(solution?.[index * 12 + column]).toBeCloseTo(value, 10);
        });
      });
      expect([matrix, right]).toEqual(before);
    }
  });

  it("known answer: [[4, 2], [2, 3]] x = [8, 7] is [1.25, 1.5]", () => {
    const solution = solvePositiveDefinite(Float64Array.of(4, 2, 2, 3), Float64Array.of(8, 7), 2);
    expect(solution?.[0]).toBeCloseTo(1.25, 14);
    expect(solution?.[1]).toBeCloseTo(1.5, 14);
  });

  it("a column said twice, an indefinite matrix or a NaN is refused, never answered with noise", () => {
    const data = randomMatrix(50, 3);
    for (let row = 0; row < 50; row++) data[row * 3 + 2] = 2 * (data[row * 3 + 1] ?? 0);
    expect(solvePositiveDefinite(gram(data, 50, 3), new Float64Array(3), 3)).toBeNull();
    expect(solvePositiveDefinite(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), 2)).toBeNull();
    expect(solvePositiveDefinite(Float64Array.of(0), Float64Array.of(1), 1)).toBeNull();
    expect(solvePositiveDefinite(Float64Array.of(Number.NaN), Float64Array.of(1), 1)).toBeNull();
    expect(solvePositiveDefinite(Float64Array.of(Number.POSITIVE_INFINITY), Float64Array.of(1), 1)).toBeNull();
  });

  it("shapes that do not fit are a bug", () => {
    expect(() => solvePositiveDefinite(new Float64Array(3), new Float64Array(2), 2)).toThrow(RangeError);
    expect(() => solvePositiveDefinite(new Float64Array(4), new Float64Array(3), 2)).toThrow(RangeError);
  });
});
