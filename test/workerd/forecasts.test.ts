/**
 * Forecasts over HTTP in the Workers runtime, on the real feed object and the real database. In place of the inference Worker stands one that says how often it was
 * asked: what a model answers is inference.test.ts's matter.
 */

import { applyD1Migrations, createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import { createApp } from "../../workers/api/app.ts";
import { forecastSchema, latestForecastsSchema, signalSchema } from "../../workers/api/forecast-schemas.ts";
import { bookSchema, problemSchema } from "../../workers/api/schemas.ts";
import { forecastMarkets } from "../../workers/cron/forecast-markets.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import type { InferenceRpc, MovesPrediction, PredictAsk, Roster, RosterRole } from "../../workers/inference/contract.ts";
import { decodeAnswer } from "../../workers/ledger/answer-codec.ts";
import { advanceClock } from "./clock.ts";
import { type Answer, answerOf, badRequestSchema, readAnswer } from "./contract-check.ts";
import { feedRpc, PATIENCE } from "./exchange-control.ts";
import { closeMinute, sendFrames, type WarmFeed, warmFeed } from "./warm-feed.ts";

const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";

const ROLE: RosterRole = {
  ...{ key: 7, id: "line", version: "3", slot: "forecast", market: "*", role: "active", source: "r2", family: "linear" },
  ...{ fingerprint: featureSetV1.fingerprint, featureSet: "v1", window: 1, label: "point", answer: "moves", fellBackFrom: null },
} as RosterRole;
const SHADOW: RosterRole = { ...ROLE, key: 8, id: "shade", role: "shadow" };

/** What was asked since the test began. */
const asked = { rosters: 0, asks: [] as PredictAsk[], calls: 0 };
let roles: readonly RosterRole[] = [ROLE, SHADOW];
/** The shortest move of the bid. */
let bidBps = 1;
/** Upper end of the interval, bps. */
let highBps = 8;

const inference: InferenceRpc = {
  roster: async (): Promise<Roster> => {
    asked.rosters++;
    return { revision: String(roles.length), roles, refused: [] };
  },
  models: async () => [],
  predict: async (asks) => {
    asked.calls++;
    asked.asks.push(...asks);
    return { revision: String(roles.length), answers: asks.map(() => ({ active: prediction(ROLE) })) };
  },
  shadows: async (asks) => {
    const answer = { key: SHADOW.key, id: SHADOW.id, version: SHADOW.version, answer: prediction(SHADOW) };
    return { revision: String(roles.length), answers: asks.map(() => [answer]) };
  },
};

function prediction({ key, id, version }: RosterRole): MovesPrediction {
  return {
    ...{
      ok: true,
      key,
      modelId: id,
      version,
      sha256: "ab",
      source: "r2",
      trainedOn: "made up",
      trainedTicks: null,
      label: "point",
      fellBackFrom: null,
      kind: "moves",
    },
    columns: [5_000, 60_000].flatMap((horizonMs) => (["bid", "mid", "ask"] as const).map((target) => ({ target, horizonMs }))),
    movesBps: [bidBps, 2, 3, -1, -2, -3],
    calibrated: [{ horizonMs: 5_000, lowBps: -4, highBps, down: 0.25, flat: 0.25, up: 0.5, thresholdBps: 0.5 }],
  } as MovesPrediction;
}

let feed: WarmFeed;
let app = createApp();

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  feed = await warmFeed();
});

/** The newest row is of now. */
beforeEach(async () => {
  advanceClock(1_000);
  await sendFrames(feed, 2);
  app = createApp();
  Object.assign(asked, { rosters: 0, asks: [], calls: 0 });
  roles = [ROLE, SHADOW];
});

/** What goes on behind the answer is over when this returns. */
async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const context = createExecutionContext();
  const response = await fetchFrom(path, { headers, context });
  const answer = await readAnswer(path, response);
  await waitOnExecutionContext(context);
  return answer;
}

