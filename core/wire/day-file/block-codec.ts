/**
 * One block of a day file: tape lines into columns and back, byte for byte.
 *
 * Lines that begin with a receive time and fit a template are taken apart; all others are kept raw. The same input gives the same bytes in every
 * engine: there is no clock, no floating rounding that engines differ in, and no compressor of the platform's. A block knows nothing of the
 * blocks before it.
 */

import { ByteReader, ByteWriter, CorruptBlock, refuse } from "./bytes.ts";
import { type Column, FIELD_KINDS, LineWriter, parseNumber } from "./fields.ts";
import { readIntegers, unzigzag, writeIntegers, zigzag } from "./integers.ts";
import { learnTemplate } from "./learn.ts";
import { decimalsOf, digitsOf, type Shape } from "./numbers.ts";
import { type ReadColumns, readTables, type TimedTable, writeTables } from "./tables.ts";
import { createColumn, createList, createTable, type Part, type Table, takeRow } from "./template.ts";
import { readBytes, writeBytes } from "./texts.ts";

/** Text of one block at most: what a reader must hold. Bounds every count in a block. */
export const MOST_BLOCK_BYTES = 1 << 25;
/** Shapes of lines in one block: a market's streams have under ten. With more, further ones stay raw. */
const MOST_TEMPLATES = 64;
/** Longer literals, deeper lists and more parts than any template that is learned are corrupt. */
const MOST_PARTS = 1_000;
/** Lines of one template, and their text, below which it does not pay. */
const RARE_ROWS = 6;
const RARE_BYTES = 4_096;
const LINE_FEED = 10;
const SPACE = 32;
const RAW = 0;

/** @param text at most MOST_BLOCK_BYTES of lines; what follows the last line feed is a line too. */
export function encodeBlock(text: Uint8Array): Uint8Array {
  const lines = new LineTaker(text);
  lines.takeAll();
  const out = new ByteWriter();
  lines.write(out);
  return out.finish();
}

/** @param textBytes how many bytes the block's text has. @returns the text, or why the block is no block. */
export function decodeBlock(block: Uint8Array, textBytes: number): Uint8Array | { readonly malformed: string } {
  if (!(textBytes >= 0 && textBytes <= MOST_BLOCK_BYTES)) return { malformed: `a block of ${textBytes} bytes of text` };
  try {
    return readBlock(new ByteReader(block), textBytes);
  } catch (error) {
    if (error instanceof CorruptBlock) return { malformed: error.message };
    throw error;
  }
}

