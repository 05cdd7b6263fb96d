/**
 * Data sets to train trees on, made from a seed: each of a kind that boosting meets and may do badly on. A draw has its own training and test
 * rows of one distribution. What a target is made of stands at each set.
 */

import { Random } from "../../core/math/random.ts";
import type { TreeData, TreeObjective } from "../../training/trees/contract.ts";

export interface DataSet {
  readonly name: string;
  readonly about: string;
  readonly objective: TreeObjective;
  readonly columns: number;
  /** What the comparison needs to tell more than luck; left out: as the others. */
  readonly rows?: number;
  /** Writes one row's features, and answers its target. */
  readonly draw: (random: Random, row: Float32Array) => number;
  /** Of a row; null: all alike. */
  readonly weigh: ((row: Float32Array) => number) | null;
}

export interface Drawn {
  readonly train: TreeData;
  readonly test: TreeData;
}

export function drawData(set: DataSet, { seed, rows, testRows }: { seed: number; rows: number; testRows: number }): Drawn {
  const random = new Random(seed);
  const draw = (count: number): TreeData => {
    const features = new Float32Array(count * set.columns);
    const targets = new Float32Array(count);
    const weights = set.weigh === null ? null : new Float32Array(count);
    for (let index = 0; index < count; index++) {
      const row = features.subarray(index * set.columns, (index + 1) * set.columns);
      targets[index] = set.draw(random, row);
      if (weights !== null && set.weigh !== null) weights[index] = set.weigh(row);
    }
    return { rows: count, columns: set.columns, features, targets, weights };
  };
  return { train: draw(rows), test: draw(testRows) };
}

const SQUARED = { kind: "squared-error" } as const;

/** J. Friedman, "Multivariate adaptive regression splines", 1991, equation 61, on the first five of `row`, each uniform on [0, 1). */
function friedman(row: Float32Array): number {
  const [a, b, c, d, e] = row as unknown as [number, number, number, number, number];
  return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) * (c - 0.5) + 10 * d + 5 * e;
}

function fillUniform(random: Random, row: Float32Array): void {
  for (let column = 0; column < row.length; column++) row[column] = random.uniform();
}

function fillNormal(random: Random, row: Float32Array): void {
  for (let column = 0; column < row.length; column++) row[column] = random.normal();
}

const at = (row: Float32Array, column: number): number => row[column] as number;
const signOf = (row: Float32Array, ...columns: readonly number[]): number =>
  columns.reduce((sign, column) => (at(row, column) < 0 ? -sign : sign), 1);

/** Student's t with `degrees`, whole: a normal over the root of a mean of squares. */
function studentT(random: Random, degrees: number): number {
  const numerator = random.normal();
  let squares = 0;
  for (let index = 0; index < degrees; index++) {
    const value = random.normal();
    squares += value * value;
  }
  return numerator / Math.sqrt(squares / degrees);
}

/** Friedman's function and noise of deviation 1, both a fifth: losses of all sets are then of a size. */
function drawSmooth(random: Random, row: Float32Array): number {
  fillUniform(random, row);
  return (friedman(row) + random.normal()) / 5;
}

/** What speed is measured on. */
export function speedSet(columns: number): DataSet {
  return {
    name: `${columns} columns`,
    about: "products, waves and a step of a few of them, and noise of deviation 1",
    objective: SQUARED,
    columns,
    weigh: null,
    draw: (random, row) => {
      fillNormal(random, row);
      const [a, b, c, d, e, f] = row as unknown as [number, number, number, number, number, number];
      return Math.sin(2 * a) + 0.5 * b * c + (d > 0.5 ? 1 : 0) + 0.3 * e * e * Math.sign(f) + 0.2 * at(row, 6) + random.normal();
    },
  };
}

