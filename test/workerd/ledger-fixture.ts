/** Made-up markets (test/core/scoring-fixture.ts) as cron and the desk would have stored them: minutes with their price paths, and forecasts. */

import { env } from "cloudflare:workers";
import { encodePathRow, type PathRow } from "../../core/wire/price-path.ts";
import { type RecordedForecast, recordForecasts } from "../../workers/ledger/record.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { snapshots } from "../../workers/storage/schema.ts";
import type { MadeMarket } from "../core/scoring-fixture.ts";

const MINUTE = 60_000;
/** A row is received so long after its grid time. */
const DELAY_MS = 400;
const database = openDatabase(env.DB);

export interface StoredMinutes {
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  readonly lacking?: readonly number[];
}

type MinuteRow = typeof snapshots.$inferInsert;

/** The minutes of a path, of receive time. Minutes without a row are there too, one behind the path's end among them: trades went on. */
export function minuteRows(market: string, { path }: Pick<MadeMarket, "path">): MinuteRow[] {
  const byMinute = new Map<number, PathRow[]>();
  path.times.forEach((featureTime, at) => {
    const minute = Math.floor((featureTime + DELAY_MS) / MINUTE) * MINUTE;
    const isBreak = at === 0 || path.segments[at] !== path.segments[at - 1] || featureTime !== (path.times[at - 1] as number) + 1_000;
    const row = { featureTime, bidTicks: path.bidTicks[at] as number, askTicks: path.askTicks[at] as number, isBreak };
    byMinute.set(minute, [...(byMinute.get(minute) ?? []), row]);
  });
  const [first = 0, last = -MINUTE] = [Math.min(...byMinute.keys()), Math.max(...byMinute.keys())];
  return Array.from({ length: (last - first) / MINUTE + 2 }, (_, index) => {
    const minute = first + index * MINUTE;
    const own = byMinute.get(minute) ?? [];
    const text = own.map((row, at) => encodePathRow(row, at === 0 ? null : (own[at - 1] ?? null))).join("");
    return {
      ...{ market, minute, batch: "b", tick: "0.01", lot: "0.001", state: "live", bookState: "normal" },
      ...{ coveredMs: MINUTE, events: own.length, trades: 0, marketTime: minute + MINUTE - 100, pricePath: own.length === 0 ? null : text },
    };
  });
}

export async function storeMinutes(market: string, made: Pick<MadeMarket, "path">, stored: StoredMinutes = {}): Promise<void> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, lacking = [] } = stored;
  await insertMinutes(minuteRows(market, made).filter(({ minute }) => minute >= from && minute < to && !lacking.includes(minute)));
}

export async function insertMinutes(rows: readonly MinuteRow[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 5)
    await database
      .insert(snapshots)
      .values(rows.slice(at, at + 5))
      .onConflictDoNothing();
}

/** A second after each was made. */
export function recorded(market: string, model: number, { forecasts }: Pick<MadeMarket, "forecasts">): RecordedForecast[] {
  return forecasts.map((made) => ({ ...made, market, model, recordedAt: made.featureTime + 1_000 }));
}

export async function recordAll(rows: readonly RecordedForecast[]): Promise<number> {
  let added = 0;
  for (let at = 0; at < rows.length; at += 2_000) added += await recordForecasts(database, rows.slice(at, at + 2_000));
  return added;
}

export async function emptyLedger(): Promise<void> {
  await env.DB.batch(["snapshots", "forecasts", "forecast_scores", "models"].map((table) => env.DB.prepare(`delete from ${table}`)));
}
