/** `edgebook import`: foreign files in, an events file for each market out; or, of a wire capture, a tape. */

import { Argument, Command } from "commander";
import { findImporter, importers } from "../../archive/import/registry.ts";
import { type ImportReport, runImport } from "../../archive/import/run-import.ts";
import { importTape, type TapeReport } from "../../archive/import/wire.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { CommandError } from "../command-error.ts";
import { parseGrids, venueOfLines } from "../datasets/file-sources.ts";
import { terminalProgress } from "./bars.ts";
import { calendarDay, collect, jsonOption, utcOffset, wholeNumber } from "./options.ts";
import { print, printJson, table, when } from "./report.ts";

interface ImportOptions {
  readonly out: string;
  readonly market?: string;
  readonly venue?: string;
  readonly interval?: number;
  readonly symbol: readonly string[];
  readonly date?: string;
  readonly utcOffset?: number;
  readonly grid: readonly string[];
  readonly inferSides: boolean;
  readonly tape: boolean;
  readonly json: boolean;
}

export function importCommand(): Command {
  return new Command("import")
    .description("Brings data of others in: market events (.events.ndjson.gz), a file for each market, with what was refused and why.")
    .addArgument(new Argument("<format>", "what the files are").choices(importers.map(({ format }) => format)))
    .argument("<files...>", "files, or folders of them")
    .requiredOption("--out <dir>", "folder to write")
    .option("--market <venue:SYMBOL>", "the market, where the files don't say it")
    .option("--venue <venue>", "the venue, where the files say only the symbol")
    .option("--interval <ms>", "time between rows of bars or of a recorder, where it isn't a minute", wholeNumber)
    .option("--symbol <symbol>", "of files that hold all of a venue's symbols: take this one (may be repeated)", collect, [])
    .option("--date <day>", "the day that times of day are of, where the file names don't say it", calendarDay)
    .option("--utc-offset <hh:mm>", "how far the exchange's clock was ahead of UTC, as -05:00, where not its time zone says it", utcOffset)
    .option("--grid <symbol:tick:lot>", "a symbol's tick and lot, where they are known better than from the file", collect, [])
    .option("--infer-sides", "work out the takers' sides that a source doesn't tell: quote rule, then tick rule", false)
    .option("--tape", "of a wire capture: a tape of all that was sent, in place of events", false)
    .addOption(jsonOption())
    .addHelpText("after", `\nFormats:\n${importers.map(({ format, what }) => `  ${format.padEnd(16)}${what}`).join("\n")}`)
    .action(runImportCommand);
}

async function runImportCommand(format: string, files: string[], options: ImportOptions): Promise<void> {
  const { market = null, venue = null, out } = options;
  if (market !== null && parseMarketId(market) === null) throw new CommandError(`--market ${market}: venue:SYMBOL is wanted`);
  if (options.tape) {
    if (format !== "wire") throw new CommandError(`--tape is of wire captures alone: ${format} holds no frames`);
    const report = await importTape(files, { venue, venueOfLines, out, progress: terminalProgress() });
    if (options.json) printJson(report);
    else printTape(report);
    failIf(report.failure, report.file);
    return;
  }
  const importer = findImporter(format);
  if (importer === null) throw new CommandError(`no format "${format}"`);
  const report = await runImport(importer, files, {
    market,
    venue,
    venueOfLines,
    out,
    intervalMs: options.interval ?? null,
    symbols: options.symbol,
    ...(options.date === undefined ? {} : { date: options.date }),
    ...(options.utcOffset === undefined ? {} : { utcOffsetMs: options.utcOffset }),
    grids: new Map(options.grid.map(parseGrids)),
    sides: options.inferSides ? "inferred" : "as-given",
    progress: terminalProgress(),
  });
  if (options.json) printJson(report);
  else printReport(report);
  failIf(report.failure, out);
}

function failIf(failure: string | null, written: string): void {
  if (failure !== null) throw new CommandError(`${failure}\n  what came before is in ${written}`);
}

function printReport(report: ImportReport): void {
  print(
    table(
      ["market", "from (UTC)", "to", "records", "gaps", "tick", "lot", "file"],
      report.markets.map((market) => [
        market.market,
        market.from === null ? "" : when(market.from),
        market.to === null ? "" : when(market.to),
        countsOf(market.byKind),
        Object.keys(market.gaps).length === 0 ? "none" : `${countsOf(market.gaps)}, ${(market.gapMs / 1000).toFixed(0)} s`,
        `${market.tick} (${market.grids})`,
        market.lot,
        market.file,
      ]),
    ),
  );
  const inferred = report.markets.reduce((sum, { sidesInferred }) => sum + sidesInferred, 0);
  if (inferred > 0) print(`${inferred} takers' sides were worked out, and the headers say so`);
  printRefused(report.refused, report.refusedSamples, report.refusedBy);
  const withheld = report.markets.reduce((sum, market) => sum + market.withheld, 0);
  if (withheld > 0)
    print(`${withheld} changes of books were left out: they came between a line that could not be read and the next whole book`);
}

function printTape(report: TapeReport): void {
  print(`${report.file}: ${report.records} records of ${report.venue}, ${report.bytes} bytes`);
  print(
    table(
      ["symbol", "tick (inferred)", "lot"],
      report.instruments.map(({ symbol, tick, lot }) => [symbol, tick, lot]),
    ),
  );
  printRefused(report.refused, report.refusedSamples, {});
}

/** What was not taken, with the first of it. */
export function printRefused(refused: number, samples: readonly string[], by: Readonly<Record<string, number>>): void {
  print(`refused: ${refused === 0 ? "none" : `${refused}${Object.keys(by).length === 0 ? "" : ` (${countsOf(by)})`}`}`);
  for (const sample of samples) print(`  ${sample}`);
}

export function countsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
