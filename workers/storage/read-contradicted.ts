/**
 * Time that minute rows count as covered and the ledger knows better of: a book may show to have been wrong since its last audit, or silent since its
 * last message, when the minutes between are stored already. Rows and gaps stay as they were written; whoever shows coverage takes this off.
 *
 * What of a minute is covered and what is a gap are apart, so no more is covered than the minute less its gaps. Where the row says more, the rest is
 * contradicted; where it left the gap out already, nothing is, and nothing is taken off twice. Gaps that overlap (a market of two feeds, lost tape
 * during trouble of the book) count once. Where in its minute the covered time lay is not stored: of a minute with other uncovered time beside the
 * gap, what is left is the most that it can be.
 *
 * Gaps of trades and quotes leave the book whole; all others count, lost tape too: what was live then is not recorded.
 */

import { sql } from "drizzle-orm";
import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import type { Database } from "./database.ts";
import { gaps, snapshots } from "./schema.ts";

export interface ContradictedRange {
  readonly markets: readonly string[];
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** An open gap lasts until now. */
  readonly now: number;
  /** Length of a bucket: a minute, an hour or a day of UTC. */
  readonly bucketMs: number;
}

/** Of the minutes of one market that begin in one bucket. */
export interface ContradictedBucket {
  readonly market: string;
  readonly start: number;
  readonly contradictedMs: number;
}

/** Only buckets of which something is contradicted, by market and time. Rows are read of minutes that gaps touch, no others. */
export async function readContradicted(database: Database, range: ContradictedRange): Promise<ContradictedBucket[]> {
  const { markets, now } = range;
  // Of a minute that begins in the range all counts, also what lies beyond its end.
  const [from, to] = [minuteOf(range.from), minuteOf(range.to + MS_PER_MINUTE - 1)];
  // D1 binds a number as a double, and by that a division has no remainder to lose.
  const [bucket, length] = [sql`cast(${range.bucketMs} as integer)`, sql`cast(${MS_PER_MINUTE} as integer)`];
  // Gaps of a market in the order of their starts, each from where all before it have ended: what is left overlaps nowhere.
  return database.all<ContradictedBucket>(sql`with touching as (
      select market, max(from_ms, ${from}) as a, min(coalesce(to_ms, ${now}), ${to}) as b from ${gaps}
      where from_ms < ${to} and (to_ms is null or to_ms > ${from})
        and channel in ('depth', 'connection', 'tape')
        and market in (select value from json_each(${JSON.stringify(markets)}))),
    stretches as (select market, b, max(a, coalesce(max(b) over before, a)) as a from touching
      window before as (partition by market order by a, b rows between unbounded preceding and 1 preceding)),
    touched as (select stretches.market, minute, covered_ms,
        sum(min(b, minute + ${length}) - max(a, minute)) as gap_ms
      from stretches cross join ${snapshots}
      where a < b and snapshots.market = stretches.market and minute > a - ${length} and minute < b
        and minute >= ${range.from} and minute < ${range.to}
      group by 1, 2)
    select market, minute / ${bucket} * ${bucket} as start, sum(covered_ms + gap_ms - ${length}) as contradictedMs
    from touched where covered_ms + gap_ms > ${length} group by 1, 2 order by 1, 2`);
}
