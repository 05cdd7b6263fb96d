/**
 * Level lists: keys (prices, or a venue's level ids) and what each is set to.
 *
 * A row's keys that were touched lately are told by how far back they stand on the trail of touched keys (mirrored-book.ts), ordered by that; the
 * others by steps from one to the next. Since venues send levels in order of price, the two kinds fall into place by sorting; a row that is not
 * in order is told by steps alone. A value is told by what it does to its level: removes it, leaves it, sets it back to what it was before, or
 * changes it by an amount (amounts.ts). The book only predicts: whatever it holds, what was written is what is read.
 */

import { AmountCounter, Amounts, MOST_LISTED } from "./amounts.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { readIntegers, unzigzag, writeIntegers, zigzag } from "./integers.ts";
import type { LevelColumns } from "./level-model.ts";
import { LevelReader } from "./level-reader.ts";
import { LevelWriter } from "./level-writer.ts";
import { MirroredBook } from "./mirrored-book.ts";

/** In which order lists are walked: the list's number, and how many levels it has there. */
export interface LevelRun {
  readonly list: number;
  readonly count: number;
}

export function writeLevels(out: ByteWriter, lists: readonly LevelColumns[], runs: readonly LevelRun[]): void {
  const listed = countAmounts(lists, runs).mostFrequent();
  out.integer(listed.length);
  const steps = listed.map((amount, rank) => zigzag(amount - (listed[rank - 1] ?? 0)));
  writeIntegers(out, steps, steps.length);
  const book = new MirroredBook();
  const amounts = new Amounts(listed);
  const writers = Array.from({ length: templatesOf(lists) }, () => new LevelWriter(book, amounts));
  walk(lists, runs, (columns, from, to) => (writers[columns.template] as LevelWriter).row(columns, from, to));
  for (const writer of writers) writer.finish(out);
}

/** Fills the columns, whose arrays have their full length already. */
export function readLevels(reader: ByteReader, lists: readonly LevelColumns[], runs: readonly LevelRun[]): void {
  const listed = readIntegers(reader, reader.integer(MOST_LISTED));
  for (let rank = 0; rank < listed.length; rank++)
    listed[rank] = unzigzag(listed[rank] as number) + (rank > 0 ? (listed[rank - 1] as number) : 0);
  const book = new MirroredBook();
  const amounts = new Amounts([...listed]);
  const readers = Array.from({ length: templatesOf(lists) }, () => new LevelReader(reader, book, amounts));
  walk(lists, runs, (columns, from, to) => (readers[columns.template] as LevelReader).row(columns, from, to));
}

type Visit = (columns: LevelColumns, from: number, to: number) => void;

function templatesOf(lists: readonly LevelColumns[]): number {
  let templates = 0;
  for (const { template } of lists) templates = Math.max(templates, template + 1);
  return templates;
}

function walk(lists: readonly LevelColumns[], runs: readonly LevelRun[], visit: Visit): void {
  const next = new Uint32Array(lists.length);
  for (let index = 0; index < runs.length; index++) {
    const { list, count } = runs[index] as LevelRun;
    const from = next[list] as number;
    next[list] = from + count;
    visit(lists[list] as LevelColumns, from, from + count);
  }
}

/** Levels on which amounts are counted: what is frequent shows in a part. */
const COUNTED = 40_000;

function countAmounts(lists: readonly LevelColumns[], runs: readonly LevelRun[]): AmountCounter {
  const book = new MirroredBook();
  const counter = new AmountCounter();
  let left = COUNTED;
  walk(lists, runs, ({ keys, values }, from, to) => {
    for (let index = from; index < to && left > 0; index++, left--) {
      const slot = book.slotOf(keys[index] as number);
      const value = values === null ? 0 : (values[index] as number);
      const last = book.lastOf(slot);
      if (value !== 0 && value !== last && value !== book.beforeOf(slot)) counter.count(Math.abs(value - last));
      book.set(slot, keys[index] as number, value, 0);
    }
  });
  return counter;
}
