/** Cron against the real feed object: what it recorded lands in R2 and D1 whole, once, and is only then forgotten by the feed. */

import { applyD1Migrations, createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SPLIT_SCHEDULE, splitOf } from "../../core/labels/split.ts";
import { FEED_TAPE_SYMBOL, tapesKey, tapesMinutePrefix } from "../../core/wire/keys.ts";
import { drainFeed } from "../../workers/cron/drain-feed.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import worker from "../../workers/main.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { findMinuteTape, readPieces } from "../../workers/storage/read-tapes.ts";
import { directoryOf, putTapes } from "../../workers/storage/tapes.ts";
import { advanceClock } from "./clock.ts";
import { feedRpc, feedStub } from "./exchange-control.ts";
import { closeMinute, type WarmFeed, warmFeed } from "./warm-feed.ts";

/** Cron never asks the model. */
const publicEnv = env as unknown as PublicEnv;
const configuration = { feed: "main", object: "main", venue: "binance-spot", symbols: ["BTCUSDT", "ETHUSDT"] };
const PREPARED_PER_BATCH = 4;
let feed: WarmFeed;

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  feed = await warmFeed();
});

beforeEach(async () => {
  await runCron(publicEnv, Date.now());
  await env.DB.batch(["snapshots", "gaps", "batches"].map((table) => env.DB.prepare(`delete from ${table}`)));
});

