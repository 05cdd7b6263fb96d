/** Minute snapshots by market and time, oldest first. What they count as covered is without what the ledger contradicts. */

import { and, asc, eq, gte, lt } from "drizzle-orm";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { Database } from "./database.ts";
import { readContradicted } from "./read-contradicted.ts";
import { snapshots } from "./schema.ts";

export type SnapshotRow = typeof snapshots.$inferSelect;

export interface SnapshotRange {
  readonly market: string;
  /** First minute, epoch ms. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly limit: number;
  /** An open gap lasts until now. */
  readonly now: number;
}

export async function readSnapshots(database: Database, range: SnapshotRange): Promise<SnapshotRow[]> {
  const rows = await database
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.market, range.market), gte(snapshots.minute, range.from), lt(snapshots.minute, range.to)))
    .orderBy(asc(snapshots.minute))
    .limit(range.limit);
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return rows;
  const shown = { markets: [range.market], from: first.minute, to: last.minute + 1, now: range.now, bucketMs: MS_PER_MINUTE };
  const less = new Map((await readContradicted(database, shown)).map(({ start, contradictedMs }) => [start, contradictedMs]));
  return rows.map((row) => ({ ...row, coveredMs: row.coveredMs - (less.get(row.minute) ?? 0) }));
}