async function fetchFrom(
  path: string,
  { headers = {}, context = createExecutionContext() }: { headers?: Record<string, string>; context?: ExecutionContext } = {},
): Promise<Response> {
  const bound = { ...env, INFERENCE: inference } as unknown as PublicEnv;
  return app.fetch(new Request(`https://edgebook.test${path}`, { headers }), bound, context);
}

describe("a forecast of one market", () => {
  it("asked for by ten thousand at once, cold, is computed once: one roster, one question to the feed, one run", async () => {
    const before = (await feedRpc().status()).counters.calls;
    const context = createExecutionContext();
    const responses = await Promise.all(Array.from({ length: 10_000 }, () => fetchFrom(`/v1/markets/${BTC}/forecast`, { context })));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(responses.map(({ headers }) => headers.get("etag"))).size).toBe(1);
    expect([asked.rosters, asked.calls, asked.asks.length]).toEqual([1, 1, 1]);
    // One of the features, one of this very question.
    expect((await feedRpc().status()).counters.calls - before).toBe(2);
    await waitOnExecutionContext(context);
  });

  it("of a market without a trade is one: silence of takers is a feature", async () => {
    expect((await feedRpc().status()).markets[0]).toMatchObject({ market: BTC });
    const { status, headers, body } = answerOf(forecastSchema, await get(`/v1/markets/${BTC}/forecast`));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      market: BTC,
      model: { id: "line", version: "3", label: "point" },
      skill: { mark: "unknown", horizons: [], odds: [] },
      horizons: [
        {
          horizonMs: 5_000,
          mid: { price: "100.020000", moveBps: 2, moveTicks: 2 },
          interval: { low: "99.960000", high: "100.080000", lowBps: -4, highBps: 8 },
          odds: { down: 0.25, flat: 0.25, up: 0.5, thresholdBps: 0.5 },
        },
        { horizonMs: 60_000, interval: null, odds: null },
      ],
    });
    expect(
      Object.fromEntries(["feature-time", "row-age-ms", "model", "skill"].map((name) => [name, headers.get(`edgebook-${name}`)])),
    ).toEqual({
      "feature-time": String(body.asOf),
      "row-age-ms": String(body.rowAgeMs),
      model: "line@3",
      skill: "unknown",
    });
    expect(headers.get("cache-control")).toBe("no-cache");
  });

  it("that hasn't changed since is 304 without a body; of another horizon or tick it is the whole", async () => {
    const path = `/v1/markets/${BTC}/forecast`;
    const first = answerOf(forecastSchema, await get(path));
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[0-9a-f]{16}"$/);
    const again = await get(path, { "if-none-match": etag });
    expect({ status: again.status, body: again.body, etag: again.headers.get("etag") }).toEqual({ status: 304, body: null, etag });
    expect(again.headers.get("edgebook-feature-time")).toBe(String(first.body.asOf));
    expect(again.headers.get("cache-control")).toBe("no-cache");
    expect((await get(`${path}?horizonMs=5000`, { "if-none-match": etag })).status).toBe(200);
    advanceClock(2_000);
    await sendFrames(feed, 2);
    const next = answerOf(forecastSchema, await get(path, { "if-none-match": etag }));
    expect(next.status).toBe(200);
    expect(next.body.asOf).toBeGreaterThan(first.body.asOf);
  });

  it("of the same row with another price is no 304: a manifest published again with another normaliser is of the same file", async () => {
    const path = `/v1/markets/${BTC}/forecast`;
    const etag = (await get(path)).headers.get("etag") ?? "";
    app = createApp();
    bidBps = 7;
    onTestFinished(() => {
      bidBps = 1;
    });
    expect((await get(path, { "if-none-match": etag })).status).toBe(200);
  });

  it("of the same row with another interval is no 304: a model published again with another manifest is the same file", async () => {
    const path = `/v1/markets/${BTC}/forecast`;
    const etag = (await get(path)).headers.get("etag") ?? "";
    app = createApp();
    expect((await get(path, { "if-none-match": etag })).status).toBe(304);
    app = createApp();
    highBps = 9;
    onTestFinished(() => {
      highBps = 8;
    });
    expect((await get(path, { "if-none-match": etag })).status).toBe(200);
  });

  it("whose model has none of the horizon, or whose rows have outlived it, is refused, and says by how much", async () => {
    expect(await get(`/v1/markets/${BTC}/forecast?horizonMs=7000`)).toMatchObject({
      status: 400,
      body: { reason: "unknown-horizon", available: [5_000, 60_000] },
    });
    advanceClock(6_000);
    const { status, body } = answerOf(problemSchema, await get(`/v1/markets/${BTC}/forecast?horizonMs=5000`));
    expect({ status, reason: body.reason, expired: body.expired }).toEqual({ status: 503, reason: "row-too-old", expired: [5_000] });
    expect(body.rowAgeMs).toBeGreaterThanOrEqual(6_000);
    await sendFrames(feed, 1);
  });

  it("whose model reads features that the feed doesn't compute is refused by that", async () => {
    roles = [{ ...ROLE, fingerprint: "f".repeat(16) }];
    expect(await get(`/v1/markets/${BTC}/forecast`)).toMatchObject({
      status: 503,
      body: { type: "/problems/model-mismatch", reason: "not-computed" },
    });
    expect(asked.calls).toBe(0);
  });

  it("is in the ledger once it was served, the shadow's too, as the float32s that were said", async () => {
    advanceClock(1_000);
    await sendFrames(feed, 2);
    const { body } = answerOf(forecastSchema, await get(`/v1/markets/${BTC}/forecast`));
    const { results } = await env.DB.prepare(
      "select model, answer, bid_ticks from forecasts where market = ? and feature_time = ? order by model",
    )
      .bind(BTC, body.asOf)
      .all<{ model: number; answer: number[]; bid_ticks: number }>();
    expect(results.map(({ model }) => model)).toEqual([7, 8]);
    expect(decodeAnswer(new Uint8Array(results[0]?.answer ?? []))).toMatchObject({
      label: "point",
      horizons: [{ horizonMs: 5_000, movesBps: { bid: 1, mid: 2, ask: 3 }, interval: { lowBps: -4, highBps: 8 } }, { horizonMs: 60_000 }],
    });
  });
});

