/** The line that every run is shown beside, fitted on the same rows: ridge for moves, multinomial logistic for classes, none for other answers. */

import type { ModelOutput } from "../../models/contract.ts";
import { fitRidge } from "../linear/ridge.ts";
import type { PreparedRows } from "./contract.ts";
import { answerLine, fitClassLines } from "./fit-lines.ts";
import { linearRows, windowsOf } from "./input-table.ts";

export interface BaselineLine {
  /** As ridge.f64 holds it: [outputs, columns], and behind them the intercepts where there are any. */
  readonly weights: Float64Array;
  /** Of each move or question; null where no line beat the constant. */
  readonly lambdas: readonly (number | null)[];
}

/** A path of four: the line is there to compare with, and each penalty costs a fit of every question. */
const CLASS_LAMBDAS: readonly number[] = [0.1, 0.01, 0.001, 0.0001];
/** A line of some dozen columns hardly learns from more, and each fit passes over them some ten times. */
const MOST_CLASS_ROWS = 30_000;

/** Null: answers of this kind have no line. */
export function fitBaseline(train: PreparedRows, validation: PreparedRows, output: ModelOutput): BaselineLine | null {
  if (output.unit === "bps") {
    const { weights, lambdas } = fitRidge(linearRows(train), linearRows(validation));
    return { weights, lambdas };
  }
  if (output.unit !== "probability") return null;
  const few = evenly(train, MOST_CLASS_ROWS);
  const { weights, intercepts, lambdas } = fitClassLines(few, validation, { output, lambdas: CLASS_LAMBDAS });
  return { weights: Float64Array.of(...weights, ...intercepts), lambdas };
}

/** [rows, outputs] in units of the targets' scale, or logits. @returns null where the run has no line. */
export function answerBaseline(weights: Float64Array, rows: PreparedRows): Float32Array | null {
  if (weights.length === 0) return null;
  const size = rows.columns * rows.outputs;
  const intercepts = weights.length > size ? { intercepts: weights.subarray(size) } : {};
  return answerLine({ weights: weights.subarray(0, size), ...intercepts }, rows);
}

/** At most so many rows, spread over all, in memory. */
export function evenly(rows: PreparedRows, most: number): PreparedRows {
  if (rows.rows <= most && rows.inputs.kind === "memory") return rows;
  const { columns, outputs, windows, inputs } = rows;
  const count = Math.min(most, rows.rows);
  const chosen = Uint32Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * rows.rows) / count));
  const cut = (from: Float32Array, width: number): Float32Array => {
    const picked = new Float32Array(count * width);
    for (const [index, row] of chosen.entries()) picked.set(from.subarray(row * width, (row + 1) * width), index * width);
    return picked;
  };
  const ends = chosen.map((row) => windows?.ends[row] ?? row);
  const answers = { targets: cut(rows.targets, outputs), mask: cut(rows.mask, outputs) };
  if (inputs.kind === "memory" && windows !== undefined) return { ...rows, rows: count, ...answers, windows: { size: windows.size, ends } };
  const values = windowsOf(rows, ends);
  const size = windows?.size ?? 1;
  const own = { size, ends: ends.map((_, index) => (index + 1) * size - 1) };
  return { rows: count, columns, outputs, inputs: { kind: "memory", values }, ...answers, ...(size === 1 ? {} : { windows: own }) };
}
