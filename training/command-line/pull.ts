/** `edgebook pull`: what a running instance has recorded, to a folder: resumable, each day file proved before it has its name. */

import { Command } from "commander";
import { Instance } from "../../archive/pull/instance.ts";
import { type PullReport, runPull } from "../../archive/pull/run-pull.ts";
import { dayOf } from "../../core/units/time.ts";
import { terminalProgress } from "./bars.ts";
import { calendarDay, collect, jsonOption } from "./options.ts";
import { print, printJson } from "./report.ts";

interface PullCommandOptions {
  readonly from: string;
  readonly market: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly out: string;
  readonly minutes: boolean;
  readonly snapshots: boolean;
  readonly json: boolean;
}

export function pullCommand(): Command {
  return new Command("pull")
    .description("Fetches what an instance has recorded: day files, and for days that have none yet their minutes. Done again, it goes on.")
    .requiredOption("--from <url>", "the instance, e.g. https://edgebook.example.workers.dev")
    .requiredOption("--out <dir>", "folder to write")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT; may be given several times", collect, [])
    .option("--since <day>", "first UTC day, yyyy-mm-dd; everything when left out", calendarDay)
    .option("--until <day>", "last UTC day; today when left out", calendarDay)
    .option("--no-minutes", "day files alone")
    .option("--snapshots", "the minute rows as well, as NDJSON, as the instance knows them when they come", false)
    .addOption(jsonOption())
    .action(run);
}

async function run(options: PullCommandOptions): Promise<void> {
  const report = await runPull({
    instance: new Instance(options.from),
    out: options.out,
    markets: options.market,
    since: options.since ?? null,
    until: options.until ?? dayOf(Date.now()),
    beside: { minutes: options.minutes ? "of-open-days" : "none", snapshots: options.snapshots ? "all" : "none" },
    now: Date.now(),
    progress: terminalProgress(),
  });
  if (options.json) printJson(report);
  else printReport(report, options.out);
}

function printReport({ days, minutes, snapshots }: PullReport, out: string): void {
  print(`day files      ${days.listed} listed, ${days.fetched} fetched (${days.bytes} bytes), each proved by its chain`);
  print(`minutes        ${minutes.fetched} fetched (${minutes.bytes} bytes), of days without a file yet`);
  if (snapshots.fetched > 0) print(`minute rows    ${snapshots.rows} in ${snapshots.fetched} files: edgebook dataset --snapshots ${out}`);
  print(`in ${out}: edgebook verify ${out}, replay, export, dataset`);
}