describe("cron's forecasts", () => {
  it("take no question from others for a slot that nobody leads: of two that may be asked both are forecasts", async () => {
    const feeds = [{ feed: "main", object: "main", venue: "binance-spot", symbols: ["BTCUSDT", "ETHUSDT"] }] as const;
    const bound = { ...env, INFERENCE: inference } as unknown as PublicEnv;
    await forecastMarkets(bound, feeds as unknown as readonly FeedConfiguration[], { startedAt: 0, calls: 22 });
    expect(asked.asks.map(({ slot, market }) => `${slot} ${market}`).sort()).toEqual([`forecast ${BTC}`, `forecast ${ETH}`]);
  });
});

describe("forecasts of several markets", () => {
  it("hold of each a forecast or its problem: one bad market spoils none", async () => {
    const { status, headers, body } = answerOf(
      latestForecastsSchema,
      await get(`/v1/forecasts/latest?markets=${BTC},binance-spot:NOPE,${ETH},${BTC}`),
    );
    expect(status).toBe(200);
    expect(body.forecasts).toMatchObject([
      { market: BTC, forecast: { market: BTC }, problem: null },
      { market: "binance-spot:NOPE", forecast: null, problem: { type: "/problems/unknown-market" } },
      { market: ETH, problem: null },
    ]);
    expect(
      await get(`/v1/forecasts/latest?markets=${BTC},binance-spot:NOPE,${ETH}`, { "if-none-match": headers.get("etag") ?? "" }),
    ).toMatchObject({ status: 304 });
  });

  it.each([
    ["", "markets"],
    ["?markets=", "markets"],
    [`?markets=${BTC},,${ETH}`, "markets"],
    [`?markets=${Array.from({ length: 51 }, (_, number) => `v:M${number}`).join(",")}`, "markets"],
    [`?markets=${BTC}&horizonMs=x`, "horizonMs"],
    [`?market=${BTC}`, "markets"],
  ])("%.40s is 400 and names %s", async (query, parameter) => {
    for (const path of ["latest", ...(parameter === "markets" ? ["stream"] : [])]) {
      const { status, body } = answerOf(badRequestSchema, await get(`/v1/forecasts/${path}${query}`));
      expect(status).toBe(400);
      expect(body.errors.map((error) => error.parameter)).toContain(parameter);
    }
  });
});