describe("a run", () => {
  it("stores the minute's rows, and the tape that each row names holds the frames of that minute", async () => {
    const minute = await closeMinute(feed);
    await worker.scheduled(createScheduledController({ scheduledTime: Date.now() }), publicEnv);
    const rows = await rowsOf(minute);
    expect(rows.map(({ market }) => market)).toEqual(["binance-spot:BTCUSDT", "binance-spot:ETHUSDT"]);
    const [row] = rows;
    expect(row).toMatchObject({ state: "live", book_state: "normal", bid_ticks: 10_000, ask_ticks: 10_001, tick: "0.01", lot: "0.00001" });
    expect(row?.last_sequence).toBe(feed.sequence - 1);
    expect(JSON.parse(String(row?.features))).toHaveLength(27);
    expect(row?.tape_key).toBe(keyOf(minute));
    const tape = await namedTape(row);
    expect(tape).toContain(`"U":${feed.sequence - 1},`);
    expect(tape).not.toContain(`"U":${feed.sequence},`);
    for (const line of tape.trimEnd().split("\n")) expect(line).not.toContain("ETHUSDT");
    expect(await namedTape(rows[1])).toContain("ETHUSDT");
  });

  it("stores what the feeds hold although forecasts can't be scored, and says so", async () => {
    const minute = await closeMinute(feed);
    const made = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3 * 3_600_000;
    await env.DB.batch([
      env.DB.prepare("insert into forecasts values ('binance-spot:BTCUSDT', 0, ?, 1, 2, x'00', ?)").bind(made, made),
      env.DB.prepare("insert into forecast_scores values ('binance-spot:BTCUSDT', 0, ?, 0, 'no sums')").bind(made),
    ]);
    await expect(runCron(publicEnv, Date.now())).rejects.toThrow("forecasts were not scored");
    expect(await rowsOf(minute)).toHaveLength(2);
    expect((await feedRpc().pending(10)).minutes).toEqual([]);
    await env.DB.batch(["forecasts", "forecast_scores"].map((table) => env.DB.prepare(`delete from ${table}`)));
  });

  it("lets the feed forget what is stored, and only that", async () => {
    const minute = await closeMinute(feed);
    expect((await feedRpc().pending(10)).minutes.map((each) => each.minute)).toEqual([minute]);
    await runCron(publicEnv, Date.now());
    expect((await feedRpc().pending(10)).minutes).toEqual([]);
    expect(await feedRpc().tapes(["BTCUSDT"], minute)).toEqual([]);
  });

  it("stores the gaps of the feed's start, closed", async () => {
    const closed = await env.DB.prepare("select count(*) as n from gaps where to_ms is null").first<{ n: number }>();
    expect(closed).toEqual({ n: 0 });
    feed = await warmFeed();
    expect((await feedRpc().pending(10)).gaps.length).toBeGreaterThanOrEqual(2);
    await runCron(publicEnv, Date.now());
    const { results } = await env.DB.prepare("select * from gaps where reason = 'restarted' and to_ms is not null").all();
    expect(results.map(({ market }) => market)).toEqual(expect.arrayContaining(["binance-spot:BTCUSDT", "binance-spot:ETHUSDT"]));
    // Never acknowledged, they would fill the feed's storage and be written again each minute, for ever.
    expect((await feedRpc().pending(10)).gaps).toEqual([]);
  });

  it("that finds a backlog stores every minute of it, oldest first, and says what it stored: all of it, not the last portion", async () => {
    const minutes: number[] = [];
    for (let index = 0; index < 7; index++) minutes.push(await closeMinute(feed));
    const listed = (await feedRpc().pending(10)).minutes.map(({ tapes }) => tapes.map(({ bytes }) => bytes));
    const [early, late] = [listed.slice(0, 5).flat(), listed.slice(5).flat()];
    const startedAt = Date.now();
    const options = { database: openDatabase(env.DB), bucket: env.TAPES, splits, startedAt, calls: 900 };
    const report = await drainFeed(feedRpc(), configuration, options);
    const { results } = await env.DB.prepare("select * from batches order by id").all();
    const common = { feed: "main", started_at: startedAt, gaps: 0 };
    const id = `main/${new Date(startedAt).toISOString()}`;
    const [firsts, lasts] = [
      { first_minute: minutes[0], last_minute: minutes[4], minutes: 5, rows: 10, tapes: early.length, objects: 5, tape_bytes: sum(early) },
      { first_minute: minutes[5], last_minute: minutes[6], minutes: 2, rows: 4, tapes: late.length, objects: 2, tape_bytes: sum(late) },
    ];
    expect(results).toEqual([
      { ...common, ...firsts, id: `${id}/000`, remaining: 2 },
      { ...common, ...lasts, id: `${id}/001`, remaining: 0 },
    ]);
    const both = { tapes: early.length + late.length, objects: 7, tapeBytes: sum([...early, ...late]) };
    expect(report).toEqual({ minutes: 7, rows: 14, gaps: 0, ...both, remaining: 0 });
    // Two markets' tapes of each minute; the feed's own comes on top where the venue said something of no market.
    expect(early.length).toBeGreaterThanOrEqual(10);
    for (const minute of minutes) expect(await rowsOf(minute)).toHaveLength(2);
  });

  it("writes one object for all markets of a minute: a write each would be the whole bill", async () => {
    const minute = await closeMinute(feed);
    await runCron(publicEnv, Date.now());
    const { objects } = await env.TAPES.list({ prefix: tapesMinutePrefix("binance-spot", minute) });
    expect(objects.map(({ key }) => key)).toEqual([keyOf(minute)]);
    const { results } = await env.DB.prepare("select objects from batches").all();
    expect(results).toEqual([{ objects: 1 }]);
  });

  it("labels each row by its minute's part in training", async () => {
    const minute = await closeMinute(feed);
    await runCron(publicEnv, Date.now());
    const label = splitOf(minute, DEFAULT_SPLIT_SCHEDULE);
    for (const row of await rowsOf(minute)) expect(row).toMatchObject({ split: label, split_schedule: "days-6-2-2-embargo-60min" });
  });

  it("stores nothing under a schedule that can't be read: its labels would stay", async () => {
    const minute = await closeMinute(feed);
    await expect(runCron({ ...publicEnv, SPLITS: "{}" }, Date.now())).rejects.toThrow("SPLITS needs trainDays");
    expect(await rowsOf(minute)).toEqual([]);
  });

  it("keeps what belongs to no market under the feed's own name", async () => {
    await closeMinute(feed);
    await runCron(publicEnv, Date.now());
    const { objects } = await env.TAPES.list({ prefix: "tape/v2/binance-spot/", include: ["customMetadata"] });
    const own = objects.filter((object) => directoryOf(object).has(FEED_TAPE_SYMBOL));
    expect(own.length).toBeGreaterThan(0);
    for (const { key } of own) expect(key).toContain(".main.00.");
  });
});

describe("the calls that one invocation may make", () => {
  it("bound a run: it stores the oldest minutes they are enough for, and the next runs store the rest", async () => {
    const minutes: number[] = [];
    for (let index = 0; index < 7; index++) minutes.push(await closeMinute(feed));
    // Two minutes of one object (1 + 3 + 2 · 2) and not a third.
    const allowed = 9;
    for (let run = 0; run * 2 < minutes.length; run++) {
      const counted = { calls: 0 };
      const report = await drainFeed(counting(feedRpc(), counted), configuration, {
        database: openDatabase(counting(env.DB, counted)),
        bucket: counting(env.TAPES, counted),
        splits,
        startedAt: Date.now(),
        calls: allowed,
      });
      const left = Math.max(0, minutes.length - 2 * (run + 1));
      expect(report).toMatchObject({ minutes: Math.min(2, minutes.length - 2 * run), remaining: left });
      // Statements of a batch are prepared without a call: each counts here, and makes the count too large rather than too small.
      expect(counted.calls).toBeLessThanOrEqual(allowed + PREPARED_PER_BATCH);
      for (const minute of minutes.slice(0, minutes.length - left)) expect(await rowsOf(minute)).toHaveLength(2);
      expect((await feedRpc().pending(10)).minutes.map((each) => each.minute)).toEqual(minutes.slice(minutes.length - left));
    }
  });

  it("are overdrawn by the oldest minute alone, which waiting makes no smaller", async () => {
    const minutes = [await closeMinute(feed), await closeMinute(feed)];
    const options = { database: openDatabase(env.DB), bucket: env.TAPES, splits, startedAt: Date.now(), calls: 1 };
    expect(await drainFeed(feedRpc(), configuration, options)).toMatchObject({ minutes: 1, remaining: 1 });
    expect((await feedRpc().pending(10)).minutes.map((each) => each.minute)).toEqual(minutes.slice(1));
  });
});

