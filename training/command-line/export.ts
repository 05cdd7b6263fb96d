/** `edgebook export`: tapes or events in; NDJSON, CSV, Parquet or the classic recorder's form out. A model is exported by `export-model`. */

import { Command, Option } from "commander";
import { eventSources } from "../../archive/export/event-sources.ts";
import { type ExportForm, type ExportReport, exportForms, runExport } from "../../archive/export/run-export.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { CommandError } from "../command-error.ts";
import { terminalProgress } from "./bars.ts";
import { countsOf, printRefused } from "./import.ts";
import { jsonOption, wholeNumber } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface ExportOptions {
  readonly as: ExportForm;
  readonly out: string;
  readonly market?: string;
  readonly venue?: string;
  readonly silenceMs?: number;
  readonly interval: number;
  readonly levels?: number;
  readonly json: boolean;
}

/** Levels a side: of minute snapshots as the API serves them, and of the classic form. */
const LEVELS = 20;
const RECORDER_LEVELS = 50;
/** Columns of a table of samples grow with it: four a level. */
const MAX_LEVELS = 1_000;

export function exportCommand(): Command {
  return new Command("export")
    .description("Writes what was recorded or imported, in a form that others read: a folder for each market.")
    .argument("<files...>", "tapes (.tape.gz, .day), events (.events.ndjson.gz), or folders of them")
    .addOption(new Option("--as <form>", "what to write").choices(exportForms).makeOptionMandatory())
    .requiredOption("--out <dir>", "folder to write")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT")
    .option("--venue <venue>", "venue of tapes whose path doesn't say it")
    .option("--silence-ms <ms>", "silences of a tape's books beyond it are gaps (as its own pace says, unless told)", wholeNumber)
    .option("--interval <ms>", "time between samples of the book (minutes.*, recorder)", wholeNumber, MS_PER_MINUTE)
    .option("--levels <n>", `levels a side of a sample (${LEVELS}; of the recorder's form ${RECORDER_LEVELS})`, wholeNumber)
    .addOption(jsonOption())
    .action(runExportCommand);
}

async function runExportCommand(files: string[], options: ExportOptions): Promise<void> {
  const levels = options.levels ?? (options.as === "recorder" ? RECORDER_LEVELS : LEVELS);
  if (levels < 1 || levels > MAX_LEVELS) throw new CommandError(`--levels ${levels}: 1 to ${MAX_LEVELS} are wanted`);
  if (options.interval < 1) throw new CommandError("--interval 0: at least a millisecond is wanted");
  const report = await runExport(await eventSources(files, { venue: options.venue ?? null, silenceMs: options.silenceMs ?? null }), {
    form: options.as,
    out: options.out,
    market: options.market ?? null,
    intervalMs: options.interval,
    levels,
    progress: terminalProgress(),
  });
  if (options.json) printJson(report);
  else printReport(report);
  if (report.failure !== null) throw new CommandError(`${report.failure}\n  what came before is in ${options.out}`);
}

function printReport(report: ExportReport): void {
  print(
    table(
      ["market", "file", "rows", "bytes"],
      report.markets.flatMap(({ market, files }) => files.map(({ path, rows, bytes }) => [market, path, String(rows), String(bytes)])),
    ),
  );
  for (const { market, records, byKind, tooShallow } of report.markets) {
    print(`${market}: ${records} records (${countsOf(byKind)})`);
    if (tooShallow > 0) print(`  ${tooShallow} samples had too few levels for the form: ask for fewer with --levels`);
  }
  printRefused(report.refused, report.refusedSamples, {});
}
