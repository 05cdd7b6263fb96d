/**
 * Brings what one feed recorded into R2 and D1, and only then lets the feed forget it.
 *
 * For each portion of closed minutes: 1. tapes to R2, 2. the rows that name them to D1 in one transaction, 3. acknowledge. A failure
 * anywhere leaves the portion with the feed, and the next run does it again; every step gives the same result when done twice, late, or
 * by two runs at once. Nothing is sampled or dropped here: whatever can't be stored stays pending, and is seen in /v1/health.
 *
 * One invocation may make only so many calls. A portion takes as many minutes as the calls left allow, by the tapes that they list, and the
 * rest stays for the next run. The oldest minute is tried whatever it costs, since waiting makes it no smaller: with more than some 150
 * feeds a run outgrows the platform's thousand calls (it can be configured to allow more), and fails, visibly.
 */

import type { SplitSchedule } from "../../core/labels/split.ts";
import { marketId } from "../../core/market/instrument.ts";
import { groupTapes, type TapePlace } from "../../core/wire/minute-tapes.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import type { FeedRpc, GapRecord, PendingMinute } from "../../feed/contract.ts";
import { logWarning } from "../log.ts";
import type { Database } from "../storage/database.ts";
import { batchId } from "../storage/read-batches.ts";
import { putTapes } from "../storage/tapes.ts";
import { type StoredBatch, writeBatch } from "../storage/write-batch.ts";
import { gapRow, instrumentRow, snapshotRow } from "./rows.ts";

/** Minutes asked for at once: some 20 kB of rows per market. */
const MINUTES_PER_PORTION = 5;
/** A run stops here and leaves the rest to the next, one minute later: an hour's backlog is gone in two. */
const PORTIONS_PER_RUN = 6;
/** The feed's status. */
const CALLS_PER_RUN = 1;
/** What is pending, the rows, the acknowledgement. */
const CALLS_PER_PORTION = 3;
/** From the feed, to the bucket. What is there already takes some more, which the caller's reserve is for. */
const CALLS_PER_OBJECT = 2;

export interface Stores {
  readonly database: Database;
  readonly bucket: R2Bucket;
  /** What part in training each minute has. */
  readonly splits: SplitSchedule;
}

export interface DrainReport {
  readonly minutes: number;
  readonly rows: number;
  readonly gaps: number;
  /** Markets' tapes, the objects written for them, and their bytes. */
  readonly tapes: number;
  readonly objects: number;
  readonly tapeBytes: number;
  /** Closed minutes that the feed still holds. */
  readonly remaining: number;
}

export interface DrainOptions extends Stores {
  /** The time this run was due, epoch ms. */
  readonly startedAt: number;
  /** How many calls to feed and stores this run may make. */
  readonly calls: number;
  /** In the place of the feed's name, in the ids of its batches: for one that shares its name with another that is drained. */
  readonly batchesOf?: string;
}

/** @throws what the feed or a store throws; what was acknowledged before stays stored. */
export async function drainFeed(feed: FeedRpc, configuration: FeedConfiguration, options: DrainOptions): Promise<DrainReport> {
  const { venue: told, markets } = await feed.status();
  // What a former feed of an older deployment says.
  const venue = told === "unknown" ? configuration.venue : told;
  const instruments = markets.map(({ instrument }) => instrumentRow(instrument, configuration.feed));
  let report: DrainReport = { minutes: 0, rows: 0, gaps: 0, tapes: 0, objects: 0, tapeBytes: 0, remaining: 0 };
  let calls = options.calls - CALLS_PER_RUN;
  for (let portion = 0; portion < PORTIONS_PER_RUN && (portion === 0 || calls >= CALLS_PER_PORTION); portion++) {
    const { minutes: listed, gaps, remaining } = await feed.pending(MINUTES_PER_PORTION);
    if (listed.length === 0 && gaps.length === 0) break;
    calls -= CALLS_PER_PORTION;
    const minutes = affordable(listed, calls, portion === 0 ? 1 : 0);
    if (minutes.length === 0 && portion > 0) break;
    calls -= costOf(minutes);
    const id = batchId(options.batchesOf ?? configuration.feed, options.startedAt, portion);
    const left = remaining + listed.length - minutes.length;
    const batch = await storePortion(feed, configuration, { ...options, id, venue, instruments, minutes, gaps, remaining: left });
    report = add(report, batch);
    if (left === 0) break;
  }
  return report;
}

