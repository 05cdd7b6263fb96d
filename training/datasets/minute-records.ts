/**
 * Minute rows of a running instance as `edgebook pull --snapshots` writes them: NDJSON, a line a minute, a file a market and day. Believed line by line: what can't be
 * read is counted, and its minute is missing.
 *
 * Refused: a file of two markets, minutes that step back or come twice, and files of before minute rows told the prices of each second.
 */

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SPLIT_LABELS } from "../../core/labels/split.ts";
import { parseMarketId } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { CommandError } from "../command-error.ts";

const steps = z.int().positive();
const level = z.object({ priceTicks: steps, sizeLots: steps });
const grid = z.string().refine((text) => parseGrid(text) !== null);

const recordShape = z.object({
  market: z.string().refine((text) => parseMarketId(text) !== null),
  /** Start of the minute of receive time, epoch ms. */
  minute: z.int().multipleOf(MS_PER_MINUTE),
  tick: grid,
  lot: grid,
  state: z.enum(["live", "disconnected", "syncing", "stale"]),
  /** Best first; null unless live. */
  bids: z.array(level).nullable(),
  asks: z.array(level).nullable(),
  marketTime: z.number().nullable(),
  features: z.object({ featureTime: z.int().positive(), fingerprint: z.string(), row: z.array(z.number()) }).nullable(),
  events: z.int().nonnegative(),
  split: z.object({ label: z.enum(SPLIT_LABELS), schedule: z.string() }).nullable(),
  pricePath: z.string().nullable(),
});

export type MinuteRecord = z.infer<typeof recordShape>;

/** While its day goes on, a file has `.open` behind its name. */
const RECORDS = /\.ndjson(\.open)?$/;

/** @param paths files, or folders of them, also of a whole pull. Throws CommandError where there are none. */
export async function minuteFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) throw new CommandError(`there is no file or folder ${path}`);
    if (!found.isDirectory()) {
      files.push(path);
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    files.push(...entries.filter((entry) => entry.isFile() && RECORDS.test(entry.name)).map((entry) => join(entry.parentPath, entry.name)));
  }
  if (files.length === 0)
    throw new CommandError(`${paths.join(", ")}: no minute rows, which \`edgebook pull --snapshots\` fetches from an instance`);
  return files.sort();
}

/** @returns the file's minutes in its order, all of one market, at least one, and how many lines were none. */
export async function readMinuteFile(path: string): Promise<{ records: MinuteRecord[]; malformed: number }> {
  const records: MinuteRecord[] = [];
  let malformed = 0;
  for (const [index, line] of (await readFile(path, "utf8")).split("\n").entries()) {
    if (line === "") continue;
    const record = parseRecord(line, `${path} line ${index + 1}`);
    if (record === null) malformed++;
    else records.push(record);
  }
  if (records.length === 0) throw new CommandError(`${path} holds no minute row: \`edgebook pull --snapshots\` writes such files`);
  const other = records.find(({ market }) => market !== records[0]?.market);
  if (other !== undefined)
    throw new CommandError(`${path} holds minutes of ${records[0]?.market} and of ${other.market}: a file is of one`);
  return { records, malformed };
}

/** Throws CommandError where `record` isn't behind `before`, the record of its market that came before it. */
export function refuseStepBack(before: MinuteRecord, { market, minute }: MinuteRecord): void {
  if (minute > before.minute) return;
  const what = minute === before.minute ? "is there twice" : `comes behind ${new Date(before.minute).toISOString()}`;
  throw new CommandError(`the minute ${new Date(minute).toISOString()} of ${market} ${what}: name each stretch of time once, oldest first`);
}

/** @returns null for what is no minute. */
function parseRecord(line: string, where: string): MinuteRecord | null {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return null;
  }
  const read = recordShape.safeParse(json);
  if (read.success) return read.data;
  if (typeof json === "object" && json !== null && "minute" in json && !("pricePath" in json))
    throw new CommandError(`${where}: a minute row without the prices of its seconds, of an older instance or pull: pull again`);
  return null;
}