describe("cron", () => {
  const startedAt = Date.UTC(2026, 0, 5, 12);

  it("forecasts every market once, so that models are scored whoever looks", async () => {
    const before = await ledgerRows();
    await runCron({ ...env, INFERENCE: inference } as unknown as PublicEnv, startedAt);
    expect(asked.asks.map(({ market }) => market).sort()).toEqual([BTC, ETH]);
    // To see who is led, and by the desk.
    expect(asked.rosters).toBe(2);
    expect((await ledgerRows()) - before).toBe(4);
  });

  it("drains its feeds all the same where no inference Worker answers, and the run doesn't count as failed", async () => {
    await closeMinute(feed);
    const gone = new Proxy({}, { get: () => () => Promise.reject(new Error("gone")) });
    await runCron({ ...env, INFERENCE: gone } as unknown as PublicEnv, startedAt + 60_000);
    const { results } = await env.DB.prepare("select id from batches where started_at = ?")
      .bind(startedAt + 60_000)
      .all();
    expect(results).toHaveLength(1);
  });

  async function ledgerRows(): Promise<number> {
    return (await env.DB.prepare("select count(*) as rows from forecasts").first<{ rows: number }>())?.rows ?? 0;
  }
});

describe("a signal", () => {
  it("of the book alone says which side is heavier, by the levels that were counted", async () => {
    // Bids of 1 and, on every other frame, 2 above them; one ask of 1.
    const { body: book } = answerOf(bookSchema, await get(`/v1/markets/${BTC}/book?levels=10`));
    const sizeOf = (side: typeof book.bids): number => side.reduce((sum, level) => sum + level.sizeLots, 0);
    const [bid, ask] = [sizeOf(book.bids), sizeOf(book.asks)];
    const { status, body } = await get(`/v1/markets/${BTC}/signal?threshold=0`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ kind: "simple", definition: "edgebook", model: null, threshold: 0 },
      pressure: (bid - ask) / (bid + ask),
      signal: bid > ask ? "BUY" : "WAIT",
      levels: { bid: book.bids.length, ask: 1 },
    });
    expect(answerOf(signalSchema, await get(`/v1/markets/${BTC}/signal?threshold=1`)).body.signal).toBe("WAIT");
    // As a program writes a third.
    expect(await get(`/v1/markets/${BTC}/signal?threshold=${1 / 3}`)).toMatchObject({ status: 200, body: { threshold: 1 / 3 } });
    expect(asked.rosters).toBe(0);
  });

  it("by the classic definition takes fifty levels, and of a shorter book is refused", async () => {
    expect(await get(`/v1/markets/${BTC}/signal?classic=true`)).toMatchObject({ status: 409, body: { reason: "book-too-short" } });
  });

  it("of a network is refused clearly where no model of signals is active, and is that model's word where one is", async () => {
    const none = await get(`/v1/markets/${BTC}/signal?kind=neural`);
    expect(none).toMatchObject({ status: 503, body: { reason: "never-published", detail: `No model of signals is active for ${BTC}.` } });
    roles = [{ ...ROLE, slot: "signal" }];
    app = createApp();
    const { body } = await get(`/v1/markets/${BTC}/signal?kind=neural&threshold=0.2`);
    expect(body).toMatchObject({ signal: "BUY", pressure: 0.25, model: { id: "line", asks: "move", horizonMs: 5_000, up: 0.5 } });
    expect(asked.asks.map(({ slot }) => slot)).toEqual(["signal"]);
  });

  it("has freshness and skill in its headers, and is 304 as long as it says the same: polling costs no body", async () => {
    const simple = answerOf(signalSchema, await get(`/v1/markets/${BTC}/signal?threshold=0.1`));
    expect(simple.headers.get("cache-control")).toBe("no-cache");
    expect(simple.headers.get("edgebook-age-ms")).toBe(String(simple.body.freshness.ageMs));
    const etag = simple.headers.get("etag") ?? "";
    expect(await get(`/v1/markets/${BTC}/signal?threshold=0.1`, { "if-none-match": etag })).toMatchObject({ status: 304, body: null });
    expect((await get(`/v1/markets/${BTC}/signal?threshold=0.11`, { "if-none-match": etag })).status).toBe(200);
    roles = [{ ...ROLE, slot: "signal" }];
    app = createApp();
    const path = `/v1/markets/${BTC}/signal?kind=neural`;
    const neural = answerOf(signalSchema, await get(path));
    const { model } = neural.body;
    expect(
      Object.fromEntries(["feature-time", "row-age-ms", "model", "skill"].map((name) => [name, neural.headers.get(`edgebook-${name}`)])),
    ).toEqual({
      "feature-time": String(model?.asOf),
      "row-age-ms": String(model?.rowAgeMs),
      model: "line@3",
      skill: "unknown",
    });
    const tag = neural.headers.get("etag") ?? "";
    expect((await get(path, { "if-none-match": tag })).status).toBe(304);
    expect((await get(`${path}&classic=true`, { "if-none-match": tag })).status).toBe(200);
    advanceClock(1_000);
    await sendFrames(feed, 2);
    expect((await get(path, { "if-none-match": tag })).status).toBe(200);
  });

  it.each([
    "threshold=1.1",
    "threshold=-0.1",
    "threshold=1e-1",
    "levels=0",
    "kind=quantum",
    "classic=yes",
    "kind=neural&levels=5",
    "classic=true&levels=5",
  ])("with %s is 400", async (query) => {
    expect(await get(`/v1/markets/${BTC}/signal?${query}`)).toMatchObject({ status: 400, body: { type: "/problems/bad-request" } });
  });
});

