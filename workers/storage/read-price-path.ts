/**
 * A market's best prices second by second, from the minutes that cron has stored: what forecasts are scored against.
 *
 * Asked for by grid time, on the market's clock, and stored by receive time: a row is written when the next event comes, so the minutes beside the range are read too.
 * What is not there is a break, never a guess.
 */

import { and, asc, eq, gte, isNotNull, lt } from "drizzle-orm";
import { MS_PER_DAY, MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { type JoinedPath, joinPaths, type PathRange } from "../../core/wire/joined-path.ts";
import type { Database } from "./database.ts";
import { snapshots } from "./schema.ts";

/** How far a venue's clock may lie from ours, and the silence (a minute) whose rows come with the event that ends it. Rows of a longer one are no path anyway. */
const MARGIN_MS = 3 * MS_PER_MINUTE;
/** Two days are some 3,000 database rows, 1 MB of text, and 14 MB of rows while they are joined. */
const MAX_RANGE_MS = 2 * MS_PER_DAY;

/**
 * @param range grid times on the market's clock: `from` on, `to` exclusive.
 * @throws RangeError for a range beyond two days: ask for parts of it.
 */
export async function readPricePath(database: Database, market: string, range: PathRange): Promise<JoinedPath> {
  const { from, to } = range;
  if (to - from > MAX_RANGE_MS) throw new RangeError(`a price path of ${to - from} ms: at most ${MAX_RANGE_MS} are read at once`);
  const { minute, tick, pricePath } = snapshots;
  const rows = await database
    .select({ minute, tick, path: pricePath })
    .from(snapshots)
    .where(
      and(
        eq(snapshots.market, market),
        gte(minute, minuteOf(from - MARGIN_MS)),
        lt(minute, minuteOf(to + MARGIN_MS) + MS_PER_MINUTE),
        isNotNull(pricePath),
      ),
    )
    .orderBy(asc(minute));
  return joinPaths(
    rows.flatMap(({ path, ...row }) => (path === null ? [] : [{ ...row, path }])),
    range,
  );
}
