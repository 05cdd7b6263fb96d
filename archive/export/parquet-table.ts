/**
 * A table as Parquet, by hyparquet-writer. Rows are gathered into a row group and then leave, so memory is bounded by one group a table.
 *
 * Compressed by Snappy, which the writer brings along and every reader knows. The file's metadata carries the events header under "edgebook".
 */

import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { type ColumnSource, fileWriter, ParquetWriter } from "hyparquet-writer";
import { gridStep } from "../../core/units/decimal.ts";
import { type EventsHeader, encodeEventsHeader } from "../../core/wire/market-events.ts";
import type { TableFile } from "./table-file.ts";
import { type Column, parquetNames, type Row, type Table } from "./tables.ts";

/** Values of a row group: some 100 MB while they are written. Of the book's eleven columns that is 90,000 rows. */
const ROW_GROUP_VALUES = 1_000_000;

export async function openParquetTable(folder: string, table: Table, header: EventsHeader): Promise<TableFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${table.name}.parquet`);
  const partial = `${path}.partial`;
  const writer = new ParquetWriter({
    writer: fileWriter(partial),
    schema: schemaOf(table),
    kvMetadata: [{ key: "edgebook", value: encodeEventsHeader(header) }],
    createdBy: "edgebook",
  });
  const groupRows = Math.ceil(ROW_GROUP_VALUES / table.columns.flatMap(parquetNames).length);
  let gathered: Row[] = [];
  let written = 0;
  const flush = async (): Promise<void> => {
    if (gathered.length === 0) return;
    const columnData = table.columns.flatMap((column, index) => valuesOf(column, gathered, { index, header }));
    await writer.write({ columnData, rowGroupSize: gathered.length });
    written += gathered.length;
    gathered = [];
  };
  return {
    path,
    get rows() {
      return written + gathered.length;
    },
    add(row) {
      gathered.push(row);
    },
    async drained() {
      if (gathered.length >= groupRows) await flush();
    },
    async close() {
      await flush();
      await writer.finish();
      await rename(partial, path);
      return (await stat(path)).size;
    },
  };
}

function schemaOf({ columns }: Table): SchemaElement[] {
  const fields = columns.flatMap((column) => parquetNames(column).map((name, index) => elementOf(column, name, index)));
  return [{ name: "root", num_children: fields.length }, ...fields];
}

function elementOf({ type, isNullable }: Column, name: string, index: number): SchemaElement {
  const base = { name, repetition_type: isNullable ? "OPTIONAL" : "REQUIRED" } as const;
  switch (type) {
    case "time":
      return {
        ...base,
        type: "INT64",
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      };
    case "text":
      return { ...base, type: "BYTE_ARRAY", converted_type: "UTF8" };
    case "integer":
      return { ...base, type: "INT64" };
    case "price":
    case "size":
      return { ...base, type: index === 0 ? "DOUBLE" : "INT64" };
  }
}

function valuesOf(column: Column, rows: readonly Row[], { index, header }: { index: number; header: EventsHeader }): ColumnSource[] {
  const [name, exactName] = parquetNames(column) as [string, string | undefined];
  const values = rows.map((row) => row[index] as number | string | null);
  if (column.type === "text") return [{ name, data: values }];
  const whole = values.map((value) => (value === null ? null : BigInt(value)));
  // Numbers and times grow by little from row to row: their differences take a few bits.
  if (exactName === undefined) return [{ name, data: whole, encoding: "DELTA_BINARY_PACKED" }];
  const grid = column.type === "price" ? header.tick : header.lot;
  return [
    { name, data: values.map((value) => (value === null ? null : decimalOf(value as number, grid))) },
    { name: exactName, data: whole },
  ];
}

/** The double nearest to the decimal: steps times a step that is no double would be off by a bit. */
function decimalOf(steps: number, grid: EventsHeader["tick"]): number {
  const units = steps * grid.mantissa;
  return units <= Number.MAX_SAFE_INTEGER && grid.decimals <= 22 ? units / Number(`1e${grid.decimals}`) : steps * gridStep(grid);
}