describe("a stream of forecasts", () => {
  it("says each market's at once, a market's next when it is there, and asks no more once its listener has gone", async () => {
    const context = createExecutionContext();
    const response = await fetchFrom(`/v1/forecasts/stream?markets=${BTC},${ETH}`, { context });
    expect([response.status, response.headers.get("content-type"), response.headers.get("cache-control")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
      "no-store",
    ]);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const until = async (count: number): Promise<void> => {
      while (text.split("event: forecast").length <= count) text += new TextDecoder().decode((await reader.read()).value);
    };
    await until(2);
    expect(text).toMatch(/^retry: 1000\n\n/);
    const [first] = [...text.matchAll(/id: (\d+)\ndata: (.*)\n\n/g)];
    expect(JSON.parse(first?.[2] ?? "null")).toMatchObject({ market: BTC, asOf: Number(first?.[1]) });
    advanceClock(1_500);
    await sendFrames(feed, 2);
    await until(3);
    const times = [...text.matchAll(/id: (\d+)\ndata: {"market":"binance-spot:BTCUSDT"/g)].map(([, id]) => Number(id));
    expect(times.at(-1)).toBeGreaterThan(times[0] ?? Number.POSITIVE_INFINITY);
    await reader.cancel();
    await waitOnExecutionContext(context);
    const calls = asked.calls;
    // Were it going on, it would ask within a second.
    advanceClock(5_000);
    await sendFrames(feed, 2);
    await vi.waitFor(async () => expect((await feedRpc().book(BTC, 1)).ok).toBe(true), PATIENCE);
    await new Promise((next) => setTimeout(next, 1_200));
    expect(asked.calls).toBe(calls);
  });

  it("of an unknown market is a problem, not a stream that never says anything", async () => {
    expect(await get("/v1/forecasts/stream?markets=binance-spot:NOPE")).toMatchObject({
      status: 404,
      body: { type: "/problems/unknown-market" },
    });
  });
});