class LineTaker {
  readonly #text: Uint8Array;
  readonly #tables: Table[] = [];
  /** Templates, the one used last first: neighbours are alike. */
  readonly #recent: number[] = [];
  /** Template of each line, counted from 1; 0: raw. */
  #order: number[] = [];
  /** Of each line; 0 of a raw one. */
  readonly #receivedAt: number[] = [];
  /** Where each line begins and ends. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #received = createColumn("number");
  #knownElements: readonly Part[] | null = null;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  takeAll(): void {
    const { length } = this.#text;
    for (let from = 0; from < length; ) {
      const feed = this.#text.indexOf(LINE_FEED, from);
      const to = feed < 0 ? length : feed;
      this.#take(from, to);
      from = to + 1;
    }
  }

  write(out: ByteWriter): void {
    const tables = this.#dropRare();
    const raw = new ByteWriter();
    const rawLengths: number[] = [];
    const taken: number[] = [];
    const receivedAt: number[] = [];
    for (const [line, template] of this.#order.entries()) {
      const from = this.#starts[line] as number;
      const to = this.#ends[line] as number;
      if (template === RAW) {
        rawLengths.push(to - from);
        raw.bytes(this.#text.subarray(from, to));
      } else {
        taken.push(template - 1);
        receivedAt.push(this.#receivedAt[line] as number);
      }
    }
    const isEnded = this.#text.length === 0 || this.#text[this.#text.length - 1] === LINE_FEED;
    out.byte(isEnded ? 1 : 0);
    out.integer(this.#order.length);
    out.integer(tables.length);
    for (const { parts } of tables) writeParts(out, parts);
    writeIntegers(out, this.#order, this.#order.length);
    const steps = receivedAt.map((at, index) => zigzag(at - (receivedAt[index - 1] ?? 0)));
    writeIntegers(out, steps, steps.length);
    writeIntegers(out, rawLengths, rawLengths.length);
    writeBytes(out, raw.finish());
    writeTables(out, timed(tables, taken, receivedAt), taken, this.#text);
  }

  /** A template and its columns weigh more than a few short lines: those go back to raw. @returns the templates that stay, in their order. */
  #dropRare(): Table[] {
    const textOf = new Float64Array(this.#tables.length + 1);
    for (const [line, template] of this.#order.entries())
      textOf[template] = (textOf[template] as number) + (this.#ends[line] as number) - (this.#starts[line] as number);
    const numbers = [RAW];
    const kept: Table[] = [];
    for (const [index, table] of this.#tables.entries()) {
      const isRare = table.rows < RARE_ROWS && (textOf[index + 1] as number) < RARE_BYTES;
      if (!isRare) kept.push(table);
      numbers.push(isRare ? RAW : kept.length);
    }
    this.#order = this.#order.map((template) => numbers[template] as number);
    return kept;
  }

  #take(from: number, to: number): void {
    const start = parseNumber(this.#text, from, to, this.#received, 0);
    const isTimed = start > 0 && this.#text[start] === SPACE && this.#received.extra[0] === 0 && (this.#received.values[0] as number) >= 0;
    const template = isTimed ? this.#fit(start, to) : RAW;
    this.#order.push(template);
    this.#starts.push(from);
    this.#ends.push(to);
    this.#receivedAt.push(template === RAW ? 0 : (this.#received.values[0] as number));
  }

  /** @returns the template that took the line, counted from 1; RAW when none did. */
  #fit(from: number, to: number): number {
    for (let place = 0; place < this.#recent.length; place++) {
      const template = this.#recent[place] as number;
      if (!takeRow(this.#tables[template] as Table, this.#text, from, to)) continue;
      for (let at = place; at > 0; at--) this.#recent[at] = this.#recent[at - 1] as number;
      this.#recent[0] = template;
      return template + 1;
    }
    if (this.#tables.length >= MOST_TEMPLATES) return RAW;
    const learned = learnTemplate(this.#text, from, to, this.#knownElements);
    if (learned === null || !takeRow(learned, this.#text, from, to)) return RAW;
    const list = learned.lists[learned.lists.length - 1];
    if (list !== undefined) this.#knownElements = list.elements.parts;
    this.#recent.unshift(this.#tables.length);
    this.#tables.push(learned);
    return this.#tables.length;
  }
}

function readBlock(reader: ByteReader, textBytes: number): Uint8Array {
  const isEnded = reader.byte() === 1;
  const lineCount = reader.integer(textBytes + 1);
  const tables: Table[] = [];
  for (let left = reader.integer(MOST_TEMPLATES); left > 0; left--) tables.push(createTable(readParts(reader, true)));
  const order = readIntegers(reader, lineCount);
  const taken: number[] = [];
  for (const template of order) {
    if (template > tables.length) refuse("a template that is not there");
    if (template !== RAW) taken.push(template - 1);
  }
  const receivedAt = readIntegers(reader, taken.length);
  for (let index = 0; index < receivedAt.length; index++)
    receivedAt[index] = unzigzag(receivedAt[index] as number) + (index === 0 ? 0 : (receivedAt[index - 1] as number));
  const rawLengths = readIntegers(reader, lineCount - taken.length);
  const raw = readBytes(reader, textBytes);
  for (const template of taken) (tables[template] as Table).rows++;
  const read = readTables(reader, timed(tables, taken, receivedAt), taken, textBytes);
  if (reader.remaining > 0) refuse("more bytes than were written");
  return writeLines({ order, receivedAt, rawLengths, raw, isEnded, textBytes }, tables, read);
}

interface Lines {
  readonly order: Float64Array;
  readonly receivedAt: Float64Array;
  readonly rawLengths: Float64Array;
  readonly raw: Uint8Array;
  readonly isEnded: boolean;
  readonly textBytes: number;
}

function writeLines(lines: Lines, tables: readonly Table[], read: ReadColumns): Uint8Array {
  const printers = tables.map(({ parts }) => createPrinter(parts, read));
  const out = new LineWriter(lines.textBytes);
  let rawAt = 0;
  let rawLine = 0;
  let timedLine = 0;
  for (let line = 0; line < lines.order.length; line++) {
    const template = lines.order[line] as number;
    if (template === RAW) {
      const end = rawAt + (lines.rawLengths[rawLine++] as number);
      if (end > lines.raw.length) refuse("a raw line beyond its bytes");
      out.literal(lines.raw.subarray(rawAt, end));
      rawAt = end;
    } else {
      out.number(lines.receivedAt[timedLine++] as number, 0);
      printRow(printers[template - 1] as Printer, out);
    }
    if (line < lines.order.length - 1 || lines.isEnded) out.byte(LINE_FEED);
  }
  return out.length === lines.textBytes ? out.bytes : refuse("less text than was promised");
}

/** A template being written out, row after row. */
interface Printer {
  readonly steps: readonly Step[];
  row: number;
}

type Step =
  | { readonly kind: "literal"; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly column: Column; readonly bytes: Uint8Array }
  | { readonly kind: "number" | "time" | "digits"; readonly column: Column; readonly shape: Shape }
  | { readonly kind: "list"; readonly counts: Float64Array; readonly printer: Printer };

function createPrinter(parts: readonly Part[], read: ReadColumns): Printer {
  const steps = parts.map((part): Step => {
    if (part.kind === "literal") return part;
    if (part.kind === "list") return { kind: "list", counts: part.list.counts, printer: createPrinter(part.list.elements.parts, read) };
    const { column } = part;
    if (column.kind === "text" || column.kind === "word")
      return { kind: "text", column, bytes: read.texts.get(column) ?? refuse("a text column unread") };
    return { kind: column.kind, column, shape: read.shapes.get(column) ?? refuse("a number column unread") };
  });
  return { steps, row: 0 };
}

function printRow(printer: Printer, out: LineWriter): void {
  const { steps } = printer;
  const row = printer.row++;
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index] as Step;
    if (step.kind === "literal") out.literal(step.bytes);
    else if (step.kind === "list") printList(step.printer, step.counts[row] as number, out);
    else if (step.kind === "text") {
      const start = step.column.values[row] as number;
      out.literal(step.bytes.subarray(start, start + (step.column.extra[row] as number)));
    } else {
      const value = step.column.values[row] as number;
      const decimals = decimalsOf(step.shape, value, row);
      const digits = digitsOf(step.shape, value, decimals);
      if (step.kind === "number") out.number(digits, decimals);
      else if (step.kind === "time") out.time(digits, decimals);
      else out.digits(digits, step.column.width);
    }
  }
}

const COMMA = 44;

function printList(elements: Printer, count: number, out: LineWriter): void {
  for (let index = 0; index < count; index++) {
    if (index > 0) out.byte(COMMA);
    printRow(elements, out);
  }
}

/** Receive times are told once for all lines; each template has its own share of them. */
function timed(tables: readonly Table[], taken: readonly number[], receivedAt: ArrayLike<number>): TimedTable[] {
  const next = new Uint32Array(tables.length);
  const timedTables = tables.map((table) => ({ table, receivedAt: new Float64Array(table.rows) }));
  for (let index = 0; index < taken.length; index++) {
    const template = taken[index] as number;
    const row = next[template] as number;
    next[template] = row + 1;
    (timedTables[template] as TimedTable).receivedAt[row] = receivedAt[index] as number;
  }
  return timedTables;
}

const LITERAL = 0;
const LIST = 1;
const FIRST_FIELD = 2;

export function writeParts(out: ByteWriter, parts: readonly Part[]): void {
  out.integer(parts.length);
  for (const part of parts) {
    if (part.kind === "literal") {
      out.byte(LITERAL);
      out.sized(part.bytes);
    } else if (part.kind === "list") {
      out.byte(LIST);
      writeParts(out, part.list.elements.parts);
    } else {
      out.byte(FIRST_FIELD + FIELD_KINDS.indexOf(part.column.kind));
      out.byte(part.column.width);
    }
  }
}

function readParts(reader: ByteReader, mayHoldLists: boolean): Part[] {
  const parts: Part[] = [];
  for (let left = reader.integer(MOST_PARTS); left > 0; left--) parts.push(readPart(reader, mayHoldLists));
  return parts;
}

function readPart(reader: ByteReader, mayHoldLists: boolean): Part {
  const kind = reader.byte();
  if (kind === LITERAL) return { kind: "literal", bytes: reader.sized() };
  if (kind === LIST)
    return mayHoldLists ? { kind: "list", list: createList(createTable(readParts(reader, false))) } : refuse("a list within a list");
  const field = FIELD_KINDS[kind - FIRST_FIELD] ?? refuse("an unknown kind of field");
  return { kind: "field", column: createColumn(field, reader.byte()) };
}
