/** The kernel of kernels/trees/ in Node: one compiled module for all threads, one instance in each, over their one shared memory. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** What of it is used here: Node's types leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (options: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

/** Grows never: `buffer` stays what it is. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/** An address in bytes of the shared memory; 0 stands for "none". */
export type Address = number;

/** What each does is said in kernels/trees/. */
export interface TreeKernel {
  sortColumn(sample: Address, rows: number, columns: number, column: number, sorted: Address, spare: Address, counts: Address): number;
  chooseCuts(sorted: Address, size: number, maxBins: number, distinct: Address, sizes: Address, cuts: Address): number;
  fillBins(
    values: Address,
    rows: number,
    columns: number,
    cuts: Address,
    rowBins: Address,
    blockColumns: number,
    blockBytes: number,
    columnBins: Address,
    columnBytes: number,
    flags: Address,
  ): void;
  squaredError: RowLoss;
  absoluteError: RowLoss;
  logLoss: RowLoss;
  quantileError(level: number, ...rest: Parameters<RowLoss>): void;
  softmax(
    answers: Address,
    classBytes: number,
    classes: number,
    targets: Address,
    weights: Address,
    from: number,
    to: number,
    probabilities: Address,
    sums: Address,
  ): void;
  multiclass(
    label: number,
    classes: number,
    probabilities: Address,
    targets: Address,
    weights: Address,
    from: number,
    to: number,
    gradients: Address,
    hessians: Address,
    sums: Address,
  ): void;
  quantise(
    gradients: Address,
    hessians: Address,
    from: number,
    to: number,
    gradientScale: number,
    hessianScale: number,
    hessianBits: bigint,
    quanta: Address,
    sums: Address,
  ): void;
  quantiseRows(
    rows: Address,
    gradients: Address,
    hessians: Address,
    from: number,
    to: number,
    gradientScale: number,
    hessianScale: number,
    hessianBits: bigint,
    quanta: Address,
    sums: Address,
  ): void;
  drawRows(from: number, to: number, wanted: number, seed: bigint, rows: Address): void;
  addHistogram(
    rows: Address,
    quanta: Address,
    count: number,
    bins: Address,
    stride: number,
    columns: number,
    histogram: Address,
    sink: Address,
  ): void;
  addHistogramOfAll(quanta: Address, count: number, bins: Address, stride: number, columns: number, histogram: Address): void;
  addHistogramOfList(
    rows: Address,
    quanta: Address,
    count: number,
    bins: Address,
    stride: number,
    list: Address,
    listed: number,
    histogram: Address,
  ): void;
  findInRoot(
    histogram: Address,
    from: number,
    to: number,
    cutCounts: Address,
    active: Address,
    monotone: Address,
    hessianBits: number,
    lambda: number,
    node: Address,
    out: Address,
  ): void;
  findInPair(
    small: Address,
    larger: Address,
    from: number,
    to: number,
    cutCounts: Address,
    flags: Address,
    active: Address,
    monotone: Address,
    hessianBits: number,
    lambda: number,
    smallNode: Address,
    largerNode: Address,
    smallOut: Address,
    largerOut: Address,
  ): void;
  lookAhead(
    order: number,
    histogram: Address,
    columns: number,
    cutCounts: Address,
    active: Address,
    hessianBits: number,
    lambda: number,
    node: Address,
    rows: Address,
    quanta: Address,
    count: number,
    columnBins: Address,
    columnBytes: number,
    signs: Address,
    out: Address,
  ): void;
  countLeft(rows: Address, count: number, column: Address, bin: number, turn: number): number;
  countLeftOfAll(from: number, to: number, column: Address, bin: number, turn: number): number;
  partition(
    rows: Address,
    quanta: Address,
    count: number,
    column: Address,
    bin: number,
    turn: number,
    toRows: Address,
    toQuanta: Address,
    left: number,
    right: number,
  ): number;
  partitionAll(
    from: number,
    to: number,
    quanta: Address,
    column: Address,
    bin: number,
    turn: number,
    toRows: Address,
    toQuanta: Address,
    left: number,
    right: number,
  ): number;
  addToRows(rows: Address, count: number, value: number, answers: Address): void;
  splitToRows(
    rows: Address,
    first: number,
    count: number,
    column: Address,
    bin: number,
    turn: number,
    left: number,
    right: number,
    answers: Address,
  ): void;
  addTree(table: Address, from: number, to: number, answers: Address): void;
  sumWeights(rows: Address, count: number, weights: Address): number;
  weightedQuantile(
    level: number,
    rows: Address,
    count: number,
    targets: Address,
    answers: Address,
    weights: Address,
    keys: Address,
    sums: Address,
  ): number;
}

export type RowLoss = (
  answers: Address,
  targets: Address,
  weights: Address,
  from: number,
  to: number,
  gradients: Address,
  hessians: Address,
  sums: Address,
) => void;

const FILE = resolve(import.meta.dirname, "..", "..", "kernels", "trees", "trees.wasm");
export const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. */
export const MOST_PAGES = 65_536;

let compiled: object | null = null;

/** Once a process: modules have no state. */
export function compileTreeKernel(): object {
  compiled ??= new WebAssembly.Module(readFileSync(FILE));
  return compiled;
}

/** Throws RangeError where the system gives no such memory. */
export function takeSharedMemory(bytes: number): SharedMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function openTreeKernel(module: object, memory: SharedMemory): TreeKernel {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as TreeKernel;
}
