/**
 * Stores what one feed gave in one transaction: all of it, or nothing. Written twice, early or late, the tables are the same:
 * - of two rows of one snapshot the one that saw more of its minute stays, whichever came first (a restart with a clock slightly behind, a
 *   market that moved to another feed); of the pieces of its tape the largest is named, also when the second writer no longer found it (the
 *   first had acknowledged it);
 * - a row's split label is the first that it was given, whatever its minute is labelled later, under whatever schedule;
 * - a gap once closed is final, so a late write never opens it again.
 */

import { getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { bulkUpsert, excluded } from "./bulk-upsert.ts";
import type { Database } from "./database.ts";
import { batches, gaps, instruments, snapshots } from "./schema.ts";

export interface StoredBatch {
  readonly batch: Required<typeof batches.$inferInsert>;
  readonly instruments: readonly (typeof instruments.$inferInsert)[];
  readonly snapshots: readonly (typeof snapshots.$inferInsert)[];
  readonly gaps: readonly (typeof gaps.$inferInsert)[];
}

export async function writeBatch(database: Database, stored: StoredBatch): Promise<void> {
  const [first, ...rest] = [
    ...bulkUpsert(database, {
      table: instruments,
      rows: stored.instruments,
      conflict: { key: ["market"], onlyIf: instrumentHasChanged },
    }),
    ...bulkUpsert(database, { table: snapshots, rows: stored.snapshots, conflict: { key: ["market", "minute"], merge: mergeSnapshots() } }),
    ...bulkUpsert(database, { table: gaps, rows: stored.gaps, conflict: { key: ["id"], onlyIf: isNull(gaps.to) } }),
    ...bulkUpsert(database, { table: batches, rows: [stored.batch], conflict: { key: ["id"] } }),
  ];
  if (first !== undefined) await database.batch([first, ...rest]);
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