export const QUALITY_SETS: readonly DataSet[] = [
  { ...speedSet(40), name: "products" },
  { name: "smooth", about: "Friedman's function, noise of deviation 1", objective: SQUARED, columns: 10, weigh: null, draw: drawSmooth },
  {
    name: "xor",
    about: "the sign of one product of two columns and of one of three, of 40: no single split gains but by chance",
    objective: SQUARED,
    columns: 40,
    // With 10,000 rows nobody learns anything of it.
    rows: 50_000,
    weigh: null,
    draw: (random, row) => {
      fillNormal(random, row);
      return signOf(row, 0, 1) + signOf(row, 2, 3, 4) + 0.5 * random.normal();
    },
  },
  {
    name: "xor-pairs",
    about: "the signs of four products of two columns each, of 40",
    objective: SQUARED,
    columns: 40,
    weigh: null,
    draw: (random, row) => {
      fillNormal(random, row);
      return signOf(row, 0, 1) + signOf(row, 2, 3) + signOf(row, 4, 5) + signOf(row, 6, 7) + 0.5 * random.normal();
    },
  },
  {
    name: "heavy-tails",
    about: "Friedman's function, noise of Student's t with 2 degrees, by absolute error",
    objective: { kind: "absolute-error" },
    columns: 10,
    weigh: null,
    draw: (random, row) => {
      fillUniform(random, row);
      return (friedman(row) + 2 * studentT(random, 2)) / 5;
    },
  },
  {
    name: "heavy-tails-squared",
    about: "Friedman's function, noise of Student's t with 4 degrees, by squared error",
    objective: SQUARED,
    columns: 10,
    weigh: null,
    draw: (random, row) => {
      fillUniform(random, row);
      return (friedman(row) + 2 * studentT(random, 4)) / 5;
    },
  },
  {
    name: "quantile",
    about: "the ninth of ten parts, noise growing with a column",
    objective: { kind: "quantile", level: 0.9 },
    columns: 10,
    weigh: null,
    draw: (random, row) => {
      fillUniform(random, row);
      return (friedman(row) + 4 * at(row, 5) * random.normal()) / 5;
    },
  },
  {
    name: "missing-at-random",
    about: "Friedman's function, of which a fifth of the values is missing",
    objective: SQUARED,
    columns: 10,
    weigh: null,
    draw: (random, row) => {
      const target = drawSmooth(random, row);
      for (let column = 0; column < row.length; column++) if (random.uniform() < 0.2) row[column] = Number.NaN;
      return target;
    },
  },
  {
    name: "missing-informative",
    about: "Friedman's function; large values of two columns are missing, and that a third is missing adds to the target",
    objective: SQUARED,
    columns: 10,
    weigh: null,
    draw: (random, row) => {
      const target = drawSmooth(random, row);
      for (const column of [0, 3]) if (at(row, column) > 0.8) row[column] = Number.NaN;
      const isAbsent = random.uniform() < 0.3;
      if (isAbsent) row[7] = Number.NaN;
      return target + (isAbsent ? 1 : 0);
    },
  },
  {
    name: "binary",
    about: "log-odds of a smooth function and an interaction, by log-loss",
    objective: { kind: "log-loss" },
    columns: 20,
    weigh: null,
    draw: (random, row) => {
      fillNormal(random, row);
      const odds = at(row, 0) + 1.5 * at(row, 1) * at(row, 2) + Math.sin(3 * at(row, 3)) - 0.5;
      return random.uniform() < 1 / (1 + Math.exp(-odds)) ? 1 : 0;
    },
  },
  {
    name: "multiclass",
    about: "five classes, softmax of five functions, unevenly frequent",
    objective: { kind: "multiclass", classes: 5 },
    columns: 20,
    weigh: null,
    draw: (random, row) => {
      fillNormal(random, row);
      const scores = [0, 1, 2, 3, 4].map((of) => Math.sin(of + at(row, of)) * 2 + 0.7 * at(row, of + 5) * at(row, (of * 3) % 5) - 0.4 * of);
      // The largest of scores with Gumbel's noise is a draw from their softmax.
      const noisy = scores.map((score) => score - Math.log(random.exponential()));
      return noisy.indexOf(Math.max(...noisy));
    },
  },
  {
    name: "many-columns",
    about: "Friedman's function in 5 of 200 columns",
    objective: SQUARED,
    columns: 200,
    weigh: null,
    draw: drawSmooth,
  },
  {
    name: "few-values",
    about: "whole numbers, flags and columns that are mostly zero",
    objective: SQUARED,
    columns: 20,
    weigh: null,
    draw: (random, row) => {
      for (let column = 0; column < row.length; column++) {
        if (column < 8) row[column] = random.integerBelow(2 + column);
        else if (column < 14) row[column] = random.uniform() < 0.9 ? 0 : random.normal();
        else row[column] = random.uniform() < 0.3 ? 1 : 0;
      }
      const level = (at(row, 5) * 7 + at(row, 6) * 3) % 5;
      return level * 0.4 + at(row, 8) + (at(row, 14) === at(row, 15) ? 1 : 0) * at(row, 3) * 0.5 + 0.5 * random.normal();
    },
  },
  {
    name: "weighted",
    about: "Friedman's function, rows weighed by one to ten, noise by weight",
    objective: SQUARED,
    columns: 10,
    weigh: (row) => 1 + 9 * at(row, 9),
    draw: (random, row) => {
      fillUniform(random, row);
      return (friedman(row) + random.normal() * (3 - 2 * at(row, 9))) / 5;
    },
  },
];
