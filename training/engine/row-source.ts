/**
 * What is trained on, as the workers see it: a table of prepared float32 rows in time order, and the items that are drawn from it. An item is the window
 * of the last `window` rows up to one row, cut when it is needed, so overlapping windows cost nothing. The table lies in shared memory, or in a file
 * where it is larger than memory allows; targets and weights are small and always lie in shared memory.
 */

import type { Normaliser } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";

/** Row-major float32. */
export interface MemoryTable {
  readonly kind: "memory";
  readonly values: Float32Array;
}

/** The same in a file, in the byte order of the machine; `offset` in bytes. */
export interface FileTable {
  readonly kind: "file";
  readonly path: string;
  readonly offset: number;
}

/** Raw float64 rows in a file, prepared when they are read; whoever names it has seen that they are finite. */
export interface RawTable {
  readonly kind: "raw";
  readonly path: string;
  readonly normaliser: Normaliser;
}

export type Table = MemoryTable | FileTable | RawTable;

export interface RowSource {
  readonly table: Table;
  readonly tableRows: number;
  readonly columns: number;
  /** Rows of the table that one item sees. */
  readonly window: number;
  /** [items] the last row of each. */
  readonly ends: Uint32Array;
  readonly outputs: number;
  /** [items, outputs] 0 where there is none. */
  readonly targets: Float32Array;
  /** [items, weightWidth]; 0 where there is no target. */
  readonly weights: Float32Array;
  /** `outputs` where each output has its own weight, else 1. */
  readonly weightWidth: number;
  /** [items] the sum of an item's weights. */
  readonly itemWeights: Float64Array;
}

export interface RowParts {
  readonly table: Table;
  readonly tableRows: number;
  readonly columns: number;
  readonly window: number;
  readonly ends: Uint32Array;
  readonly outputs: number;
  readonly targets: Float32Array;
  readonly weights: Float32Array;
  readonly weightsPer: "cell" | "row";
}

/** Brings everything into shared memory. Throws where sizes don't fit, or an item's window starts before the table. */
export function createRowSource(parts: RowParts): RowSource {
  const { columns, window, outputs, ends } = parts;
  const weightWidth = parts.weightsPer === "cell" ? outputs : 1;
  const items = ends.length;
  expectLength("targets", parts.targets.length, items * outputs);
  expectLength("weights", parts.weights.length, items * weightWidth);
  if (parts.table.kind === "memory") expectLength("the table", parts.table.values.length, parts.tableRows * columns);
  const outside = ends.findIndex((end) => end + 1 < window || end >= parts.tableRows);
  if (outside >= 0)
    throw new RangeError(`item ${outside} ends at row ${ends[outside]}: it has no ${window} rows within the ${parts.tableRows}`);
  const itemWeights = new Float64Array(new SharedArrayBuffer(8 * items));
  for (let item = 0; item < items; item++) {
    let sum = 0;
    for (let at = item * weightWidth; at < (item + 1) * weightWidth; at++) sum += parts.weights[at] as number;
    itemWeights[item] = sum;
  }
  return {
    table: parts.table.kind !== "memory" ? parts.table : { kind: "memory", values: shared(parts.table.values) },
    tableRows: parts.tableRows,
    columns,
    window,
    ends: shared(ends),
    outputs,
    targets: shared(knownOnly(parts, weightWidth)),
    weights: shared(parts.weights),
    weightWidth,
    itemWeights,
  };
}

/** 0 where there is no target: what lies there may be no number, and 0 times that is none either. */
function knownOnly({ targets, weights, outputs }: RowParts, weightWidth: number): Float32Array {
  const isUnknown = (cell: number): boolean => weights[weightWidth === 1 ? Math.floor(cell / outputs) : cell] === 0;
  if (!targets.some((target, cell) => target !== 0 && isUnknown(cell))) return targets;
  return targets.map((target, cell) => (isUnknown(cell) ? 0 : target));
}

/**
 * The rows that have `window` rows up to them within their own segment: a window never crosses a gap, and rows too young for one are left out.
 * @param segments [rows] a number that changes where a gap lies. @param rows which rows are wanted, ascending; all unless given.
 */
export function windowEnds(segments: ArrayLike<number>, window: number, rows?: Uint32Array): Uint32Array {
  const ages = new Uint32Array(segments.length);
  for (let row = 0; row < segments.length; row++)
    ages[row] = row > 0 && segments[row] === segments[row - 1] ? (ages[row - 1] as number) + 1 : 1;
  const wanted = rows ?? Uint32Array.from({ length: segments.length }, (_, row) => row);
  return wanted.filter((row) => (ages[row] ?? 0) >= window);
}

/** What the rows that come from `first` to before `end` in an order weigh. */
export function weightBetween({ itemWeights }: RowSource, order: Uint32Array, { first, end }: { first: number; end: number }): number {
  let weight = 0;
  for (let at = first; at < end; at++) weight += itemWeights[order[at] as number] as number;
  return weight;
}

/** Throws CommandError with the first number that is none: it would make every weight NaN within a step. */
export function checkFinite(source: RowSource, part: string): void {
  const { table, columns, targets, outputs, weights, weightWidth } = source;
  if (table.kind === "memory") {
    const at = table.values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      throw new CommandError(
        `${part} row ${Math.floor(at / columns)} holds ${table.values[at]} in column ${at % columns}: make the dataset without it`,
      );
  }
  for (const [cell, value] of targets.entries()) {
    const weight = weights[weightWidth === 1 ? Math.floor(cell / outputs) : cell] as number;
    if (weight !== 0 && !Number.isFinite(value))
      throw new CommandError(
        `the target ${cell % outputs} of ${part} row ${Math.floor(cell / outputs)} is ${value}: make the dataset without it`,
      );
  }
  const wrong = weights.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)));
  if (wrong >= 0)
    throw new CommandError(`the weight of ${part} row ${Math.floor(wrong / weightWidth)} is ${weights[wrong]}: weights are 0 or more`);
}

function shared<T extends Float32Array | Uint32Array>(values: T): T {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const Type = values.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Type(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

function expectLength(what: string, is: number, wanted: number): void {
  if (is !== wanted) throw new RangeError(`${what} holds ${is} numbers, not ${wanted}`);
}
