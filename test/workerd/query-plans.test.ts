/** How the ledger is read: a query that walks a table whose rows are never deleted is cheap on the day it is written, and dearer every day after. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { compareModels } from "../../workers/ledger/compare-models.ts";
import { activeModel, readScoredUpTo } from "../../workers/ledger/model-names.ts";
import { readForecasts, readScores } from "../../workers/ledger/read-ledger.ts";
import { rollingSkill } from "../../workers/ledger/rolling-skill.ts";
import { scoreDue } from "../../workers/ledger/score-due.ts";
import type { Database } from "../../workers/storage/database.ts";
import { readPricePath } from "../../workers/storage/read-price-path.ts";
import { readLedgerUsage } from "../../workers/storage/read-usage.ts";
import { madeMarket } from "../core/scoring-fixture.ts";
import { emptyLedger, recordAll, recorded, storeMinutes } from "./ledger-fixture.ts";
import { meteredDatabase } from "./metered-database.ts";
import { plannedDatabase } from "./planned-database.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10);
const MARKET = "binance-spot:BTCUSDT";
const RANGE = { from: START, to: START + HOUR };
const ROWS = { market: MARKET, ...RANGE, limit: 1_000 };
/** Two models, a forecast each second for ten minutes, and one that only cron asks. */
const hot = madeMarket({ seed: 3, startsAt: START, seconds: 600, every: 1, gaps: 0 });
const cold = { ...hot, forecasts: hot.forecasts.filter((_, at) => at % 60 === 3) };

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  await emptyLedger();
  await storeMinutes(MARKET, hot);
  await recordAll([...recorded(MARKET, 1, hot), ...recorded(MARKET, 2, hot), ...recorded(MARKET, 3, cold)]);
});

/** Each step on a table that grows for ever. */
async function stepsOf(read: (database: Database) => Promise<unknown>): Promise<string[]> {
  const { database, takePlans } = plannedDatabase();
  await read(database);
  return (await takePlans()).filter((step) => /\b(forecasts|forecast_scores|snapshots|one|other|score|own|later|next)\b/.test(step));
}

/** Along the whole key of a market and a model, and from a time on; of snapshots, which have no model, along the market. */
const SEEKS = [
  /^SEARCH \w+ USING (COVERING )?INDEX sqlite_autoindex_forecasts_1 \(market=\? AND model=\? AND feature_time(=\?|>\?|>\? AND feature_time<\?)\)$/,
  /^SEARCH \w+ USING (COVERING )?INDEX sqlite_autoindex_forecast_scores_1 \(market=\? AND model=\? AND hour(>\?|>\? AND hour<\?)\)$/,
  /^SEARCH snapshots USING INDEX (sqlite_autoindex_snapshots_1|snapshots_coverage) \(market=\? AND minute>\? AND minute<\?\)$/,
  /^SEARCH forecast_scores USING INDEX forecast_scores_hour \(hour>\? AND hour<\?\)$/,
];

describe("the ledger's reads seek along a key and walk nothing", () => {
  it.each<[string, (database: Database) => Promise<unknown>]>([
    ["a comparison", (database) => compareModels(database, { market: MARKET, active: 1, challenger: 2, ...RANGE })],
    ["the rolling skill", (database) => rollingSkill(database, [MARKET, "v:A"], START + HOUR)],
    ["a page of forecasts", (database) => readForecasts(database, { ...ROWS, model: 1 })],
    ["the scores of one model", (database) => readScores(database, { ...ROWS, model: 1 })],
    ["the scores of every model", (database) => readScores(database, { ...ROWS, model: null })],
    ["prices", (database) => readPricePath(database, MARKET, RANGE)],
    ["what the bill counts", (database) => readLedgerUsage(database, START + HOUR)],
  ])("%s", async (_, read) => {
    const steps = await stepsOf(read);
    expect(steps).not.toEqual([]);
    expect(steps.filter((step) => !SEEKS.some((seek) => seek.test(step)))).toEqual([]);
  });

  it("how far a model is scored is the last entry of its key", async () => {
    expect(await stepsOf((database) => readScoredUpTo(database, MARKET, 1))).toEqual([
      "SEARCH forecast_scores USING INDEX sqlite_autoindex_forecast_scores_1 (market=? AND model=?)",
    ]);
  });

  it("scoring goes from pair to pair: each leap is one entry, and so is the first", async () => {
    const steps = await stepsOf((database) => scoreDue({ database, startedAt: START + HOUR, calls: 200 }));
    const leaps = [
      "SCAN forecasts USING COVERING INDEX sqlite_autoindex_forecasts_1",
      "SEARCH later USING COVERING INDEX sqlite_autoindex_forecasts_1 (market=? AND model>?)",
      "SEARCH later USING COVERING INDEX sqlite_autoindex_forecasts_1 (market>?)",
      "SEARCH next USING INTEGER PRIMARY KEY (rowid=?)",
      "SEARCH score USING INDEX sqlite_autoindex_forecast_scores_1 (market=? AND model=?)",
    ];
    expect(steps).toEqual(expect.arrayContaining(leaps));
    expect(steps.filter((step) => !leaps.includes(step) && !SEEKS.some((seek) => seek.test(step)))).toEqual([]);
  });

  it("who is active is asked of the roles, which are few", async () => {
    expect(await stepsOf((database) => activeModel(database, MARKET, "forecast"))).toEqual([]);
  });
});

describe("a comparison of a market that is asked each second", () => {
  it.each([
    ["two models that were both asked each second", 2],
    ["a model that only cron asks, on either side", 3],
  ])("reads some rows a minute, not each second's: %s", async (_, challenger) => {
    const { database, metered } = meteredDatabase();
    for (const pair of [
      { active: 1, challenger },
      { active: challenger, challenger: 1 },
    ]) {
      metered.read = 0;
      expect(await compareModels(database, { market: MARKET, ...pair, ...RANGE })).toMatchObject({ ticks: 10, hours: 1 });
      // Of 600 forecasts each: a minute's leaps, its two rows with their entries, and its prices.
      expect(metered.read).toBeLessThanOrEqual(10 * 16 + 10);
    }
  });
});
