/**
 * Stores what one feed gave in one transaction: all of it, or nothing. Written twice, early or late, the tables are the same:
 * - a snapshot's row is replaced by itself, and keeps its tape's key when the second writer no longer found the tape (the first had
 *   acknowledged it);
 * - a gap once closed is final, so a late write never opens it again.
 */

import { isNull, type SQL, sql } from "drizzle-orm";
import { bulkUpsert, excluded } from "./bulk-upsert.ts";
import type { Database } from "./database.ts";
import { batches, gaps, instruments, snapshots } from "./schema.ts";

export interface StoredBatch {
  readonly batch: typeof batches.$inferInsert;
  readonly instruments: readonly (typeof instruments.$inferInsert)[];
  readonly snapshots: readonly (typeof snapshots.$inferInsert)[];
  readonly gaps: readonly (typeof gaps.$inferInsert)[];
}

export async function writeBatch(database: Database, stored: StoredBatch): Promise<void> {
  const keepTape = { tapeKey: newOrKept(snapshots.tapeKey), tapeBytes: newOrKept(snapshots.tapeBytes) };
  const [first, ...rest] = [
    ...bulkUpsert(database, {
      table: instruments,
      rows: stored.instruments,
      conflict: { key: ["market"], onlyIf: instrumentHasChanged },
    }),
    ...bulkUpsert(database, { table: snapshots, rows: stored.snapshots, conflict: { key: ["market", "minute"], merge: keepTape } }),
    ...bulkUpsert(database, { table: gaps, rows: stored.gaps, conflict: { key: ["id"], onlyIf: isNull(gaps.to) } }),
    ...bulkUpsert(database, { table: batches, rows: [stored.batch], conflict: { key: ["id"] } }),
  ];
  if (first !== undefined) await database.batch([first, ...rest]);
}

/** Rows written are billed: the same grids each minute write nothing. */
const instrumentHasChanged = sql`(${instruments.feed}, ${instruments.tick}, ${instruments.lot}) is not (${excluded(instruments.feed)}, ${excluded(instruments.tick)}, ${excluded(instruments.lot)})`;

function newOrKept(column: typeof snapshots.tapeKey | typeof snapshots.tapeBytes): SQL {
  return sql`coalesce(${excluded(column)}, ${column})`;
}
