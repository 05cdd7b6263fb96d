/** `edgebook verify`: day files proved: their hashes, the chain over the days, and a replay to the books that were stored. */

import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { dayFileName } from "../../archive/day-file.ts";
import { Instance } from "../../archive/pull/instance.ts";
import type { KnownDay } from "../../archive/pull/known-days.ts";
import { listDays, minuteRows, runPull } from "../../archive/pull/run-pull.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { dayOf } from "../../core/units/time.ts";
import { CommandError } from "../command-error.ts";
import type { MinuteBook } from "../verify/day-replay.ts";
import { dayFilesIn, type VerifiedDay, type VerifyReport, verifyDays } from "../verify/verify-days.ts";
import { terminalProgress } from "./bars.ts";
import { calendarDay, collect, jsonOption } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface VerifyCommandOptions {
  readonly from?: string;
  readonly market: readonly string[];
  readonly day?: string;
  readonly json: boolean;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("Proves day files: every hash, the chain over a market's days, and a replay to the very books that the feed stored.")
    .argument("[days...]", "day files, or folders of them")
    .option("--from <url>", "an instance to compare with: its chain and its minute rows; without files its own are fetched and proved")
    .option("--market <market>", "with --from and no files: only this market; may be given several times", collect, [])
    .option("--day <day>", "with --from and no files: only this UTC day, yyyy-mm-dd", calendarDay)
    .addOption(jsonOption())
    .action(run);
}

async function run(paths: string[], options: VerifyCommandOptions): Promise<void> {
  if (paths.length === 0 && options.from === undefined)
    throw new CommandError("nothing to verify: name day files, or an instance with --from");
  const instance = options.from === undefined ? null : new Instance(options.from);
  const fetched = paths.length === 0 ? await mkdtemp(join(tmpdir(), "edgebook-verify-")) : null;
  try {
    const files = fetched === null || instance === null ? await dayFilesIn(paths) : await fetchDays(instance, fetched, options);
    const report = await verifyDays(files, {
      listed: instance === null || fetched !== null ? [] : await listedBy(instance, files),
      minutesOf: (market, day) => (instance === null ? localRows(files, market, day) : storedRows(instance, market, day)),
      ...(instance === null ? { unfinishedOf: (market: string, day: string) => unfinishedRows(files, market, day) } : {}),
      progress: terminalProgress(),
    });
    if (options.json) printJson(report);
    else printReport(report);
    if (report.fault !== null) throw new CommandError(`not verified: ${report.fault}`);
  } finally {
    if (fetched !== null) await rm(fetched, { recursive: true, force: true });
  }
}

async function fetchDays(instance: Instance, out: string, { market, day }: VerifyCommandOptions): Promise<string[]> {
  const { files } = await runPull({
    ...{ instance, out, markets: market, since: day ?? null, until: day ?? dayOf(Date.now()), now: Date.now() },
    beside: { minutes: "none", snapshots: "none" },
    progress: terminalProgress(),
  });
  if (files.length === 0) throw new CommandError(`${instance.base.href} has no day file of that`);
  return dayFilesIn(files);
}

/** The chain of the files' markets, over all days. */
async function listedBy(instance: Instance, files: readonly string[]): Promise<KnownDay[]> {
  const markets = new Set<string>();
  for (const path of files) markets.add((await dayFileName(path)).market);
  return listDays({ instance, markets: [...markets], since: null, until: dayOf(Date.now()) });
}

async function storedRows(instance: Instance, market: string, day: string): Promise<ReadonlyMap<number, MinuteBook>> {
  return new Map((await minuteRows(instance, { market, day, levels: 0 })).map((row) => [row.minute, row]));
}

async function localRows(files: readonly string[], market: string, day: string): Promise<ReadonlyMap<number, MinuteBook>> {
  const path = rowsBeside(files, market, day);
  const text = path === null ? "" : await readFile(path, "utf8").catch(() => "");
  const rows = text.split("\n").filter((line) => line !== "");
  return new Map(rows.map((line) => JSON.parse(line) as MinuteBook).map((row) => [row.minute, row]));
}

async function unfinishedRows(files: readonly string[], market: string, day: string): Promise<string | null> {
  const path = rowsBeside(files, market, day);
  const isThere = path !== null && (await stat(`${path}.open`).catch(() => null)) !== null;
  return isThere ? `${basename(path)}.open` : null;
}

/** Of a pull with --snapshots: <out>/snapshots/v1/<venue>/<symbol>/<day>.ndjson beside <out>/days/v1/<venue>/<symbol>/. */
function rowsBeside(files: readonly string[], market: string, day: string): string | null {
  const name = parseMarketId(market);
  const file = files.find((path) => path.includes(day));
  if (name === null || file === undefined) return null;
  return join(dirname(file), "..", "..", "..", "..", "snapshots", "v1", name.venue, name.symbol, `${day}.ndjson`);
}

function printReport({ files, fault }: VerifyReport): void {
  print(
    table(
      ["market", "day", "part", "blocks", "records", "head", "chain", "checkpoints", "minutes", "gaps", "verdict"],
      files.map((file) => [
        ...[file.market, file.day, String(file.part), String(file.blocks), String(file.lines), file.head?.slice(0, 12) ?? "none"],
        ...[file.chain, `${file.checkpointsCompared} of ${file.checkpoints}`, minutesOf(file), String(file.gaps), verdictOf(file)],
      ]),
    ),
  );
  if (fault === null)
    print("every hash is right, the days follow each other, and the replayed books are those that were stored, each of them");
}

function minutesOf({ minutesCompared, minutesNotCompared }: VerifiedDay): string {
  return `${minutesCompared} of ${minutesCompared + minutesNotCompared}`;
}

function verdictOf({ fault }: VerifiedDay): string {
  return fault === null ? "whole" : fault.slice(0, 60);
}
