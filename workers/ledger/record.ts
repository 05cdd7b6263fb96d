/**
 * Writes forecasts into the ledger: each market, model and grid time once. What is there already stays as it is, whoever asked again, so that a forecast can't be changed once its
 * outcome has begun to show.
 */

import { sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { hex } from "../../core/wire/day-file/format.ts";
import { logWarning } from "../log.ts";
import type { Database } from "../storage/database.ts";
import { forecasts } from "../storage/schema.ts";
import { encodeAnswer } from "./answer-codec.ts";

export interface RecordedForecast extends MadeForecast {
  readonly market: string;
  /** models.key; 0 the shipped one. */
  readonly model: number;
  /** Our clock, epoch ms. */
  readonly recordedAt: number;
}

/** Of one call: 256 markets with an active model and four shadows each are 1,280, and nobody asks for more at once. */
export const MOST_AT_ONCE = 2_000;
/** Some 400 characters each: a statement stays far below the 2 MB that D1 takes. */
const ROWS_PER_STATEMENT = 500;

/** How far a market's clock may lie before ours. Scores go on in order of featureTime: a row of next year would be the last one that is ever scored. */
const AHEAD_MS = 5 * MS_PER_MINUTE;

/**
 * A forecast of a time that our clock hasn't seen yet is left out, and logged: the venue's clock was wrong.
 * @returns how many were new. @throws RangeError for more than MOST_AT_ONCE, and for answers that can't be written; what D1 throws.
 */
export async function recordForecasts(database: Database, given: readonly RecordedForecast[]): Promise<number> {
  if (given.length > MOST_AT_ONCE) throw new RangeError(`${given.length} forecasts at once: at most ${MOST_AT_ONCE}`);
  const rows = given.filter(({ featureTime, recordedAt }) => featureTime <= recordedAt + AHEAD_MS);
  if (rows.length < given.length) logWarning("forecasts-ahead-of-time", { rows: given.length - rows.length });
  const statements: BatchItem<"sqlite">[] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT)
    statements.push(insertion(database, rows.slice(from, from + ROWS_PER_STATEMENT)));
  const [first, ...rest] = statements;
  if (first === undefined) return 0;
  const results = (await database.batch([first, ...rest])) as D1Result[];
  return results.reduce((sum, { meta }) => sum + meta.changes, 0);
}

/** JSON has no bytes: the answer travels as hex digits. */
function insertion(database: Database, rows: readonly RecordedForecast[]): BatchItem<"sqlite"> {
  const json = JSON.stringify(
    rows.map(({ market, model, featureTime, bidTicks, askTicks, answer, recordedAt }) => {
      return [market, model, featureTime, bidTicks, askTicks, hex(encodeAnswer(answer)), recordedAt];
    }),
  );
  const value = (at: number) => sql.raw(`json_extract(value, '$[${at}]')`);
  const values = sql`${value(0)}, ${value(1)}, ${value(2)}, ${value(3)}, ${value(4)}, unhex(${value(5)}), ${value(6)}`;
  // `where true` keeps SQLite's parser from reading `on conflict` as a join.
  return database.insert(forecasts).select(sql`select ${values} from json_each(${json}) where true`).onConflictDoNothing();
}
