/**
 * Two models of a market on the ticks that both answered, one a minute, the first that both have: so a hot market whose every second is recorded is compared as one that only cron asks, in
 * bounded work, and neighbours share little of their horizons. Read day by day, forecasts and prices, so that a fortnight needs no more memory than a day.
 */

import { sql } from "drizzle-orm";
import { longestHorizonMs } from "../../core/scoring/forecast-answer.ts";
import { addPairs, comparePairs, type PairedHorizon, type PairedRows, type PairedTick } from "../../core/scoring/paired-comparison.ts";
import { addOddsPairs, compareOdds, type OddsRows, type PairedOdds } from "../../core/scoring/paired-odds.ts";
import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE } from "../../core/units/time.ts";
import type { Database } from "../storage/database.ts";
import { readPricePath } from "../storage/read-price-path.ts";
import { forecasts } from "../storage/schema.ts";
import { ledgerForecast } from "./read-ledger.ts";

/** A day's reading is some 1,440 ticks and as many minutes of prices. */
export const MOST_DAYS = 14;

/** Of one horizon's moves or odds at one tick: a fortnight of eight horizons with both, some 30 MB of an isolate's 128. */
export const MOST_COMPARED_ROWS = 330_000;

export interface CompareOptions {
  readonly market: string;
  /** models.key */
  readonly active: number;
  readonly challenger: number;
  /** featureTimes: `from` on, `to` exclusive, MOST_DAYS apart at most. */
  readonly from: number;
  readonly to: number;
  /** MOST_COMPARED_ROWS where left out. */
  readonly mostRows?: number;
}

export interface ModelComparison {
  /** UTC days, and hours, that ticks with an outcome lie in. */
  readonly days: number;
  readonly hours: number;
  /** Ticks of which at least one horizon could be compared. */
  readonly ticks: number;
  readonly horizons: readonly PairedHorizon[];
  /** Of what both said of down, flat and up. */
  readonly odds: readonly PairedOdds[];
}

/** @returns null where there are more rows than are compared at once. */
export async function compareModels(database: Database, options: CompareOptions): Promise<ModelComparison | null> {
  const { market, from, to, mostRows = MOST_COMPARED_ROWS } = options;
  const rows: PairedRows = new Map();
  const odds: OddsRows = new Map();
  let ticks = 0;
  for (let start = from; start < to; start += MS_PER_DAY) {
    const paired = await readPairs(database, { ...options, from: start, to: Math.min(to, start + MS_PER_DAY) });
    const [first, last] = [paired[0], paired.at(-1)];
    if (first === undefined || last === undefined) continue;
    const longest = Math.max(...paired.map(({ active, challenger }) => Math.max(longestHorizonMs(active), longestHorizonMs(challenger))));
    const path = await readPricePath(database, market, { from: first.featureTime, to: last.featureTime + longest + 1 });
    // Who says odds of a horizon and a move of it says both in the same tick.
    ticks += Math.max(addPairs(rows, paired, path), addOddsPairs(odds, paired, path));
    if ([...rows.values(), ...odds.values()].reduce((sum, own) => sum + own.length, 0) > mostRows) return null;
  }
  const times = [...rows.values(), ...odds.values()].flat().map(({ featureTime }) => featureTime);
  const distinct = (length: number): number => new Set(times.map((time) => Math.floor(time / length))).size;
  return {
    ...{ days: distinct(MS_PER_DAY), hours: distinct(MS_PER_HOUR), ticks },
    ...{ horizons: comparePairs(rows, MS_PER_MINUTE), odds: compareOdds(odds, MS_PER_MINUTE) },
  };
}

interface StoredPair {
  readonly featureTime: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly active: readonly number[];
  readonly challenger: readonly number[];
}

/**
 * The two models' keys are walked in turn, each leaping to the first tick that isn't before the other's: where both stand on one tick, it is that minute's, and the next leap is into the next minute. So
 * a model that is asked each second costs no more than one that only cron asks. A tick at which the two were made from other prices is left out, with its minute.
 */
async function readPairs(database: Database, { market, active, challenger, from, to }: CompareOptions): Promise<PairedTick[]> {
  const rows = await database.all<StoredPair>(sql`
    with recursive leap(time, before, model) as (
      select (select min(feature_time) from ${forecasts} where market = ${market} and model = ${active} and feature_time >= ${from}), null, ${challenger}
      union all
      select (select min(feature_time) from ${forecasts} where market = ${market} and model = leap.model and feature_time >=
          case when time = before then (cast(time / ${MS_PER_MINUTE} as integer) + 1) * ${MS_PER_MINUTE} else time end),
        case when time = before then null else time end, ${active} + ${challenger} - model
      from leap where time < ${to}
    )
    select one.feature_time as featureTime, one.bid_ticks as bidTicks, one.ask_ticks as askTicks, one.answer as active, other.answer as challenger
    from leap cross join ${forecasts} as one on one.market = ${market} and one.model = ${active} and one.feature_time = leap.time
    cross join ${forecasts} as other on other.market = one.market and other.model = ${challenger} and other.feature_time = one.feature_time
      and other.bid_ticks = one.bid_ticks and other.ask_ticks = one.ask_ticks
    where leap.time = leap.before and leap.time < ${to} order by leap.time`);
  return rows.flatMap(({ active: one, challenger: other, ...tick }) => {
    const row = { ...tick, recordedAt: 0 };
    const [said, against] = [ledgerForecast({ ...row, answer: one }).made, ledgerForecast({ ...row, answer: other }).made];
    return said === null || against === null ? [] : [{ ...tick, active: said.answer, challenger: against.answer }];
  });
}
