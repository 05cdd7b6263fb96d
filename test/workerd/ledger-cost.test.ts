/** What the ledger costs, by what D1 itself reports: the bill's constants are held to it. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import { emptySums, encodeSums } from "../../core/scoring/score-sums.ts";
import { D1_ROWS_READ, D1_ROWS_WRITTEN } from "../../workers/cost/bill.ts";
import { LEDGER_BYTES, LEDGER_ROWS_READ } from "../../workers/cost/forecast-bill.ts";
import { PRICES } from "../../workers/cost/prices.ts";
import { readLedgerStates } from "../../workers/ledger/read-ledger.ts";
import { recordForecasts } from "../../workers/ledger/record.ts";
import { rollingSkill } from "../../workers/ledger/rolling-skill.ts";
import { scoreDue } from "../../workers/ledger/score-due.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { readRoles } from "../../workers/storage/read-roles.ts";
import { readLedgerUsage } from "../../workers/storage/read-usage.ts";
import { modelRoles, models } from "../../workers/storage/schema.ts";
import { madeMarket } from "../core/scoring-fixture.ts";
import { emptyLedger, insertMinutes, minuteRows, recordAll, recorded, storeMinutes } from "./ledger-fixture.ts";
import { meteredDatabase } from "./metered-database.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10);
const MARKETS = ["binance-spot:BTCUSDT", "coinbase-advanced:BTC-USD", "bitmex:XBTUSD"];

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(emptyLedger);

describe("an hour of three markets", () => {
  it("costs, as a day of ten thousand forecasts recorded and scored, under five cents, were nothing included", async () => {
    const { database, metered } = meteredDatabase();
    // Three markets, each 26 s: 415 an hour, 9,969 a day.
    const made = MARKETS.map((market, at) => ({
      market,
      ...madeMarket({ seed: at + 1, startsAt: START - HOUR, seconds: 7_200, every: 26, gaps: 0.001 }),
    }));
    const minutes = made.flatMap(({ market, ...own }) => minuteRows(market, own));
    // A ledger that has been going for an hour.
    for (const { market, forecasts, path } of made) {
      await storeMinutes(market, { path }, { to: START });
      await recordAll(recorded(market, 0, { forecasts }).filter(({ featureTime }) => featureTime < START));
    }
    for (let run = 0; run < 3; run++) await scoreDue({ database: openDatabase(env.DB), startedAt: START, calls: 200 });
    const recording = { written: 0, read: 0 };
    const scoring = { written: 0, read: 0 };
    let [forecasts, steps] = [0, 0];
    for (let minute = START; minute < START + HOUR; minute += MINUTE) {
      Object.assign(metered, { written: 0, read: 0 });
      const rows = made.flatMap(({ market, ...own }) => recorded(market, 0, own));
      forecasts += await recordForecasts(
        database,
        rows.filter(({ featureTime }) => featureTime >= minute && featureTime < minute + MINUTE),
      );
      await insertMinutes(minutes.filter((row) => row.minute === minute));
      recording.written += metered.written;
      recording.read += metered.read;
      Object.assign(metered, { written: 0, read: 0 });
      await scoreDue({ database, startedAt: minute + MINUTE, calls: 200 });
      scoring.written += metered.written;
      scoring.read += metered.read;
      steps += MARKETS.length;
    }
    expect(forecasts).toBeGreaterThan(400);
    // Each minute of each market is scored, once the path is there: nothing would be cheaper than scoring nothing.
    const usage = await readLedgerUsage(database, START + HOUR);
    expect(usage).toMatchObject({ hours: 2, scoreRows: 6 });
    const { results } = await env.DB.prepare("select sum(json_extract(sums, '$.counts[0]')) as scored from forecast_scores where hour = ?")
      .bind(START)
      .all<{ scored: number }>();
    expect(results[0]?.scored).toBeGreaterThan(0.9 * forecasts);
    expect(recording.written).toBe(forecasts * D1_ROWS_WRITTEN.forecast);
    expect(scoring.written).toBe(steps * D1_ROWS_WRITTEN.scoring + MARKETS.length * D1_ROWS_WRITTEN.scoreRow);
    expect(recording.read + scoring.read).toBeLessThanOrEqual(forecasts * D1_ROWS_READ.forecast + steps * D1_ROWS_READ.scoring);
    const day = (of: "written" | "read"): number => 24 * (recording[of] + scoring[of]);
    const price = (of: "d1-rows-written" | "d1-rows-read", rows: number): number => (rows / PRICES[of].per) * PRICES[of].usd;
    const usd = (price("d1-rows-written", day("written")) + price("d1-rows-read", day("read"))) * (10_000 / (24 * forecasts));
    expect(usd).toBeLessThan(0.05);
    expect(usd).toBeGreaterThan(0.02);
  });
});

describe("what is kept", () => {
  it("of a forecast of six horizons with all that can be said, and of an hour's sums, are the bytes that the bill reckons with", async () => {
    const size = async (): Promise<number> => (await env.DB.prepare("select 1").run()).meta.size_after;
    const [one] = madeMarket({ seed: 1, startsAt: START, seconds: 60, every: 60, gaps: 0 }).forecasts;
    if (one === undefined) throw new Error("a market without a forecast");
    const horizons = [1, 5, 10, 30, 60, 300].map((seconds) => ({
      horizonMs: seconds * 1_000,
      movesBps: { bid: 0.25, mid: 0.5, ask: 0.75 },
      interval: { lowBps: -1, highBps: 1 },
      odds: { down: 0.25, up: 0.5, thresholdBps: 0.5 },
    }));
    const forecasts = Array.from({ length: 10_000 }, (_, at) => ({
      ...one,
      featureTime: START + at * 1_000,
      answer: { label: "anchored", horizons } as const,
    }));
    const empty = await size();
    await recordAll(MARKETS.flatMap((market) => recorded(market, 0, { forecasts })));
    const forecast = ((await size()) - empty) / (3 * 10_000);
    expect(forecast).toBeLessThanOrEqual(LEDGER_BYTES.forecast);
    expect(forecast).toBeGreaterThan(0.9 * LEDGER_BYTES.forecast);
    // An hour of the same, as text: 18 moves, 6 intervals and odds, with as many bins as there can be.
    const { path, forecasts: each } = madeMarket({ seed: 2, startsAt: START, seconds: 4_000, every: 1, gaps: 0 });
    const sums = scoreForecasts(
      each.slice(0, 3_600).map((forecast, at) => ({
        ...forecast,
        answer: {
          label: "anchored",
          horizons: horizons.map((own) => ({
            ...own,
            odds: { ...own.odds, down: ((at % 5) + 0.5) / 10, up: (((at + 2) % 5) + 0.5) / 10 },
          })),
        },
      })),
      path,
    );
    expect(encodeSums(sums).length).toBeLessThanOrEqual(LEDGER_BYTES.scoreRow);
    expect(encodeSums(sums).length).toBeGreaterThan(0.5 * LEDGER_BYTES.scoreRow);
  });
});

describe("what is read", () => {
  it("to see how far scores are doesn't grow with the ledger: each minute, for ever", async () => {
    const { database, metered } = meteredDatabase();
    const read = async (): Promise<number> => {
      metered.read = 0;
      expect(await readLedgerStates(database)).toHaveLength(6);
      return metered.read;
    };
    const made = madeMarket({ seed: 1, startsAt: START, seconds: 3_600, every: 4, gaps: 0 });
    const first = { forecasts: made.forecasts.slice(0, 1) };
    for (const market of MARKETS) for (const model of [0, 7]) await recordAll(recorded(market, model, first));
    const few = await read();
    for (const market of MARKETS) for (const model of [0, 7]) await recordAll(recorded(market, model, made));
    expect(await read()).toBe(few);
    for (const market of MARKETS) await storeMinutes(market, made);
    for (let run = 0; run < 3; run++)
      await scoreDue({ database: openDatabase(env.DB), startedAt: START + 2 * HOUR + run * MINUTE, calls: 200 });
    expect(await read()).toBeLessThanOrEqual(few + 2 * 6);
    expect(few).toBeLessThanOrEqual(6 * 6);
  });

  it("to see who answers is a role and its model's version each, sorted, of however many versions there are", async () => {
    const { database, metered } = meteredDatabase();
    const model = { manifestSha256: "", family: "linear", featureSet: "v1", fingerprint: "", label: "point", bytes: 1, publishedAt: 1 };
    await database.insert(models).values(Array.from({ length: 8 }, (_, at) => ({ ...model, key: at + 1, id: "m", version: `${at}` })));
    const role = { slot: "forecast", market: "*", since: 1 } as const;
    await database.insert(modelRoles).values([
      { ...role, model: 2, role: "active" },
      { ...role, model: 5, role: "shadow" },
    ]);
    metered.read = 0;
    expect(await readRoles(database)).toHaveLength(2);
    expect(metered.read).toBeLessThanOrEqual(2 * LEDGER_ROWS_READ.role);
    await env.DB.prepare("delete from model_roles").run();
  });

  it("for the rolling skill are the last day's hours, and of odds those of the day before, alone", async () => {
    const { database, metered } = meteredDatabase();
    const made = madeMarket({ seed: 1, startsAt: START, seconds: 3 * 3_600, every: 60, gaps: 0 });
    await storeMinutes("v:A", made);
    await recordAll(recorded("v:A", 0, made));
    for (let run = 0; run < 4; run++)
      await scoreDue({ database: openDatabase(env.DB), startedAt: START + 4 * HOUR + run * MINUTE, calls: 200 });
    metered.read = 0;
    expect(await rollingSkill(database, ["v:A"], START + 4 * HOUR)).toHaveLength(1);
    const three = metered.read;
    metered.read = 0;
    expect(await rollingSkill(database, ["v:A"], START + 25 * HOUR)).toHaveLength(1);
    expect(metered.read).toBeLessThan(three);
    // An hour: its entry, its row, and its moves.
    expect(three).toBeLessThanOrEqual(3 * 20);
    // A month that has been scored before, here and of other markets.
    for (const market of ["v:A", "v:B"]) {
      await env.DB.prepare(`insert into forecast_scores select ?, 0, ? - (70 + key) * 3600000, 0, '{}' from json_each(?)`)
        .bind(market, START, JSON.stringify(new Array(720).fill(0)))
        .run();
    }
    metered.read = 0;
    expect(await rollingSkill(database, ["v:A"], START + 4 * HOUR)).toHaveLength(1);
    expect(metered.read).toBeLessThanOrEqual(three + 2);
  });
});

describe("what the bill is made of", () => {
  it("are the whole hours of the last day, and of a first hour what there is", async () => {
    const database = openDatabase(env.DB);
    expect(await readLedgerUsage(database, START)).toEqual({ hours: 0, markets: 0, models: 0, forecasts: 0, scorings: 0, scoreRows: 0 });
    const sums = (forecasts: number, writes: number): string => {
      const made = emptySums();
      Object.assign(made.counts, { forecasts, writes });
      return encodeSums(made);
    };
    const insert = (market: string, hour: number, text: string) =>
      env.DB.prepare("insert into forecast_scores values (?, 0, ?, 0, ?)").bind(market, hour, text).run();
    await insert("v:A", START, sums(7, 2));
    expect(await readLedgerUsage(database, START + HOUR / 2)).toEqual({
      hours: 1,
      markets: 1,
      models: 1,
      forecasts: 7,
      scorings: 2,
      scoreRows: 1,
    });
    await insert("v:A", START - HOUR, sums(60, 60));
    await insert("v:B", START - HOUR, sums(30, 20));
    await insert("v:B", START - 24 * HOUR, sums(1, 1));
    await insert("v:B", START - 25 * HOUR, sums(1_000, 1_000));
    await insert("v:C", START - HOUR, "no sums");
    expect(await readLedgerUsage(database, START + HOUR / 2)).toEqual({
      hours: 2,
      markets: 2,
      models: 1,
      forecasts: 91,
      scorings: 81,
      scoreRows: 3,
    });
  });
});
