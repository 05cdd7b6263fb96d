/** Gaps that touch a stretch of time, oldest first. */

import { and, asc, eq, gt, isNull, lt, or, type SQL } from "drizzle-orm";
import type { Database } from "./database.ts";
import { gaps } from "./schema.ts";

export type GapRow = typeof gaps.$inferSelect;

export interface GapRange {
  /** Null for every market. */
  readonly market: string | null;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Only what follows this gap in the order; null from the beginning. */
  readonly after: { readonly from: number; readonly id: string } | null;
  readonly limit: number;
}

/** A gap touches [from, to) when it began before `to` and had not ended by `from`. */
export async function readGaps(database: Database, range: GapRange): Promise<GapRow[]> {
  const conditions: (SQL | undefined)[] = [lt(gaps.from, range.to), or(isNull(gaps.to), gt(gaps.to, range.from))];
  if (range.market !== null) conditions.push(eq(gaps.market, range.market));
  if (range.after !== null) {
    conditions.push(or(gt(gaps.from, range.after.from), and(eq(gaps.from, range.after.from), gt(gaps.id, range.after.id))));
  }
  return database
    .select()
    .from(gaps)
    .where(and(...conditions))
    .orderBy(asc(gaps.from), asc(gaps.id))
    .limit(range.limit);
}
