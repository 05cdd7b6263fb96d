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

/** The minutes of a path, of receive time. Minutes without a row are stored too, one behind the path's end among them: trades went on. */
export async function storeMinutes(market: string, { path }: MadeMarket, stored: StoredMinutes = {}): Promise<void> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, lacking = [] } = stored;
  const rows = path.times.map((featureTime, at): PathRow & { receivedAt: number } => ({
    ...{ featureTime, receivedAt: featureTime + DELAY_MS },
    ...{ bidTicks: path.bidTicks[at] as number, askTicks: path.askTicks[at] as number },
    isBreak: at === 0 || path.segments[at] !== path.segments[at - 1] || featureTime !== (path.times[at - 1] as number) + 1_000,
  }));
  const minuteOf = ({ receivedAt }: { receivedAt: number }): number => Math.floor(receivedAt / MINUTE) * MINUTE;
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return;
  const inserted: (typeof snapshots.$inferInsert)[] = [];
  for (let minute = minuteOf(first); minute <= minuteOf(last) + MINUTE; minute += MINUTE) {
    const own = rows.filter((row) => minuteOf(row) === minute);
    if (minute < from || minute >= to || lacking.includes(minute)) continue;
    const text = own.map((row, at) => encodePathRow(row, at === 0 ? null : (own[at - 1] ?? null))).join("");
    inserted.push({
      ...{ market, minute, batch: "b", tick: "0.01", lot: "0.001", state: "live", bookState: "normal" },
      ...{ coveredMs: MINUTE, events: own.length, trades: 0, marketTime: minute + MINUTE - 100, pricePath: own.length === 0 ? null : text },
    });
  }
  for (let at = 0; at < inserted.length; at += 5)
    await database
      .insert(snapshots)
      .values(inserted.slice(at, at + 5))
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
