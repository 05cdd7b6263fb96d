/** How a worker gets the features of its items: copied out of shared memory, or read from the file while the kernels are busy with the step before. */

import { closeSync, openSync, read } from "node:fs";
import type { RowSource } from "./row-source.ts";

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
    return {
      isSlow: false,
      gather(items, into) {
        for (let index = 0; index < items.length; index++) {
          const last = ends[items[index] as number] as number;
          copy(values, { from: (last + 1) * columns - size, size, into, to: index * size });
        }
        return null;
      },
      close() {},
    };
  }
  const file = openSync(table.path, "r");
  return {
    isSlow: true,
    async gather(items, into) {
      const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
      const reads = Array.from(items, (item, index) => {
        const position = table.offset + ((ends[item] as number) + 1 - window) * columns * 4;
        return readFully(file, bytes.subarray(index * size * 4, (index + 1) * size * 4), position);
      });
      await Promise.all(reads);
    },
    close: () => closeSync(file),
  };
}

/** A few dozen numbers are copied faster one by one than by making two views of them. */
const SHORT = 64;

function copy(values: Float32Array, { from, size, into, to }: { from: number; size: number; into: Float32Array; to: number }): void {
  if (size > SHORT) {
    into.set(values.subarray(from, from + size), to);
    return;
  }
  for (let at = 0; at < size; at++) into[to + at] = values[from + at] as number;
}

function readFully(file: number, into: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const more = (done: number): void => {
      read(file, into, done, into.length - done, position + done, (error, count) => {
        if (error !== null) reject(error);
        else if (count === 0) reject(new Error(`the file of prepared rows ends before byte ${position + into.length}: it was changed`));
        else if (done + count < into.length) more(done + count);
        else resolve();
      });
    };
    more(0);
  });
}
