/**
 * What the stored minutes and the ledger say of how well markets were recorded, added up in the database: a month of one market is 44,640 rows,
 * and none of them has to leave it.
 *
 * Rows are read by market and time along the primary key, whatever the table's age; a market is a probe of it.
 */

import { eq, isNull, type SQL, sql } from "drizzle-orm";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { GapReason, GapRecord } from "../../feed/contract.ts";
import type { Database } from "./database.ts";
import type { GapRow } from "./read-gaps.ts";
import { gaps, snapshots } from "./schema.ts";

export interface QualityRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** An open gap lasts until now. */
  readonly now: number;
  /** Length of a bucket: a minute, an hour or a day of UTC. */
  readonly bucketMs: number;
}

/** The first and last minute that was ever stored of a market; null when none was. */
export interface MarketSpan {
  readonly market: string;
  readonly first: number | null;
  readonly last: number | null;
}

/** The stored minutes of one market that begin in one bucket. */
export interface CoverageBucket {
  readonly market: string;
  readonly start: number;
  readonly minutes: number;
  readonly coveredMs: number;
  readonly events: number;
  readonly trades: number;
}

/** Gaps of one market and kind that touch the range; their time is what of it lies in the range. */
export interface GapCount {
  readonly market: string;
  readonly channel: GapRecord["channel"];
  readonly reason: GapReason;
  readonly count: number;
  readonly totalMs: number;
}

export interface LongestGap extends GapRecord {
  /** What of it lies in the range. */
  readonly lengthMs: number;
}

export interface StoredQuality {
  readonly spans: readonly MarketSpan[];
  readonly buckets: readonly CoverageBucket[];
  readonly gapCounts: readonly GapCount[];
  /** One of each market that has any. */
  readonly longest: readonly LongestGap[];
  /** Not ended now, whatever the range. */
  readonly open: readonly GapRow[];
}

/** A market has one for each of its channels at most; what is beyond would not be read by anybody. */
const MAX_OPEN_GAPS = 3_000;

/** @param only the gaps of this market alone; null for those of every market, also of none of `markets`. */
export async function readQuality(
  database: Database,
  range: QualityRange,
  { markets, only }: { markets: readonly string[]; only: string | null },
): Promise<StoredQuality> {
  const asked = sql`json_each(${JSON.stringify(markets)})`;
  const touching = touchingGaps(range, only);
  // D1 binds a number as a double, and by that a division has no remainder to lose.
  const bucket = sql`cast(${range.bucketMs} as integer)`;
  const [spans, buckets, gapCounts, longest, open] = await Promise.all([
    database.all<MarketSpan>(sql`select asked.value as market,
      (select min(minute) from ${snapshots} where market = asked.value) as first,
      (select max(minute) from ${snapshots} where market = asked.value) as last
      from ${asked} as asked`),
    database.all<CoverageBucket>(sql`select market, minute / ${bucket} * ${bucket} as start, count(*) as minutes,
      sum(covered_ms) as coveredMs, sum(events) as events, sum(trades) as trades
      from ${asked} as asked cross join ${snapshots}
      where market = asked.value and minute >= ${range.from} and minute < ${range.to}
      group by 1, 2 order by 1, 2`),
    database.all<GapCount>(sql`select market, channel, reason, count(*) as count, sum(${lengthIn(range)}) as totalMs
      from ${gaps} where ${touching} group by 1, 2, 3 order by 1, 2, 3`),
    // SQLite gives a row's other columns from the row that holds the maximum (https://www.sqlite.org/lang_select.html#bareagg, read 2026-11-27).
    database.all<LongestGap>(sql`select market, id, channel, from_ms as "from", to_ms as "to", reason, detail, action,
      max(${lengthIn(range)}) as lengthMs from ${gaps} where ${touching} group by 1 order by 1`),
    database
      .select()
      .from(gaps)
      .where(only === null ? isNull(gaps.to) : sql`${isNull(gaps.to)} and ${eq(gaps.market, only)}`)
      .orderBy(gaps.from)
      .limit(MAX_OPEN_GAPS),
  ]);
  return { spans, buckets, gapCounts, longest, open };
}

function touchingGaps({ from, to }: QualityRange, only: string | null): SQL {
  const touches = sql`from_ms < ${to} and (to_ms is null or to_ms > ${from})`;
  return only === null ? touches : sql`${touches} and market = ${only}`;
}

/** Never below 0: a gap may have been opened by a clock a little ahead of this one. */
function lengthIn({ from, to, now }: QualityRange): SQL {
  return sql`max(0, min(coalesce(to_ms, ${now}), ${to}) - max(from_ms, ${from}))`;
}

/** Minutes that begin in [from, to). */
export function minutesBetween(from: number, to: number): number {
  return Math.max(0, Math.ceil(to / MS_PER_MINUTE) - Math.ceil(from / MS_PER_MINUTE));
}
