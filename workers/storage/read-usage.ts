/** What cron has stored, added up for the bill. */

import { sql } from "drizzle-orm";
import { MS_PER_DAY, MS_PER_HOUR } from "../../core/units/time.ts";
import type { DaysUsage, StoredUsage, Usage } from "../cost/bill.ts";
import type { LedgerUsage } from "../cost/forecast-bill.ts";
import type { Database } from "./database.ts";
import { batchId } from "./read-batches.ts";
import { batches, daySurveys, days, forecastScores } from "./schema.ts";

/** What was stored of one feed by runs since then. Batch ids sort by feed and time: these are one range of the primary key. */
export async function readStoredUsage(database: Database, feed: string, since: number): Promise<StoredUsage> {
  const [row] = await database.all<
    Omit<StoredUsage, "feed">
  >(sql`select coalesce(sum(minutes), 0) as minutes, coalesce(sum(rows), 0) as rows,
    coalesce(sum(gaps), 0) as gaps, count(*) as batches, coalesce(sum(objects), 0) as objects, coalesce(sum(tape_bytes), 0) as tapeBytes
    from ${batches} where id >= ${batchId(feed, since, 0)} and id < ${`${feed}0`}`);
  const { minutes = 0, rows = 0, gaps = 0, batches: runs = 0, objects = 0, tapeBytes = 0 } = row ?? {};
  return { feed, minutes, rows, gaps, batches: runs, objects, tapeBytes };
}

/** Day files that were written since then, and what of the minutes was deleted. */
export async function readDaysUsage(database: Database, since: number): Promise<DaysUsage> {
  const [row] = await database.all<Omit<DaysUsage, "deletedBytes">>(sql`select count(*) as files, coalesce(sum(class_a), 0) as classA,
    coalesce(sum(class_b), 0) as classB, coalesce(sum(bytes), 0) as bytes, coalesce(sum(text_bytes), 0) as textBytes
    from ${days} where compacted_at >= ${since}`);
  const [deleted] = await database.all<{ deletedBytes: number }>(
    sql`select coalesce(sum(deleted_bytes), 0) as deletedBytes from ${daySurveys} where deleted_at >= ${since}`,
  );
  return { files: 0, classA: 0, classB: 0, bytes: 0, textBytes: 0, ...row, deletedBytes: deleted?.deletedBytes ?? 0 };
}

/**
 * Forecasts scored in the 24 whole hours before `now`, and how often they were written; of an instance younger than an hour what there is of its first. The counts are the first
 * and third of those in the sums (core/scoring/score-sums.ts).
 */
export async function readLedgerUsage(database: Database, now: number): Promise<LedgerUsage> {
  const hour = Math.floor(now / MS_PER_HOUR) * MS_PER_HOUR;
  const between = async (from: number, to: number): Promise<LedgerUsage> => {
    const count = (at: number) => sql.raw(`coalesce(sum(json_extract(sums, '$.counts[${at}]')), 0)`);
    const [row] = await database.all<LedgerUsage>(sql`select count(distinct hour) as hours, count(distinct market) as markets,
      count(distinct model) as models, ${count(0)} as forecasts, ${count(2)} as scorings,
      count(*) as scoreRows from ${forecastScores} where hour >= ${from} and hour < ${to} and json_valid(sums)`);
    return row ?? { hours: 0, markets: 0, models: 0, forecasts: 0, scorings: 0, scoreRows: 0 };
  };
  const whole = await between(hour - MS_PER_DAY, hour);
  return whole.hours > 0 ? whole : between(hour, hour + MS_PER_HOUR);
}

/** Every run ever is read for it: 43,200 rows a month and feed. */
export async function readEverStored(database: Database): Promise<Usage["ever"]> {
  const result = await database.run(sql`select coalesce(sum(rows), 0) as rows, coalesce(sum(tape_bytes), 0) as tapeBytes,
    (select coalesce(sum(bytes), 0) from ${days}) as dayBytes, (select coalesce(sum(deleted_bytes), 0) from ${daySurveys}) as deletedBytes
    from ${batches}`);
  const [row] = result.results as Omit<Usage["ever"], "databaseBytes">[];
  return { rows: 0, tapeBytes: 0, dayBytes: 0, deletedBytes: 0, ...row, databaseBytes: result.meta.size_after };
}
