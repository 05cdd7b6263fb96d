/**
 * The skill of every model of some markets over the last day, as it is said with each answer: one query of what the interval needs, along the primary key of each market and model, so
 * that neither the ledger's age nor its other markets make it slower. A desk keeps it for a minute.
 */

import { sql } from "drizzle-orm";
import { type Skill, type SkillHour, skillOf } from "../../core/scoring/skill.ts";
import { MS_PER_HOUR } from "../../core/units/time.ts";
import type { Database } from "../storage/database.ts";
import { forecastScores } from "../storage/schema.ts";
import { hourOf } from "./model-names.ts";
import { everyModel, type MarketModel } from "./read-ledger.ts";

/** The hour that has begun is one of them. */
const HOURS = 24;

export interface RollingSkill extends MarketModel, Skill {
  /** Start of the first of the hours. */
  readonly from: number;
}

interface StoredHour extends MarketModel, SkillHour {
  readonly hour: number;
  readonly key: string;
}

/** @returns of each market and model of which anything was scored since; one that is not there is `unknown`. */
export async function rollingSkill(database: Database, markets: readonly string[], now: number): Promise<RollingSkill[]> {
  const from = hourOf(now) - (HOURS - 1) * MS_PER_HOUR;
  // Text that is no JSON would fail the query for every market.
  const moves = sql`json_each(case when json_valid(score.sums) then score.sums else '{}' end, '$.moves') as move`;
  const rows = await database.all<StoredHour>(sql`select score.market, score.model, score.hour, move.key,
    json_extract(move.value, '$[0]') as scored, json_extract(move.value, '$[2]') as squaredError, json_extract(move.value, '$[3]') as squaredMove
    from ${forecastScores} as score cross join ${moves}
    where score.hour >= ${from} and score.market in (select value from json_each(${JSON.stringify(markets)})) and score.model in ${everyModel()}
    and move.key like '% mid'`);
  const pairs = new Map<string, StoredHour[]>();
  for (const row of rows) pairs.set(`${row.market} ${row.model}`, [...(pairs.get(`${row.market} ${row.model}`) ?? []), row]);
  return [...pairs.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const hours = new Map<number, Map<string, SkillHour>>();
    for (const { hour, key, ...sums } of own) hours.set(hour, (hours.get(hour) ?? new Map<string, SkillHour>()).set(key, sums));
    return [{ market: first.market, model: first.model, from, ...skillOf([...hours.values()].map((each) => ({ moves: each }))) }];
  });
}
