/**
 * The part of a cron run that is left after draining: a few steps of work on day files, and now and then a look for days that need it.
 *
 * 1. A day is due two hours after its end, since a feed may be behind; while a feed of the venue is known to be, a day later at the latest. What
 *    comes later yet is the day's next part.
 * 2. What to do is found in the bucket: its venues and days, whether a feed carries them now or not. A day that was looked at is looked at
 *    again after a quarter of its age, an hour at least: late minutes are found, and the looks grow few.
 * 3. Of the days found the oldest is worked on, one market after another. A run claims its work for itself; that it works alone is thrift, not needed.
 *    What fails comes last, ever later, and is in /v1/health; its minute objects stay, and are never deleted.
 */

import { parseMarketId } from "../../core/market/instrument.ts";
import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, startOfDay } from "../../core/units/time.ts";
import { TAPES_PREFIX, tapesVenuePrefix } from "../../core/wire/keys.ts";
import { logError, logEvent } from "../log.ts";
import type { Database } from "../storage/database.ts";
import { claimWork, endWork, readSurveys, releaseWork, type SurveyRow, type Work } from "../storage/days.ts";
import { type MeteredBucket, meterBucket } from "../storage/metered-bucket.ts";
import { BLOCK_BYTES, compactStep, STEP_TEXT_BYTES } from "./compact-day.ts";
import { surveyDay } from "./survey-day.ts";

const DUE_AFTER_MS = 2 * MS_PER_HOUR;
const DUE_THOUGH_BEHIND_MS = MS_PER_DAY + DUE_AFTER_MS;
const LOOK_EACH_MS = 30 * MS_PER_MINUTE;
const LOOK_AGAIN_AFTER_MS = MS_PER_HOUR;
const LOOK_AGAIN_SHARE = 0.25;
/**
 * Text of a run: encoded, and decoded again, at some 15 MB a second each where it is slow; half of the 30 s of CPU that an invocation has
 * (https://developers.cloudflare.com/workers/platform/limits/, read 2026-11-27).
 */
const TEXT_PER_RUN = 96 * 1024 * 1024;
/** Fewer are not worth beginning with: putting a file together may take as many. */
const LEAST_CALLS = 150;
/** Venues' days of one run: a listing each, and the rest stays for the next look. */
const DAYS_PER_LOOK = 60;
/** A listing has 1,000 of them a page. */
const MOST_PAGES = 100;

export interface CompactionOptions {
  readonly database: Database;
  readonly bucket: R2Bucket;
  /** The time this run was due, epoch ms. */
  readonly startedAt: number;
  /** How many calls to the stores this run may make. */
  readonly calls: number;
  /** Days after which minute objects go that day files hold; null to keep them. */
  readonly keepMinutesDays: number | null;
  /** Venues of which a feed has something older than a minute yet. */
  readonly behind: ReadonlySet<string>;
  /** Text of one block and of one step, where they are to be others than BLOCK_BYTES and STEP_TEXT_BYTES. */
  readonly sizes?: { readonly blockBytes: number; readonly stepTextBytes: number };
}

export interface CompactionReport {
  readonly steps: number;
  readonly files: number;
  readonly surveyed: number;
  readonly queued: number;
  readonly deleted: number;
}

/** @throws when a day could not be worked on: others have been, and it is tried again later. */
export async function compactDays(options: CompactionOptions): Promise<CompactionReport> {
  const bucket = meterBucket(options.bucket);
  const looked = isTimeToLook(options.startedAt) ? await lookForDays(bucket, options) : { surveyed: 0, queued: 0, deleted: 0 };
  const report = { steps: 0, files: 0, ...looked };
  let textLeft = TEXT_PER_RUN;
  for (;;) {
    const left = options.calls - bucket.calls();
    if (left < LEAST_CALLS || textLeft <= 0) break;
    const work = await claimWork(options.database, options.startedAt);
    if (work === null) break;
    const { textBytes, files, steps } = await workOn(work, bucket, { ...options, textLeft });
    textLeft -= textBytes;
    report.steps += steps;
    report.files += files;
  }
  if (report.steps + report.surveyed > 0) logEvent("days-compacted", { ...report, ...bucket.operations() });
  return report;
}

interface Worked {
  readonly textBytes: number;
  readonly files: number;
  readonly steps: number;
}

