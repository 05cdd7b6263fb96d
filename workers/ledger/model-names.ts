/** What people call the models that the ledger knows by number: `id@version`, and `shipped` for the one that comes with the code and is in no table. */

import { and, eq, inArray, sql } from "drizzle-orm";
import { MS_PER_HOUR } from "../../core/units/time.ts";
import { EVERY_MARKET, type ModelSlot, SHIPPED_KEY } from "../../models/roles.ts";
import type { Database } from "../storage/database.ts";
import { forecastScores, modelRoles, models } from "../storage/schema.ts";

export const SHIPPED_NAME = "shipped";
const NAMED = /^([^@]{1,80})@([^@]{1,80})$/;

export interface NamedModel {
  readonly key: number;
  readonly name: string;
}

/** @returns null where no such version was ever published. */
export async function findModel(database: Database, name: string): Promise<NamedModel | null> {
  if (name === SHIPPED_NAME) return { key: SHIPPED_KEY, name };
  const [matched, id, version] = NAMED.exec(name) ?? [];
  if (matched === undefined || id === undefined || version === undefined) return null;
  const [row] = await database
    .select({ key: models.key })
    .from(models)
    .where(and(eq(models.id, id), eq(models.version, version)));
  return row === undefined ? null : { key: row.key, name };
}

/** By key. A model whose row is gone has its number for a name. */
export async function nameModels(database: Database, keys: readonly number[]): Promise<Map<number, string>> {
  const names = new Map<number, string>(keys.map((key) => [key, key === SHIPPED_KEY ? SHIPPED_NAME : `${key}`]));
  // Numbers of D1's parameters are doubles; a list in JSON is one parameter, whatever its length.
  const asked = sql`(select value from json_each(${JSON.stringify(keys)}))`;
  for (const { key, id, version } of await database.select().from(models).where(inArray(models.key, asked)))
    names.set(key, `${id}@${version}`);
  return names;
}

/** The market's own active model, or that of every market, or the shipped one. */
export async function activeModel(database: Database, market: string, slot: ModelSlot): Promise<NamedModel> {
  const rows = await database
    .select({ market: modelRoles.market, key: modelRoles.model })
    .from(modelRoles)
    .where(and(eq(modelRoles.slot, slot), inArray(modelRoles.market, [market, EVERY_MARKET]), eq(modelRoles.role, "active")));
  const key = (rows.find((row) => row.market === market) ?? rows[0])?.key ?? SHIPPED_KEY;
  return { key, name: (await nameModels(database, [key])).get(key) ?? SHIPPED_NAME };
}

/** How far the forecasts of a market and model are scored; null: not at all yet. */
export async function readScoredUpTo(database: Database, market: string, model: number): Promise<number | null> {
  const [row] = await database
    .select({ scoredUpTo: forecastScores.scoredUpTo })
    .from(forecastScores)
    .where(and(eq(forecastScores.market, market), eq(forecastScores.model, model)))
    .orderBy(sql`${forecastScores.hour} desc`)
    .limit(1);
  return row?.scoredUpTo ?? null;
}

export function hourOf(time: number): number {
  return Math.floor(time / MS_PER_HOUR) * MS_PER_HOUR;
}
