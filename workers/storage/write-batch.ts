/**
 * Stores what one feed gave in one transaction: all of it, or nothing. Written twice, early or late, the tables are the same:
 * - of two rows of one snapshot the one that saw more of its minute stays, whichever came first (a restart with a clock slightly behind, a
 *   market that moved to another feed); of the pieces of its tape the largest is named, also when the second writer no longer found it (the
 *   first had acknowledged it);
 * - a row's split label is the first that it was given, whatever its minute is labelled later, under whatever schedule;
 * - a gap once closed is final, so a late write never opens it again;
 * - a market's `retired` gap ends where the market was next recorded, by whichever feed and whichever of the two is written first.
 */

import { and, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { GapReason } from "../../feed/contract.ts";
import { bulkUpsert, excluded } from "./bulk-upsert.ts";
import type { Database } from "./database.ts";
import { batches, gaps, instruments, snapshots } from "./schema.ts";

export interface StoredBatch {
  readonly batch: Required<typeof batches.$inferInsert>;
  readonly instruments: readonly (typeof instruments.$inferInsert)[];
  readonly snapshots: readonly (typeof snapshots.$inferInsert)[];
  readonly gaps: readonly (typeof gaps.$inferInsert)[];
}

/** After one of these a market may have both. They come with a deployment, and so does the reading of the whole ledger for open gaps. */
const BEGINNINGS_AND_ENDS: readonly GapReason[] = ["started", "restarted", "retired"];
/**
 * How long before a feed's end its successor in another object may have begun: a deployment restarts objects one by one, within seconds as a rule. A market that
 * was first recorded so shortly before it was retired is taken for one that goes on.
 */
const HANDOVER_MS = MS_PER_MINUTE;

export async function writeBatch(database: Database, stored: StoredBatch): Promise<void> {
  const [first, ...rest] = [
    ...bulkUpsert(database, {
      table: instruments,
      rows: stored.instruments,
      conflict: { key: ["market"], onlyIf: instrumentHasChanged },
    }),
    ...bulkUpsert(database, { table: snapshots, rows: stored.snapshots, conflict: { key: ["market", "minute"], merge: mergeSnapshots() } }),
    ...bulkUpsert(database, { table: gaps, rows: stored.gaps, conflict: { key: ["id"], onlyIf: isNull(gaps.to) } }),
    ...(stored.gaps.some(({ reason }) => BEGINNINGS_AND_ENDS.includes(reason)) ? [closeRetiredGaps(database)] : []),
    ...bulkUpsert(database, { table: batches, rows: [stored.batch], conflict: { key: ["id"] } }),
  ];
  if (first !== undefined) await database.batch([first, ...rest]);
}

function closeRetiredGaps(database: Database): BatchItem<"sqlite"> {
  const next = sql`from ${gaps} next where next.market = gaps.market and next.from_ms >= gaps.from_ms`;
  const following = sql`select min(next.from_ms) ${next} and next.reason in ('started', 'restarted')`;
  const isRecordedAgain = sql`exists (select 1 ${next} - ${HANDOVER_MS} and (next.reason = 'started' or next.reason = 'restarted' and next.from_ms >= gaps.from_ms))`;
  return database
    .update(gaps)
    .set({ to: sql`coalesce((${following}), from_ms)` })
    .where(and(isNull(gaps.to), eq(gaps.reason, "retired"), isRecordedAgain));
}

/** Rows written are billed: the same grids each minute write nothing. */
const instrumentHasChanged = sql`(${instruments.feed}, ${instruments.tick}, ${instruments.lot}) is not (${excluded(instruments.feed)}, ${excluded(instruments.tick)}, ${excluded(instruments.lot)})`;

/** Equal ones are replaced: the same row, done again. */
const seesMore = sql`(${excluded(snapshots.coveredMs)}, ${excluded(snapshots.events)}) >= (${snapshots.coveredMs}, ${snapshots.events})`;

/** Key, offset and length go together: one writer's length in another's object would be a piece of neither. */
const bringsMoreTape = sql`(${excluded(snapshots.tapeBytes)} is not null and ${excluded(snapshots.tapeBytes)} >= coalesce(${snapshots.tapeBytes}, 0))`;

function mergeSnapshots(): Record<keyof typeof snapshots.$inferInsert, SQL> {
  const columns = Object.entries<SQLiteColumn>(getTableColumns(snapshots));
  const ofTheFuller = columns.map(([property, column]) => [
    property,
    sql`case when ${seesMore} then ${excluded(column)} else ${column} end`,
  ]);
  const { tapeKey, tapeOffset, tapeBytes, split, splitSchedule } = snapshots;
  const brought = (column: SQLiteColumn): SQL => sql`case when ${bringsMoreTape} then ${excluded(column)} else ${column} end`;
  const first = (column: SQLiteColumn): SQL => sql`case when ${split} is null then ${excluded(column)} else ${column} end`;
  return {
    ...(Object.fromEntries(ofTheFuller) as Record<keyof typeof snapshots.$inferInsert, SQL>),
    tapeKey: brought(tapeKey),
    tapeOffset: brought(tapeOffset),
    tapeBytes: brought(tapeBytes),
    split: first(split),
    splitSchedule: first(splitSchedule),
  };
}
