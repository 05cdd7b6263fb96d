/** Day files: nothing that was received is lost on the way from minutes to days, whatever breaks off, comes late, or runs twice. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { faultOfChain } from "../../core/wire/day-chain.ts";
import { readDayFile, verifyDayFile } from "../../core/wire/day-file/reader.ts";
import { parseDayFileKey, tapesKey } from "../../core/wire/keys.ts";
import { createApp } from "../../workers/api/app.ts";
import { dayPageSchema } from "../../workers/api/day-schemas.ts";
import { type CompactionReport, compactDays } from "../../workers/cron/compaction.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { chunksOf } from "../../workers/storage/day-files.ts";
import { claimWork, type DayRow, queueWork, readDays, readFailingDays, releaseWork, sha256 } from "../../workers/storage/days.ts";
import { putTapes } from "../../workers/storage/tapes.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";

const DAY = "2026-01-05";
const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Half past: cron looks for days then. */
const DUE = START + 26.5 * HOUR;
const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";
const database = openDatabase(env.DB);

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  for (const prefix of ["tape/", "days/", "work/"]) await env.TAPES.delete(await keysBelow(prefix));
  await env.DB.batch(["days", "day_work", "day_surveys", "snapshots", "gaps"].map((table) => env.DB.prepare(`delete from ${table}`)));
});

describe("a day that is over", () => {
  it("becomes a file for each market, and one for what belongs to none, with every line of every minute in order", async () => {
    const texts = await storeDay({ minutes: [0, 1, 2, 700, 1_439] });
    expect(await compact()).toMatchObject({ files: 3, surveyed: 1, queued: 3, deleted: 0 });
    const rows = await allDays();
    expect(rows.map(({ market }) => market)).toEqual([BTC, ETH, "binance-spot:_feed"]);
    for (const row of rows) expect(await textOf(row)).toBe(texts.get(row.market));
    const [btc] = rows;
    expect(parseDayFileKey(btc?.key ?? "")).toEqual({
      venue: "binance-spot",
      symbol: "BTCUSDT",
      day: DAY,
      part: 0,
      head: btc?.head.slice(0, 12),
    });
    expect(btc).toMatchObject({ day: DAY, part: 0, link: 1, previous: null, lines: 100, sources: '{"main.00":[0,2,700,700,1439,1439]}' });
    expect([btc?.firstReceivedAt, btc?.lastReceivedAt]).toEqual([START, START + 1_439 * MINUTE + 19_000]);
    expect(await keysBelow("work/")).toEqual([]);
    expect(await keysBelow("tape/")).toHaveLength(5);
  });

  it("is left alone until feeds had two hours to bring the rest, and a day while one is known to be behind", async () => {
    await storeDay({ minutes: [0] });
    expect(await compact({ startedAt: START + 25.5 * HOUR })).toMatchObject({ surveyed: 0, files: 0 });
    expect(await compact({ behind: new Set(["binance-spot"]) })).toMatchObject({ surveyed: 0, files: 0 });
    expect(await compact({ behind: new Set(["bitmex"]) })).toMatchObject({ files: 3 });
  });

  it("is compacted though no feed carries its markets any more", async () => {
    await putTapes(env.TAPES, { feed: "gone", venue: "bitmex", minute: START, tapes: [{ symbol: "XBTUSD", bytes: gzip("1 f {}\n") }] });
    await compact();
    expect(await allDays()).toMatchObject([{ market: "bitmex:XBTUSD", lines: 1 }]);
  });

  it("that takes several runs is the same file, to the byte, as one made in one", async () => {
    await storeDay({ minutes: Array.from({ length: 40 }, (_, index) => index * 7) });
    await compact();
    const once = await allDays();
    await forgetDays();
    let runs = 0;
    // 150 calls are kept back: a step or two a run.
    for (; (await allDays()).length < 3 && runs < 60; runs++) await compact({ calls: 168, startedAt: DUE + runs * 30 * MINUTE });
    expect(runs).toBeGreaterThan(5);
    const files = (rows: readonly DayRow[]): unknown =>
      rows.map(({ market, key, head, bytes, lines, sources }) => ({ market, key, head, bytes, lines, sources }));
    expect(files(await allDays())).toEqual(files(once));
    expect(await keysBelow("work/")).toEqual([]);
  });

  it("is done twice by two runs at once without being there twice", async () => {
    const texts = await storeDay({ minutes: [0, 1] });
    await Promise.allSettled([compact(), compact(), compact()]);
    await compact({ startedAt: DUE + HOUR });
    await compact({ startedAt: DUE + 3 * HOUR });
    const rows = await allDays();
    expect(rows.map(({ market, part }) => `${market} ${part}`)).toEqual([`${BTC} 0`, `${ETH} 0`, "binance-spot:_feed 0"]);
    for (const row of rows) expect(await textOf(row)).toBe(texts.get(row.market));
  });
});

