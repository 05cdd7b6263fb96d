/** `edgebook report`: a run as a page to hand round. */

import { Command } from "commander";
import { jsonOption } from "./options.ts";
import { print, printJson } from "./report.ts";

interface ReportOptions {
  readonly run: string;
  readonly out?: string;
  readonly json: boolean;
}

export function reportCommand(): Command {
  return new Command("report")
    .description(
      "Writes a page about a run: curves, scores with intervals, forecast beside outcome, settings, data, code. One file, nothing fetched.",
    )
    .requiredOption("--run <dir>", "run made by `edgebook train`")
    .option("--out <file>", "where to; report.html in the run unless given")
    .addOption(jsonOption())
    .action(runReport);
}

async function runReport({ run, out, json }: ReportOptions): Promise<void> {
  // Loaded only here: what draws is large, and no other command needs it.
  const { writeReport } = await import("../report/run-report.ts");
  const path = await writeReport(run, out === undefined ? {} : { out });
  if (json) printJson({ report: path });
  else print(`written: ${path}`);
}
