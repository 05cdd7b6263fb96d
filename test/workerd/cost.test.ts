/** The bill of a real feed and a real database: its constants are held to what the platform itself reports. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_SPLIT_SCHEDULE } from "../../core/labels/split.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { createApp } from "../../workers/api/app.ts";
import { costSchema } from "../../workers/api/cost-schemas.ts";
import { D1_ROWS_READ, D1_ROWS_WRITTEN } from "../../workers/cost/bill.ts";
import { gapRow, snapshotRow } from "../../workers/cron/rows.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { scoreDue } from "../../workers/ledger/score-due.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { batchId } from "../../workers/storage/read-batches.ts";
import { readEverStored, readStoredUsage } from "../../workers/storage/read-usage.ts";
import { type StoredBatch, writeBatch } from "../../workers/storage/write-batch.ts";
import { madeMarket } from "../core/scoring-fixture.ts";
import { advanceClock } from "./clock.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";
import { feedRpc } from "./exchange-control.ts";
import { emptyLedger, insertMinutes, minuteRows, recordAll, recorded } from "./ledger-fixture.ts";
import { closeMinute, type WarmFeed, warmFeed } from "./warm-feed.ts";

const MINUTE = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;
const MARKETS = ["binance-spot:BTCUSDT", "coinbase-advanced:BTC-USD", "bitmex:XBTUSD"];
const publicEnv = env as unknown as PublicEnv;

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

describe("what D1 bills for a row", () => {
  it("is what the bill reckons with: rows with their index entries, written and looked up", async () => {
    const metered = { written: 0, read: 0 };
    const batch = async (statements: D1PreparedStatement[]): Promise<D1Result[]> => {
      const results = await env.DB.batch(statements);
      for (const { meta } of results) {
        metered.written += meta.rows_written;
        metered.read += meta.rows_read;
      }
      return results;
    };
    const database = openDatabase(
      new Proxy(env.DB, { get: (target, call) => (call === "batch" ? batch : bound(Reflect.get(target, call), target)) }),
    );
    const of = async (parts: { rows: number; gaps: number; at: number }): Promise<{ written: number; read: number }> => {
      Object.assign(metered, { written: 0, read: 0 });
      await writeBatch(database, batchOf(parts));
      return { ...metered };
    };
    await of({ rows: 1, gaps: 1, at: 0 });
    const none = await of({ rows: 0, gaps: 0, at: 1 });
    const rows = await of({ rows: 10, gaps: 0, at: 2 });
    const gaps = await of({ rows: 0, gaps: 10, at: 3 });
    expect(none.written).toBe(D1_ROWS_WRITTEN.batch);
    expect((rows.written - none.written) / 10).toBe(D1_ROWS_WRITTEN.snapshot);
    expect((gaps.written - none.written) / 10).toBe(D1_ROWS_WRITTEN.gap);
    expect(none.read).toBeLessThanOrEqual(D1_ROWS_READ.batch);
    expect((rows.read - none.read) / 10).toBeLessThanOrEqual(D1_ROWS_READ.snapshot);
    expect((gaps.read - none.read) / 10).toBeLessThanOrEqual(D1_ROWS_READ.gap);
    await env.DB.batch(["snapshots", "gaps", "batches"].map((table) => env.DB.prepare(`delete from ${table}`)));
  });
});

describe("what cron has stored", () => {
  it("is added up of one feed since a time, and of all feeds for ever", async () => {
    const database = openDatabase(env.DB);
    for (const [feed, at, objects] of [
      ["main", 0, 1],
      ["main", 1, 2],
      ["main", 2, 4],
      ["main2", 2, 8],
    ] as const) {
      const { batch, ...rest } = batchOf({ rows: 3, gaps: 2, at: 0 });
      const id = batchId(feed, MINUTE + at * 60_000, 0);
      await writeBatch(database, { ...rest, batch: { ...batch, id, feed, objects, minutes: 5, tapeBytes: 100 * objects } });
    }
    expect(await readStoredUsage(database, "main", MINUTE + 60_000)).toEqual({
      ...{ feed: "main", minutes: 10, rows: 6, gaps: 4, batches: 2, objects: 6, tapeBytes: 600 },
    });
    expect(await readStoredUsage(database, "nobody", 0)).toMatchObject({ minutes: 0, batches: 0, tapeBytes: 0 });
    const ever = await readEverStored(database);
    expect(ever).toMatchObject({ rows: 12, tapeBytes: 1_500 });
    expect(ever.databaseBytes).toBeGreaterThan(10_000);
    await env.DB.batch(["snapshots", "gaps", "batches"].map((table) => env.DB.prepare(`delete from ${table}`)));
  });
});

describe("GET /v1/cost", () => {
  let feed: WarmFeed;

  it("refuses a bill while nothing is counted: a rate of seconds would be one of nothing", async () => {
    feed = await warmFeed();
    const { status, headers, body } = await get("/v1/cost");
    expect({ status, body }).toMatchObject({ status: 503, body: { type: "/problems/not-measured" } });
    expect(headers.get("retry-after")).toBe("60");
  });

  it("is made of what the feed and the batches have counted", async () => {
    for (let index = 0; index < 3; index++) await closeMinute(feed);
    await runCron(publicEnv, Date.now());
    advanceClock(60_000);
    const { counters } = await feedRpc().status();
    const { status, body } = answerOf(costSchema, await get("/v1/cost"));
    expect(status).toBe(200);
    expect(body).toMatchObject({ feeds: 1, markets: 2, planUsd: 5, pricesRead: "2026-11-27" });
    const lines = Object.fromEntries(body.lines.map(({ id, perDay }) => [id, perDay]));
    expect(lines).toMatchObject({ "r2-class-a": 1_616, "object-duration": 11_059.2, "worker-requests": 1_440 });
    expect(lines["d1-rows-written"]).toBeGreaterThanOrEqual(2 * 1_440 * 3);
    // The clock runs on between the two askings.
    const now = Date.now();
    const atLeast = ((counters.calls + counters.alarms) / (now - counters.since)) * 86_400_000;
    expect(lines["object-requests"]).toBeGreaterThan(atLeast * 0.9);
    expect(lines["object-rows-written"]).toBeGreaterThan(0);
    expect(body.totalUsd).toBeGreaterThanOrEqual(5);
  });

  it("has ten thousand forecasts of a day of three markets, recorded and scored, under five cents a day, were nothing included", async () => {
    await emptyLedger();
    const hour = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
    // Each 25 s: 144 an hour and market.
    const made = MARKETS.map((market, at) => ({
      market,
      ...madeMarket({ seed: at + 1, startsAt: hour, seconds: 3_900, every: 25, gaps: 0 }),
    }));
    const forecasts = made.flatMap(({ market, ...own }) => recorded(market, 0, own)).filter(({ featureTime }) => featureTime < hour + HOUR);
    const minutes = made.flatMap(({ market, ...own }) => minuteRows(market, own));
    // As cron has it: minute by minute recorded, stored and scored, up to when the last of them is over.
    for (let minute = hour; minute < hour + HOUR + 5 * 60_000; minute += 60_000) {
      await recordAll(forecasts.filter(({ featureTime }) => featureTime >= minute && featureTime < minute + 60_000));
      await insertMinutes(minutes.filter((row) => row.minute === minute));
      await scoreDue({ database: openDatabase(env.DB), startedAt: minute + 60_000, calls: 200 });
    }
    const { status, body } = answerOf(costSchema, await get("/v1/cost"));
    expect(status).toBe(200);
    // 3 × 144 × 24, each of them scored; three markets' sums written each minute.
    expect(body.forecasts).toMatchObject({ forecastsPerDay: 10_368, markets: 3, models: 1 });
    const lines = body.forecasts.lines;
    expect(Object.fromEntries(lines.map(({ id, perDay, usdPerDay }) => [id, [perDay, usdPerDay]]))).toEqual({
      // 10,368 × 12 + 1,440 × 500 ms
      "worker-cpu": [844_416, 0.016888],
      "object-requests": [10_368, 0.001555],
      // 10,368 × 4 + 4,320 × 25 + 1,440 × 3
      "d1-rows-read": [153_792, 0.000154],
      // 10,368 × 2 + 4,320 + 72 × 2
      "d1-rows-written": [25_200, 0.0252],
      // 10,368 × 320 + 72 × 8,000 bytes
      "d1-storage": [3_893_760, 0.00292],
      // 1,440 × 2
      "r2-class-b": [2_880, 0.001037],
    });
    expect(body.forecasts.usdPerDay).toBe(0.047754);
    expect(body.forecasts.usdPerDay).toBeLessThan(0.05);
    // A month of it is within what the plan includes.
    expect(body.totalUsd).toBe(5);
  });

  it("is refused when a feed does not answer: one that leaves out a feed is no bill", async () => {
    const gone = new Proxy({}, { get: () => () => Promise.reject(new Error("overloaded")) });
    const FEED = { getByName: () => gone } as unknown as DurableObjectNamespace;
    expect(await get("/v1/cost", { FEED })).toMatchObject({ status: 503, body: { type: "/problems/feed-unreachable" } });
  });

  it("takes no parameters", async () => {
    expect(await get("/v1/cost?markets=60")).toMatchObject({ status: 400, body: { errors: [{ parameter: "query" }] } });
  });
});

function bound(member: unknown, target: object): unknown {
  return typeof member === "function" ? (member.bind(target) as unknown) : member;
}

function batchOf({ rows, gaps, at }: { rows: number; gaps: number; at: number }): StoredBatch {
  const id = batchId("main", MINUTE + at * 60_000, 0);
  const nothing = { quote: null, bids: null, asks: null, lastSequence: null, bookHash: null, marketTime: null, features: null };
  const grids = { tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } };
  const instrument = { venue: "binance-spot", symbol: "BTCUSDT", ...grids };
  const counts = { coveredMs: 60_000, events: 1, trades: 0, pricePath: null };
  const snapshots = Array.from({ length: rows }, (_, index) => {
    const minute = MINUTE + (at * 100 + index) * 60_000;
    const snapshot = {
      market: "binance-spot:BTCUSDT",
      instrument,
      minute,
      state: "live",
      bookState: "normal",
      ...nothing,
      ...counts,
    } as const;
    return snapshotRow({ snapshot, batch: id, tape: null, splits: DEFAULT_SPLIT_SCHEDULE });
  });
  const gap = (index: number): GapRecord => ({
    ...{
      id: `${at}/${index}`,
      market: "binance-spot:BTCUSDT",
      channel: "depth",
      from: index,
      to: index + 1,
      reason: "stale",
      detail: "",
      action: "resynced",
    },
  });
  const empty = { tapes: 0, objects: 0, tapeBytes: 0, remaining: 0, firstMinute: null, lastMinute: null };
  const batch = { id, feed: "main", startedAt: MINUTE, minutes: 1, rows, gaps, ...empty };
  return { batch, instruments: [], snapshots, gaps: Array.from({ length: gaps }, (_, index) => gapRow(gap(index))) };
}

async function get(path: string, variables: Partial<PublicEnv> = {}): Promise<Answer> {
  const response = await createApp().fetch(new Request(`https://edgebook.test${path}`), { ...publicEnv, ...variables });
  return readAnswer(path, response);
}