describe("a run that breaks off", () => {
  it.each(["get", "put", "createMultipartUpload", "uploadPart", "complete", "list", "delete"])(
    "at any %s is taken up by the next, and the file is whole",
    async (call) => {
      const texts = await storeDay({ minutes: Array.from({ length: 14 }, (_, minute) => minute), symbols: ["BTCUSDT"] });
      let at = 0;
      for (; at < 60; at++) {
        await forgetDays();
        const breaking = breakingBucket(call, at);
        await compact({ bucket: breaking.bucket }).catch(() => {});
        // What a row names is whole, at any moment.
        for (const row of await allDays()) expect(await textOf(row)).toBe(texts.get(row.market));
        if (!breaking.hasBroken()) break;
        for (const hours of [1, 40]) await compact({ startedAt: DUE + hours * HOUR });
        const rows = await allDays();
        expect(rows.map(({ market, part }) => `${market} ${part}`)).toEqual([`${BTC} 0`]);
        for (const row of rows) expect(await textOf(row)).toBe(texts.get(row.market));
        expect(await keysBelow("work/")).toEqual([]);
      }
      expect(at).toBeLessThan(60);
      expect(at).toBeGreaterThan(["get", "put", "list"].includes(call) ? 2 : 0);
    },
  );

  it("between the file and its row leaves a file that the next run names", async () => {
    await storeDay({ minutes: [0], symbols: ["BTCUSDT"] });
    const failing = new Proxy(env.DB, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (name === "prepare") return (text: string) => (text.startsWith('insert into "days"') ? failed() : target.prepare(text));
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    await expect(compact({ database: openDatabase(failing) })).rejects.toThrow();
    expect(await allDays()).toEqual([]);
    const written = await keysBelow("days/");
    expect(written).toHaveLength(1);
    await compact({ startedAt: DUE + HOUR });
    expect((await allDays()).map(({ key }) => key)).toEqual(written);
    expect(await keysBelow("days/")).toEqual(written);
  });

  it("that finds a tape damaged names the day as failed, does the others, and writes nothing of it", async () => {
    await storeDay({ minutes: [0] });
    const key = tapesKey({ venue: "binance-spot", feed: "main", minuteMs: START, part: 0 });
    const object = await env.TAPES.get(key);
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
    bytes[20] = (bytes[20] ?? 0) ^ 0xff;
    await env.TAPES.put(key, bytes, { customMetadata: object?.customMetadata ?? {} });
    for (let run = 0; run < 3; run++) await compact({ startedAt: DUE + run * HOUR }).catch(() => {});
    expect((await allDays()).map(({ market }) => market)).toEqual([ETH, "binance-spot:_feed"]);
    expect(await readFailingDays(database)).toEqual({ days: [{ market: BTC, day: DAY, failures: 3 }], count: 1 });
    // Its minutes stay, whatever their age, those of markets that have a file too: they are in one object.
    await compact({ startedAt: DUE + 30 * 24 * HOUR, keepMinutesDays: 7 }).catch(() => {});
    expect(await keysBelow("tape/")).toEqual([key]);
  });

  it("again and again is tried ever more seldom, and at last once a day", async () => {
    await queueWork(database, BTC, DAY);
    let now = DUE;
    for (const minutes of [15, 30, 60, 120, 240, 480, 960, 1_440, 1_440]) {
      expect(await claimWork(database, now)).toMatchObject({ market: BTC });
      expect(await claimWork(database, now + minutes * MINUTE - 1)).toBeNull();
      now += minutes * MINUTE;
    }
  });

  it("because it was killed counts as one that failed: else what kills it would be tried for ever, and nothing would say so", async () => {
    await queueWork(database, BTC, DAY);
    for (const [now, failures] of [
      [DUE, 1],
      [DUE + 15 * MINUTE, 2],
      [DUE + 45 * MINUTE, 3],
    ] as const)
      expect(await claimWork(database, now)).toEqual({ market: BTC, day: DAY, failures });
    expect(await claimWork(database, DUE + 46 * MINUTE)).toBeNull();
    expect((await readFailingDays(database)).count).toBe(1);
    await releaseWork(database, { market: BTC, day: DAY, failures: 3 });
    expect((await readFailingDays(database)).count).toBe(0);
    expect(await claimWork(database, DUE + 46 * MINUTE)).toMatchObject({ failures: 1 });
  });
});

describe("a file that comes back changed from the store", () => {
  it("gets no row, whichever byte it was: what is deleted on its word would be gone", async () => {
    await storeDay({ minutes: [0], symbols: ["BTCUSDT"] });
    const tampering = new Proxy(env.TAPES, {
      get: (bucket, name) =>
        name === "get"
          ? async (key: string, options?: R2GetOptions) => {
              const object = await bucket.get(key, options ?? {});
              if (object === null || !key.startsWith("days/")) return object;
              const bytes = new Uint8Array(await object.arrayBuffer());
              bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
              return { size: object.size, body: new Response(bytes).body };
            }
          : bound(bucket, name),
    });
    await expect(compact({ bucket: tampering })).rejects.toThrow(/comes back/);
    expect(await allDays()).toEqual([]);
    await compact({ startedAt: DUE + HOUR });
    expect(await allDays()).toHaveLength(1);
  });
});

describe("a minute that comes late", () => {
  it("is the day's next part, of that market alone; the first part stays as it was", async () => {
    await storeDay({ minutes: [0, 1] });
    await compact();
    const before = await allDays();
    await store(5, { BTCUSDT: lines(5, "late") });
    // Also within a minute that is stored: what is new of it.
    await store(0, { BTCUSDT: lines(0, "later") });
    await compact({ startedAt: DUE + 9 * HOUR });
    const rows = await allDays();
    expect(rows.filter(({ part }) => part === 0)).toEqual(before);
    const [late, ...others] = rows.filter(({ part }) => part === 1);
    expect(others).toEqual([]);
    expect(late).toMatchObject({ market: BTC, day: DAY, link: 2, previous: before[0]?.head, sources: '{"main.00":[5,5],"main.01":[0,0]}' });
    expect(late === undefined ? "" : await textOf(late)).toBe(lines(0, "later") + lines(5, "late"));
  });

  it("while the day is being made is in it: what was begun without it is begun again", async () => {
    await storeDay({ minutes: Array.from({ length: 30 }, (_, index) => index), symbols: ["BTCUSDT"] });
    await compact({ calls: 168 });
    expect(await keysBelow("work/")).not.toEqual([]);
    await store(40, { BTCUSDT: lines(40, "late") });
    for (let run = 1; run < 12; run++) await compact({ calls: 168, startedAt: DUE + run * 30 * MINUTE });
    expect(await allDays()).toMatchObject([{ part: 0, sources: '{"main.00":[0,29,40,40]}' }]);
    expect(await keysBelow("work/")).toEqual([]);
  });
});

describe("the chain over a market's days", () => {
  it("shows a day that was taken out, one that was written anew, and nothing while all is well", async () => {
    for (const day of [0, 1, 2]) await store(day * 1_440, { BTCUSDT: lines(day * 1_440, `day ${day}`) });
    await compact({ startedAt: DUE + 48 * HOUR });
    const links = await allDays();
    expect(links.map(({ day, link }) => [day, link])).toEqual([
      ["2026-01-05", 1],
      ["2026-01-06", 2],
      ["2026-01-07", 3],
    ]);
    expect(await faultOfChain(links, sha256)).toBeNull();
    expect(
      await faultOfChain(
        links.filter(({ link }) => link !== 2),
        sha256,
      ),
    ).toMatch(/2026-01-07 part 0 is link 3 .* link 2 is missing/);
    const anew = links.map((link) => (link.link === 2 ? { ...link, head: "ab".repeat(32) } : link));
    expect(await faultOfChain(anew, sha256)).toMatch(/2026-01-06 part 0: the chain's hash is/);
  });
});

describe("minute objects", () => {
  const WEEK = DUE + 7 * 24 * HOUR;

  it("stay for ever when nothing is said, and as long as was said otherwise", async () => {
    await storeDay({ minutes: [0, 1] });
    await compact();
    await compact({ startedAt: WEEK });
    await compact({ startedAt: WEEK + 60 * HOUR, keepMinutesDays: 12 });
    expect(await keysBelow("tape/")).toHaveLength(2);
  });

  it("go when day files hold all of their markets, and the files are there", async () => {
    const texts = await storeDay({ minutes: [0, 1] });
    await compact();
    expect(await compact({ startedAt: WEEK, keepMinutesDays: 7 })).toMatchObject({ deleted: 2 });
    expect(await keysBelow("tape/")).toEqual([]);
    for (const row of await allDays()) expect(await textOf(row)).toBe(texts.get(row.market));
    const survey = await env.DB.prepare("select * from day_surveys").first();
    expect(survey).toMatchObject({ venue: "binance-spot", day: DAY, objects: 0, bytes: 0, deleted_objects: 2, deleted_at: WEEK });
  });

  it("stay while one market of them has no day file", async () => {
    await storeDay({ minutes: [0, 1] });
    await compact();
    await env.DB.prepare("delete from days where market = ?").bind(ETH).run();
    // No calls to compact with: it looks, and does no more.
    expect(await compact({ startedAt: WEEK, keepMinutesDays: 7, calls: 152 })).toMatchObject({ deleted: 0, queued: 1 });
    expect(await keysBelow("tape/")).toHaveLength(2);
  });

  it("stay when a day file is gone or cut: its row alone is no file", async () => {
    await storeDay({ minutes: [0] });
    await compact();
    const [row] = await allDays();
    await env.TAPES.put(row?.key ?? "", "cut");
    await compact({ startedAt: WEEK, keepMinutesDays: 7 });
    expect(await keysBelow("tape/")).toHaveLength(1);
  });

  it("that came under the name of a deleted one are not taken for it", async () => {
    await storeDay({ minutes: [0], symbols: ["BTCUSDT"] });
    await compact();
    await compact({ startedAt: WEEK, keepMinutesDays: 7 });
    await env.DB.prepare("update days set sources_until = sources_until - 1000").run();
    await store(0, { BTCUSDT: lines(0, "other") });
    const report = await compact({ startedAt: WEEK + 60 * HOUR, keepMinutesDays: 7 });
    expect(report).toMatchObject({ queued: 1, files: 1, deleted: 0 });
    expect((await allDays()).map(({ part }) => part)).toEqual([0, 1]);
  });
});

describe("the API", () => {
  it("lists day files with their heads, their chain and the minutes that are missing, page by page", async () => {
    await storeDay({ minutes: [0, 1, 5] });
    await compact();
    await store(1_439, { BTCUSDT: lines(1_439, "late") });
    await compact({ startedAt: DUE + 9 * HOUR });
    const { status, body } = answerOf(dayPageSchema, await get("/v1/days?from=2026-01-05&to=2026-01-05"));
    expect(status).toBe(200);
    expect(body.days.map(({ market, part }) => `${market} ${part}`)).toEqual([`${BTC} 0`, `${BTC} 1`, `${ETH} 0`, "binance-spot:_feed 0"]);
    const [first, second] = body.days;
    expect(first).toMatchObject({ missingMinutes: 1_437, coverage: null, lines: 60, link: 1, url: `/v1/markets/${BTC}/days/${DAY}` });
    expect(first?.missing).toEqual([
      [START + 2 * MINUTE, START + 5 * MINUTE],
      [START + 6 * MINUTE, START + 1_440 * MINUTE],
    ]);
    expect(second).toMatchObject({ missingMinutes: 1_436, previous: first?.head, url: `/v1/markets/${BTC}/days/${DAY}?part=1` });
    const seen: unknown[] = [];
    let cursor = "";
    for (let page = 0; page < 6; page++) {
      const one = answerOf(dayPageSchema, await get(`/v1/days?from=2026-01-05&to=2026-01-05&limit=1${cursor}`));
      seen.push(...one.body.days);
      if (one.body.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(one.body.nextCursor)}`;
    }
    expect(seen).toEqual(body.days);
    expect(answerOf(dayPageSchema, await get(`/v1/days?market=${ETH}&from=2026-01-01&to=2026-01-31`)).body.days).toHaveLength(1);
    expect(answerOf(dayPageSchema, await get("/v1/days?from=2026-01-06&to=2026-01-31")).body.days).toEqual([]);
    // Stored, though not in that range: an empty list. Never stored nor configured: a slip of the pen.
    expect(await get("/v1/days?market=binance-spot:_feed&from=2026-01-06&to=2026-01-31")).toMatchObject({
      status: 200,
      body: { days: [] },
    });
    expect(await get("/v1/days?market=nope")).toMatchObject({ status: 404, body: { type: "/problems/unknown-market" } });
  });

  it("lists as coverage of a day what its rows count, less what the ledger knows better of, also what that learned after the file was made", async () => {
    await storeDay({ minutes: [0, 1] });
    const row = (minute: number): unknown[] => [BTC, START + minute * MINUTE, 60_000];
    await env.DB.prepare(
      `insert into snapshots (market, minute, batch, tick, lot, state, book_state, covered_ms, events, trades)
      select value ->> 0, value ->> 1, 'b', '0.01', '0.01', 'live', 'normal', value ->> 2, 2, 1 from json_each(?)`,
    )
      .bind(JSON.stringify([row(0), row(1)]))
      .run();
    const coverage = async (): Promise<unknown> =>
      answerOf(dayPageSchema, await get(`/v1/days?market=${BTC}&from=2026-01-05&to=2026-01-05`)).body.days[0]?.coverage;
    await compact();
    expect(await coverage()).toBe(120_000 / 86_400_000);
    await env.DB.prepare("insert into gaps values ('g', ?, 'depth', ?, ?, 'snapshot-differs', '', 'resynced')")
      .bind(BTC, START + 45_000, START + 3 * MINUTE)
      .run();
    expect(await coverage()).toBe(45_000 / 86_400_000);
  });

  it.each(["from=2026-02-30", "from=2026-01-02&to=2026-01-01", "from=2010-01-01&to=2026-01-01", "cursor=x", "limit=0", "day=2026-01-01"])(
    "refuses %s",
    async (query) => {
      expect(await get(`/v1/days?${query}`)).toMatchObject({ status: 400, body: { type: "/problems/bad-request" } });
    },
  );

  it("gives a file whole and in any ranges, which put together are the file", async () => {
    const texts = await storeDay({ minutes: [0, 1] });
    await compact();
    const path = `/v1/markets/${BTC}/days/${DAY}`;
    const whole = await fetchApi(path);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const [row] = await allDays();
    expect([whole.status, whole.headers.get("etag"), whole.headers.get("accept-ranges")]).toEqual([200, `"${row?.head}"`, "bytes"]);
    expect(bytes.byteLength).toBe(row?.bytes);
    expect(row === undefined ? "" : await textOf(row)).toBe(texts.get(BTC));
    const cut = 100;
    const start = await fetchApi(path, { range: `bytes=0-${cut - 1}` });
    const end = await fetchApi(path, { range: `bytes=${cut}-`, "if-match": whole.headers.get("etag") ?? "" });
    expect([start.status, start.headers.get("content-range")]).toEqual([206, `bytes 0-99/${bytes.byteLength}`]);
    const joined = [...new Uint8Array(await start.arrayBuffer()), ...new Uint8Array(await end.arrayBuffer())];
    expect(new Uint8Array(joined)).toEqual(bytes);
    const tail = await fetchApi(path, { range: "bytes=-7" });
    expect(await tail.text()).toBe("edgeend");
  });

  it("answers preconditions: nothing that is known is sent again, and another file is never joined to the beginning of this one", async () => {
    await storeDay({ minutes: [0] });
    await compact();
    const path = `/v1/markets/${BTC}/days/${DAY}`;
    const etag = (await fetchApi(path)).headers.get("etag") ?? "";
    expect((await fetchApi(path, { "if-none-match": etag })).status).toBe(304);
    expect((await fetchApi(path, { "if-match": '"other"', range: "bytes=5-" })).status).toBe(412);
    expect((await fetchApi(path, { "if-range": '"other"', range: "bytes=5-" })).status).toBe(200);
    expect((await fetchApi(path, { "if-range": etag, range: "bytes=5-" })).status).toBe(206);
    const beyond = await fetchApi(path, { range: "bytes=999999999-" });
    expect([beyond.status, ((await beyond.json()) as { type: string }).type]).toEqual([416, "/problems/range-not-satisfiable"]);
    const head = await fetchApi(path, {}, "HEAD");
    expect([head.status, Number(head.headers.get("content-length")) > 0, await head.text()]).toEqual([200, true, ""]);
    for (const other of [`${path}?part=1`, `/v1/markets/${BTC}/days/2026-01-06`, `/v1/markets/nope/days/${DAY}`])
      expect(await get(other)).toMatchObject({ status: 404, body: { type: "/problems/no-day" } });
    expect(await get(`/v1/markets/${BTC}/days/2026-13-01`)).toMatchObject({ status: 400 });
  });

  it("still gives out a minute whose objects are gone, from the day file, and says where there is none", async () => {
    await storeDay({ minutes: [0, 1, 2] });
    await compact();
    const asked = `/v1/markets/${BTC}/tapes/${START + MINUTE + 5_000}`;
    const before = await fetchApi(asked);
    expect(new TextDecoder().decode(gunzip(await before.arrayBuffer()))).toBe(lines(1, "BTCUSDT"));
    await compact({ startedAt: DUE + 7 * 24 * HOUR, keepMinutesDays: 7 });
    expect(await keysBelow("tape/")).toEqual([]);
    const after = await fetchApi(asked);
    expect(after.status).toBe(200);
    expect(new TextDecoder().decode(gunzip(await after.arrayBuffer()))).toBe(lines(1, "BTCUSDT"));
    expect((await fetchApi(asked, { "if-none-match": after.headers.get("etag") ?? "" })).status).toBe(304);
    const none = await get(`/v1/markets/${BTC}/tapes/${START + 9 * MINUTE}`);
    expect(none).toMatchObject({ status: 404, body: { type: "/problems/no-tape" } });
  });
});

function gunzip(bytes: ArrayBuffer): Uint8Array {
  return gunzipSync(new Uint8Array(bytes));
}

function fetchApi(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return Promise.resolve(createApp().fetch(new Request(`https://edgebook.test${path}`, { method, headers }), env));
}

async function get(path: string): Promise<Answer> {
  const response = await fetchApi(path);
  return readAnswer(path, response);
}

function compact(options: Partial<Parameters<typeof compactDays>[0]> = {}): Promise<CompactionReport> {
  const stores = { database, bucket: env.TAPES, sizes: { blockBytes: 2_000, stepTextBytes: 3_500 } };
  return compactDays({ ...stores, startedAt: DUE, calls: 900, keepMinutesDays: null, behind: new Set(), ...options });
}

async function allDays(): Promise<DayRow[]> {
  const rows = await readDays(database, { market: null, from: "0", to: "9", after: null, limit: 100 });
  return rows
    .sort((a, b) => a.market.localeCompare(b.market) || a.link - b.link)
    .sort((a, b) => Number(a.market.includes("_")) - Number(b.market.includes("_")));
}

/** As if the day had never been compacted. */
async function forgetDays(): Promise<void> {
  for (const prefix of ["days/", "work/"]) await env.TAPES.delete(await keysBelow(prefix));
  await env.DB.batch(["days", "day_work", "day_surveys", "snapshots", "gaps"].map((table) => env.DB.prepare(`delete from ${table}`)));
}

/** @returns what was stored of each market. */
async function storeDay({
  minutes,
  symbols = ["BTCUSDT", "ETHUSDT", "_feed"],
}: {
  minutes: readonly number[];
  symbols?: readonly string[];
}): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const minute of minutes) {
    await store(minute, Object.fromEntries(symbols.map((symbol) => [symbol, lines(minute, symbol)])));
    for (const symbol of symbols) texts.set(`binance-spot:${symbol}`, (texts.get(`binance-spot:${symbol}`) ?? "") + lines(minute, symbol));
  }
  return texts;
}

async function store(minute: number, texts: Readonly<Record<string, string>>): Promise<void> {
  const tapes = Object.entries(texts).map(([symbol, text]) => ({ symbol, bytes: members(text) }));
  await putTapes(env.TAPES, { feed: "main", venue: "binance-spot", minute: START + minute * MINUTE, tapes });
}

function lines(minute: number, word: string): string {
  return Array.from(
    { length: 20 },
    (_, index) => `${START + minute * MINUTE + index * 1_000} f {"e":"${word}","u":${minute * 100 + index}}\n`,
  ).join("");
}

/** As the feed writes them: several to a minute. */
function members(text: string): Uint8Array {
  const half = text.indexOf("\n", text.length >> 1) + 1;
  return new Uint8Array([...gzip(text.slice(0, half)), ...gzip(text.slice(half))]);
}

function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 1 });
}

/** What a file holds, proved as a stranger would. */
async function textOf({ key, market, day, head }: DayRow): Promise<string> {
  const object = await env.TAPES.get(key);
  if (object === null) throw new Error(`${key} is gone`);
  const bytes = new Uint8Array(await object.arrayBuffer());
  expect(await verifyDayFile([bytes], sha256, { market, day })).toMatchObject({ isWhole: true, head });
  let text = "";
  for await (const part of readDayFile(chunksOf(new Response(bytes).body as ReadableStream<Uint8Array>), sha256)) {
    if (part.kind === "block") text += new TextDecoder().decode(part.text);
  }
  return text;
}

/** A bucket whose nth call of a kind throws, and each after it: the run is over. */
function breakingBucket(call: string, at: number): { bucket: R2Bucket; hasBroken(): boolean } {
  let count = 0;
  const breaking = <T extends object>(whole: T): T =>
    new Proxy(whole, {
      get: (target, name) => {
        const member = bound(target, name);
        if (typeof member !== "function") return member;
        return async (...parameters: unknown[]): Promise<unknown> => {
          if (count > at || (name === call && count++ === at)) return failed();
          const answer: unknown = await Reflect.apply(member, target, parameters);
          return name === "createMultipartUpload" ? breaking(answer as object) : answer;
        };
      },
    });
  return { bucket: breaking(env.TAPES), hasBroken: () => count > at };
}

function failed(): never {
  throw new Error("the store is gone");
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name);
  return typeof member === "function" ? (member.bind(target) as unknown) : member;
}

async function keysBelow(prefix: string): Promise<string[]> {
  const { objects } = await env.TAPES.list({ prefix });
  return objects.map(({ key }) => key);
}
