/** The columns of all templates of a block, as core's tables.ts writes them. */

import { ByteWriter } from "./bytes";
import { power } from "./fields";
import { LevelColumns } from "./level-writer";
import { LevelLists, writeLevels } from "./levels";
import { take } from "./memory";
import { newNumberMap } from "./number-map";
import { chooseGuess, NumberColumns, newNumberColumns, writeNumbers, writeShaped } from "./numbers";
import { Column, List, NUMBER, Table, TEXT, TIME, WORD } from "./template";
import { writeTexts } from "./texts";

/** Which of a list's columns go through the book. In files; also how many they are. */
const NONE: i32 = 0;
const KEYS: i32 = 1;
const KEYS_AND_VALUES: i32 = 2;
const MOST_BITS_TOLD: f64 = 6;
const MOST_SAMPLED: i32 = 4096;
const CLOCK_DECIMALS: i32 = 3;

/** Templates in their order, with the receive times of each one's rows; and the template of each line. */
@unmanaged
export class Tables {
  tables: usize;
  count: i32;
  receivedAt: usize;
  order: usize;
  lines: i32;

  // @ts-ignore: decorator
  @inline
  table(index: i32): Table {
    return changetype<Table>(load<usize>(this.tables + (usize(index) << 2)));
  }
}

export function writeTables(out: ByteWriter, tables: Tables): void {
  let lists = 0;
  for (let index = 0; index < tables.count; index++) {
    const table = tables.table(index);
    writeTable(out, table, NONE, load<usize>(tables.receivedAt + (usize(index) << 2)));
    lists += table.listCount;
  }
  const uses = take(usize(lists) << 2);
  const levels = changetype<LevelLists>(take(offsetof<LevelLists>()));
  levels.lists = take(usize(lists) * offsetof<LevelColumns>());
  levels.listCount = lists;
  let at = 0;
  for (let index = 0; index < tables.count; index++) {
    const table = tables.table(index);
    for (let list = 0; list < table.listCount; list++, at++) {
      const use = levelUse(table.list(list));
      store<i32>(uses + (usize(at) << 2), use);
      out.byte(use);
    }
  }
  writeShapes(out, tables, levels, uses);
  writeRuns(tables, levels, uses);
  writeLevels(out, levels);
  at = 0;
  for (let index = 0; index < tables.count; index++) {
    const table = tables.table(index);
    for (let list = 0; list < table.listCount; list++, at++)
      writeTable(out, table.list(list).elements, load<i32>(uses + (usize(at) << 2)), levels.list(at).keys);
  }
}

/** Brings levels to one scale, and lists them. */
function writeShapes(out: ByteWriter, tables: Tables, levels: LevelLists, uses: usize): void {
  let at = 0;
  let template = 0;
  for (let index = 0; index < tables.count; index++) {
    const table = tables.table(index);
    for (let place = 0; place < table.listCount; place++, at++) {
      const elements = table.list(place).elements;
      const use = load<i32>(uses + (usize(at) << 2));
      const columns = levels.list(at);
      columns.keys = 0;
      columns.values = 0;
      if (use >= KEYS) columns.keys = shaped(out, numberColumn(elements, 0), elements.rows);
      if (use >= KEYS_AND_VALUES) columns.values = shaped(out, numberColumn(elements, 1), elements.rows);
      columns.count = use === NONE ? 0 : elements.rows;
      columns.group = place;
      columns.template = template;
    }
    if (table.listCount > 0) template++;
  }
}

function shaped(out: ByteWriter, column: Column, rows: i32): usize {
  writeShaped(out, column.values, column.extra, rows);
  return column.values;
}

