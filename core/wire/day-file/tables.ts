/**
 * The columns of all templates of a block, written and read: fields, the lengths of lists, and the lists' elements.
 *
 * Levels (of a list's elements the first two plain numbers: a price or id, and a size) go through the mirrored book of levels.ts, those of all
 * lists together in the order of the lines; other columns stand for themselves.
 */

import { type ByteReader, type ByteWriter, refuse } from "./bytes.ts";
import { type Column, POWERS } from "./fields.ts";
import type { LevelColumns } from "./level-model.ts";
import { type LevelRun, readLevels, writeLevels } from "./levels.ts";
import { NumberMap } from "./number-map.ts";
import {
  chooseGuess,
  type Known,
  type NumberColumn,
  readNumbers,
  readShape,
  type Shape,
  shapeColumn,
  writeNumbers,
  writeShape,
} from "./numbers.ts";
import type { List, Table } from "./template.ts";
import { readTexts, writeTexts } from "./texts.ts";

/** A template with the receive times of its rows. */
export interface TimedTable {
  readonly table: Table;
  readonly receivedAt: Float64Array;
}

/** What reading adds to columns: how numbers were written, where texts stand. */
export interface ReadColumns {
  readonly shapes: Map<Column, Shape>;
  readonly texts: Map<Column, Uint8Array>;
}

/** Which of a list's columns go through the book. */
type LevelUse = "none" | "keys" | "keys-and-values";
const LEVEL_USES: readonly LevelUse[] = ["none", "keys", "keys-and-values"];
/** A second number that its neighbours tell within so many bits is not a size (a quote's price, the price beside an id). */
const MOST_BITS_TOLD = 6;
const MOST_SAMPLED = 4096;
/** `receivedAt` has three decimals of a second. */
const CLOCK_DECIMALS = 3;

/** @param order the template of each line, by its place in `tables`; @param bytes the text of which texts are parts. */
export function writeTables(out: ByteWriter, tables: readonly TimedTable[], order: readonly number[], bytes: Uint8Array): void {
  for (const { table, receivedAt } of tables) writeTable(out, table, { columns: table.columns, base: receivedAt, bytes });
  const lists = listsOf(tables);
  const groups = groupsOf(tables);
  const uses = lists.map((list) => {
    const use = levelUse(list);
    out.byte(LEVEL_USES.indexOf(use));
    return use;
  });
  const levels: LevelColumns[] = [];
  for (const [index, { elements }] of lists.entries()) {
    const [key, value] = levelColumns(elements, uses[index] as LevelUse);
    for (const column of [key, value])
      if (column !== undefined) writeShape(out, shapeColumn(column.values, column.extra, elements.rows), elements.rows);
    const count = key === undefined ? 0 : elements.rows;
    levels.push({ keys: key?.values ?? EMPTY, values: value?.values ?? null, count, ...(groups[index] as Group) });
  }
  writeLevels(out, levels, runsOf(tables, order, uses));
  for (const [index, { elements }] of lists.entries()) {
    const taken = levelColumns(elements, uses[index] as LevelUse);
    const columns = elements.columns.filter((column) => !taken.includes(column));
    writeTable(out, elements, { columns, base: taken[0]?.values ?? null, bytes });
  }
}

/** @param cells how many fields there can be: each takes a byte of text at least. */
export function readTables(reader: ByteReader, tables: readonly TimedTable[], order: readonly number[], cells: number): ReadColumns {
  const read: ReadColumns = { shapes: new Map(), texts: new Map() };
  const budget = { cells, most: cells };
  for (const { table, receivedAt } of tables) readTable(reader, table, { columns: table.columns, base: receivedAt, read, budget });
  const lists = listsOf(tables);
  const groups = groupsOf(tables);
  for (const list of lists) {
    let rows = 0;
    for (const count of list.counts) rows += isCount(count, cells) ? count : refuse("a list of no whole length");
    if (rows > cells) refuse("more elements than text");
    list.elements.rows = rows;
  }
  const uses = lists.map(() => LEVEL_USES[reader.byte()] ?? refuse("an unknown use of levels"));
  const levels: LevelColumns[] = [];
  for (const [index, { elements }] of lists.entries()) {
    const taken = levelColumns(elements, uses[index] as LevelUse);
    if (uses[index] !== "none" && taken.length !== LEVEL_USES.indexOf(uses[index] as LevelUse)) refuse("levels without numbers");
    for (const column of taken) {
      spend(budget, elements.rows);
      read.shapes.set(column, readShape(reader, elements.rows));
      column.values = new Float64Array(elements.rows);
    }
    const count = taken.length === 0 ? 0 : elements.rows;
    levels.push({ keys: taken[0]?.values ?? EMPTY, values: taken[1]?.values ?? null, count, ...(groups[index] as Group) });
  }
  readLevels(reader, levels, runsOf(tables, order, uses));
  for (const [index, { elements }] of lists.entries()) {
    const taken = levelColumns(elements, uses[index] as LevelUse);
    const columns = elements.columns.filter((column) => !taken.includes(column));
    readTable(reader, elements, { columns, base: taken[0]?.values ?? null, read, budget });
  }
  return read;
}

const EMPTY = new Float64Array(0);

interface Group {
  readonly group: number;
  readonly template: number;
}

interface Writing {
  readonly columns: readonly Column[];
  /** Receive times, or a list's keys; null where there are neither. */
  readonly base: Float64Array | null;
  readonly bytes: Uint8Array;
}

