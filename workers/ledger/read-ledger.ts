/** Rows of the ledger, by market and model along their primary keys: what is read is what is asked for, however long the ledger. */

import { type SQL, sql } from "drizzle-orm";
import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { decodeSums, type ScoreSums } from "../../core/scoring/score-sums.ts";
import { SHIPPED_KEY } from "../../models/roles.ts";
import type { Database } from "../storage/database.ts";
import { forecastScores, forecasts, models } from "../storage/schema.ts";
import { decodeAnswer } from "./answer-codec.ts";

export interface MarketModel {
  readonly market: string;
  /** models.key; 0 the shipped one. */
  readonly model: number;
}

export interface LedgerState extends MarketModel {
  /** Forecasts up to this featureTime are scored, or given up; null: none yet. */
  readonly scoredUpTo: number | null;
  /** featureTime of the first one after it; null: none. */
  readonly firstUnscored: number | null;
}

/** A row that can't be read is null: it is counted, and stops nothing. */
export interface LedgerForecast {
  readonly featureTime: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly recordedAt: number;
  readonly made: MadeForecast | null;
}

/** Above what any configuration has; beyond it the last ones by name wait for ever, visibly. */
const MOST_PAIRS = 5_000;

/**
 * Every market and model with forecasts, and how far they are scored. A handful of rows is read for each, by leaping from one to the next along the key:
 * `distinct` would walk the whole ledger, and so would a comparison of market and model as one: SQLite seeks the first of those equal, and walks to the first beyond.
 */
export async function readLedgerStates(database: Database): Promise<LedgerState[]> {
  return await database.all<LedgerState>(sql`
    with recursive pair(market, model) as (
      select * from (select market, model from ${forecasts} order by market, model limit 1)
      union all
      select next.market, next.model from pair join ${forecasts} as next on next.rowid = coalesce(
        (select rowid from ${forecasts} as later where later.market = pair.market and later.model > pair.model order by later.model limit 1),
        (select rowid from ${forecasts} as later where later.market > pair.market order by later.market, later.model limit 1))
    ), state as (
      select market, model, (select scored_up_to from ${forecastScores} as score where score.market = pair.market and score.model = pair.model
        order by score.hour desc limit 1) as scoredUpTo
      from pair limit ${MOST_PAIRS}
    )
    select market, model, scoredUpTo, (select min(feature_time) from ${forecasts} as own where own.market = state.market and own.model = state.model
      and own.feature_time > coalesce(scoredUpTo, -1)) as firstUnscored
    from state`);
}

export interface ForecastRange extends MarketModel {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly limit: number;
}

/** Oldest first. */
export async function readForecasts(database: Database, { market, model, from, to, limit }: ForecastRange): Promise<LedgerForecast[]> {
  const rows =
    await database.all<StoredForecast>(sql`select feature_time as featureTime, bid_ticks as bidTicks, ask_ticks as askTicks, answer,
    recorded_at as recordedAt from ${forecasts} where market = ${market} and model = ${model} and feature_time >= ${from} and feature_time < ${to}
    order by feature_time limit ${limit}`);
  return rows.map(ledgerForecast);
}

export interface StoredForecast {
  readonly featureTime: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  /** As D1 gives a blob. */
  readonly answer: readonly number[];
  readonly recordedAt: number;
}

export function ledgerForecast({ answer: bytes, ...row }: StoredForecast): LedgerForecast {
  const { featureTime, bidTicks, askTicks } = row;
  const answer = decodeAnswer(new Uint8Array(bytes));
  return { ...row, made: "malformed" in answer ? null : { featureTime, bidTicks, askTicks, answer } };
}

/** Every model that can have scores: those that were ever published, and the shipped one. */
export function everyModel(): SQL {
  return sql`(select ${SHIPPED_KEY} union all select key from ${models})`;
}

export interface HourScores extends MarketModel {
  readonly hour: number;
  readonly scoredUpTo: number;
  readonly sums: ScoreSums;
}

export interface ScoreRange {
  readonly market: string;
  /** Null: of every model. */
  readonly model: number | null;
  /** Starts of hours: `from` on, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

/** By model and hour. @throws for a row that is no sums: it is ours, and a score made without it would be another one. */
export async function readScores(database: Database, { market, model, from, to, limit }: ScoreRange): Promise<HourScores[]> {
  // Named one by one: by the market alone SQLite would walk every hour that was ever scored of it.
  const ofModel = model === null ? everyModel() : sql`(${model})`;
  const rows = await database.all<
    Omit<HourScores, "sums"> & { sums: string }
  >(sql`select market, model, hour, scored_up_to as scoredUpTo, sums
    from ${forecastScores} where market = ${market} and model in ${ofModel} and hour >= ${from} and hour < ${to} order by model, hour limit ${limit}`);
  return rows.map((row) => ({ ...row, sums: sumsOf(row) }));
}

export function sumsOf({ market, model, hour, sums: text }: MarketModel & { hour: number; sums: string }): ScoreSums {
  const sums = decodeSums(text);
  if ("malformed" in sums) throw new Error(`scores of ${market}, model ${model}, hour ${hour}: ${sums.malformed}`);
  return sums;
}
