/**
 * A stretch of a recording for test/workerd/edge-day-recording.test.ts: StandX files imported once, on one pair of grids, and cut in two. What was received before the stretch is what
 * models are trained on; the stretch itself begins with a whole book and is moved by whole weeks into a year in which no alarm of the platform's rings (test/workerd/edge-day.ts).
 */

import { createWriteStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { readEventsFile, readEventsHeader } from "../../archive/events-file.ts";
import { runImport } from "../../archive/import/run-import.ts";
import { standx } from "../../archive/import/standx.ts";
import { type EventsHeader, encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { silent } from "../../training/progress.ts";
import type { RecordingStretch, StretchFacts } from "./edge-day-contract.ts";

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
/** From 2026 to 2030, the same day of the week. */
const MOVED_BY_MS = 208 * 7 * MS_PER_DAY;
export interface CutRecording {
  /** The file of what came before. */
  readonly before: string;
  readonly stretch: string;
  readonly facts: StretchFacts;
}

type Counted = { -readonly [Name in "startTime" | "endTime" | "silences" | "books" | "trades"]: StretchFacts[Name] };

/** The files of a stretch and of what came before it; none of a later day is opened. */
export function filesOf({ folder, from, hours }: RecordingStretch): string[] {
  const lastDay = new Date(from + hours * MS_PER_HOUR - 1).toISOString().slice(0, 10);
  const named = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => {
    const day = /^(?:diffL20|trades)_(\d{4}-\d\d-\d\d)\./.exec(name)?.[1];
    return day !== undefined && day <= lastDay;
  });
  return named.sort().map((name) => join(folder, name));
}

export async function cutRecording(stretch: RecordingStretch, out: string): Promise<CutRecording> {
  const { markets, failure, refused } = await runImport(standx, filesOf(stretch), {
    ...{ out, grids: new Map(), sides: "inferred", progress: silent, market: null, venue: null, intervalMs: null },
  });
  const [imported] = markets;
  if (imported === undefined || failure !== null || refused > 0) throw new Error(`the import refused ${refused} records: ${failure ?? ""}`);
  const header = await readEventsHeader(imported.file);
  const [before, cut] = ["before", "stretch"].map((name) => join(out, `${name}.events.ndjson.gz`)) as [string, string];
  await write(before, header, recordsUntil(imported.file, header, stretch.from));
  const seen = { startTime: 0, endTime: 0, silences: 0, books: 0, trades: 0 };
  await write(cut, header, noted(stretchRecords(imported.file, header, stretch), seen));
  const { tick, lot, market } = header;
  return { before, stretch: cut, facts: { market, tick, lot, ...seen } };
}

async function* noted(of: AsyncIterable<MarketRecord>, seen: Counted): AsyncGenerator<MarketRecord> {
  for await (const record of of) {
    if (seen.startTime === 0) seen.startTime = record.receivedAt;
    seen.endTime = record.receivedAt;
    if (record.kind === "gap") seen.silences++;
    else if (record.kind === "trade") seen.trades++;
    else seen.books++;
    yield record;
  }
}

async function* records(file: string, header: EventsHeader): AsyncGenerator<MarketRecord> {
  for await (const block of readEventsFile(file, header))
    for (const item of block) {
      if ("refused" in item) throw new Error(`${file} line ${item.line}: ${item.refused}`);
      yield item.record;
    }
}

async function* recordsUntil(file: string, header: EventsHeader, end: number): AsyncGenerator<MarketRecord> {
  for await (const record of records(file, header)) {
    if (record.receivedAt >= end) return;
    yield record;
  }
}

/** From the first whole book on, in one order of receive times: what recorders' jitter steps back is received with what stands before it, on both sides of the comparison. */
async function* stretchRecords(file: string, header: EventsHeader, { from, hours }: RecordingStretch): AsyncGenerator<MarketRecord> {
  let latest: number | null = null;
  for await (const record of recordsUntil(file, header, from + hours * MS_PER_HOUR)) {
    if (record.receivedAt < from || (latest === null && record.kind !== "snapshot")) continue;
    latest = Math.max(latest ?? 0, record.receivedAt);
    yield moved({ ...record, receivedAt: latest });
  }
}

function moved(record: MarketRecord): MarketRecord {
  const receivedAt = record.receivedAt + MOVED_BY_MS;
  if (record.kind === "gap")
    return { ...record, receivedAt, from: record.from + MOVED_BY_MS, to: record.to === null ? null : record.to + MOVED_BY_MS };
  return { ...record, receivedAt, venueTime: record.venueTime === null ? null : record.venueTime + MOVED_BY_MS };
}

async function write(path: string, header: EventsHeader, of: AsyncIterable<MarketRecord>): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    yield `${encodeEventsHeader(header)}\n`;
    for await (const record of of) yield `${encodeMarketRecord(record, header)}\n`;
  }
  await pipeline(Readable.from(lines()), createGzip({ level: constants.Z_BEST_SPEED }), createWriteStream(path));
}
