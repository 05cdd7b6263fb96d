/** The API in the Workers runtime, on the real feed object, D1 and R2. Forecasts are in inference.test.ts, which has the runtime for models. */

import { abortAllDurableObjects, applyD1Migrations } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { createApp } from "../../workers/api/app.ts";
import { PROBLEMS } from "../../workers/api/problems.ts";
import { bookSchema, gapPageSchema, healthSchema, marketListSchema, problemSchema, snapshotPageSchema } from "../../workers/api/schemas.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { writeBatch } from "../../workers/storage/write-batch.ts";
import { advanceClock } from "./clock.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";
import { control, feedRpc, PATIENCE, startedFeed } from "./exchange-control.ts";
import { closeMinute, type WarmFeed, warmFeed } from "./warm-feed.ts";

const BTC = "/v1/markets/binance-spot:BTCUSDT";
/** Recorded once, carried by no feed now. */
const FORMER = "binance-spot:LUNAUSDT";
const JSON_TYPE = "application/json";
const PROBLEM_TYPE = "application/problem+json";
/** As much of an OpenAPI document as is looked at here. */
const operation = z.looseObject({
  responses: z.record(z.string(), z.unknown()),
  parameters: z.array(z.looseObject({ name: z.string() })).optional(),
});
const documentSchema = z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.looseObject({ get: operation })) });

/** An inference Worker that says who would answer: before the feed has rows nobody is asked. */
const WITH_A_MODEL = {
  INFERENCE: {
    roster: async () => ({
      revision: "1",
      roles: [{ slot: "forecast", market: "*", role: "active", key: 0, fingerprint: featureSetV1.fingerprint, window: 1 }],
      refused: [],
    }),
  } as unknown as PublicEnv["INFERENCE"],
};

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  const grids = { tick: "0.0001", lot: "0.01" };
  const batch = {
    id: "former/x",
    feed: "former",
    startedAt: 0,
    minutes: 0,
    rows: 0,
    gaps: 0,
    tapes: 0,
    objects: 0,
    tapeBytes: 0,
    remaining: 0,
  };
  const former = { market: FORMER, venue: "binance-spot", symbol: "LUNAUSDT", feed: "former", ...grids };
  await writeBatch(openDatabase(env.DB), {
    batch: { ...batch, firstMinute: null, lastMinute: null },
    instruments: [former],
    snapshots: [],
    gaps: [],
  });
});

