/** Which models play which roles, with what the database knows of them; and every version there is. */

import { asc, desc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { modelRoles, models } from "./schema.ts";

/** Far above what anybody gives out by hand: a bound so that one reading costs little. */
const MAX_ROLES = 500;

export type StoredModel = typeof models.$inferSelect;

export interface StoredRole {
  readonly slot: "forecast" | "signal";
  readonly market: string;
  readonly role: "active" | "shadow";
  readonly model: StoredModel;
}

/** The oldest first, so that what is added changes no order. */
export async function readRoles(database: Database): Promise<StoredRole[]> {
  return database
    .select({ slot: modelRoles.slot, market: modelRoles.market, role: modelRoles.role, model: models })
    .from(modelRoles)
    .innerJoin(models, eq(models.key, modelRoles.model))
    .orderBy(asc(modelRoles.since), asc(modelRoles.model))
    .limit(MAX_ROLES);
}

/** The newest first. */
export async function readVersions(database: Database, limit: number): Promise<StoredModel[]> {
  return database.select().from(models).orderBy(desc(models.publishedAt), desc(models.key)).limit(limit);
}
