/**
 * Our own tables, CSV or Parquet, read again: the folder of a market that `export` has written. Tables are put together by their `event` numbers, so
 * the stream is what it was; minutes.* is left out, since it follows from the rest.
 */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { formatSteps } from "../../core/units/decimal.ts";
import { decodeMarketRecord, type EventsHeader, type MarketRecord } from "../../core/wire/market-events.ts";
import { ArchiveError } from "../archive-error.ts";
import { type RefusedLine, readEventsHeader } from "../events-file.ts";
import { type Column, eventTables, HEADER_FILE, type Row, recordOf, type Table } from "../export/tables.ts";
import type { InputFile } from "../input-files.ts";
import { asText } from "./events.ts";
import type { ForeignItem, Importer } from "./foreign.ts";
import { csvRows, joined, merged } from "./rows.ts";

/** Rows of Parquet decoded at a time. */
const PARQUET_ROWS = 20_000;

export const csvTables: Importer = tablesImporter("csv", "folders that `export --as csv` has written", /\.csv\.gz$/);
export const parquetTables: Importer = tablesImporter("parquet", "folders that `export --as parquet` has written", /\.parquet$/);

/** A row of a table as text and numbers, with its place in the file. */
interface PlacedRow {
  readonly row: Row;
  readonly line: number;
}

/** A record with its number, or a refusal. */
type Numbered = { readonly event: number; readonly item: ForeignItem };

function tablesImporter(format: "csv" | "parquet", what: string, fileName: RegExp): Importer {
  return {
    format,
    what,
    fileName,
    async open(files) {
      const folders = byFolder(files);
      const headers = new Map<string, EventsHeader>();
      const parts: { header: EventsHeader; files: InputFile[] }[] = [];
      for (const [folder, inside] of folders) {
        const headerFile = join(folder, HEADER_FILE);
        if (!existsSync(headerFile)) throw new ArchiveError(`${headerFile} is missing: it says the market and its grids`);
        const header = await readEventsHeader(headerFile);
        headers.set(header.market, header);
        parts.push({ header, files: inside });
      }
      return {
        name: [...folders.keys()].map((folder) => basename(folder)).join(" + "),
        headers,
        items: (onBytes) => joined(parts.map((part) => readMarket(part, format, onBytes))),
      };
    },
  };
}

function byFolder(files: readonly InputFile[]): Map<string, InputFile[]> {
  const folders = new Map<string, InputFile[]>();
  for (const file of files) folders.set(dirname(file.path), [...(folders.get(dirname(file.path)) ?? []), file]);
  return folders;
}

async function* readMarket(
  { header, files }: { header: EventsHeader; files: readonly InputFile[] },
  format: "csv" | "parquet",
  onBytes: (bytes: number) => void,
): AsyncGenerator<ForeignItem[]> {
  const streams = files.flatMap(({ path, bytes }) => {
    const table = tableOf(path);
    if (table === null) return [];
    const rows = format === "csv" ? csvTableRows(path, table, onBytes) : parquetRows(path, { table, header, onBytes, bytes });
    return [numbered(rows, { table, header, file: path })];
  });
  for await (const block of merged(streams, ({ event }) => event)) yield block.map(({ item }) => item);
}

function tableOf(path: string): Table | null {
  const name = basename(path).split(".")[0];
  return Object.values(eventTables).find((table) => table.name === name) ?? null;
}

interface NumberedOptions {
  readonly table: Table;
  readonly header: EventsHeader;
  readonly file: string;
}

/** Rows of one number as one record. */
async function* numbered(
  blocks: AsyncIterable<readonly (PlacedRow | RefusedLine)[]>,
  options: NumberedOptions,
): AsyncGenerator<Numbered[]> {
  let held: PlacedRow[] = [];
  let event = -1;
  for await (const block of blocks) {
    const out: Numbered[] = [];
    for (const row of block) {
      if ("refused" in row) {
        out.push({ event, item: row });
        continue;
      }
      const number = row.row[0] as number;
      if (number !== event && held.length > 0) {
        out.push({ event, item: itemOf(held, options) });
        held = [];
      }
      event = number;
      held.push(row);
    }
    yield out;
  }
  if (held.length > 0) yield [{ event, item: itemOf(held, options) }];
}

/** Checked by the same code that checks a line of events. */
function itemOf(rows: readonly PlacedRow[], { table, header, file }: NumberedOptions): ForeignItem {
  const { line } = rows[0] as PlacedRow;
  const value = recordOf(
    table.name,
    rows.map(({ row }) => row),
  );
  const record: MarketRecord | { malformed: string } = decodeMarketRecord(JSON.stringify(value), header);
  if ("malformed" in record) return { refused: record.malformed, file, line };
  return { market: header.market, record: asText(record, header), file, line };
}

async function* csvTableRows(
  path: string,
  { columns }: Table,
  onBytes: (bytes: number) => void,
): AsyncGenerator<(PlacedRow | RefusedLine)[]> {
  const names = columns.map(({ name }) => name);
  for await (const block of csvRows(path, names, onBytes)) {
    yield block.map((row): PlacedRow | RefusedLine => {
      if ("refused" in row) return row;
      const values = row.fields.map((text, index) => parsedField(text, columns[index] as Column));
      if (values.includes(undefined)) return { refused: "a field that is no number of its column", file: path, line: row.line };
      return { row: values as Row, line: row.line };
    });
  }
}

/** @returns undefined when the text is no value of the column. */
function parsedField(text: string, { type, isNullable }: Column): string | number | null | undefined {
  // A text that may not be null may be empty: a gap's detail.
  if (text === "") return isNullable ? null : type === "text" ? "" : undefined;
  if (type !== "integer" && type !== "time") return text;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

interface ParquetOptions {
  readonly table: Table;
  readonly header: EventsHeader;
  readonly onBytes: (bytes: number) => void;
  readonly bytes: number;
}

async function* parquetRows(path: string, { table, header, onBytes, bytes }: ParquetOptions): AsyncGenerator<PlacedRow[]> {
  const file = await asyncBufferFromFile(path);
  try {
    const metadata = await parquetMetadataAsync(file);
    const total = Number(metadata.num_rows);
    const columns = table.columns.map((column) => exactName(column));
    for (let start = 0; start < total; start += PARQUET_ROWS) {
      const rowEnd = Math.min(total, start + PARQUET_ROWS);
      const rows = await parquetReadObjects({ file, metadata, columns, rowStart: start, rowEnd });
      onBytes((bytes * (rowEnd - start)) / total);
      yield rows.map((row, index) => ({
        row: table.columns.map((column) => plainValue(row[exactName(column)], column, header)),
        line: start + index + 1,
      }));
    }
  } catch (error) {
    throw new ArchiveError(`${path} can't be read as Parquet (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** The column that holds the value exactly. */
function exactName({ name, type }: Column): string {
  return type === "price" ? `${name}_ticks` : type === "size" ? `${name}_lots` : name;
}

function plainValue(value: unknown, { type }: Column, { tick, lot }: EventsHeader): string | number | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  if (type === "text") return String(value);
  const whole = Number(value);
  if (type === "price") return formatSteps(whole, tick);
  return type === "size" ? formatSteps(whole, lot) : whole;
}