describe("what can't be answered", () => {
  it.each(["", "/book", "/quote", "/forecast", "/snapshots", "/gaps", "/tapes/2026-01-05T12:00Z"])(
    "an unknown market at %s is 404 with a problem, whatever the name holds",
    async (path) => {
      for (const market of ["binance-spot:NOPE", "nope", "binance-spot%3A%F0%9F%92%A9", "a:b:c"]) {
        const { status, headers, body } = answerOf(problemSchema, await get(`/v1/markets/${market}${path}`));
        expect({ status, type: body.type }).toEqual({ status: 404, type: "/problems/unknown-market" });
        expect(headers.get("content-type")).toBe(PROBLEM_TYPE);
      }
    },
  );

  it.each([
    ["/book?levels=0", "levels"],
    ["/book?levels=501", "levels"],
    ["/book?levels=1e2", "levels"],
    ["/book?levels=", "levels"],
    ["/book?level=5", "query"],
    ["/quote?level=5", "query"],
    ["?foo=1", "query"],
    ["/gaps?from=2026-01-05&to=2026-01-04", "from"],
    ["/snapshots?cursor=abc", "cursor"],
    ["/gaps?cursor=abc", "cursor"],
    ["/forecast?horizonMs=soon", "horizonMs"],
    ["/forecast?horizonMs=-1000", "horizonMs"],
    ["/forecast?horizonMs=0", "horizonMs"],
    ["/snapshots?limit=0", "limit"],
    ["/snapshots?levels=1001", "levels"],
    ["/snapshots?levels=1000&limit=51", "levels"],
    ["/snapshots?levels=101&limit=500", "levels"],
    ["/snapshots?limit=501", "limit"],
    ["/snapshots?from=yesterday", "from"],
    ["/snapshots?from=2026-01-05T12:00:00", "from"],
    ["/snapshots?to=2026-13-01", "to"],
    ["/gaps?to=99999999999999999999", "to"],
    ["/tapes/noon", "minute"],
  ])("%s is 400 and names the parameter %s", async (path, parameter) => {
    const { status, body } = await get(`${BTC}${path}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ type: "/problems/bad-request", errors: [{ parameter }] });
  });

  it.each([
    ["/snapshots?from=2000&to=1000", "is not before"],
    ["/snapshots?from=1000&to=1000", "is not before"],
    ["/gaps?from=2025-01-01&to=2025-03-01", "59 days"],
    ["/snapshots?from=2025-01-01", "days"],
    ["/snapshots?cursor=next", "cursor"],
    ["/gaps?cursor=next", "cursor"],
  ])("%s is 400: %s", async (path, said) => {
    const { status, body } = answerOf(problemSchema, await get(`${BTC}${path}`));
    expect({ status, detail: body.detail }).toEqual({ status: 400, detail: expect.stringContaining(said) });
  });

  it("a market of the past is told from an unknown one: live is refused, stored can be read", async () => {
    expect((await get(`/v1/markets/${FORMER}/quote`)).body).toMatchObject({ status: 404, type: "/problems/not-carried" });
    expect(await get(`/v1/markets/${FORMER}/snapshots`)).toMatchObject({ status: 200, body: { snapshots: [] } });
  });

  it("another method is 405, another path 404", async () => {
    const post = await get("/v1/markets", { method: "POST", body: "{}" });
    expect(post).toMatchObject({ status: 405, body: { type: "/problems/method-not-allowed" } });
    expect(post.headers.get("allow")).toContain("GET");
    expect(await get("/v2/markets")).toMatchObject({ status: 404, body: { type: "/problems/unknown-path" } });
  });

  it("a fault of ours is 500 with an id, and no stack or message leaves", async () => {
    const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { status, body } = answerOf(problemSchema, await get("/v1/markets", {}, { FEEDS: "[{" }));
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toMatch(/FEEDS|\.ts|\\n/);
    const logged = JSON.parse(String(spy.mock.calls[0]?.[0])) as Record<string, unknown>;
    expect(logged).toMatchObject({ event: "request-failed", id: body.id, error: expect.stringContaining("FEEDS") });
    spy.mockRestore();
  });

  it("a feed that does not answer is 503 with Retry-After, and the list of markets says so", async () => {
    const gone = new Proxy({}, { get: () => () => Promise.reject(new Error("overloaded")) });
    const elsewhere = { FEED: { getByName: () => gone } as unknown as DurableObjectNamespace };
    const { status, headers, body } = answerOf(problemSchema, await get(`${BTC}/quote`, {}, elsewhere));
    expect({ status, type: body.type }).toEqual({ status: 503, type: "/problems/feed-unreachable" });
    expect(headers.get("retry-after")).toBe("5");
    const unreachable = { state: "unreachable", instrument: null };
    expect(answerOf(marketListSchema, await get("/v1/markets", {}, elsewhere)).body.markets).toMatchObject([unreachable, unreachable]);
    expect(await get("/v1/health", {}, elsewhere)).toMatchObject({ status: 503, body: { status: "down" } });
  });

  it("a feed whose configuration doesn't let it run says so, to whoever asks for a price or for its health", async () => {
    const elsewhere = { FEEDS: JSON.stringify([{ feed: "nobody", venue: "binance-spot", symbols: ["BTCUSDT"] }]) };
    const { status, body } = answerOf(problemSchema, await get(`${BTC}/quote`, {}, elsewhere));
    expect({ status, type: body.type }).toEqual({ status: 503, type: "/problems/disconnected" });
    expect(body.detail).toMatch(/no feed named nobody/);
    expect(JSON.stringify((await get("/v1/health", {}, elsewhere)).body)).toMatch(/no feed named nobody/);
  });

  it("a missing inference Worker is 503, not a failure of ours", async () => {
    expect(await get("/v1/models")).toMatchObject({ status: 503, body: { type: "/problems/model-unavailable", reason: "unreachable" } });
  });

  it("every problem's type leads to its description", async () => {
    for (const name of Object.keys(PROBLEMS)) {
      expect(await get(`/problems/${name}`)).toMatchObject({ status: 200, body: { type: `/problems/${name}`, title: expect.any(String) } });
    }
    expect((await get("/problems/toString")).status).toBe(404);
  });
});

describe("headers", () => {
  it("let any page read, and no cache keep what is live, errors included", async () => {
    for (const path of ["/v1/markets", "/v1/markets/nope/quote", "/nowhere"]) {
      const { headers } = await get(path, { headers: { origin: "https://example.org" } });
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("cache-control")).toBe("no-store");
    }
    const preflight = await get("/v1/markets", {
      method: "OPTIONS",
      headers: { origin: "https://x.org", "access-control-request-method": "GET" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("GET");
  });
});

describe("the OpenAPI document", () => {
  it("is 3.1 and holds every path, each with its refusals", async () => {
    const { headers, body } = answerOf(documentSchema, await get("/openapi.json"));
    expect(headers.get("content-type")).toContain(JSON_TYPE);
    expect(body.openapi).toBe("3.1.0");
    expect(Object.keys(body.paths).sort()).toEqual([
      "/v1/cost",
      "/v1/days",
      "/v1/forecasts",
      "/v1/forecasts/latest",
      "/v1/forecasts/stream",
      "/v1/gaps",
      "/v1/health",
      "/v1/markets",
      "/v1/markets/{market}",
      "/v1/markets/{market}/book",
      "/v1/markets/{market}/days/{day}",
      "/v1/markets/{market}/forecast",
      "/v1/markets/{market}/gaps",
      "/v1/markets/{market}/quote",
      "/v1/markets/{market}/signal",
      "/v1/markets/{market}/snapshots",
      "/v1/markets/{market}/tapes/{minute}",
      "/v1/models",
      "/v1/quality",
      "/v1/quality/{market}",
      "/v1/scorecards",
      "/v1/scorecards/compare",
      "/v1/stream",
    ]);
    const forecast = body.paths["/v1/markets/{market}/forecast"]?.get;
    expect(Object.keys(forecast?.responses ?? {})).toEqual(expect.arrayContaining(["200", "400", "404", "409", "500", "503"]));
    expect(forecast?.parameters?.map(({ name }) => name)).toEqual(["market", "horizonMs"]);
  });
});

describe("a live market", () => {
  let feed: WarmFeed;

  beforeAll(async () => {
    feed = await warmFeed();
  });

  it("shows its book: decimals and integers agree, best first, as many levels as asked for", async () => {
    advanceClock(1_234);
    const { status, body } = answerOf(bookSchema, await get(`${BTC}/book?levels=1`));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      market: "binance-spot:BTCUSDT",
      state: "normal",
      bids: [{ price: "100.00", size: "2.00000", priceTicks: 10_000, sizeLots: 200_000 }],
      asks: [{ price: "100.01", size: "1.00000", priceTicks: 10_001, sizeLots: 100_000 }],
      mid: "100.005",
      proof: { lastSequence: feed.sequence },
    });
    // Some milliseconds have passed besides.
    expect(body.freshness.ageMs).toBeGreaterThanOrEqual(1_234);
    expect(body.freshness.ageMs).toBeLessThan(11_234);
    expect(answerOf(bookSchema, await get(`${BTC}/book`)).body.bids).toHaveLength(2);
  });

  it("shows its quote, its state, and itself in the list", async () => {
    expect((await get(`${BTC}/quote`)).body).toMatchObject({ bid: { price: "100.00" }, ask: { price: "100.01" }, source: "book" });
    expect((await get(BTC)).body).toMatchObject({ state: "live", instrument: { tick: "0.01", lot: "0.00001" }, bookState: "normal" });
    const { body } = answerOf(marketListSchema, await get("/v1/markets"));
    expect(body.markets.map(({ market }) => market)).toEqual(["binance-spot:BTCUSDT", "binance-spot:ETHUSDT"]);
  });

  it("whose features are cold refuses a forecast, with the reason", async () => {
    await startedFeed();
    expect(await get(`${BTC}/forecast`, {}, WITH_A_MODEL)).toMatchObject({
      status: 503,
      body: { type: "/problems/warming-up", reason: "warming-up" },
    });
    feed = await warmFeed();
  });

  it("that falls silent refuses book, quote and forecast: no price leaves with the refusal", async () => {
    advanceClock(600_000);
    for (const path of ["/book", "/quote", "/forecast"]) {
      const { status, headers, body } = answerOf(problemSchema, await get(`${BTC}${path}`, {}, WITH_A_MODEL));
      expect({ status, type: body.type, reason: body.reason }).toEqual({ status: 503, type: "/problems/stale-book", reason: "stale" });
      expect(headers.get("retry-after")).toBe("5");
      expect(Object.keys(body).sort()).toEqual(["detail", "reason", "status", "title", "type"]);
      expect(JSON.stringify(body)).not.toMatch(/100\.0/);
    }
  });

  it("that lost its connection refuses too, and health says what is wrong", async () => {
    await control.refuse(503);
    await control.close();
    await vi.waitFor(async () => {
      const { status, body } = answerOf(problemSchema, await get(`${BTC}/quote`));
      expect({ status, type: body.type }).toEqual({ status: 503, type: "/problems/disconnected" });
    }, PATIENCE);
    const { status, body } = answerOf(healthSchema, await get("/v1/health"));
    expect({ status, says: body.status }).toEqual({ status: 503, says: "down" });
    expect(body.reasons).toEqual(expect.arrayContaining(["binance-spot:BTCUSDT is disconnected", "the inference Worker does not answer"]));
    await control.refuse(null);
  });

  it("whose snapshot was cut at the venue's limit says down to which price every level is known, and of a whole side nothing", async () => {
    const bids = Array.from({ length: 1_000 }, (_, depth) => [((9_999 - depth) / 100).toFixed(2), "1.00000"]);
    const lastUpdateId = feed.sequence + 1;
    const snapshot = JSON.stringify({ lastUpdateId, bids, asks: [["100.01", "1.00000"]] });
    // A process of its own, whose backoff no earlier test has run up.
    await abortAllDurableObjects();
    await control.snapshots({ BTCUSDT: snapshot, ETHUSDT: snapshot });
    await vi.waitFor(async () => expect((await feedRpc().status()).markets[0]?.proof.lastSequence).toBe(lastUpdateId), PATIENCE);
    expect(answerOf(bookSchema, await get(`${BTC}/book?levels=1`)).body.completeTo).toEqual({ bid: "90.00", ask: null });
  });
});

describe("what is stored", () => {
  const minutes: number[] = [];

  beforeAll(async () => {
    const feed = await warmFeed();
    for (let index = 0; index < 5; index++) minutes.push(await closeMinute(feed));
    await runCron(env as unknown as PublicEnv, Date.now());
  });

  afterAll(() => control.refuse(null));

  it("is paged without a row lost or doubled, oldest first", async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const { body }: Answer<z.output<typeof snapshotPageSchema>> = answerOf(
        snapshotPageSchema,
        await get(`${BTC}/snapshots?from=${minutes[0]}&limit=2${cursor === null ? "" : `&cursor=${cursor}`}`),
      );
      expect(body.snapshots.length).toBeLessThanOrEqual(2);
      seen.push(...body.snapshots.map(({ minute }) => minute));
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(minutes);
  });

  it("is cut to the range, its end excluded, in either way of writing times", async () => {
    const [, second, , fourth] = minutes;
    const iso = (time: number | undefined): string => new Date(time ?? Number.NaN).toISOString();
    for (const query of [`from=${second}&to=${fourth}`, `from=${iso(second)}&to=${iso(fourth)}`]) {
      const { body } = answerOf(snapshotPageSchema, await get(`${BTC}/snapshots?${query}`));
      expect(body.snapshots.map(({ minute }) => minute)).toEqual([minutes[1], minutes[2]]);
    }
  });

  it("shows prices as the live book does, with features and coverage, and cuts levels as asked", async () => {
    const { body } = answerOf(snapshotPageSchema, await get(`${BTC}/snapshots?from=${minutes[0]}&limit=1&levels=1`));
    expect(body.snapshots[0]).toMatchObject({
      state: "live",
      bid: { price: "100.00", priceTicks: 10_000 },
      ask: { price: "100.01", priceTicks: 10_001 },
      mid: "100.005",
      bids: [{ price: "100.00" }],
      features: { row: expect.any(Array), fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(body.snapshots[0]?.bids).toHaveLength(1);
  });

  it("names a tape that can be fetched, and fetched again for nothing", async () => {
    const { body } = answerOf(snapshotPageSchema, await get(`${BTC}/snapshots?from=${minutes[0]}&limit=1`));
    const tapeOf = body.snapshots[0]?.tape;
    if (tapeOf == null) throw new Error("the snapshot names no tape");
    const { url, bytes, key, offset } = tapeOf;
    const response = await exports.default.fetch(`https://edgebook.test${url}`);
    expect(response.headers.get("content-type")).toBe("application/gzip");
    const tape = new Uint8Array(await response.arrayBuffer());
    expect(tape.byteLength).toBe(bytes);
    expect([...tape.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    const stored = await env.TAPES.get(key, { range: { offset, length: bytes } });
    expect(tape).toEqual(new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer(0)));
    expect(response.headers.get("content-disposition")).toMatch(/filename="binance-spot_BTCUSDT_\d{4}-\d\d-\d\d_\d{4}\.tape\.gz"/);
    const head = await exports.default.fetch(new Request(`https://edgebook.test${url}`, { method: "HEAD" }));
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, String(bytes), ""]);
    const etag = response.headers.get("etag") ?? "";
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await exports.default.fetch(`https://edgebook.test${url}`, { headers: { "if-none-match": known } });
      expect([known, again.status, again.headers.get("etag")]).toEqual([known, 304, etag]);
    }
    for (const notOne of ['"other"', etag.slice(1), "abc", '"unterminated', 'W/"x" y', "💩"]) {
      const asked = new Request(`https://edgebook.test${url}`, { headers: { "if-none-match": encodeURI(notOne) } });
      const answer = await exports.default.fetch(asked);
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
    }
  });

  it("names the batch that wrote each row, and its part in training", async () => {
    const { body } = answerOf(snapshotPageSchema, await get(`${BTC}/snapshots?from=${minutes[0]}&limit=1`));
    expect(body.snapshots[0]).toMatchObject({
      batch: expect.stringMatching(/^main\/\d{4}-.*Z\/\d{3}$/),
      split: { label: expect.stringMatching(/^(train|validation|test|embargo)$/), schedule: "days-6-2-2-embargo-60min" },
    });
    const [snapshot] = body.snapshots;
    const written = "select feed from batches where id = ? and first_minute <= ? and last_minute >= ?";
    expect((await env.DB.prepare(written).bind(snapshot?.batch, snapshot?.minute, snapshot?.minute).all()).results).toEqual([
      { feed: "main" },
    ]);
  });

  it("has no tape of a minute that was never recorded: 404, not an empty file", async () => {
    expect(await get(`${BTC}/tapes/2020-01-01T00:00Z`)).toMatchObject({ status: 404, body: { type: "/problems/no-tape" } });
  });

  it("holds the gaps of this file's broken connections, of one market and of all, and pages them", async () => {
    const all = answerOf(gapPageSchema, await get("/v1/gaps?limit=500"));
    const one = answerOf(gapPageSchema, await get(`${BTC}/gaps?limit=500`));
    expect(one.body.gaps.length).toBeGreaterThan(2);
    expect(one.body.gaps).toEqual(all.body.gaps.filter(({ market }) => market === "binance-spot:BTCUSDT"));
    const paged: unknown[] = [];
    let cursor: string | null = null;
    do {
      const { body }: Answer<z.output<typeof gapPageSchema>> = answerOf(
        gapPageSchema,
        await get(`/v1/gaps?limit=1${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`),
      );
      paged.push(...body.gaps);
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(paged).toEqual(all.body.gaps);
  });
});

/** Through the whole app; `variables` in place of those bound. */
async function get(path: string, init: RequestInit = {}, variables: Partial<PublicEnv> = {}): Promise<Answer> {
  const bound = { ...(env as unknown as PublicEnv), ...variables };
  const response = await createApp().fetch(new Request(`https://edgebook.test${path}`, init), bound);
  return readAnswer(path, response);
}
