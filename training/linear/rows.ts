/**
 * What the linear models are fitted on: rows in memory, or blocks of them that are read again at each pass. Row-major.
 *
 * A cell without a target (mask 0) is left out, whatever lies there. Refused where it would teach: inputs or targets that are not finite, weights
 * below 0. One such number would make every weight NaN, and which row held it would be lost.
 */

import { CommandError } from "../command-error.ts";

/** PreparedRows of training/train is one. */
export interface RowBlock {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  /** [rows, columns]; where there are windows, [table rows, columns] of all that they see. */
  readonly inputs: Float32Array | Float64Array;
  /** [rows] the table row that each window ends with: a line sees that newest row alone. Left out: row by row. */
  readonly windows?: { readonly ends: Uint32Array };
  /** [rows, outputs] */
  readonly targets: Float32Array | Float64Array;
  /** [rows, outputs] 0: there is no target. */
  readonly mask: Float32Array | Uint8Array;
  /** [rows] how much a row counts; left out, all count 1. */
  readonly weights?: Float32Array | Float64Array;
}

/** One block, or several of the same width, begun anew at each pass. */
export type LinearRows = RowBlock | Iterable<RowBlock>;

export function blocksOf(rows: LinearRows): Iterable<RowBlock> {
  return Symbol.iterator in rows ? rows : [rows];
}

/** Of the first block. Throws CommandError when there is none. */
export function widthOf(rows: LinearRows): { columns: number; outputs: number } {
  for (const { columns, outputs } of blocksOf(rows)) return { columns, outputs };
  throw new CommandError("there are no rows to fit a line on");
}

/** How much the row counts. Throws CommandError when that is no number, or below 0. */
export function weightOf({ weights }: RowBlock, row: number): number {
  if (weights === undefined) return 1;
  const weight = weights[row] as number;
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
    throw new CommandError(`row ${row} has the weight ${weight}: weights are 0 or more`);
  return weight;
}

/** Where the row's inputs begin. */
export function placeOf({ columns, windows }: Pick<RowBlock, "columns" | "windows">, row: number): number {
  return (windows === undefined ? row : (windows.ends[row] as number)) * columns;
}

/** Copies the row's inputs. Throws CommandError when one isn't finite. */
export function copyInputs(block: RowBlock, row: number, into: Float64Array): void {
  const { inputs, columns } = block;
  const base = placeOf(block, row);
  for (let column = 0; column < columns; column++) {
    const value = inputs[base + column] as number;
    if (!Number.isFinite(value)) throw new CommandError(`column ${column} of row ${row} is ${value}: a line can't be fitted to that`);
    into[column] = value;
  }
}

/** Throws CommandError when the target isn't finite. */
export function targetOf({ targets, outputs }: RowBlock, row: number, output: number): number {
  const target = targets[row * outputs + output] as number;
  if (!Number.isFinite(target)) throw new CommandError(`target ${output} of row ${row} is ${target}: a line can't be fitted to that`);
  return target;
}
