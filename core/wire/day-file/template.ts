/**
 * Templates: what stays the same from line to line, and the columns that hold what does not.
 *
 * A template is literals, fields and lists of equal elements (a book's levels, a message's trades); learn.ts makes one from the first line of its
 * kind. A line that matches gives its fields to the columns as one more row. No venue is known here, and nothing depends on a line being JSON
 * or on the parts being well chosen: a field takes only text that it would write again to the very same bytes, a literal has to be equal.
 */

import { type Column, endOfText, endOfWord, type FieldKind, parseDigits, parseNumber, parseTime } from "./fields.ts";

/** The columns of one template, or of the elements of one list. */
export interface Table {
  readonly parts: readonly Part[];
  readonly columns: readonly Column[];
  readonly lists: readonly List[];
  rows: number;
  /** Rows that the columns' arrays hold. */
  room: number;
}

export interface List {
  readonly elements: Table;
  /** How many elements each row of the table around it has. */
  counts: Float64Array;
  /** Elements of the rows taken so far: a line that fails half-way leaves no more behind. */
  taken: number;
  /** Elements of the row matched last. */
  matched: number;
}

export type Part =
  | { readonly kind: "literal"; readonly bytes: Uint8Array }
  | { readonly kind: "field"; readonly column: Column }
  | { readonly kind: "list"; readonly list: List };

export const COMMA = 44;
const CLOSE_BRACKET = 93;
const FIRST_ROOM = 16;

export function createColumn(kind: FieldKind, width = 0): Column {
  return { kind, width, values: new Float64Array(FIRST_ROOM), extra: new Int32Array(FIRST_ROOM) };
}

export function createList(elements: Table): List {
  return { elements, counts: new Float64Array(FIRST_ROOM), taken: 0, matched: 0 };
}

export function createTable(parts: readonly Part[]): Table {
  const columns: Column[] = [];
  const lists: List[] = [];
  for (const part of parts) {
    if (part.kind === "field") columns.push(part.column);
    if (part.kind === "list") lists.push(part.list);
  }
  return { parts, columns, lists, rows: 0, room: FIRST_ROOM };
}

/** Takes `bytes[from, to)` into the table as one more row. @returns whether it fits; if not, the table is as before. */
export function takeRow(table: Table, bytes: Uint8Array, from: number, to: number): boolean {
  const fits = matchRow(table, bytes, from, to) === to;
  if (fits) table.rows++;
  for (const list of table.lists) {
    if (fits) list.taken = list.elements.rows;
    else list.elements.rows = list.taken;
  }
  return fits;
}

/** Reads one row into the columns at `table.rows`, which it leaves to the caller to raise. @returns where it ends, or -1. */
export function matchRow(table: Table, bytes: Uint8Array, from: number, to: number): number {
  const { parts, rows } = table;
  if (rows >= table.room) makeRoom(table);
  let at = from;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Part;
    if (part.kind === "literal") {
      const literal = part.bytes;
      const { length } = literal;
      if (to - at < length) return -1;
      for (let place = 0; place < length; place++) if (literal[place] !== bytes[at + place]) return -1;
      at += length;
    } else if (part.kind === "field") {
      const { column } = part;
      if (column.kind === "number") at = parseNumber(bytes, at, to, column, rows);
      else if (column.kind === "text" || column.kind === "word") at = matchText(column, bytes, [at, to], rows);
      else if (column.kind === "time") at = parseTime(bytes, at, to, column, rows);
      else at = parseDigits(bytes, at, to, column, rows);
    } else {
      at = matchList(part.list, bytes, at, to);
      part.list.counts[rows] = part.list.matched;
    }
    if (at < 0) return -1;
  }
  return at;
}

function matchText(column: Column, bytes: Uint8Array, [at, to]: readonly [number, number], row: number): number {
  const end = column.kind === "text" ? endOfText(bytes, at, to) : endOfWord(bytes, at, to);
  column.values[row] = at;
  column.extra[row] = end - at;
  return end;
}

function matchList(list: List, bytes: Uint8Array, at: number, to: number): number {
  const { elements } = list;
  const first = elements.rows;
  let next = at;
  if (bytes[at] !== CLOSE_BRACKET) {
    for (;;) {
      next = matchRow(elements, bytes, next, to);
      if (next < 0) return -1;
      elements.rows++;
      if (next >= to || bytes[next] !== COMMA) break;
      next++;
    }
  }
  list.matched = elements.rows - first;
  return next;
}

/** Doubles the rows that the columns hold. */
function makeRoom(table: Table): void {
  table.room *= 2;
  for (const column of table.columns) {
    const { values, extra } = column;
    column.values = new Float64Array(table.room);
    column.extra = new Int32Array(table.room);
    column.values.set(values);
    column.extra.set(extra);
  }
  for (const list of table.lists) {
    const { counts } = list;
    list.counts = new Float64Array(table.room);
    list.counts.set(counts);
  }
}
