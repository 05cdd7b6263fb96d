/** The last known grids of the markets ever recorded. */

import { eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { instruments } from "./schema.ts";

export type InstrumentRow = typeof instruments.$inferSelect;

/** Every market that was ever recorded, in order of name. */
export async function readInstruments(database: Database): Promise<InstrumentRow[]> {
  return database.select().from(instruments).orderBy(instruments.market);
}

/** Null when the market was never recorded. */
export async function readInstrument(database: Database, market: string): Promise<InstrumentRow | null> {
  const [row] = await database.select().from(instruments).where(eq(instruments.market, market)).limit(1);
  return row ?? null;
}
