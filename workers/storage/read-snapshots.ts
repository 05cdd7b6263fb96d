/** Minute snapshots by market and time, oldest first. */

import { and, asc, eq, gte, lt } from "drizzle-orm";
import type { Database } from "./database.ts";
import { snapshots } from "./schema.ts";

export type SnapshotRow = typeof snapshots.$inferSelect;

export interface SnapshotRange {
  readonly market: string;
  /** First minute, epoch ms. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly limit: number;
}

export async function readSnapshots(database: Database, range: SnapshotRange): Promise<SnapshotRow[]> {
  return database
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.market, range.market), gte(snapshots.minute, range.from), lt(snapshots.minute, range.to)))
    .orderBy(asc(snapshots.minute))
    .limit(range.limit);
}
