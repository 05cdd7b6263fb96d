/**
 * A table as wide as the terminal: a wider one, broken by it, can't be read.
 *
 * In order: as it is; with its widest columns' words on several lines, never a word cut; where even that is too wide, each row by itself, a line a
 * column. Into files and pipes a table goes as it is, since nobody's width is known there.
 */

import Table from "cli-table3";

/** What a column has besides its text: a blank on both sides and a border. */
const AROUND = 3;

/** @param widest columns of the terminal; Infinity where there is none. */
export function fittedTable(head: readonly string[], rows: readonly (readonly string[])[], widest: number): string {
  const columns = head.map((name, at) => [name, ...rows.map((row) => row[at] ?? "")]);
  const natural = columns.map((cells) => longest(cells));
  if (tableWidth(natural) <= widest) return drawn(head, rows, natural);
  const words = columns.map((cells) => longest(cells.flatMap((cell) => cell.split(/\s+/))));
  if (tableWidth(words) <= widest) return drawn(head, rows, narrowed(natural, words, widest));
  return oneByOne(head, rows);
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => [...text].length));
}

function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + AROUND, 1);
}

/** Always the widest column that still can; ends, since `floors` fit. */
function narrowed(natural: readonly number[], floors: readonly number[], widest: number): readonly number[] {
  const widths = [...natural];
  for (let excess = tableWidth(widths) - widest; excess > 0; excess--) {
    const able = widths.flatMap((width, at) => (width > (floors[at] ?? 0) ? [{ at, width }] : []));
    const next = able.reduce<{ at: number; width: number } | null>((best, each) => (best && best.width >= each.width ? best : each), null);
    if (next !== null) widths[next.at] = next.width - 1;
  }
  return widths;
}

function drawn(head: readonly string[], rows: readonly (readonly string[])[], widths: readonly number[]): string {
  const wraps = { colWidths: widths.map((width) => width + 2), wordWrap: true };
  const plain = new Table({ head: [...head], style: { head: [], border: [], compact: true }, ...wraps });
  plain.push(...rows.map((row) => [...row]));
  return plain.toString();
}

function oneByOne(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = longest(head);
  return rows.map((row) => head.map((name, at) => `${name.padEnd(names)}  ${row[at] ?? ""}`).join("\n")).join("\n\n");
}
