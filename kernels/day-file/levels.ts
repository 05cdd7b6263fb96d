/** Level lists, as core's levels.ts walks them. */

import { ByteWriter } from "./bytes";
import { writeIntegers, zigzag } from "./integers";
import { AmountCounter, LevelBook, MOST_LISTED, newAmountCounter, newAmounts, newLevelBook } from "./level-book";
import { LevelColumns, LevelWriter, newLevelWriter } from "./level-writer";
import { take } from "./memory";
import { newNumberMap } from "./number-map";

/** Levels on which amounts are counted. */
const COUNTED: i32 = 40_000;

/** In which order lists are walked: a list's number and how many levels it has there, 32 bits each. */
@unmanaged
export class LevelLists {
  lists: usize;
  listCount: i32;
  runs: usize;
  runCount: i32;
  /** The slot of each key, in the order of the walk. */
  slots: usize;

  // @ts-ignore: decorator
  @inline
  list(index: i32): LevelColumns {
    return changetype<LevelColumns>(this.lists + usize(index) * offsetof<LevelColumns>());
  }
}

export function writeLevels(out: ByteWriter, levels: LevelLists): void {
  const book = newLevelBook(findSlots(levels));
  const counter = countAmounts(levels, book);
  const listed = counter.sortFrequent();
  writeListed(out, counter.map.entries, listed);
  book.clear();
  const amounts = newAmounts(counter.map.entries, listed);
  let templates = 0;
  for (let index = 0; index < levels.listCount; index++) templates = max(templates, levels.list(index).template + 1);
  const writers = take(usize(templates) << 2);
  for (let template = 0; template < templates; template++)
    store<usize>(writers + (usize(template) << 2), changetype<usize>(newLevelWriter(book, amounts, levelsOf(levels, template))));
  rewind(levels);
  let slots = levels.slots;
  for (let run = levels.runs, end = run + (usize(levels.runCount) << 3); run < end; run += 8) {
    const columns = levels.list(load<i32>(run));
    const from = columns.walked;
    columns.walked += load<i32>(run + 4);
    changetype<LevelWriter>(load<usize>(writers + (usize(columns.template) << 2))).row(columns, from, columns.walked, slots);
    slots += usize(load<i32>(run + 4)) << 2;
  }
  for (let template = 0; template < templates; template++)
    changetype<LevelWriter>(load<usize>(writers + (usize(template) << 2))).finish(out);
}

function levelsOf(levels: LevelLists, template: i32): i32 {
  let count = 0;
  for (let index = 0; index < levels.listCount; index++) if (levels.list(index).template === template) count += levels.list(index).count;
  return count;
}

function rewind(levels: LevelLists): void {
  for (let index = 0; index < levels.listCount; index++) levels.list(index).walked = 0;
}

function writeListed(out: ByteWriter, entries: usize, count: i32): void {
  const steps = take(usize(MOST_LISTED) << 3);
  let before: i64 = 0;
  for (let rank = 0; rank < count; rank++) {
    const amount = load<i64>(entries + (usize(rank) << 4));
    store<u64>(steps + (usize(rank) << 3), zigzag(amount - before));
    before = amount;
  }
  out.integer(count);
  writeIntegers(out, steps, count);
}

/** @returns how many slots there are, with the 0. All keys at once: a look-up then waits for memory while others do, not between what is written of a level. */
function findSlots(levels: LevelLists): i32 {
  let count = 0;
  for (let index = 0; index < levels.listCount; index++) count += levels.list(index).count;
  levels.slots = take(usize(count) << 2);
  const map = newNumberMap(3);
  let slots = levels.slots;
  rewind(levels);
  for (let run = levels.runs, end = run + (usize(levels.runCount) << 3); run < end; run += 8) {
    const columns = levels.list(load<i32>(run));
    const from = columns.walked;
    columns.walked += load<i32>(run + 4);
    for (let index = from; index < columns.walked; index++, slots += 4) store<i32>(slots, map.slotOf(columns.key(index)) + 1);
  }
  return map.count + 1;
}

function countAmounts(levels: LevelLists, book: LevelBook): AmountCounter {
  const counter = newAmountCounter();
  let left = COUNTED;
  let slots = levels.slots;
  rewind(levels);
  for (let run = levels.runs, end = run + (usize(levels.runCount) << 3); run < end && left > 0; run += 8) {
    const columns = levels.list(load<i32>(run));
    const from = columns.walked;
    columns.walked += load<i32>(run + 4);
    for (let index = from; index < columns.walked && left > 0; index++, left--, slots += 4) {
      const slot = load<i32>(slots);
      const level = book.level(slot);
      const value = columns.value(index);
      if (value !== 0 && value !== level.last && value !== level.before) counter.count(abs(value - level.last));
      book.set(slot, value, 0);
    }
  }
  return counter;
}
