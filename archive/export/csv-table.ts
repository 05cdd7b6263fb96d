/** A table as CSV: names first, decimals exact, times as epoch ms, null as an empty field; quoted where a text needs it (RFC 4180). */

import { join } from "node:path";
import { formatSteps } from "../../core/units/decimal.ts";
import { LineFile } from "../line-file.ts";
import type { TableFile } from "./table-file.ts";
import type { Column, Grids, Row, Table } from "./tables.ts";

export async function openCsvTable(folder: string, table: Table, grids: Grids): Promise<TableFile> {
  const file = await LineFile.create(join(folder, `${table.name}.csv.gz`));
  file.line(table.columns.map(({ name }) => name).join(","));
  let rows = 0;
  return {
    path: file.path,
    get rows() {
      return rows;
    },
    add(row) {
      rows++;
      file.line(lineOf(row, table.columns, grids));
    },
    drained: () => file.drained(),
    close: () => file.close(),
  };
}

function lineOf(row: Row, columns: readonly Column[], { tick, lot }: Grids): string {
  return row
    .map((value, index) => {
      if (value === null) return "";
      const { type } = columns[index] as Column;
      if (type === "price") return formatSteps(value as number, tick);
      if (type === "size") return formatSteps(value as number, lot);
      return typeof value === "number" ? String(value) : quoted(value);
    })
    .join(",");
}

/** A line break would end the row for readers that go by lines: it becomes a space. */
function quoted(text: string): string {
  const line = text.replace(/[\r\n]+/g, " ");
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}
