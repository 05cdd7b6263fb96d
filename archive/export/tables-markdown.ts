/** The tables as docs/data.md shows them; a test compares. */

import { eventTables, minutesTable, type Table, withMarket } from "./tables.ts";

export function tablesMarkdown(): string {
  return [...Object.values(eventTables), minutesTable(1)].map(withMarket).map(tableMarkdown).join("\n\n");
}

function tableMarkdown({ name, what, columns }: Table): string {
  const rows = columns.map(
    ({ name: column, type, isNullable, meaning }) => `| ${column} | ${type}${isNullable ? ", or null" : ""} | ${meaning} |`,
  );
  return [`**${name}**: ${what}`, "", "| column | type | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
