/** What cron has stored, added up for the bill. */

import { sql } from "drizzle-orm";
import type { StoredUsage, Usage } from "../cost/bill.ts";
import type { Database } from "./database.ts";
import { batchId } from "./read-batches.ts";
import { batches } from "./schema.ts";

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

/** Every run ever is read for it: 43,200 rows a month and feed. */
export async function readEverStored(database: Database): Promise<Usage["ever"]> {
  const result = await database.run(sql`select coalesce(sum(rows), 0) as rows, coalesce(sum(tape_bytes), 0) as tapeBytes from ${batches}`);
  const [row] = result.results as { rows: number; tapeBytes: number }[];
  return { databaseBytes: result.meta.size_after, rows: row?.rows ?? 0, tapeBytes: row?.tapeBytes ?? 0 };
}
