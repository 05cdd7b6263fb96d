/** How a worker gets the features of its items: copied out of shared memory, or read from the file while the kernels are busy with the step before. */

import { closeSync, openSync, read } from "node:fs";
import { prepareInput } from "../../models/prepare.ts";
import { CommandError } from "../command-error.ts";
import type { FileTable, RawTable, RowSource } from "./row-source.ts";

export interface RowReader {
  /** Whether rows take time to come, so that they should be asked for a step ahead. */
  readonly isSlow: boolean;
  /** Brings the windows of `items` into `into`, one behind the other. @returns null when they are there already. */
  gather(items: Uint32Array, into: Float32Array): Promise<void> | null;
  close(): void;
}

export function openRowReader(source: RowSource): RowReader {
  const { table, columns, window, ends } = source;
  const size = window * columns;
  if (table.kind === "memory") {
    const { values } = table;
    let starts = new Float64Array(0);
    return {
      isSlow: false,
      gather(items, into) {
        if (starts.length !== items.length) starts = new Float64Array(items.length);
        for (let index = 0; index < items.length; index++) starts[index] = ((ends[items[index] as number] as number) + 1) * columns - size;
        if (size <= SHORT) copyShort(values, { starts, size, into });
        else for (const [index, from] of starts.entries()) into.set(values.subarray(from, from + size), index * size);
        return null;
      },
      close() {},
    };
  }
  return table.kind === "file" ? preparedReader(source, table) : rawReader(source, table);
}

function preparedReader(source: RowSource, { path, offset }: FileTable): RowReader {
  const file = openSync(path, "r");
  return {
    isSlow: true,
    async gather(items, into) {
      await readWindows(file, source, { items, into: new Uint8Array(into.buffer, into.byteOffset, into.byteLength), offset });
      checkFinite(source, items, into);
    },
    close: () => closeSync(file),
  };
}

function rawReader(source: RowSource, { path, normaliser }: RawTable): RowReader {
  const { columns } = source;
  const file = openSync(path, "r");
  /** Not read into at present; of one length, that of a step. */
  const spare: Float64Array[] = [];
  return {
    isSlow: true,
    async gather(items, into) {
      const length = items.length * source.window * columns;
      const last = spare.pop();
      const raw = last?.length === length ? last : new Float64Array(length);
      await readWindows(file, source, { items, into: new Uint8Array(raw.buffer), offset: 0 });
      for (let at = 0; at < raw.length; at += columns) prepareInput(raw.subarray(at, at + columns), normaliser, into, at);
      spare.push(raw);
    },
    close: () => closeSync(file),
  };
}

/** The windows of `items`, one behind the other. Reads share one callback and one buffer: what each left behind would be collected long after. */
function readWindows(
  file: number,
  { ends, window }: RowSource,
  { items, into, offset }: { items: Uint32Array; into: Uint8Array; offset: number },
): Promise<void> {
  const bytes = into.length / Math.max(1, items.length);
  const rowBytes = bytes / window;
  const placeOf = (item: number): number => offset + ((ends[item] as number) + 1 - window) * rowBytes;
  return new Promise((resolve, reject) => {
    let waiting = items.length;
    let failure: Error | null = null;
    let isShort = false;
    const done = (error: Error | null, count: number): void => {
      failure ??= error;
      isShort ||= error === null && count < bytes;
      if (--waiting > 0) return;
      if (failure !== null) reject(failure);
      else if (isShort) readAgain(file, { items, into, bytes, placeOf }).then(resolve, reject);
      else resolve();
    };
    if (waiting === 0) resolve();
    for (let index = 0; index < items.length; index++) read(file, into, index * bytes, bytes, placeOf(items[index] as number), done);
  });
}

interface Readings {
  readonly items: Uint32Array;
  readonly into: Uint8Array;
  readonly bytes: number;
  readonly placeOf: (item: number) => number;
}

/** A read may bring less than was asked for; which one did, isn't known. */
async function readAgain(file: number, { items, into, bytes, placeOf }: Readings): Promise<void> {
  for (const [index, item] of items.entries()) await readFully(file, into.subarray(index * bytes, (index + 1) * bytes), placeOf(item));
}

/** Numbers of a row that is copied one by one: two views of it would take longer. */
const SHORT = 64;
/** Numbers in a line of the processor's cache, of 64 bytes. */
const LINE = 16;

/**
 * First one number of each cache line of all rows, then the rows: they lie apart in memory, and reads that don't need each other are waited for together.
 * Of 500,000 rows of 40 that takes a quarter of the time of one row after the other.
 */
function copyShort(values: Float32Array, { starts, size, into }: { starts: Float64Array; size: number; into: Float32Array }): void {
  for (let at = 0; at < size; at += LINE) copyColumn(values, { starts, at, size, into });
  copyColumn(values, { starts, at: size - 1, size, into });
  for (let index = 0; index < starts.length; index++) {
    const from = starts[index] as number;
    const to = index * size;
    for (let at = 0; at < size; at++) into[to + at] = values[from + at] as number;
  }
}

function copyColumn(
  values: Float32Array,
  { starts, at, size, into }: { starts: Float64Array; at: number; size: number; into: Float32Array },
): void {
  for (let index = 0; index < starts.length; index++) into[index * size + at] = values[(starts[index] as number) + at] as number;
}

/** A table in memory was looked through before; this much larger one only is where it is read. Throws CommandError that names the place. */
function checkFinite({ ends, columns, window }: RowSource, items: Uint32Array, into: Float32Array): void {
  // NaN as soon as one number is none, at a fraction of what a look at each would take.
  let nothing = 0;
  for (let index = 0; index < into.length; index++) nothing += 0 * (into[index] as number);
  if (nothing === 0) return;
  const at = into.findIndex((value) => !Number.isFinite(value));
  const end = ends[items[Math.floor(at / (window * columns))] as number] as number;
  const row = end + 1 - window + Math.floor((at % (window * columns)) / columns);
  throw new CommandError(`the file of prepared rows holds ${into[at]} in row ${row}, column ${at % columns}: make the dataset without it`);
}

function readFully(file: number, into: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const more = (done: number): void => {
      read(file, into, done, into.length - done, position + done, (error, count) => {
        if (error !== null) reject(error);
        else if (count === 0) reject(new Error(`the file of rows ends before byte ${position + into.length}: it was changed`));
        else if (done + count < into.length) more(done + count);
        else resolve();
      });
    };
    more(0);
  });
}
