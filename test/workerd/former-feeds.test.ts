/** What is taken out of FEEDS: what it held is stored all the same, and its open gap ends. Left in the object it would be lost, with nobody to say so. */

import { applyD1Migrations, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { MarketFeed } from "../../durable-objects/main.ts";
import { type AliveMark, FeedStore, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { feedStub } from "./exchange-control.ts";

const MINUTE = Date.UTC(2026, 0, 5, 12, 0);
const NEXT = MINUTE + 60_000;
const ALIVE_AT = NEXT + 30_000;
const publicEnv = env as unknown as PublicEnv;
const GONE = { feed: "gone", recordedAs: "gone", venue: "binance-spot" };

function instrument(symbol: string): Instrument {
  return { venue: "binance-spot", symbol, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } };
}

function openGap(symbol: string, from: number): GapRecord {
  const market = `binance-spot:${symbol}`;
  const id = `${market}/depth/${from}/stale`;
  return { id, market, channel: "depth", from, to: null, reason: "stale", detail: "silent", action: "pending" };
}

/** A closed minute, one that it died in, and a gap that is open in the ledger. */
function leave(store: FeedStore): void {
  const part = (text: string): { symbol: string; gzip: Uint8Array } => ({ symbol: "XRPUSDT", gzip: gzipSync(text, { level: 6 }) });
  const row: MinuteSnapshot = {
    ...{
      market: "binance-spot:XRPUSDT",
      instrument: instrument("XRPUSDT"),
      minute: MINUTE,
      state: "stale",
      bookState: "empty",
      quote: null,
    },
    ...{
      bids: null,
      asks: null,
      lastSequence: null,
      bookHash: null,
      marketTime: null,
      features: null,
      coveredMs: 40_000,
      events: 9,
      trades: 1,
      pricePath: null,
    },
  };
  const alive: AliveMark = { at: ALIVE_AT, minute: NEXT, markets: { XRPUSDT: { coveredMs: 1_000, events: 3, trades: 0, gapStarts: [] } } };
  store.keep("instruments", [instrument("XRPUSDT")]);
  store.keep("alive", alive);
  store.saveChunk(MINUTE, [part("closed\n")]);
  store.saveMinute(MINUTE, [row]);
  store.saveChunk(NEXT, [part("unclosed\n")]);
  const gap = openGap("XRPUSDT", MINUTE + 50_000);
  store.saveGaps([gap]);
  store.acknowledgeGaps([gap]);
}

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  await env.DB.batch(["snapshots", "gaps", "batches", "feed_objects"].map((table) => env.DB.prepare(`delete from ${table}`)));
});

