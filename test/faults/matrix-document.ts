/** The fault matrix as a document. */

import type { Cell, MarketOutcome } from "./cell.ts";
import type { FaultRow } from "./fault-rows.ts";
import { SAMPLE_MS } from "./reference.ts";

export function matrixDocument(venues: readonly string[], rows: readonly FaultRow[], cells: readonly Cell[]): string {
  const table = [["fault", ...venues], ...rows.map((row) => [row.name, ...venues.map((venue) => cellText(cells, venue, row))])];
  const widths = venues.concat("").map((_, column) => Math.max(...table.map((line) => (line[column] ?? "").length)));
  const lines = table.map((line) => `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  lines.splice(1, 0, `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  return `${HEAD}\n${lines.join("\n")}\n`;
}

const HEAD = `# Faults, and what becomes of the books

Written by \`npx vitest run test/faults -u\`: three markets of each venue in the simulator's world, one fault, the very session, reducer
and adapters that are deployed (feed/session/), in simulated time.
In the end every book of every cell equals the venue's, and markets that the fault isn't of don't notice it, unless the cell says "all".

- **equal**: no book was ever wrong, and none was built anew.
- **a reason**: the gap in the ledger; \`found\` is the time from the fault until the book was served no more, \`whole\` the time until it was again. "all": the venue's rule
  makes it a fault of every market of the connection.
- **late**: the connection was held; the books are of the past until it speaks again.
- **unseen**: a lost change of a book that nothing numbers, beyond what the venue says of it elsewhere: at Coinbase Exchange the top, at BitMEX the best ten levels
  (decision 0019). Here later changes of the same level set it right after the time told. Until then the book was served. What nothing overwrites is found by the audit: each 10 minutes the next connection's whole books are compared
  with those held before it takes over (feed/rotation.ts), here after 10 s, and where the same levels have differed for 10 s more the gap is \`snapshot-differs\`.
- **rotation, …**: it happens while a connection and the next one are both open: *joining*, before the next one's books are there; *joined*, when they have met. A fault of
  a frame or a close hits the older connection.

Times are of this one run. A numbered book shows a loss with its next message. Where quotes run ahead of a numbered book, or differ from an unnumbered one, it is found after 5 to 10 s; a market
that says nothing at all is stale after 30 s, the venue's own bound.
`;

function cellText(cells: readonly Cell[], venue: string, row: FaultRow): string {
  const cell = cells.find((each) => each.venue === venue && each.row === row);
  if (cell === undefined) return "not run";
  const [faulted, ...others] = cell.markets;
  const gaps = faulted.gaps.filter(({ channel }) => channel === "depth" || channel === "connection");
  const isAll = others.some((other) => other.gaps.length > 0) ? " (all)" : "";
  const trades = faulted.gaps.some(({ reason }) => reason === "lost-trades") ? "; trades noted" : "";
  const wrongMs = Math.max(0, ...faulted.wrong.map(({ from, to }) => to - from + SAMPLE_MS));
  if (gaps.length === 0) {
    if (wrongMs === 0) return `equal${trades}`;
    return `${row.name.includes("delay") ? "late" : "unseen"} ${seconds(wrongMs)}${trades}`;
  }
  const reasons = [...new Set(gaps.map(({ reason }) => reason))].join(", ");
  return `${reasons}${isAll}: ${timesText(cell, faulted)}${trades}`;
}

function timesText({ record, row }: Cell, { lostAt, gaps }: MarketOutcome): string {
  const at = record[0]?.at ?? row.finerTicksAt ?? 0;
  const whole = Math.max(...gaps.map(({ to }) => to ?? 0));
  // One that another book has replaced was served all the time.
  const found = seconds(Math.max(0, (lostAt ?? whole) - at));
  return `found ${found}, whole ${seconds(whole - at)}`;
}

/** To the sample. */
function seconds(ms: number): string {
  return `${(Math.ceil(ms / SAMPLE_MS) / 10).toFixed(1)} s`;
}
