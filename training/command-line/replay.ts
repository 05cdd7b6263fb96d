/** `edgebook replay`: a recording through the feed's own reducer, offline: each book's proof, the gaps, and the hashes of books and feature rows. */

import { Command } from "commander";
import type { FeatureRow } from "../../core/features/contract.ts";
import { CommandError } from "../command-error.ts";
import { fileSources, parseGrids } from "../datasets/file-sources.ts";
import { type Comparison, compareWithRunning } from "../replay/compare-with-running.ts";
import { faultsOf, reportReplay } from "../replay/replay-report.ts";
import { terminalProgress } from "./bars.ts";
import { collect, jsonOption } from "./options.ts";
import { printReplay } from "./replay-print.ts";
import { printJson } from "./report.ts";

interface ReplayOptions {
  readonly venue?: string;
  readonly market?: string;
  readonly grid: readonly string[];
  readonly check: boolean;
  readonly against?: string;
  readonly json: boolean;
}

export function replayCommand(): Command {
  return new Command("replay")
    .description("Replays recordings through the reducer that the edge runs, and says what became of them.")
    .argument("<recordings...>", "tapes, recorders' files (.ndjson.gz, .ws.txt.gz), or folders of them; files of one market are joined")
    .option("--venue <venue>", "venue of files that don't name it; told from what they hold where it is not given")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT")
    .option("--check", "fail when a gap, a malformed frame or a difference from the venue's quote is found", false)
    .option("--against <url>", "compare with a running instance, e.g. http://127.0.0.1:8787")
    .option("--grid <symbol:tick:lot>", "a symbol's tick and lot, where they are known better than from the file", collect, [])
    .addOption(jsonOption())
    .action(runReplay);
}

async function runReplay(recordings: string[], options: ReplayOptions): Promise<void> {
  const sources = await fileSources(recordings, {
    venue: options.venue ?? null,
    market: options.market ?? null,
    grids: new Map(options.grid.map(parseGrids)),
  });
  const { against } = options;
  const faults: string[] = [];
  const replayed: unknown[] = [];
  for (const source of sources) {
    const rows = new Map<string, Map<number, readonly number[]>>();
    const keep = (symbol: string, row: FeatureRow): void => {
      const known = rows.get(symbol) ?? new Map<number, readonly number[]>();
      rows.set(symbol, known.set(row.featureTime, Array.from(row.row)));
    };
    const report = await reportReplay(source, terminalProgress(), against === undefined ? undefined : keep);
    const comparisons = new Map<string, Comparison>();
    for (const market of against === undefined ? [] : report.markets) {
      const symbol = market.market.slice(report.venue.length + 1);
      const comparison = await compareWithRunning(market, against ?? "", rows.get(symbol) ?? new Map());
      comparisons.set(market.market, comparison);
      if (!comparison.isEqual) faults.push(`${market.market}: ${against} differs: ${comparison.lines.join("; ")}`);
    }
    if (options.check) faults.push(...faultsOf(report));
    const markets = report.markets.map((market) => ({ ...market, comparison: comparisons.get(market.market) ?? null }));
    if (options.json) replayed.push({ ...report, markets });
    else printReplay(report, comparisons);
  }
  if (options.json) printJson(replayed);
  if (faults.length > 0) throw new CommandError(`the replay is not clean:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
}
