/** Quality from the real database and the real feed: sums that SQL gets wrong by a row or an edge are wrong for every reader. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../workers/api/app.ts";
import { type MarketQuality, marketQualityPageSchema, qualitySchema } from "../../workers/api/quality-schemas.ts";
import { snapshotPageSchema } from "../../workers/api/schemas.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { readQuality } from "../../workers/storage/read-quality.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";
import { startedFeed } from "./exchange-control.ts";

const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";
const FORMER = "binance-spot:LUNAUSDT";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
/** Long past, so that every minute of it should be stored. */
const MIDNIGHT = Date.UTC(2026, 0, 5);
const database = openDatabase(env.DB);

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  await startedFeed();
});

beforeEach(async () => {
  await env.DB.batch(["snapshots", "gaps", "instruments"].map((table) => env.DB.prepare(`delete from ${table}`)));
});

describe("what is read of the stored minutes", () => {
  it("is the sum of a naive one over the same rows, each minute in its bucket and market, the range's end left out", async () => {
    const rows: [market: string, minute: number, covered: number][] = [];
    for (let index = 0; index < 200; index++) {
      if (index % 7 !== 3) rows.push([BTC, MIDNIGHT + index * MINUTE, (index * 977) % 60_001]);
      if (index % 5 !== 2) rows.push([ETH, MIDNIGHT + index * MINUTE, (index * 613) % 60_001]);
    }
    await minutes(rows);
    const range = { from: MIDNIGHT + 10 * MINUTE, to: MIDNIGHT + 150 * MINUTE, now: MIDNIGHT + DAY, bucketMs: HOUR };
    const { buckets, spans } = await readQuality(database, range, { markets: [ETH, "binance-spot:NONE", BTC], only: null });
    const expected = [BTC, ETH].flatMap((market) =>
      [0, 1, 2].map((index) => {
        const start = MIDNIGHT + index * HOUR;
        const own = rows.filter(([of, at]) => of === market && at >= range.from && at < range.to && at >= start && at < start + HOUR);
        const coveredMs = own.reduce((sum, [, , covered]) => sum + covered, 0);
        return { market, start, minutes: own.length, coveredMs, events: 2 * own.length, trades: own.length };
      }),
    );
    expect(buckets).toEqual(expected);
    expect(spans).toEqual([
      { market: ETH, first: MIDNIGHT, firstCoveredMs: 0, last: MIDNIGHT + 199 * MINUTE },
      { market: "binance-spot:NONE", first: null, firstCoveredMs: null, last: null },
      { market: BTC, first: MIDNIGHT, firstCoveredMs: 0, last: MIDNIGHT + 198 * MINUTE },
    ]);
  });

  it("reads rows of the range alone, along an index that holds all of it, however long the table: each is billed", async () => {
    const prepared: string[] = [];
    const prepare = (text: string): D1PreparedStatement => {
      prepared.push(text);
      return env.DB.prepare(text);
    };
    const listening = new Proxy(env.DB, { get: (target, call) => (call === "prepare" ? prepare : (Reflect.get(target, call) as unknown)) });
    const range = { from: MIDNIGHT, to: MIDNIGHT + HOUR, now: MIDNIGHT + DAY, bucketMs: HOUR };
    await readQuality(openDatabase(listening), range, { markets: [BTC], only: BTC });
    const ofSnapshots = prepared.filter((text) => text.includes('"snapshots"'));
    // The third reads the minutes that gaps touch.
    expect(ofSnapshots).toHaveLength(3);
    for (const text of ofSnapshots) {
      const zeros = Array.from(text.matchAll(/\?/g), () => "0");
      const { results } = await env.DB.prepare(`explain query plan ${text}`)
        .bind(...zeros)
        .all<{ detail: string }>();
      const plan = results.map(({ detail }) => detail).filter((detail) => detail.includes("snapshots"));
      expect(plan.length).toBeGreaterThan(0);
      for (const detail of plan) expect(detail).toMatch(/^SEARCH snapshots USING COVERING INDEX \w+ \(market=\?/);
    }
    expect(ofSnapshots.join()).toContain("minute >= ? and minute < ?");
    expect(ofSnapshots.find((text) => text.includes("touching"))).toContain("minute > a - ");
  });
});

describe("what is read of the ledger", () => {
  it("is each gap that touches the range, with the time of it that lies in it, by market, channel and reason", async () => {
    await gaps([
      ["before", BTC, MIDNIGHT - 100, MIDNIGHT, "stale"],
      ["into", BTC, MIDNIGHT - 1_000, MIDNIGHT + 500, "stale"],
      ["within", BTC, MIDNIGHT + 600, MIDNIGHT + 700, "stale"],
      ["out", BTC, MIDNIGHT + DAY - 40, MIDNIGHT + DAY + 9_000, "sequence-gap"],
      ["after", BTC, MIDNIGHT + DAY, MIDNIGHT + DAY + 1, "stale"],
      ["other", ETH, MIDNIGHT + 1, MIDNIGHT + 3, "stale"],
      ["open", ETH, MIDNIGHT + 10, null, "restarted"],
    ]);
    const range = { from: MIDNIGHT, to: MIDNIGHT + DAY, now: MIDNIGHT + 4_010, bucketMs: DAY };
    const { gapCounts, longest, open } = await readQuality(database, range, { markets: [BTC, ETH], only: null });
    expect(gapCounts).toEqual([
      { market: BTC, channel: "depth", reason: "sequence-gap", count: 1, totalMs: 40 },
      { market: BTC, channel: "depth", reason: "stale", count: 2, totalMs: 600 },
      { market: ETH, channel: "depth", reason: "restarted", count: 1, totalMs: 4_000 },
      { market: ETH, channel: "depth", reason: "stale", count: 1, totalMs: 2 },
    ]);
    expect(longest.map(({ id, market, lengthMs, from, to, reason }) => ({ id, market, lengthMs, from, to, reason }))).toEqual([
      { id: "into", market: BTC, lengthMs: 500, from: MIDNIGHT - 1_000, to: MIDNIGHT + 500, reason: "stale" },
      { id: "open", market: ETH, lengthMs: 4_000, from: MIDNIGHT + 10, to: null, reason: "restarted" },
    ]);
    expect(open.map(({ id }) => id)).toEqual(["open"]);
    const one = await readQuality(database, range, { markets: [BTC], only: BTC });
    expect([one.gapCounts.map(({ market }) => market), one.longest.length, one.open]).toEqual([[BTC, BTC], 1, []]);
  });

  it("of an open gap goes to the range's end where that is past, and is never of less than nothing", async () => {
    await gaps([["open", BTC, MIDNIGHT + 10, null, "stale"]]);
    const lengthAt = async (now: number): Promise<number | undefined> => {
      const range = { from: MIDNIGHT, to: MIDNIGHT + HOUR, now, bucketMs: DAY };
      return (await readQuality(database, range, { markets: [BTC], only: BTC })).gapCounts[0]?.totalMs;
    };
    expect(await lengthAt(MIDNIGHT + DAY)).toBe(HOUR - 10);
    expect(await lengthAt(MIDNIGHT + 4)).toBe(0);
  });
});

describe("time that rows count as covered and the ledger knows better of", () => {
  it("is what a naive count of seconds finds, in whatever buckets: gaps that overlap count once, those left out already not at all", async () => {
    const SECOND = 1_000;
    const [first, count] = [MIDNIGHT, 180];
    const rows: [market: string, minute: number, covered: number][] = [];
    const ledger: [id: string, market: string, from: number, to: number | null, reason: string, channel: string][] = [];
    for (const [place, market] of [BTC, ETH].entries()) {
      for (let index = 0; index < count; index++)
        if (index % 11 !== 5) rows.push([market, first + index * MINUTE, index % 3 === 0 ? 60_000 : ((index * 7 + place) % 61) * SECOND]);
      for (let index = 0; index < 40; index++) {
        const from = first + ((index * index * 37 + place * 501) % (count * 60)) * SECOND;
        const channel = ["depth", "connection", "tape", "trades", "quotes"][index % 5] as string;
        ledger.push([`${market}${index}`, market, from, from + ((index * 53) % 200) * SECOND, "snapshot-differs", channel]);
      }
      ledger.push([`${market}open`, market, first + (count * 60 - 90) * SECOND, null, "stale", "depth"]);
    }
    await minutes(rows);
    await gaps(ledger);
    for (const bucketMs of [MINUTE, HOUR, DAY]) {
      const range = { from: first + 5 * MINUTE + 7, to: first + 178 * MINUTE + 30_500, now: first + (count * 60 - 5) * SECOND, bucketMs };
      const { buckets } = await readQuality(database, range, { markets: [BTC, ETH], only: null });
      const expected = new Map<string, number>();
      for (const [market, minute, covered] of rows) {
        if (minute < range.from || minute >= range.to) continue;
        let whole = 0;
        for (let second = minute; second < minute + MINUTE; second += SECOND) {
          const isGap = ledger.some(
            ([, of, from, to, , channel]) =>
              of === market && channel !== "trades" && channel !== "quotes" && second >= from && second < (to ?? range.now),
          );
          if (!isGap) whole += SECOND;
        }
        const bucket = `${market}@${Math.floor(minute / bucketMs) * bucketMs}`;
        expected.set(bucket, (expected.get(bucket) ?? 0) + Math.min(covered, whole));
      }
      expect(new Map(buckets.map(({ market, start, coveredMs }) => [`${market}@${start}`, coveredMs]))).toEqual(expected);
    }
  });

  it("is covered nowhere: not by the minute, the hour or the day, of one market or of all, and not in the minutes themselves", async () => {
    await instrument(BTC);
    await minutes(Array.from({ length: 60 }, (_, index) => [BTC, MIDNIGHT + index * MINUTE, 60_000]));
    // Found at 00:30:10 by an audit, the last one was at 00:20:30: the minutes between were stored as covered.
    await gaps([["a", BTC, MIDNIGHT + 20 * MINUTE + 30_000, MIDNIGHT + 30 * MINUTE + 10_000, "snapshot-differs"]]);
    const [from, to] = ["2026-01-05T00:00Z", "2026-01-05T01:00Z"];
    const left = 60 * MINUTE - (9 * MINUTE + 40_000);
    for (const by of ["minute", "hour", "day"]) {
      const { coveredMs, coverage, buckets } = await ofMarket(`/v1/quality/${BTC}?from=${from}&to=${to}&by=${by}`);
      expect([by, coveredMs, coverage]).toEqual([by, left, left / HOUR]);
      expect(buckets.reduce((sum, bucket) => sum + bucket.coveredMs, 0)).toBe(left);
    }
    const { body } = answerOf(qualitySchema, await get(`/v1/quality?from=${from}&to=${to}&by=hour`));
    expect(body.markets[0]).toMatchObject({ market: BTC, coveredMs: left });
    const page = answerOf(snapshotPageSchema, await get(`/v1/markets/${BTC}/snapshots?from=${from}&to=${to}&limit=60&levels=0`));
    const shown = page.body.snapshots.map(({ coveredMs }) => coveredMs);
    expect(shown.slice(19, 32)).toEqual([60_000, 30_000, ...Array.from({ length: 9 }, () => 0), 50_000, 60_000]);
  });

  it("is not taken from what was expected of the first minute, in which recording began", async () => {
    await minutes([
      [BTC, MIDNIGHT, 20_000],
      [BTC, MIDNIGHT + MINUTE, 60_000],
    ]);
    await gaps([["a", BTC, MIDNIGHT + 50_000, MIDNIGHT + 2 * MINUTE, "snapshot-differs"]]);
    const quality = await ofMarket(`/v1/quality/${BTC}?from=2026-01-05&to=2026-01-05T00:02Z`);
    expect(quality).toMatchObject({ coveredMs: 20_000, expectedMs: 80_000, coverage: 0.25 });
  });
});

describe("GET /v1/quality/{market}", () => {
  it("shows a day by the minute: what is stored, what is missing, and where", async () => {
    await minutes(Array.from({ length: 1_440 }, (_, index) => [BTC, MIDNIGHT + index * MINUTE, index === 700 ? 15_000 : 60_000]));
    await env.DB.prepare("delete from snapshots where minute = ?")
      .bind(MIDNIGHT + 3 * MINUTE)
      .run();
    await gaps([["a", BTC, MIDNIGHT + 700 * MINUTE, MIDNIGHT + 700 * MINUTE + 45_000, "stale"]]);
    const quality = await ofMarket(`/v1/quality/${BTC}?day=2026-01-05&by=minute`);
    expect(quality).toMatchObject({
      ...{ isCarried: true, minutes: 1_439, expectedMinutes: 1_440, missingMinutes: 1, coveredMs: 1_438 * MINUTE + 15_000 },
      coverage: (1_438 * MINUTE + 15_000) / DAY,
      gaps: { count: 1, totalMs: 45_000, longest: { id: "a", lengthMs: 45_000 }, open: [] },
    });
    expect(quality.buckets).toHaveLength(1_440);
    const poor = quality.buckets.filter(({ coverage }) => coverage !== 1).map(({ start, coverage }) => [start, coverage]);
    expect(poor).toEqual([
      [MIDNIGHT + 3 * MINUTE, 0],
      [MIDNIGHT + 700 * MINUTE, 0.25],
    ]);
    expect(quality.proof).toMatchObject({ comparisons: expect.any(Number) });
    expect((await ofMarket(`/v1/quality/${BTC}?day=2026-01-05`)).buckets).toMatchObject([{ start: MIDNIGHT, minutes: 1_439 }]);
  });

  it("answers for a market of the past, and of one never heard of not at all", async () => {
    await instrument(FORMER);
    await minutes([[FORMER, MIDNIGHT, 60_000]]);
    expect(await ofMarket(`/v1/quality/${FORMER}?day=2026-01-05`)).toMatchObject({
      isCarried: false,
      state: null,
      proof: null,
      coverage: 1,
    });
    expect(await get("/v1/quality/binance-spot:NOPE")).toMatchObject({ status: 404, body: { type: "/problems/unknown-market" } });
  });

  it("of a feed that does not answer has no proof, and what is stored all the same", async () => {
    await minutes([
      [BTC, MIDNIGHT - MINUTE, 60_000],
      [BTC, MIDNIGHT, 30_000],
    ]);
    const gone = new Proxy({}, { get: () => () => Promise.reject(new Error("overloaded")) });
    const FEED = { getByName: () => gone } as unknown as DurableObjectNamespace;
    const { status, body } = await get(`/v1/quality/${BTC}?from=2026-01-05&to=2026-01-05T00:01Z`, { FEED });
    expect({ status, body }).toMatchObject({ status: 200, body: { quality: { state: "unreachable", proof: null, coverage: 0.5 } } });
  });

  it.each([
    ["?day=2026-02-30", "day"],
    ["?day=1767571200000", "day"],
    ["?day=2026-01-05&from=2026-01-04", "day"],
    ["?from=2026-01-05&to=2026-01-05", "from"],
    ["?from=2026-01-01&to=2026-02-02", "from"],
    ["?from=2026-01-01&to=2026-01-03&by=minute", "from"],
    ["?by=second", "by"],
    ["?minutes=5", "query"],
  ])("%s is 400 and names the parameter %s", async (query, parameter) => {
    const { status, body } = await get(`/v1/quality/${BTC}${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ type: "/problems/bad-request", errors: [{ parameter }] });
  });
});

describe("GET /v1/quality", () => {
  it("shows every market that is carried, and of the others those with something in the range", async () => {
    for (const market of [FORMER, "binance-spot:GONEUSDT", BTC]) await instrument(market);
    await minutes([
      [BTC, MIDNIGHT, 60_000],
      [FORMER, MIDNIGHT - DAY, 60_000],
      [FORMER, MIDNIGHT, 6_000],
      ["binance-spot:GONEUSDT", MIDNIGHT - DAY, 60_000],
    ]);
    await gaps([["lost", "binance-spot:_feed", MIDNIGHT, MIDNIGHT + MINUTE, "tape-overflow"]]);
    const { status, body } = answerOf(qualitySchema, await get("/v1/quality?day=2026-01-05&by=hour"));
    const { markets, otherGaps, from, to, by } = body;
    expect({ status, from, to, by }).toEqual({ status: 200, from: MIDNIGHT, to: MIDNIGHT + DAY, by: "hour" });
    expect(markets.map(({ market, isCarried, coverage }) => [market, isCarried, coverage])).toEqual([
      [BTC, true, 60_000 / DAY],
      [ETH, true, null],
      [FORMER, false, 0.1],
    ]);
    expect(markets[0]?.buckets).toHaveLength(24);
    expect(otherGaps).toEqual([{ market: "binance-spot:_feed", channel: "depth", reason: "tape-overflow", count: 1, totalMs: MINUTE }]);
  });

  it("of the last 24 hours is what is shown where no time is named", async () => {
    const { body } = answerOf(qualitySchema, await get("/v1/quality"));
    const { from, to } = body;
    expect(to - from).toBe(DAY);
    expect(Math.abs(Date.now() - to)).toBeLessThan(60_000);
  });

  it.each([
    ["?by=minute", "by"],
    ["?from=2026-01-01&to=2026-01-09", "from"],
    ["?market=x", "query"],
  ])("%s is 400: every market by the minute would be too much to read and to send", async (query, parameter) => {
    expect(await get(`/v1/quality${query}`)).toMatchObject({ status: 400, body: { errors: [{ parameter }] } });
  });
});

async function minutes(rows: readonly (readonly [market: string, minute: number, coveredMs: number])[]): Promise<void> {
  await env.DB.prepare(
    `insert into snapshots (market, minute, batch, tick, lot, state, book_state, covered_ms, events, trades)
    select value ->> 0, value ->> 1, 'b', '0.01', '0.01', 'live', 'normal', value ->> 2, 2, 1 from json_each(?)`,
  )
    .bind(JSON.stringify(rows))
    .run();
}

async function gaps(
  rows: readonly (readonly [id: string, market: string, from: number, to: number | null, reason: string, channel?: string])[],
): Promise<void> {
  await env.DB.prepare(
    `insert into gaps (id, market, channel, from_ms, to_ms, reason, detail, action)
    select value ->> 0, value ->> 1, coalesce(value ->> 5, 'depth'), value ->> 2, value ->> 3, value ->> 4, '', 'resynced' from json_each(?)`,
  )
    .bind(JSON.stringify(rows))
    .run();
}

async function instrument(market: string): Promise<void> {
  const [venue, symbol] = market.split(":");
  await env.DB.prepare("insert into instruments values (?, ?, ?, 'main', '0.01', '0.01')").bind(market, venue, symbol).run();
}

async function ofMarket(path: string): Promise<MarketQuality> {
  const { status, body } = answerOf(marketQualityPageSchema, await get(path));
  expect(status).toBe(200);
  return body.quality;
}

async function get(path: string, variables: Partial<PublicEnv> = {}): Promise<Answer> {
  const bound = { ...(env as unknown as PublicEnv), ...variables };
  const response = await createApp().fetch(new Request(`https://edgebook.test${path}`), bound);
  return readAnswer(path, response);
}
