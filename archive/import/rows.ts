/** Lines of files as rows: JSON objects, or CSV records by the names of their columns; and streams of items joined or merged. */

import { parse } from "csv-parse/sync";
import { ArchiveError } from "../archive-error.ts";
import type { RefusedLine } from "../events-file.ts";
import { readLines } from "../line-reader.ts";

export interface JsonRow {
  readonly value: Readonly<Record<string, unknown>>;
  readonly line: number;
}

export interface CsvRow {
  /** In the order of the columns asked for; "" where the row has none. */
  readonly fields: readonly string[];
  readonly line: number;
}

/** A byte order mark, which some spreadsheets put before the first name. */
const BYTE_ORDER_MARK = "\uFEFF";

/** Each line a JSON object; others are refusals. */
export async function* jsonRows(path: string, onBytes?: (bytes: number) => void): AsyncGenerator<(JsonRow | RefusedLine)[]> {
  for await (const { lines, firstLine } of readLines(path, onBytes)) {
    const rows: (JsonRow | RefusedLine)[] = [];
    for (const [index, text] of lines.entries()) {
      if (text === "") continue;
      const line = firstLine + index;
      const value = parseObject(text);
      rows.push(value === null ? { refused: "not a JSON object", file: path, line } : { value, line });
    }
    yield rows;
  }
}

/**
 * CSV with a line of names first; a field may be quoted, and holds no line break. @param columns wanted, by name.
 * Throws ArchiveError when the first line lacks one of them. A row of another number of fields than the first line is a refusal.
 */
export async function* csvRows(
  path: string,
  columns: readonly string[],
  onBytes?: (bytes: number) => void,
): AsyncGenerator<(CsvRow | RefusedLine)[]> {
  let places: number[] | null = null;
  let width = 0;
  for await (const { lines, firstLine } of readLines(path, onBytes)) {
    const rows: (CsvRow | RefusedLine)[] = [];
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      if (text === "") continue;
      const fields = splitCsv(text);
      if (places === null) {
        const names = fields ?? [];
        width = names.length;
        places = placesOf(names, columns, path);
      } else if (fields === null || fields.length !== width) {
        const reason = fields === null ? "not a CSV record" : `${fields.length} fields, where the first line names ${width}`;
        rows.push({ refused: reason, file: path, line });
      } else rows.push({ fields: places.map((place) => fields[place] as string), line });
    }
    yield rows;
  }
  if (places === null) throw new ArchiveError(`${path} is empty: its first line should name ${columns.join(",")}`);
}

/** The fields of one line; null when its quotes don't close. */
export function splitCsv(line: string): string[] | null {
  if (!line.includes('"')) return line.split(",");
  try {
    return (parse(line, { relax_column_count: true }) as string[][])[0] ?? null;
  } catch {
    return null;
  }
}

/** One stream after the other. */
export async function* joined<T>(streams: readonly AsyncIterable<readonly T[]>[]): AsyncGenerator<readonly T[]> {
  for (const stream of streams) yield* stream;
}

/** Streams that are each in order, as one: the smallest key first, and of equal ones that of the earlier stream. */
export async function* merged<T>(streams: readonly AsyncIterable<readonly T[]>[], keyOf: (item: T) => number): AsyncGenerator<T[]> {
  const heads: Head<T>[] = [];
  for (const stream of streams) {
    const head = { source: stream[Symbol.asyncIterator](), block: [] as readonly T[], index: 0, key: 0 };
    if (await advance(head, keyOf)) heads.push(head);
  }
  let out: T[] = [];
  while (heads.length > 0) {
    let least = heads[0] as Head<T>;
    for (const head of heads) if (head.key < least.key) least = head;
    out.push(least.block[least.index] as T);
    least.index++;
    try {
      if (!(await advance(least, keyOf))) heads.splice(heads.indexOf(least), 1);
    } catch (error) {
      // What came before is not lost with it.
      yield out;
      throw error;
    }
    if (out.length >= MERGED_BLOCK) {
      yield out;
      out = [];
    }
  }
  yield out;
}

const MERGED_BLOCK = 4_096;

interface Head<T> {
  readonly source: AsyncIterator<readonly T[]>;
  block: readonly T[];
  index: number;
  key: number;
}

/** @returns whether the stream has another item. */
async function advance<T>(head: Head<T>, keyOf: (item: T) => number): Promise<boolean> {
  while (head.index >= head.block.length) {
    const next = await head.source.next();
    if (next.done === true) return false;
    head.block = next.value;
    head.index = 0;
  }
  head.key = keyOf(head.block[head.index] as T);
  return true;
}

function placesOf(names: readonly string[], columns: readonly string[], path: string): number[] {
  const known = names.map((name) => name.replace(BYTE_ORDER_MARK, "").trim());
  return columns.map((column) => {
    const place = known.indexOf(column);
    if (place < 0) throw new ArchiveError(`${path} line 1: there is no column "${column}" (wanted: ${columns.join(",")})`);
    return place;
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