describe("many feeds", () => {
  it("share the calls of one invocation: each alone would use them up", async () => {
    const minutes = [await closeMinute(feed), await closeMinute(feed)];
    // 6 calls each: status, a portion's three, and one minute's object. The others of the hundred and fifty are down.
    const others = Array.from({ length: 149 }, (_, index) => ({
      feed: `down-${index}`,
      object: `down-${index}`,
      venue: "binance-spot",
      symbols: [`X${index}`],
    }));
    const down = { status: () => Promise.reject(new Error("down")) };
    const FEED = { getByName: (name: string) => (name === "main" ? feedStub() : down) } as unknown as DurableObjectNamespace;
    const FEEDS = JSON.stringify([...others, ...(JSON.parse(env.FEEDS) as unknown[])]);
    await expect(runCron({ ...publicEnv, FEED, FEEDS }, Date.now())).rejects.toThrow("149 of 150 feeds");
    expect(await rowsOf(minutes[0] ?? 0)).toHaveLength(2);
    expect((await feedRpc().pending(10)).minutes.map(({ minute }) => minute)).toEqual(minutes.slice(1));
  });
});

describe("a tape that another run took and acknowledged in between", () => {
  it("is no empty object and no key to one: the minute's row is written without it", async () => {
    const minute = await closeMinute(feed);
    await runCron({ ...publicEnv, FEED: feedThat({ tapes: () => Promise.resolve([]) }) }, Date.now());
    const rows = await rowsOf(minute);
    expect(rows.map(({ tape_key, tape_bytes }) => [tape_key, tape_bytes])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(await env.TAPES.head(keyOf(minute))).toBeNull();
    const { results } = await env.DB.prepare("select rows, tapes, objects, tape_bytes from batches").all();
    expect(results).toEqual([{ rows: 2, tapes: 0, objects: 0, tape_bytes: 0 }]);
  });
});

describe("a minute that is stored already", () => {
  it("of which the feed gives other bytes keeps both: nothing stored is overwritten", async () => {
    const minute = await closeMinute(feed);
    const earlier = { feed: "main", object: "main", venue: "binance-spot", minute };
    const bytes = gzipSync("what an earlier feed received\n", { level: 1 });
    await putTapes(env.TAPES, { ...earlier, tapes: [{ symbol: "BTCUSDT", bytes }] });
    await runCron(publicEnv, Date.now());
    const pieces = await findMinuteTape(env.TAPES, { venue: "binance-spot", symbol: "BTCUSDT" }, minute);
    const tape = gunzipSync(await readPieces(env.TAPES, pieces)).toString();
    expect(tape.startsWith("what an earlier feed received\n")).toBe(true);
    expect(tape).toContain(`"U":${feed.sequence - 1},`);
    const [row] = await rowsOf(minute);
    expect(row).toMatchObject({ tape_key: keyOf(minute, 1), tape_offset: 0, tape_bytes: pieces[1]?.bytes });
  });
});

describe("done again", () => {
  it("two runs at once store what one does", async () => {
    const minute = await closeMinute(feed);
    await Promise.all([runCron(publicEnv, Date.now()), runCron(publicEnv, Date.now())]);
    const rows = await rowsOf(minute);
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(await namedTape(row)).toContain(`"U":${feed.sequence - 1},`);
    const { objects } = await env.TAPES.list({ prefix: tapesMinutePrefix("binance-spot", minute) });
    expect(objects).toHaveLength(1);
  });

  it("a run that dies between storing and acknowledging is repaired by the next, to the same rows and objects", async () => {
    const minute = await closeMinute(feed);
    const dying = { ...publicEnv, FEED: feedThat({ acknowledge: () => Promise.reject(new Error("died here")) }) };
    await expect(runCron(dying, Date.now())).rejects.toThrow("1 of 1 feeds");
    const before = await rowsOf(minute);
    const etags = await etagsOf(before);
    expect(before).toHaveLength(2);
    await runCron(publicEnv, Date.now());
    const after = await rowsOf(minute);
    expect(after.map(withoutBatch)).toEqual(before.map(withoutBatch));
    expect(await etagsOf(after)).toEqual(etags);
  });
});

describe("when a store fails", () => {
  it("D1: everything stays with the feed, and is stored once it is back", async () => {
    const minute = await closeMinute(feed);
    await env.DB.exec("alter table snapshots rename to hidden");
    await expect(runCron(publicEnv, Date.now())).rejects.toThrow("1 of 1 feeds");
    expect((await feedRpc().pending(10)).minutes.map((each) => each.minute)).toEqual([minute]);
    await env.DB.exec("alter table hidden rename to snapshots");
    await runCron(publicEnv, Date.now());
    expect(await rowsOf(minute)).toHaveLength(2);
  });

  it("R2: no row names a tape that is not there", async () => {
    const minute = await closeMinute(feed);
    const failing = { put: () => Promise.reject(new Error("R2 is down")) } as unknown as R2Bucket;
    await expect(runCron({ ...publicEnv, TAPES: failing }, Date.now())).rejects.toThrow("1 of 1 feeds");
    expect(await rowsOf(minute)).toEqual([]);
    expect((await feedRpc().pending(10)).minutes.map((each) => each.minute)).toEqual([minute]);
  });

  it("one feed that can't run doesn't stop the others", async () => {
    const minute = await closeMinute(feed);
    const feeds = JSON.stringify([
      { feed: "nobody", venue: "binance-spot", symbols: ["XRPUSDT"] },
      ...(JSON.parse(env.FEEDS) as unknown[]),
    ]);
    await expect(runCron({ ...publicEnv, FEEDS: feeds }, Date.now())).rejects.toThrow("1 of 2 feeds");
    expect(await rowsOf(minute)).toHaveLength(2);
  });
});

describe("a minute in which the venue said nothing", () => {
  it("is a row without a quote, so that silence is not taken for a flat market", async () => {
    // A feed that has not learnt to be patient from the jumps of the clock above.
    feed = await warmFeed();
    await closeMinute(feed);
    await runCron(publicEnv, Date.now());
    advanceClock(120_000);
    await feedRpc().status();
    await runCron(publicEnv, Date.now());
    const { results } = await env.DB.prepare("select * from snapshots where market = 'binance-spot:BTCUSDT' order by minute desc").all();
    expect(results[0]).toMatchObject({ bid_ticks: null, ask_ticks: null, bids: null, features: null, book_hash: null });
  });

  it("of which a whole half hour waits is stored in one run, and what is beyond it in the next: a feed must be caught up before it forgets", async () => {
    advanceClock(33 * 60_000);
    await feedRpc().status();
    const { minutes, remaining } = await feedRpc().pending(1);
    expect(minutes.length + remaining).toBe(33);
    const options = { database: openDatabase(env.DB), bucket: env.TAPES, splits, startedAt: Date.now(), calls: 900 };
    expect(await drainFeed(feedRpc(), configuration, options)).toMatchObject({ minutes: 30, rows: 60, remaining: 3 });
    expect((await feedRpc().pending(10)).minutes).toHaveLength(3);
  });
});

type Row = Record<string, unknown>;

const splits = DEFAULT_SPLIT_SCHEDULE;

function keyOf(minuteMs: number, part = 0): string {
  return tapesKey({ venue: "binance-spot", feed: "main", minuteMs, part });
}

/** What lies where the row says, as text. */
async function namedTape(row: Row | undefined): Promise<string> {
  const range = { offset: Number(row?.tape_offset), length: Number(row?.tape_bytes) };
  const object = await env.TAPES.get(String(row?.tape_key), { range });
  return gunzipSync(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toString();
}

async function rowsOf(minute: number): Promise<Row[]> {
  return (await env.DB.prepare("select * from snapshots where minute = ? order by market").bind(minute).all<Row>()).results;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

async function etagsOf(rows: readonly Row[]): Promise<(string | undefined)[]> {
  return Promise.all(rows.map(async ({ tape_key }) => (await env.TAPES.head(String(tape_key)))?.etag));
}

function withoutBatch({ batch: _, ...row }: Row): Row {
  return row;
}

/** The real thing, with each call of it counted. */
function counting<T extends object>(real: T, counted: { calls: number }): T {
  return new Proxy(real, {
    get: (target, call) => {
      const member: unknown = Reflect.get(target, call);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        counted.calls++;
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** The real feed, but for the calls given: a run that is cut off at them, or told what another has left. */
function feedThat(calls: Partial<Record<string, () => Promise<unknown>>>): DurableObjectNamespace {
  const getByName = (name: string): unknown =>
    new Proxy(feedStub(name), { get: (stub, call) => calls[String(call)] ?? Reflect.get(stub, call) });
  return { getByName } as unknown as DurableObjectNamespace;
}
