/**
 * Templates, as core's template.ts: a line that matches gives its fields to the columns as one more row. They are learned outside, and come as
 * the bytes that the block will hold of them.
 */

import { endOfText, endOfWord, fieldDecimals, fieldValue, othersIn, parseDigits, parseKnown, parseNumber, parseTime, QUOTE } from "./fields";
import { enlarge, isEqual, take } from "./memory";

/** Kinds of parts; of fields, also kinds of columns. In files. */
const LITERAL: i32 = 0;
const LIST: i32 = 1;
export const NUMBER: i32 = 2;
export const TIME: i32 = 3;
const DIGITS: i32 = 4;
export const TEXT: i32 = 5;
export const WORD: i32 = 6;
const COMMA: i32 = 44;
const CLOSE_BRACKET: i32 = 93;
const FIRST_ROOM: i32 = 16;

/** One field over all rows: 64-bit values with 32 bits more: decimals of a number or time; of a text, the address where it starts and its length. */
@unmanaged
export class Column {
  kind: i32;
  width: i32;
  values: usize;
  extra: usize;

  // @ts-ignore: decorator
  @inline
  set(row: i32, value: i64, more: i32): void {
    store<i64>(this.values + (usize(row) << 3), value);
    store<i32>(this.extra + (usize(row) << 2), more);
  }
}

@unmanaged
export class List {
  elements: Table;
  /** 64-bit, so that they can be written as a column is. */
  counts: usize;
  taken: i32;
  matched: i32;
}

@unmanaged
class Part {
  kind: i32;
  /** Of a literal its bytes; else the column or the list. */
  at: usize;
  length: usize;
  /** Of a literal of at most eight bytes, which bits of eight count. */
  mask: u64;
}

@unmanaged
export class Table {
  parts: usize;
  partCount: i32;
  columns: usize;
  columnCount: i32;
  lists: usize;
  listCount: i32;
  rows: i32;
  room: i32;
  /** Two numbers among three short literals, as most books' levels are. */
  isPair: bool;
  /** The bytes it was made of. */
  source: usize;
  sourceLength: usize;

  // @ts-ignore: decorator
  @inline
  part(index: i32): Part {
    return changetype<Part>(this.parts + usize(index) * offsetof<Part>());
  }

  // @ts-ignore: decorator
  @inline
  column(index: i32): Column {
    return changetype<Column>(this.columns + usize(index) * offsetof<Column>());
  }

  // @ts-ignore: decorator
  @inline
  list(index: i32): List {
    return changetype<List>(this.lists + usize(index) * offsetof<List>());
  }

  /** Takes a line as one more row. If it does not fit, the table is as before. */
  takeRow(from: usize, to: usize): bool {
    const fits = matchRow(this, from, to) === to;
    if (fits) this.rows++;
    for (let index = 0; index < this.listCount; index++) {
      const list = this.list(index);
      if (fits) list.taken = list.elements.rows;
      else list.elements.rows = list.taken;
    }
    return fits;
  }
}

let readAt: usize = 0;

/** @param source parts as they stand in a block. */
export function newTable(source: usize, length: usize): Table {
  readAt = source;
  const table = readTable();
  table.source = source;
  table.sourceLength = length;
  return table;
}

function readTable(): Table {
  const table = changetype<Table>(take(offsetof<Table>()));
  const count = readInteger();
  table.partCount = count;
  table.parts = take(usize(count) * offsetof<Part>());
  table.columns = take(usize(count) * offsetof<Column>());
  table.lists = take(usize(count) * offsetof<List>());
  table.columnCount = 0;
  table.listCount = 0;
  table.rows = 0;
  table.room = FIRST_ROOM;
  for (let index = 0; index < count; index++) readPart(table, table.part(index));
  table.isPair = count === 5;
  for (let index = 0; index < count && table.isPair; index++) {
    const part = table.part(index);
    table.isPair = (index & 1) === 1 ? part.kind === NUMBER : part.kind === LITERAL && part.length <= 8;
  }
  return table;
}

function readPart(table: Table, part: Part): void {
  part.kind = load<u8>(readAt++);
  if (part.kind === LITERAL) {
    part.length = usize(readInteger());
    part.at = readAt;
    part.mask = part.length < 8 ? (u64(1) << (u64(part.length) << 3)) - 1 : u64.MAX_VALUE;
    readAt += part.length;
  } else if (part.kind === LIST) {
    const list = table.list(table.listCount++);
    list.elements = readTable();
    list.counts = take(usize(FIRST_ROOM) << 3);
    list.taken = 0;
    list.matched = 0;
    part.at = changetype<usize>(list);
  } else {
    const column = table.column(table.columnCount++);
    column.kind = part.kind;
    column.width = load<u8>(readAt++);
    column.values = take(usize(FIRST_ROOM) << 3);
    column.extra = take(usize(FIRST_ROOM) << 2);
    part.at = changetype<usize>(column);
  }
}

