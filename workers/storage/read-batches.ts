/** The cron runs that stored something. */

import { and, desc, gte, isNotNull, lt } from "drizzle-orm";
import type { Database } from "./database.ts";
import { batches } from "./schema.ts";

export type BatchRow = typeof batches.$inferSelect;

/** Ids of one feed sort by time: the last of them is found in the primary key, however long the table. */
export function batchId(feed: string, startedAt: number, portion: number): string {
  return `${feed}/${new Date(startedAt).toISOString()}/${String(portion).padStart(3, "0")}`;
}

/** The newest run that stored a minute; some store gaps alone. Null when no minute of the feed was ever stored. */
export async function readLastStored(database: Database, feed: string): Promise<BatchRow | null> {
  const [row] = await database
    .select()
    .from(batches)
    // "0" follows "/": this is the range of ids that begin with `feed/`.
    .where(and(gte(batches.id, `${feed}/`), lt(batches.id, `${feed}0`), isNotNull(batches.lastMinute)))
    .orderBy(desc(batches.id))
    .limit(1);
  return row ?? null;
}
