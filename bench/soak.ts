/** `npm run bench -- soak`: runs a soak and prints what it found; fails where a book, the ledger or the heap is not what it must be. */

import { failuresOf, falseAlarmsOf, type Look, runSoak, type SoakReport } from "./soak/run-soak.ts";
import type { SoakOptions } from "./soak/soaked-world.ts";

/** @param output `json`: lines of JSON on stdout alone; `json-and-text`: tables for a reader on stderr too. */
export async function benchSoak(options: SoakOptions, output: "json" | "json-and-text"): Promise<void> {
  const { minutes, ratePerMinute, seed } = options;
  if (!(minutes > 0) || !(ratePerMinute >= 0) || !Number.isSafeInteger(seed) || seed < 0)
    throw new Error("a soak takes hours above 0, a rate of 0 or more and a whole number as a seed");
  const tell = (text: string): void => {
    if (output !== "json") process.stderr.write(`${text}\n`);
  };
  const report = await runSoak(options, (look) => {
    printJson({ name: "soak look", ...look });
    tell(lookText(look));
  });
  const failures = failuresOf(report);
  printJson(resultOf(report, failures));
  tell(reportText(report));
  for (const { entry, market } of report.ledger.missed.slice(0, SHOWN)) printJson({ missed: market, entry });
  for (const gap of report.ledger.unexplained.slice(0, SHOWN)) printJson({ unexplained: gap });
  if (failures.length > 0) throw new Error(failures.join("; "));
}

/** Of what doesn't fit, so many are shown. */
const SHOWN = 20;
const MEBIBYTE = 1_048_576;

function resultOf(report: SoakReport, failures: readonly string[]): Readonly<Record<string, unknown>> {
  const {
    options,
    wallSeconds,
    cpuSeconds,
    simulatedSeconds,
    frames,
    malformedFrames,
    faults,
    gaps,
    ledger,
    heapSlope,
    racing,
    last,
    hash,
  } = report;
  return {
    name: "soak",
    sizes: { ...options, frames, malformedFrames, faults, gaps },
    seconds: wallSeconds,
    cpuSeconds,
    timesRealTime: { wall: simulatedSeconds / wallSeconds, cpu: simulatedSeconds / cpuSeconds },
    faults: Object.fromEntries(ledger.faults),
    gaps: Object.fromEntries(ledger.gaps),
    missed: ledger.missed.length,
    unexplained: ledger.unexplained.length,
    racing,
    falseAlarms: falseAlarmsOf(ledger),
    racingHours: ledger.racingHours,
    heapSlope,
    last,
    hash,
    failures,
  };
}

function lookText({ minute, heapBytes, equal, notLive, latent, wrong }: Look): string {
  const more = [...latent.map((market) => `${market} latent`), ...wrong.map((market) => `${market} WRONG`)].join(", ");
  return `minute ${minute}: heap ${(heapBytes / MEBIBYTE).toFixed(1)} MiB, ${equal} books the truth, ${notLive} not live ${more}`;
}

function reportText(report: SoakReport): string {
  const { ledger, wallSeconds, cpuSeconds, simulatedSeconds, heapSlope } = report;
  const faults = [...ledger.faults]
    .sort()
    .map(([name, { done, shown, harmless, spared, missed }]) => [name, done, shown, harmless, spared, missed]);
  const gaps = [...ledger.gaps]
    .sort()
    .map(([name, { explained, falseAlarms, unexplained }]) => [name, explained, falseAlarms, unexplained]);
  return [
    columns([["fault", "done", "in the ledger", "needn't be", "other connection", "missed"], ...faults]),
    columns([["gap", "explained", "false alarm", "not"], ...gaps]),
    `${(simulatedSeconds / wallSeconds).toFixed(0)} times real time, ${(simulatedSeconds / cpuSeconds).toFixed(0)} times by CPU time`,
    heapSlope === null
      ? "too short to say anything of the heap"
      : `heap ${(heapSlope.meanBytes / MEBIBYTE).toFixed(1)} MiB, ${(heapSlope.bytesPerHour / 1_024).toFixed(1)} ± ${(heapSlope.standardError / 1_024).toFixed(1)} KiB an hour`,
  ].join("\n\n");
}

function columns(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