interface Portion extends DrainOptions {
  readonly id: string;
  /** The feed's own word: its deployment may be another than this one, with other FEEDS. */
  readonly venue: string;
  readonly instruments: StoredBatch["instruments"];
  readonly minutes: readonly PendingMinute[];
  readonly gaps: readonly GapRecord[];
  /** Closed minutes that the feed holds beyond these. */
  readonly remaining: number;
}

async function storePortion(feed: FeedRpc, configuration: FeedConfiguration, portion: Portion): Promise<DrainReport> {
  const { id, startedAt, instruments, minutes, gaps, remaining } = portion;
  const { tapes, objects } = await storeTapes(feed, configuration, portion);
  const snapshots = minutes.flatMap((minute) =>
    minute.snapshots.map((snapshot) =>
      snapshotRow({ snapshot, batch: id, tape: tapes.get(tapeName(snapshot.market, minute.minute)) ?? null, splits: portion.splits }),
    ),
  );
  const batch = batchRow({ id, configuration, startedAt, minutes, gaps: gaps.length, rows: snapshots.length, tapes, objects, remaining });
  await writeBatch(portion.database, { batch, instruments, snapshots, gaps: gaps.map(gapRow) });
  await feed.acknowledge(
    minutes.map(({ minute }) => minute),
    gaps.map(({ id: gap, to }) => ({ id: gap, to })),
  );
  return batch;
}

/** The oldest minutes whose tapes can be had and stored by so many calls, `least` of them in any case. */
function affordable(minutes: readonly PendingMinute[], calls: number, least: number): readonly PendingMinute[] {
  let count = 0;
  while (count < minutes.length && (count < least || costOf(minutes.slice(0, count + 1)) <= calls)) count++;
  return minutes.slice(0, count);
}

function costOf(minutes: readonly PendingMinute[]): number {
  return minutes.reduce((sum, { tapes }) => sum + costOfObjects(groupTapes(tapes).length), 0);
}

/** The second object of a minute finds the first's key taken, and looks into it: two calls more, and so on. */
function costOfObjects(count: number): number {
  return (CALLS_PER_OBJECT * count * (count + 1)) / 2;
}

/** One object at a time, so that memory holds one whatever the number of markets. */
async function storeTapes(
  feed: FeedRpc,
  { feed: name }: FeedConfiguration,
  { venue, minutes, bucket }: Pick<Portion, "venue" | "minutes" | "bucket">,
): Promise<{ tapes: Map<string, TapePlace>; objects: number }> {
  const tapes = new Map<string, TapePlace>();
  let objects = 0;
  for (const { minute, tapes: listed } of minutes) {
    for (const symbols of groupTapes(listed)) {
      const given = await feed.tapes(symbols, minute);
      // Another run stored and acknowledged them since we asked; its rows keep their places.
      if (given.length < symbols.length) logWarning("tapes-gone", { feed: name, minute, listed: symbols.length, given: given.length });
      const stored = await putTapes(bucket, { feed: name, venue, minute, tapes: given });
      objects += stored.objects;
      for (const [symbol, place] of stored.places) tapes.set(tapeName(marketId(venue, symbol), minute), place);
    }
  }
  return { tapes, objects };
}

function tapeName(market: string, minute: number): string {
  return `${market}@${minute}`;
}

interface BatchParts {
  readonly id: string;
  readonly configuration: FeedConfiguration;
  readonly startedAt: number;
  readonly minutes: readonly PendingMinute[];
  readonly rows: number;
  readonly gaps: number;
  readonly tapes: ReadonlyMap<string, TapePlace>;
  readonly objects: number;
  readonly remaining: number;
}

function batchRow(parts: BatchParts): StoredBatch["batch"] & DrainReport {
  return {
    id: parts.id,
    feed: parts.configuration.feed,
    startedAt: parts.startedAt,
    firstMinute: parts.minutes[0]?.minute ?? null,
    lastMinute: parts.minutes.at(-1)?.minute ?? null,
    minutes: parts.minutes.length,
    rows: parts.rows,
    gaps: parts.gaps,
    tapes: parts.tapes.size,
    objects: parts.objects,
    tapeBytes: [...parts.tapes.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    remaining: parts.remaining,
  };
}

function add(report: DrainReport, batch: DrainReport): DrainReport {
  return {
    minutes: report.minutes + batch.minutes,
    rows: report.rows + batch.rows,
    gaps: report.gaps + batch.gaps,
    tapes: report.tapes + batch.tapes,
    objects: report.objects + batch.objects,
    tapeBytes: report.tapeBytes + batch.tapeBytes,
    remaining: batch.remaining,
  };
}