interface Reading {
  readonly columns: readonly Column[];
  readonly base: Float64Array | null;
  readonly read: ReadColumns;
  readonly budget: { cells: number; readonly most: number };
}

function writeTable(out: ByteWriter, table: Table, { columns, base, bytes }: Writing): void {
  const { rows } = table;
  const numbers: NumberColumn[] = [];
  for (const column of columns) {
    if (isText(column)) continue;
    const shape = shapeColumn(column.values, column.extra, rows);
    writeShape(out, shape, rows);
    numbers.push({ values: column.values, clockScale: clockScale(column, shape) });
  }
  for (const list of table.lists) numbers.push({ values: list.counts, clockScale: 0 });
  writeNumbers(out, numbers, knownOf(table, base, numbers.length));
  for (const column of columns) if (isText(column)) writeTexts(out, bytes, { starts: column.values, lengths: column.extra }, rows);
}

function readTable(reader: ByteReader, table: Table, { columns, base, read, budget }: Reading): void {
  const { rows } = table;
  const numbers: NumberColumn[] = [];
  for (const column of columns) {
    spend(budget, rows);
    if (isText(column)) continue;
    const shape = readShape(reader, rows);
    if (column.kind === "time" && shape.most > 6) refuse("a time of too many decimals");
    read.shapes.set(column, shape);
    column.values = new Float64Array(rows);
    numbers.push({ values: column.values, clockScale: clockScale(column, shape) });
  }
  for (const list of table.lists) {
    spend(budget, rows);
    list.counts = new Float64Array(rows);
    numbers.push({ values: list.counts, clockScale: 0 });
  }
  readNumbers(reader, numbers, knownOf(table, base, numbers.length));
  for (const column of columns) {
    if (!isText(column)) continue;
    const { bytes, column: places } = readTexts(reader, rows, budget.most);
    column.values = places.starts;
    column.extra = places.lengths;
    read.texts.set(column, bytes);
  }
}

function spend(budget: { cells: number }, rows: number): void {
  budget.cells -= rows;
  if (budget.cells < 0) refuse("more fields than text");
}

function isCount(count: number, most: number): boolean {
  return count >= 0 && count <= most && Math.floor(count) === count;
}

function isText(column: Column): boolean {
  return column.kind === "text" || column.kind === "word";
}

/** How many of a time's units a millisecond has, where that is a whole number. */
function clockScale(column: Column, shape: Shape): number {
  const decimals = shape.most - shape.zeros - CLOCK_DECIMALS;
  return column.kind === "time" && decimals >= 0 ? (POWERS[decimals] as number) : 0;
}

function knownOf(table: Table, base: Float64Array | null, columns: number): Known {
  const { rows } = table;
  if (base === null || columns === 0) return { base: new Float64Array(rows), sameKey: null, rows };
  // Of receive times none comes again; a template has no keys.
  return { base, sameKey: sameKeys(base, rows), rows };
}

/** For each row, the one before that had the same key, or -1. */
function sameKeys(keys: Float64Array, rows: number): Int32Array {
  const same = new Int32Array(rows).fill(-1);
  const latest = new Int32Array(rows).fill(-1);
  const slots = new NumberMap();
  for (let row = 0; row < rows; row++) {
    const slot = slots.slotOf(keys[row] as number);
    if (slot < 0) continue;
    same[row] = latest[slot] as number;
    latest[slot] = row;
  }
  return same;
}

function listsOf(tables: readonly TimedTable[]): List[] {
  return tables.flatMap(({ table }) => table.lists);
}

/** The place of each list in its template, and of its template among those that have lists. */
function groupsOf(tables: readonly TimedTable[]): Group[] {
  const withLists = tables.filter(({ table }) => table.lists.length > 0);
  return withLists.flatMap(({ table }, template) => table.lists.map((_, group) => ({ group, template })));
}

function levelColumns(elements: Table, use: LevelUse): readonly Column[] {
  const numbers = elements.columns.filter(({ kind }) => kind === "number");
  return numbers.slice(0, LEVEL_USES.indexOf(use));
}

function levelUse({ elements }: List): LevelUse {
  const [key, value] = levelColumns(elements, "keys-and-values");
  const { rows } = elements;
  if (key === undefined || rows === 0) return "none";
  if (value === undefined) return "keys";
  for (let row = 0; row < rows; row++) if ((value.values[row] as number) < 0) return "keys";
  // A part of them tells as much.
  const sampled = Math.min(rows, MOST_SAMPLED);
  const known = { base: key.values, sameKey: sameKeys(key.values, sampled), rows: sampled };
  const { bits } = chooseGuess([{ values: value.values, clockScale: 0 }], 0, known);
  return bits > MOST_BITS_TOLD ? "keys-and-values" : "keys";
}

/** Which list has how many levels next, over the lines in their order. */
function runsOf(tables: readonly TimedTable[], order: readonly number[], uses: readonly LevelUse[]): LevelRun[] {
  const firstLists: number[] = [];
  let lists = 0;
  for (const { table } of tables) {
    firstLists.push(lists);
    lists += table.lists.length;
  }
  const rows = new Uint32Array(tables.length);
  const runs: LevelRun[] = [];
  for (const place of order) {
    const { table } = tables[place] as TimedTable;
    const row = rows[place] as number;
    rows[place] = row + 1;
    for (let at = 0; at < table.lists.length; at++) {
      const list = (firstLists[place] as number) + at;
      const count = (table.lists[at] as List).counts[row] as number;
      if (uses[list] !== "none" && count > 0) runs.push({ list, count });
    }
  }
  return runs;
}
