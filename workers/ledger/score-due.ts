/**
 * Scores what is due, each minute, market by market and model by model.
 *
 * 1. A forecast is due when its longest horizon is over and the price path is stored up to there: every minute from its own on, and the market's clock beyond the target. Or two hours
 *    after it was made: what has no path by then is uncovered. It is never due before nobody can record an earlier one any more.
 * 2. Forecasts are scored in order of their time. Those of one hour are added to the hour's sums, and how far they go is written with them, in one statement that
 *    changes nothing where another run was there in between. So each counts once, under runs that come twice, at once, or die anywhere.
 * 3. A run's work is bounded; the rest is done by the next one. What fails for one market and model stops no other.
 */

import { sql } from "drizzle-orm";
import { longestHorizonMs, type MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import { addSums, emptySums, encodeSums } from "../../core/scoring/score-sums.ts";
import { MS_PER_HOUR, MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { logError, logEvent, logWarning } from "../log.ts";
import type { Database } from "../storage/database.ts";
import { readPricePath } from "../storage/read-price-path.ts";
import { forecastScores, snapshots } from "../storage/schema.ts";
import { type LedgerForecast, type LedgerState, readForecasts, readLedgerStates, readScores } from "./read-ledger.ts";

/** A desk records while it answers; what it puts off (`waitUntil`) the platform ends after 30 s. */
const RECORDED_WITHIN_MS = 2 * MS_PER_MINUTE;
/** A drain that lags catches up half an hour a run: what isn't there after two hours won't come, or not soon. */
export const GIVE_UP_AFTER_MS = 2 * MS_PER_HOUR;
/** Of one market and model in one run: eight minutes of a forecast each second. */
export const FORECASTS_PER_RUN = 500;
/** Before the first of them are those that another run may still be about to score. */
const CALLS_OF_STATES = 1;
/** Forecasts, the hour's sums, the stored minutes, the path, the sums again. */
const CALLS_PER_PAIR = 5;
/** The longest horizon that can be written down is 18 hours. */
const MOST_MINUTES = 1_500;
/** What comes after the target on our clock and before it on the market's. */
const MINUTES_MARGIN = 5;

export interface ScoreOptions {
  readonly database: Database;
  /** The time this run was due, epoch ms. */
  readonly startedAt: number;
  /** Of the stores, at most. */
  readonly calls: number;
}

export interface ScoreReport {
  /** Forecasts that were scored or given up. */
  readonly scored: number;
  /** Markets and models with forecasts, and of them those that this run had no calls left for. */
  readonly pairs: number;
  readonly postponed: number;
  /** Made, rather more than less. */
  readonly calls: number;
  readonly failures: readonly unknown[];
}

/** @throws what D1 throws where not even the list of what there is can be read. */
export async function scoreDue({ database, startedAt, calls: mostCalls }: ScoreOptions): Promise<ScoreReport> {
  const states = await readLedgerStates(database);
  const waiting = inTurn(
    states.filter((state) => state.firstUnscored !== null),
    startedAt,
  );
  const most = Math.max(1, Math.floor((mostCalls - CALLS_OF_STATES) / CALLS_PER_PAIR));
  const failures: unknown[] = [];
  let scored = 0;
  for (const state of waiting.slice(0, most)) {
    try {
      scored += await scorePair(database, state, startedAt);
    } catch (error) {
      failures.push(error);
      logError("forecasts-not-scored", error, { market: state.market, model: state.model });
    }
  }
  const postponed = Math.max(0, waiting.length - most);
  const calls = CALLS_OF_STATES + CALLS_PER_PAIR * (waiting.length - postponed);
  if (scored > 0 || postponed > 0) logEvent("forecasts-scored", { scored, pairs: states.length, postponed });
  return { scored, pairs: states.length, postponed, calls, failures };
}

/** Another one first each minute, so that none waits for ever. */
function inTurn(states: readonly LedgerState[], startedAt: number): LedgerState[] {
  const first = states.length === 0 ? 0 : Math.floor(startedAt / MS_PER_MINUTE) % states.length;
  return [...states.slice(first), ...states.slice(0, first)];
}

/** @returns how many forecasts it has scored or given up. */
async function scorePair(database: Database, state: LedgerState, startedAt: number): Promise<number> {
  const { market, model, firstUnscored } = state;
  if (firstUnscored === null) return 0;
  const hour = Math.floor(firstUnscored / MS_PER_HOUR) * MS_PER_HOUR;
  const range = { market, model, from: firstUnscored, to: hour + MS_PER_HOUR, limit: FORECASTS_PER_RUN };
  const recorded = untilFirst(await readForecasts(database, range), ({ recordedAt }) => recordedAt + RECORDED_WITHIN_MS > startedAt);
  if (recorded.length === 0) return 0;
  const until = Math.max(...recorded.map(targetOf));
  const storedUpTo = await readStoredUpTo(database, market, { from: firstUnscored, until });
  const due = untilFirst(recorded, (row) => targetOf(row) >= storedUpTo && row.recordedAt + GIVE_UP_AFTER_MS > startedAt);
  const last = due.at(-1);
  if (last === undefined) return 0;
  const made = due.flatMap((row): readonly MadeForecast[] => (row.made === null ? [] : [row.made]));
  const path = await readPricePath(database, market, { from: firstUnscored, to: Math.max(...due.map(targetOf)) + 1 });
  if (path.malformed.length > 0) logWarning("price-path-malformed", { market, minutes: path.malformed.length });
  const sums = emptySums();
  const [before = null] = await readScores(database, { market, model, from: hour, to: hour + 1, limit: 1 });
  // Of the list of states and of this row the older one says from where: where they differ another run has been here.
  if (before !== null && before.scoredUpTo >= firstUnscored) return 0;
  if (before !== null) addSums(sums, before.sums);
  addSums(sums, scoreForecasts(made, path));
  const unreadable = due.length - made.length;
  if (unreadable > 0) logWarning("forecasts-malformed", { market, model, rows: unreadable });
  sums.counts.forecasts += unreadable;
  sums.counts.uncovered += unreadable;
  sums.counts.writes++;
  const written = await database.run(sql`insert into ${forecastScores} (market, model, hour, scored_up_to, sums)
    values (${market}, ${model}, ${hour}, ${last.featureTime}, ${encodeSums(sums)})
    on conflict (market, model, hour) do update set scored_up_to = excluded.scored_up_to, sums = excluded.sums
    where ${forecastScores}.scored_up_to = ${before?.scoredUpTo ?? null}`);
  return written.meta.changes === 0 ? 0 : due.length;
}

/** A row that can't be read looks at nothing. */
function targetOf({ featureTime, made }: LedgerForecast): number {
  return featureTime + (made === null ? 0 : longestHorizonMs(made.answer));
}

function untilFirst<T>(rows: readonly T[], isStop: (row: T) => boolean): readonly T[] {
  const stop = rows.findIndex(isStop);
  return stop < 0 ? rows : rows.slice(0, stop);
}

/** The market's clock at the end of the last minute that is stored without one missing since `from`; a target before it has its path, or will never have one. */
async function readStoredUpTo(database: Database, market: string, { from, until }: { from: number; until: number }): Promise<number> {
  const first = minuteOf(from);
  const rows = await database.all<{
    minute: number;
    marketTime: number | null;
  }>(sql`select minute, market_time as marketTime from ${snapshots}
    where market = ${market} and minute >= ${first} and minute < ${minuteOf(until) + MINUTES_MARGIN * MS_PER_MINUTE} order by minute limit ${MOST_MINUTES}`);
  let storedUpTo = Number.NEGATIVE_INFINITY;
  for (const [at, { minute, marketTime }] of rows.entries()) {
    if (minute !== first + at * MS_PER_MINUTE) break;
    storedUpTo = Math.max(storedUpTo, marketTime ?? storedUpTo);
  }
  return storedUpTo;
}