describe("a feed that is taken out of FEEDS", () => {
  it("is drained by cron from an object that is named no more, its gap ends when it was last alive, and the object is forgotten once it is empty", async () => {
    await runInDurableObject(feedStub("left"), (_, state) => leave(new FeedStore(new ObjectStore(state.storage), "gone")));
    await env.DB.prepare("insert into feed_objects values ('left')").run();
    await runCron(publicEnv, Date.now());
    const rows = await env.DB.prepare(
      "select minute, covered_ms, tape_key, tape_offset, tape_bytes from snapshots where market = 'binance-spot:XRPUSDT' order by minute",
    ).all();
    expect(rows.results.map(({ minute, covered_ms }) => [minute, covered_ms])).toEqual([
      [MINUTE, 40_000],
      [NEXT, 1_000],
    ]);
    const texts = await Promise.all(
      rows.results.map(async ({ tape_key, tape_offset, tape_bytes }) => {
        const object = await env.TAPES.get(String(tape_key), { range: { offset: Number(tape_offset), length: Number(tape_bytes) } });
        return gunzipSync(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toString();
      }),
    );
    expect(texts).toEqual(["closed\n", "unclosed\n"]);
    const gaps = await env.DB.prepare(
      "select from_ms, to_ms, reason, detail, action from gaps where market = 'binance-spot:XRPUSDT' order by from_ms",
    ).all();
    expect(gaps.results).toEqual([
      {
        ...{ from_ms: MINUTE + 50_000, to_ms: ALIVE_AT, reason: "stale", action: "retired" },
        detail: "silent; then the market was configured here no longer",
      },
      { from_ms: ALIVE_AT, to_ms: null, reason: "retired", detail: "its feed records it no more", action: "retired" },
    ]);
    expect((await env.DB.prepare("select name from feed_objects order by name").all()).results).toEqual([
      { name: "left" },
      { name: "main" },
    ]);
    await runCron(publicEnv, Date.now());
    expect((await env.DB.prepare("select name from feed_objects").all()).results).toEqual([{ name: "main" }]);
    await runInDurableObject(feedStub("left"), (_, state) => {
      expect(new ObjectStore(state.storage).feedsHolding()).toEqual([]);
    });
  });

  it("is drained from an object that has other feeds, which hold on to what is theirs", async () => {
    const FEEDS = JSON.stringify([{ feed: "first", object: "pair", venue: "binance-spot", symbols: ["BTCUSDT"] }]);
    await runInDurableObject(feedStub("pair"), async (_, state) => {
      leave(new FeedStore(new ObjectStore(state.storage), "gone"));
      new FeedStore(new ObjectStore(state.storage), "first").saveChunk(MINUTE, [{ symbol: "BTCUSDT", gzip: new Uint8Array(1) }]);
      const object = new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      await expect(object.pending("gone", 9)).rejects.toThrow("no feed named gone");
      expect(await object.former()).toEqual([GONE]);
      const { minutes, gaps, remaining } = await object.pending("gone", 9);
      expect([minutes.map(({ minute }) => minute), gaps.map(({ to }) => to), remaining]).toEqual([[MINUTE, NEXT], [ALIVE_AT, null], 0]);
      // Asked again before it is stored it says the same.
      expect([await object.former(), await object.pending("gone", 9)]).toEqual([[GONE], { minutes, gaps, remaining }]);
      await object.acknowledge("gone", [MINUTE, NEXT], gaps);
      expect(await object.former()).toEqual([]);
      expect(await object.tapes("first", ["BTCUSDT"], MINUTE)).toHaveLength(1);
    });
  });

  it("is not taken for one while FEEDS can't be read: it may be named in it", async () => {
    await runInDurableObject(feedStub("unread"), async (_, state) => {
      const store = new FeedStore(new ObjectStore(state.storage), "gone");
      leave(store);
      expect(await new MarketFeed(state, { FEEDS: "[", VENUE_HOSTS: "{}" }).former()).toEqual([]);
      expect(store.openGaps()).toHaveLength(1);
    });
  });

  it("leaves no object that wakes every ten seconds for nothing, for ever: each of them would be billed", async () => {
    const stub = feedStub("idle");
    await runInDurableObject(stub, async (object, state) => {
      await object.former();
      await state.storage.setAlarm(Date.now() - 1);
    });
    await runDurableObjectAlarm(stub);
    await runInDurableObject(stub, async (_, state) => {
      expect(await state.storage.getAlarm()).toBeNull();
    });
  });
});

describe("a market that is taken out of its feed", () => {
  it("has its open gap closed when the feed was last alive, and the feed begins without it and with the gaps of the others", async () => {
    const FEEDS = JSON.stringify([{ feed: "less", object: "less", venue: "binance-spot", symbols: ["BTCUSDT"] }]);
    await runInDurableObject(feedStub("less"), async (_, state) => {
      const store = new FeedStore(new ObjectStore(state.storage), "less");
      store.keep("instruments", [instrument("BTCUSDT"), instrument("ETHUSDT")]);
      const counted = { coveredMs: 0, events: 0, trades: 0, gapStarts: [] };
      store.keep("alive", { at: ALIVE_AT, minute: NEXT, markets: { BTCUSDT: counted, ETHUSDT: counted } });
      store.saveGaps([openGap("BTCUSDT", MINUTE), openGap("ETHUSDT", ALIVE_AT - 7)]);
      const object = new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      expect((await object.instruments("less")).map(({ symbol }) => symbol)).toEqual(["BTCUSDT"]);
      expect((await object.pending("less", 9)).gaps.map(({ market, to, action }) => [market, to, action])).toEqual([
        ["binance-spot:BTCUSDT", null, "pending"],
        ["binance-spot:ETHUSDT", ALIVE_AT, "retired"],
        ["binance-spot:ETHUSDT", null, "retired"],
      ]);
      // Once it is stored it is told no more, and isn't held for ever for a market that nobody here will see again.
      await object.acknowledge("less", [], (await object.pending("less", 9)).gaps);
      new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      expect([store.pendingGaps(), store.openGaps().map(({ market }) => market)]).toEqual([[], ["binance-spot:BTCUSDT"]]);
    });
  });

  it("and comes back after days has a beginning of its own: a gap from when the others were last alive would not say that it was gone before", async () => {
    const FEEDS = JSON.stringify([{ feed: "more", object: "more", venue: "binance-spot", symbols: ["BTCUSDT", "ETHUSDT"] }]);
    await runInDurableObject(feedStub("more"), async (_, state) => {
      const store = new FeedStore(new ObjectStore(state.storage), "more");
      store.keep("instruments", [instrument("BTCUSDT"), instrument("ETHUSDT")]);
      const counted = { coveredMs: 0, events: 0, trades: 0, gapStarts: [] };
      store.keep("alive", { at: ALIVE_AT, minute: NEXT, markets: { BTCUSDT: counted } });
      const before = Date.now();
      new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      const [gone, added] = store.openGaps();
      expect([gone, added]).toMatchObject([
        { market: "binance-spot:BTCUSDT", from: ALIVE_AT, reason: "restarted" },
        { market: "binance-spot:ETHUSDT", reason: "started" },
      ]);
      expect(added?.from).toBeGreaterThanOrEqual(before);
    });
  });
});

describe("a feed that is renamed", () => {
  it("leaves no hole in the ledger between its last moment and the new one's first, also with nothing else left to store", async () => {
    const died = Date.now() - 45_000;
    const counted = { coveredMs: 0, events: 0, trades: 0, gapStarts: [] };
    await runInDurableObject(feedStub("main"), (_, state) => {
      const store = new FeedStore(new ObjectStore(state.storage), "old");
      store.keep("instruments", [instrument("BTCUSDT")]);
      store.keep("alive", { at: died, minute: died - (died % 60_000), markets: { BTCUSDT: counted } });
    });
    await env.DB.prepare("insert into gaps values ('s', 'binance-spot:BTCUSDT', 'depth', ?, null, 'started', '', 'pending')")
      .bind(died + 45_000)
      .run();
    for (let run = 0; run < 2; run++) await runCron(publicEnv, Date.now());
    const { results } = await env.DB.prepare(
      "select from_ms, to_ms, detail from gaps where market = 'binance-spot:BTCUSDT' and reason = 'retired'",
    ).all();
    expect(results).toEqual([{ from_ms: died, to_ms: died + 45_000, detail: "its feed records it no more" }]);
    await runInDurableObject(feedStub("main"), (_, state) => expect(new ObjectStore(state.storage).feedsHolding()).not.toContain("old"));
  });
});

describe("a feed that records another venue from now on, under the same name", () => {
  const symbol = "XRPUSDT";
  const otherVenue = { ...instrument(symbol), venue: "binance-usd-m" };
  const counted = { coveredMs: 1_000, events: 3, trades: 2, gapStarts: [ALIVE_AT - 9] };

  function leaveOther(store: FeedStore): void {
    store.keep("instruments", [otherVenue]);
    store.keep("alive", { at: ALIVE_AT, minute: NEXT, markets: { [symbol]: counted } });
    store.saveChunk(NEXT, [{ symbol, gzip: gzipSync("of the futures\n", { level: 6 }) }]);
    store.saveGaps([{ ...openGap(symbol, ALIVE_AT - 9), market: `binance-usd-m:${symbol}` }]);
  }

  it("has what it held filed under the venue that it was received from, each row with its tape", async () => {
    await runInDurableObject(feedStub("main"), (_, state) => {
      leaveOther(new FeedStore(new ObjectStore(state.storage), "main"));
      new FeedStore(new ObjectStore(state.storage), "main").keep("venue", "binance-usd-m");
      new MarketFeed(state, env as never);
    });
    await runCron(publicEnv, Date.now());
    const { results } = await env.DB.prepare(`select market, minute, events, tape_key from snapshots where minute = ${NEXT}`).all();
    const key = "tape/v2/binance-usd-m/2026-01-05/1201.main.00.tapes.gz";
    expect(results).toEqual([{ market: `binance-usd-m:${symbol}`, minute: NEXT, events: 3, tape_key: key }]);
    expect((await env.TAPES.list({ prefix: "tape/v2/binance-spot/2026-01-05/1201.main" })).objects).toEqual([]);
    const object = await env.TAPES.get(key);
    expect(gunzipSync(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toString()).toBe("of the futures\n");
    const batches = await env.DB.prepare("select id from batches where feed = 'main' and minutes > 0").all();
    expect(batches.results.map(({ id }) => String(id).split("/")[0])).toEqual(["main@binance-usd-m@main"]);
  });

  it.each([
    ["as it is kept now", true],
    ["as an earlier deployment kept it", false],
  ])("begins with no minute, no gap count and no grids of the other venue's market of that name, %s", async (_, isVenueKept) => {
    const object = isVenueKept ? "venue-kept" : "venue-unkept";
    const FEEDS = JSON.stringify([{ feed: "first", object, venue: "binance-spot", symbols: [symbol] }]);
    await runInDurableObject(feedStub(object), async (_object, state) => {
      const store = new FeedStore(new ObjectStore(state.storage), "first");
      leaveOther(store);
      if (isVenueKept) store.keep("venue", "binance-usd-m");
      const started = new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      expect([store.kept("instruments"), store.kept("alive"), store.openGaps(), store.tapes([symbol], NEXT)]).toEqual([null, null, [], []]);
      expect((await started.pending("first", 9)).minutes).toEqual([]);
      expect(await started.former()).toEqual([{ feed: "first@binance-usd-m", recordedAs: "first", venue: "binance-usd-m" }]);
      const { minutes } = await started.pending("first@binance-usd-m", 9);
      expect(minutes.map(({ snapshots }) => snapshots.map(({ market }) => market))).toEqual([[`binance-usd-m:${symbol}`]]);
      expect((await started.status("first@binance-usd-m")).venue).toBe("binance-usd-m");
    });
  });

  it("loses nothing when it goes there, back and there again before anything is stored", async () => {
    await runInDurableObject(feedStub("to-and-fro"), (_, state) => {
      const object = new ObjectStore(state.storage);
      for (const venue of ["binance-usd-m", "binance-spot", "binance-usd-m", "binance-spot"]) {
        object.putAsideOtherVenue("first", venue);
        const store = new FeedStore(object, "first");
        store.saveChunk(NEXT, [{ symbol, gzip: new Uint8Array([1]) }]);
        store.saveMinute(NEXT, []);
      }
      object.putAsideOtherVenue("first", "bitmex");
      const held = ["first@binance-usd-m", "first@binance-spot"].map((feed) => new FeedStore(object, feed).tape(symbol, NEXT)?.length);
      expect([held, new FeedStore(object, "first").pendingMinutes(9)]).toEqual([[2, 2], []]);
    });
  });
});
