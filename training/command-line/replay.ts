/** `edgebook replay`: a recording through the feed's own reducer, offline: the book's proof, the gaps, and the hashes of book and feature rows. */

import { Command } from "commander";
import type { FeatureRow } from "../../core/features/contract.ts";
import { CommandError } from "../command-error.ts";
import { fileSources, parseGrids } from "../datasets/file-sources.ts";
import { type Comparison, compareWithRunning } from "../replay/compare-with-running.ts";
import { faultsOf, type ReplayReport, reportReplay } from "../replay/replay-report.ts";
import { terminalProgress } from "./bars.ts";
import { collect, jsonOption } from "./options.ts";
import { print, printJson, when } from "./report.ts";

interface ReplayOptions {
  readonly venue: string;
  readonly market?: string;
  readonly grid: readonly string[];
  readonly check: boolean;
  readonly against?: string;
  readonly json: boolean;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description("Replays recordings through the reducer that the edge runs, and says what became of them.")
    .argument("<recordings...>", "tapes, wire files, or folders of them; files of one market are joined")
    .option("--venue <venue>", "venue of files that don't name it", "binance-spot")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT")
    .option("--check", "fail when a gap, a malformed frame or a difference from the venue's quote is found", false)
    .option("--against <url>", "compare with a running instance, e.g. http://127.0.0.1:8787")
    .option("--grid <symbol:tick:lot>", "a symbol's tick and lot, where they are known better than from the file", collect, [])
    .addOption(jsonOption())
    .action(runReplay);
}

async function runReplay(recordings: string[], options: ReplayOptions): Promise<void> {
  const sources = await fileSources(recordings, {
    venue: options.venue,
    market: options.market ?? null,
    grids: new Map(options.grid.map(parseGrids)),
  });
  const faults: string[] = [];
  const replayed: { report: ReplayReport; comparison: Comparison | null }[] = [];
  for (const source of sources) {
    const rows = new Map<number, readonly number[]>();
    const keep = options.against === undefined ? undefined : (row: FeatureRow) => rows.set(row.featureTime, Array.from(row.row));
    const report = await reportReplay(source, terminalProgress(), keep);
    const comparison = options.against === undefined ? null : await compareWithRunning(report, options.against, rows);
    replayed.push({ report, comparison });
    if (options.check) faults.push(...faultsOf(report).map((fault) => `${report.market}: ${fault}`));
    if (comparison !== null && !comparison.isEqual)
      faults.push(`${report.market}: ${options.against} differs: ${comparison.lines.join("; ")}`);
    if (!options.json) printReport(report, comparison);
  }
  if (options.json) printJson(replayed.map(({ report, comparison }) => ({ ...report, comparison })));
  if (faults.length > 0) throw new CommandError(`the replay is not clean:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
}

function printReport(report: ReplayReport, comparison: Comparison | null): void {
  const until = report.marketTime === null ? "no market time" : `${when(report.marketTime)} UTC`;
  print(`${report.market} from ${report.source}, to ${until}`);
  print(
    `  records        ${report.records} (${report.malformedLines} unreadable lines); frames ${report.frames}, malformed ${report.malformedFrames}`,
  );
  for (const sample of report.malformedSamples) print(`    ${sample.slice(0, 140)}`);
  print(
    `  book           ${report.state}, sequence ${report.lastSequence ?? "none"}, ${report.bidLevels} bid and ${report.askLevels} ask levels, best ${report.bidTicks ?? "none"} / ${report.askTicks ?? "none"} ticks`,
  );
  print(`  book hash      ${report.bookHash} (tick ${report.tick}, lot ${report.lot})`);
  print(
    `  against quotes ${report.comparisons} comparisons at equal sequence, ${report.mismatches} mismatches; checkpoint mismatches ${report.checkpointMismatches}`,
  );
  print(`  gaps           ${report.gaps.length === 0 ? "none" : ""}`);
  for (const gap of report.gaps)
    print(`    ${when(gap.from)} … ${gap.to === null ? "still open" : when(gap.to)}: ${gap.reason}, ${gap.detail} (${gap.action})`);
  print(
    `  features       ${report.featureRows} rows, ${report.warmRows} warm; set ${report.featureSet} ${report.fingerprint}; rows hash ${report.rowsHash}`,
  );
  if (comparison === null) return;
  print(`  running        ${comparison.isEqual ? "equal" : "DIFFERENT"}`);
  for (const line of comparison.lines) print(`    ${line}`);
}