/** Which list has how many levels next, over the lines in their order. */
function writeRuns(tables: Tables, levels: LevelLists, uses: usize): void {
  const firstLists = take(usize(tables.count) << 2);
  const rows = take(usize(tables.count) << 2);
  let lists = 0;
  let most = 0;
  for (let index = 0; index < tables.count; index++) {
    store<i32>(firstLists + (usize(index) << 2), lists);
    store<i32>(rows + (usize(index) << 2), 0);
    lists += tables.table(index).listCount;
    most += tables.table(index).listCount * tables.table(index).rows;
  }
  levels.runs = take(usize(most) << 3);
  let end = levels.runs;
  for (let line = 0; line < tables.lines; line++) {
    const place = load<i32>(tables.order + (usize(line) << 2));
    const table = tables.table(place);
    const rowAt = rows + (usize(place) << 2);
    const row = load<i32>(rowAt);
    store<i32>(rowAt, row + 1);
    for (let index = 0; index < table.listCount; index++) {
      const list = load<i32>(firstLists + (usize(place) << 2)) + index;
      const count = load<i32>(table.list(index).counts + (usize(row) << 3));
      if (load<i32>(uses + (usize(list) << 2)) === NONE || count === 0) continue;
      store<i32>(end, list);
      store<i32>(end + 4, count);
      end += 8;
    }
  }
  levels.runCount = i32((end - levels.runs) >> 3);
}

/** @param leaveOut so many of the first plain numbers are written elsewhere. @param base receive times, or a list's keys; 0 where there are neither. */
function writeTable(out: ByteWriter, table: Table, leaveOut: i32, base: usize): void {
  const numbers = newNumberColumns(table.columnCount + table.listCount, table.rows);
  let left = leaveOut;
  for (let index = 0; index < table.columnCount; index++) {
    const column = table.column(index);
    if (isText(column) || (column.kind === NUMBER && left-- > 0)) continue;
    const shape = writeShaped(out, column.values, column.extra, table.rows);
    const decimals = shape.most - shape.zeros - CLOCK_DECIMALS;
    numbers.add(column.values, column.kind === TIME && decimals >= 0 ? i32(power(decimals)) : 0);
  }
  for (let index = 0; index < table.listCount; index++) numbers.add(table.list(index).counts, 0);
  if (numbers.count > 0) {
    know(numbers, base, table.rows);
    writeNumbers(out, numbers);
  }
  for (let index = 0; index < table.columnCount; index++)
    if (isText(table.column(index))) writeTexts(out, table.column(index), table.rows);
}

function isText(column: Column): bool {
  return column.kind === TEXT || column.kind === WORD;
}

function know(numbers: NumberColumns, base: usize, rows: i32): void {
  if (base === 0) {
    numbers.base = take(usize(rows) << 3);
    memory.fill(numbers.base, 0, usize(rows) << 3);
    return;
  }
  numbers.base = base;
  numbers.sameKey = sameKeys(base, rows);
}

/** For each row, the one before that had the same key, or -1. */
function sameKeys(keys: usize, rows: i32): usize {
  const same = take(usize(rows) << 2);
  const slots = newNumberMap(4);
  for (let row = 0; row < rows; row++) {
    const slot = slots.slotOf(load<i64>(keys + (usize(row) << 3)));
    const at = same + (usize(row) << 2);
    store<i32>(at, -1);
    if (slot < 0) continue;
    // What an entry holds beside its key: the latest row, counted from 1.
    const latest = slots.entry(slot) + 8;
    store<i32>(at, load<i32>(latest) - 1);
    store<i32>(latest, row + 1);
  }
  return same;
}

/** The table's plain number of that place; null where it has fewer. */
function numberColumn(table: Table, place: i32): Column {
  let left = place;
  for (let index = 0; index < table.columnCount; index++)
    if (table.column(index).kind === NUMBER && left-- === 0) return table.column(index);
  return changetype<Column>(0);
}

function levelUse(list: List): i32 {
  const elements = list.elements;
  const key = numberColumn(elements, 0);
  const value = numberColumn(elements, 1);
  const rows = elements.rows;
  if (changetype<usize>(key) === 0 || rows === 0) return NONE;
  if (changetype<usize>(value) === 0) return KEYS;
  for (let at = value.values, end = at + (usize(rows) << 3); at < end; at += 8) if (load<i64>(at) < 0) return KEYS;
  // A part of them tells as much.
  const numbers = newNumberColumns(1, min(rows, MOST_SAMPLED));
  numbers.add(value.values, 0);
  know(numbers, key.values, numbers.rows);
  return chooseGuess(numbers, 0) > MOST_BITS_TOLD ? KEYS_AND_VALUES : KEYS;
}
