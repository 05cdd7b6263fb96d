/**
 * The skill of every model of some markets over the last day, as it is said with each answer: one query of what the interval needs, along the primary key of each market and model, so
 * that neither the ledger's age nor its other markets make it slower. A desk keeps it for a minute. Of odds the day before is read too: its shares are what they are judged by.
 */

import { sql } from "drizzle-orm";
import { type OddsHour, oddsSkills, SHARES_REACH_MS } from "../../core/scoring/odds-skill.ts";
import { ODDS_SUMS, type OddsSums } from "../../core/scoring/score-sums.ts";
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

interface StoredMoves extends MarketModel, SkillHour {
  readonly hour: number;
  readonly key: string;
}

interface StoredOdds extends MarketModel {
  readonly hour: number;
  /** JSON, as core/scoring/score-sums.ts writes it: an array of numbers for each key. */
  readonly odds: string;
}

/** @returns of each market and model of which anything was scored since; one that is not there is `unknown`. */
export async function rollingSkill(database: Database, markets: readonly string[], now: number): Promise<RollingSkill[]> {
  const from = hourOf(now) - (HOURS - 1) * MS_PER_HOUR;
  // Text that is no JSON would fail the query for every market.
  const sums = sql`case when json_valid(score.sums) then score.sums else '{}' end`;
  const ofThese = sql`score.market in (select value from json_each(${JSON.stringify(markets)})) and score.model in ${everyModel()}`;
  // Of odds the text as it is: D1 counts what json_each makes as rows read.
  const rows = await database.all<StoredMoves | StoredOdds>(sql`select score.market, score.model, score.hour, move.key,
    json_extract(move.value, '$[0]') as scored, json_extract(move.value, '$[2]') as squaredError, json_extract(move.value, '$[3]') as squaredMove, null as odds
    from ${forecastScores} as score cross join json_each(${sums}, '$.moves') as move
    where score.hour >= ${from} and ${ofThese} and move.key like '% mid'
    union all
    select score.market, score.model, score.hour, null, null, null, null, json_extract(${sums}, '$.odds')
    from ${forecastScores} as score where score.hour >= ${from - SHARES_REACH_MS} and ${ofThese} and json_extract(${sums}, '$.odds') <> '{}'`);
  const pairs = new Map<string, (StoredMoves | StoredOdds)[]>();
  for (const row of rows) {
    const pair = `${row.market} ${row.model}`;
    const own = pairs.get(pair);
    if (own === undefined) pairs.set(pair, [row]);
    else own.push(row);
  }
  return [...pairs.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined || !own.some(({ hour }) => hour >= from)) return [];
    const said = own.filter(isOdds);
    const odds = said.map((row): OddsHour => ({ hour: row.hour, odds: oddsOf(row.odds) }));
    const skill = skillOf(hoursOf(own.filter(isMoves)), oddsSkills(odds, { from, to: now + MS_PER_HOUR }));
    return [{ market: first.market, model: first.model, from, ...skill }];
  });
}

function isOdds(row: StoredMoves | StoredOdds): row is StoredOdds {
  return "odds" in row && row.odds !== null;
}

function isMoves(row: StoredMoves | StoredOdds): row is StoredMoves {
  return !isOdds(row);
}

function hoursOf(rows: readonly StoredMoves[]): { moves: Map<string, SkillHour> }[] {
  const hours = new Map<number, Map<string, SkillHour>>();
  for (const { hour, key, scored, squaredError, squaredMove } of rows)
    hours.set(hour, (hours.get(hour) ?? new Map<string, SkillHour>()).set(key, { scored, squaredError, squaredMove }));
  return [...hours.values()].map((moves) => ({ moves }));
}

function oddsOf(text: string): Map<string, OddsSums> {
  const groups = Object.entries(JSON.parse(text) as Record<string, readonly number[]>);
  return new Map(
    groups.map(([key, values]) => [key, Object.fromEntries(ODDS_SUMS.map((name, at) => [name, values[at] ?? 0])) as OddsSums]),
  );
}
