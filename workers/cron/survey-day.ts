/**
 * Looks at a venue's day of minute objects: which of its markets have something that no day file holds yet (they are queued), and, when all of it
 * is held and the day is old enough, deletes the objects.
 *
 * An object holds all markets of its feed, so it goes only when each of them, and what belongs to none, is in a day file that has been
 * read back and proved, and is there now as its row says. The bucket's own listing is asked, no table of what should be there.
 */

import { marketId } from "../../core/market/instrument.ts";
import { startOfDay } from "../../core/units/time.ts";
import { tapesDayPrefix } from "../../core/wire/keys.ts";
import { logError } from "../log.ts";
import type { Database } from "../storage/database.ts";
import { isIncluded, type SourceObject } from "../storage/day-sources.ts";
import { type DayRow, queueWork, readDaysOfVenue, type SurveyRow, writeSurvey } from "../storage/days.ts";
import { listPages } from "../storage/read-tapes.ts";
import { directoryOf } from "../storage/tapes.ts";

/** A deletion takes so many keys (https://developers.cloudflare.com/r2/api/workers/workers-api-reference/, read 2026-11-27). */
const KEYS_PER_DELETION = 1_000;

export interface SurveyOptions {
  readonly database: Database;
  readonly bucket: R2Bucket;
  readonly now: number;
  /** Whether the day's objects may go when day files hold them. */
  readonly retention: "keep" | "delete-held";
  /** The survey before; null of a day seen for the first time. */
  readonly before: SurveyRow | null;
}

export interface SurveyReport {
  readonly queued: number;
  readonly deleted: number;
}

export async function surveyDay(venue: string, day: string, options: SurveyOptions): Promise<SurveyReport> {
  const { database, bucket, now, before } = options;
  const dayStart = startOfDay(day);
  if (dayStart === null) return { queued: 0, deleted: 0 };
  const files = await readDaysOfVenue(database, venue, day);
  const missing = new Set<string>();
  const held: Held[] = [];
  let [objects, bytes] = [0, 0];
  for await (const page of listPages(bucket, tapesDayPrefix(venue, day))) {
    for (const object of page) {
      objects++;
      bytes += object.size;
      const lacking = marketsLacking(object, { venue, files, dayStart });
      for (const market of lacking) missing.add(market);
      if (lacking.length === 0) held.push({ key: object.key, bytes: object.size });
    }
  }
  for (const market of missing) await queueWork(database, market, day);
  // All or nothing: while something is missing the day's rows will change, and every file is looked at but once.
  const gone =
    options.retention === "delete-held" && missing.size === 0 && held.length > 0 ? await deleteHeld(bucket, held, files) : NOTHING;
  await writeSurvey(database, {
    ...{ venue, day, surveyedAt: now, objects: objects - gone.objects, bytes: bytes - gone.bytes },
    deletedObjects: (before?.deletedObjects ?? 0) + gone.objects,
    deletedBytes: (before?.deletedBytes ?? 0) + gone.bytes,
    deletedAt: gone.objects > 0 ? now : (before?.deletedAt ?? null),
  });
  return { queued: missing.size, deleted: gone.objects };
}

interface Held {
  readonly key: string;
  readonly bytes: number;
}

const NOTHING = { objects: 0, bytes: 0 };

/** Those of the object's markets whose bytes are in no file of the day. */
function marketsLacking(
  object: R2Object,
  { venue, files, dayStart }: { venue: string; files: ReadonlyMap<string, readonly DayRow[]>; dayStart: number },
): string[] {
  const source: SourceObject = { key: object.key, uploadedAt: object.uploaded.getTime() };
  return [...directoryOf(object).keys()]
    .map((symbol) => marketId(venue, symbol))
    .filter((market) => !isIncluded(source, files.get(market) ?? [], dayStart));
}

async function deleteHeld(
  bucket: R2Bucket,
  held: readonly Held[],
  files: ReadonlyMap<string, readonly DayRow[]>,
): Promise<{ objects: number; bytes: number }> {
  for (const { key, bytes, head } of [...files.values()].flat()) {
    const object = await bucket.head(key);
    if (object?.size === bytes) continue;
    logError("day-file-gone", new Error(`${key} has ${object?.size ?? "no"} bytes, not ${bytes}`), { key, head });
    return NOTHING;
  }
  for (let from = 0; from < held.length; from += KEYS_PER_DELETION)
    await bucket.delete(held.slice(from, from + KEYS_PER_DELETION).map(({ key }) => key));
  return { objects: held.length, bytes: held.reduce((sum, { bytes }) => sum + bytes, 0) };
}