function readInteger(): i32 {
  let value = 0;
  let shift = 0;
  let byte = 0;
  do {
    byte = load<u8>(readAt++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  return value;
}

/** Reads one row at `table.rows`, which the caller raises. @returns where it ends; 0: it does not fit. */
function matchRow(table: Table, from: usize, to: usize): usize {
  const row = table.rows;
  if (row >= table.room) makeRoom(table);
  let at = from;
  for (let place = table.parts, end = place + usize(table.partCount) * offsetof<Part>(); place < end; place += offsetof<Part>()) {
    const part = changetype<Part>(place);
    const kind = part.kind;
    if (kind === LITERAL) {
      if (!isLiteral(part, at, to)) return 0;
      at += part.length;
    } else if (kind === NUMBER) {
      const column = changetype<Column>(part.at);
      at = parseNumber(at, column.values + (usize(row) << 3), column.extra + (usize(row) << 2));
      if (at === 0) return 0;
    } else if (kind === LIST) {
      const list = changetype<List>(part.at);
      at = matchList(list, at, to);
      if (at === 0) return 0;
      store<i64>(list.counts + (usize(row) << 3), list.matched);
    } else {
      at = matchOther(changetype<Column>(part.at), at, to, row);
      if (at === 0) return 0;
    }
  }
  return at;
}

// @ts-ignore: decorator
@inline
function isLiteral(part: Part, at: usize, to: usize): bool {
  const length = part.length;
  if (to - at < length) return false;
  if (length <= 8) return ((load<u64>(part.at) ^ load<u64>(at)) & part.mask) === 0;
  // The last eight overlap those before.
  for (let place: usize = 0; place < length - 8; place += 8) if (load<u64>(part.at + place) !== load<u64>(at + place)) return false;
  return load<u64>(part.at + length - 8) === load<u64>(at + length - 8);
}

function matchOther(column: Column, at: usize, to: usize, row: i32): usize {
  const kind = column.kind;
  if (kind === TEXT) return matchText(column, at, to, row);
  if (kind === WORD) {
    const end = endOfWord(at, to);
    column.set(row, i64(at), i32(end - at));
    return end;
  }
  const end = kind === TIME ? parseTime(at, to) : parseDigits(at, to, column.width);
  column.set(row, fieldValue, fieldDecimals);
  return end;
}

/** A text that is the one of the row before is told by where that stands: most are. */
function matchText(column: Column, at: usize, to: usize, row: i32): usize {
  if (row > 0) {
    const before = usize(load<i64>(column.values + (usize(row - 1) << 3)));
    const length = load<i32>(column.extra + (usize(row - 1) << 2));
    if (usize(length) < to - at && load<u8>(at + length) === QUOTE && isEqual(before, at, length)) {
      column.set(row, i64(before), length);
      return at + length;
    }
  }
  const end = endOfText(at, to);
  column.set(row, i64(at), i32(end - at));
  return end;
}

function matchList(list: List, at: usize, to: usize): usize {
  const elements = list.elements;
  const first = elements.rows;
  let next = at;
  if (elements.isPair && load<u8>(at) !== CLOSE_BRACKET) {
    next = matchPairs(elements, at);
    if (next === 0) return 0;
  } else if (load<u8>(at) !== CLOSE_BRACKET) {
    for (;;) {
      next = matchRow(elements, next, to);
      if (next === 0) return 0;
      elements.rows++;
      if (next >= to || load<u8>(next) !== COMMA) break;
      next++;
    }
  }
  list.matched = elements.rows - first;
  return next;
}

/** What matchRow does, for all elements of a list. No literal holds the line feed that ends the line: none reaches over it. */
function matchPairs(elements: Table, from: usize): usize {
  const first = elements.part(0);
  const second = elements.part(2);
  const third = elements.part(4);
  const firstBytes = load<u64>(first.at) & first.mask;
  const secondBytes = load<u64>(second.at) & second.mask;
  const thirdBytes = load<u64>(third.at) & third.mask;
  const left = elements.column(0);
  const right = elements.column(1);
  let row = elements.rows;
  let at = from;
  for (;;) {
    if (row >= elements.room) {
      elements.rows = row;
      makeRoom(elements);
    }
    if ((load<u64>(at) & first.mask) !== firstBytes) return 0;
    const start = at + first.length;
    const others = othersIn(start);
    at = parseKnown(start, others, left.values + (usize(row) << 3), left.extra + (usize(row) << 2));
    if (at === 0 || (load<u64>(at) & second.mask) !== secondBytes) return 0;
    at += second.length;
    // Of 64 and more bytes nothing is known: a shift by as much would be none.
    const passed = u64(min(at - start, 63));
    at = parseKnown(at, others >> passed, right.values + (usize(row) << 3), right.extra + (usize(row) << 2));
    if (at === 0 || (load<u64>(at) & third.mask) !== thirdBytes) return 0;
    at += third.length;
    row++;
    if (load<u8>(at) !== COMMA) break;
    at++;
  }
  elements.rows = row;
  return at;
}

/** Makes four times as many rows fit: what columns leave behind is then a third of what they hold. */
function makeRoom(table: Table): void {
  const room = usize(table.room);
  table.room *= 4;
  for (let index = 0; index < table.columnCount; index++) {
    const column = table.column(index);
    column.values = enlarge(column.values, room << 3, room << 5);
    column.extra = enlarge(column.extra, room << 2, room << 4);
  }
  for (let index = 0; index < table.listCount; index++) {
    const list = table.list(index);
    list.counts = enlarge(list.counts, room << 3, room << 5);
  }
}
