/**
 * What the stored minutes and the ledger say of how well markets were recorded, added up in the database: a month of one market is 44,640 rows,
 * and none of them has to leave it. What is covered is what the rows say, less what the ledger contradicts.
 *
 * Rows are read by market and time along an index that holds all that is added up, whatever the table's age.
 */

import { eq, isNull, type SQL, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { readContradicted } from "./read-contradicted.ts";
import { gaps, snapshots } from "./schema.ts";
import type { CoverageBucket, GapCount, LongestGap, MarketSpan, QualityRange, StoredQuality } from "./stored-quality.ts";

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
  const [spans, stored, contradicted, gapCounts, longest, open] = await Promise.all([
    database.all<MarketSpan>(sql`select asked.value as market,
      (select min(minute) from ${snapshots} where market = asked.value) as first,
      (select covered_ms from ${snapshots} where market = asked.value order by minute limit 1) as firstCoveredMs,
      (select max(minute) from ${snapshots} where market = asked.value) as last
      from ${asked} as asked`),
    database.all<CoverageBucket>(sql`select market, minute / ${bucket} * ${bucket} as start, count(*) as minutes,
      sum(covered_ms) as coveredMs, sum(events) as events, sum(trades) as trades
      from ${asked} as asked cross join ${snapshots}
      where market = asked.value and minute >= ${range.from} and minute < ${range.to}
      group by 1, 2 order by 1, 2`),
    readContradicted(database, { ...range, markets }),
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
  const less = new Map(contradicted.map(({ market, start, contradictedMs }) => [`${market}@${start}`, contradictedMs]));
  const buckets = stored.map((each) => ({ ...each, coveredMs: each.coveredMs - (less.get(`${each.market}@${each.start}`) ?? 0) }));
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