/** Steps of one market's day, as many as the run has room for. */
async function workOn(work: Work, bucket: MeteredBucket, options: CompactionOptions & { textLeft: number }): Promise<Worked> {
  const { database, startedAt, sizes = { blockBytes: BLOCK_BYTES, stepTextBytes: STEP_TEXT_BYTES } } = options;
  const market = parseMarketId(work.market);
  if (market === null) throw new Error(`${work.market} is to be compacted, and is no market`);
  const of = { ...market, day: work.day };
  let [textBytes, steps] = [0, 0];
  try {
    for (;;) {
      const calls = options.calls - bucket.calls();
      if (calls < LEAST_CALLS || textBytes >= options.textLeft) break;
      const { blockBytes, stepTextBytes } = sizes;
      const limits = { calls, textBytes: Math.min(stepTextBytes, options.textLeft - textBytes), blockBytes, now: startedAt };
      const outcome = await compactStep({ database, bucket }, of, limits);
      steps++;
      if (outcome.kind !== "step") {
        await endWork(database, work);
        if (outcome.kind === "done")
          logEvent("day-file-written", { market: work.market, day: work.day, key: outcome.key, bytes: outcome.bytes });
        return { textBytes, steps, files: outcome.kind === "done" ? 1 : 0 };
      }
      textBytes += outcome.textBytes;
    }
    await releaseWork(database, work);
    // The claim is free again: whoever claims next would get it at once.
    return { textBytes: options.textLeft, steps, files: 0 };
  } catch (error) {
    logError("day-not-compacted", error, { market: work.market, day: work.day, failures: work.failures });
    throw error;
  }
}

function isTimeToLook(startedAt: number): boolean {
  return startedAt % LOOK_EACH_MS < MS_PER_MINUTE;
}

type Looked = Pick<CompactionReport, "surveyed" | "queued" | "deleted">;

async function lookForDays(bucket: MeteredBucket, options: CompactionOptions): Promise<Looked> {
  const { database, startedAt } = options;
  const looked = { surveyed: 0, queued: 0, deleted: 0 };
  for (const venue of await namesBelow(bucket.r2, TAPES_PREFIX)) {
    const surveys = await readSurveys(database, venue);
    for (const day of await namesBelow(bucket.r2, tapesVenuePrefix(venue))) {
      const before = surveys.get(day) ?? null;
      if (looked.surveyed >= DAYS_PER_LOOK || options.calls - bucket.calls() < LEAST_CALLS) return looked;
      const age = ageOf(day, startedAt);
      if (age === null || !isDue(age, options.behind.has(venue)) || !isToBeSeen(before, { age, now: startedAt })) continue;
      const isOld = options.keepMinutesDays !== null && age >= options.keepMinutesDays * MS_PER_DAY;
      const retention = isOld ? "delete-held" : "keep";
      const { queued, deleted } = await surveyDay(venue, day, { database, bucket: bucket.r2, now: startedAt, retention, before });
      looked.surveyed++;
      looked.queued += queued;
      looked.deleted += deleted;
    }
  }
  return looked;
}

/** Time since the day's end; null for what is no day. */
function ageOf(day: string, now: number): number | null {
  const start = startOfDay(day);
  return start === null ? null : now - start - MS_PER_DAY;
}

function isDue(age: number, isBehind: boolean): boolean {
  return age >= (isBehind ? DUE_THOUGH_BEHIND_MS : DUE_AFTER_MS);
}

function isToBeSeen(before: SurveyRow | null, { age, now }: { age: number; now: number }): boolean {
  return before === null || now - before.surveyedAt >= Math.max(LOOK_AGAIN_AFTER_MS, age * LOOK_AGAIN_SHARE);
}

/** What the keys below a prefix go on with, up to the next slash. */
async function namesBelow(bucket: R2Bucket, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const listed = await bucket.list({ prefix, delimiter: "/", ...(cursor === undefined ? {} : { cursor }) });
    names.push(...listed.delimitedPrefixes.map((each) => each.slice(prefix.length, -1)));
    if (!listed.truncated) return names.toSorted();
    cursor = listed.cursor;
  }
  throw new Error(`more than ${MOST_PAGES} pages of names below ${prefix}`);
}
