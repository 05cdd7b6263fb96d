/**
 * From values to bins: cuts by a sample of the rows, then the bins of all, by all threads.
 *
 * The thread that has the rows copies them into the shared memory piece by piece, and begins alone: the others take a tenth of a second to start, and
 * come in when they are ready.
 */

import type { TreeRows } from "./contract.ts";
import type { RowsPlan } from "./memory-plan.ts";
import type { OpenThread } from "./tree-thread.ts";

/** The rows that are copied; null in the threads that don't have them. */
export interface BinningSource {
  readonly training: TreeRows;
  readonly validation: TreeRows | null;
}

/** Rows of one task. A column's cuts and so many of its values stay in the nearest cache. */
const TILE_ROWS = 256;

/** Fills cuts and bins; run by all threads. */
export function fillAllBins(parts: OpenThread, source: BinningSource | null): void {
  const { plan, crew, columns } = parts;
  const isOpening = source !== null;
  let step = 0;
  const share: Share = (count, work) => crew.shareOpen({ step: ++step, count, isOpening }, work);
  if (source !== null) copySample(parts, source.training);
  share(columns, (column) => chooseColumnCuts(parts, column));
  const { training, validation, sampleRows } = plan;
  if (sampleRows === training.rows) binRows(parts, { rows: training, from: 0, count: sampleRows, values: plan.sample }, share);
  else binInChunks(parts, { rows: training, data: source?.training ?? null }, share);
  if (validation.rows > 0) binInChunks(parts, { rows: validation, data: source?.validation ?? null }, share);
}

/** Has the tasks of the next step done. */
type Share = (count: number, work: (task: number) => void) => void;

/** One row of each of as many equal runs of rows, so that no period in the rows is met in step. */
function copySample({ plan, buffer, columns, settings }: OpenThread, data: TreeRows): void {
  const { sampleRows, sample } = plan;
  const to = new Float32Array(buffer, sample, sampleRows * columns);
  if (sampleRows === data.rows) {
    copyRows(data, { first: 0, count: data.rows }, to);
    return;
  }
  const rows = sampledRows(data.rows, sampleRows, settings.seed);
  const { features } = data;
  if (features instanceof Float32Array) {
    for (const [run, row] of rows.entries())
      for (let column = 0; column < columns; column++) to[run * columns + column] = features[row * columns + column] as number;
  } else features.copy(rows, to);
}

/** Rows [first, first + count), into the beginning of `into`. */
export function copyRows({ features, columns }: TreeRows, { first, count }: { first: number; count: number }, into: Float32Array): void {
  if (features instanceof Float32Array) into.set(features.subarray(first * columns, (first + count) * columns));
  else
    features.copy(
      Uint32Array.from({ length: count }, (_, index) => first + index),
      into,
    );
}

function sampledRows(rows: number, sampleRows: number, seed: number): Uint32Array {
  let state = seed >>> 0;
  return Uint32Array.from({ length: sampleRows }, (_, run) => {
    // Lehmer's generator as Numerical Recipes has it; where in a run a row lies need not be more random.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((run + state / 4_294_967_296) * rows) / sampleRows);
  });
}

function chooseColumnCuts({ plan, kernel, buffer, columns, thread, settings }: OpenThread, column: number): void {
  const { sample, sampleRows } = plan;
  const sorted = plan.sorting[thread] as number;
  const spare = sorted + sampleRows * 4 + 64;
  const sizes = spare + sampleRows * 4 + 64;
  const count = kernel.sortColumn(sample, sampleRows, columns, column, sorted, spare, sizes + sampleRows * 4 + 64);
  const cuts = kernel.chooseCuts(sorted, count, settings.maxBins, spare, sizes, plan.cuts + column * 1_024);
  new Int32Array(buffer, plan.cutCounts, columns)[column] = cuts;
}

function binInChunks(parts: OpenThread, { rows, data }: { rows: RowsPlan; data: TreeRows | null }, share: Share): void {
  const { plan, buffer, columns } = parts;
  for (let from = 0; from < rows.rows; from += plan.chunkRows) {
    const count = Math.min(plan.chunkRows, rows.rows - from);
    if (data !== null) {
      copyRows(data, { first: from, count }, new Float32Array(buffer, plan.values, count * columns));
    }
    binRows(parts, { rows, from, count, values: plan.values }, share);
  }
}

interface Chunk {
  readonly rows: RowsPlan;
  readonly from: number;
  readonly count: number;
  readonly values: number;
}

function binRows({ plan, kernel, columns }: OpenThread, { rows, from, count, values }: Chunk, share: Share): void {
  const isTraining = rows === plan.training;
  share(Math.ceil(count / TILE_ROWS), (tile) => {
    const first = tile * TILE_ROWS;
    kernel.fillBins(
      values + first * columns * 4,
      Math.min(TILE_ROWS, count - first),
      columns,
      plan.cuts,
      isTraining ? plan.rowBins + (from + first) * plan.blockColumns : 0,
      plan.blockColumns,
      plan.blockBytes,
      rows.columnBins + from + first,
      rows.columnBytes,
      plan.flags,
    );
  });
}
