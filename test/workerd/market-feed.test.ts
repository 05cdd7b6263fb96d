import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { minuteOf } from "../../core/units/time.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { FeedStore, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import { MarketFeed } from "../../durable-objects/market-feed/market-feed.ts";
import type { FeedStatus, GapRecord } from "../../feed/contract.ts";
import { advanceClock } from "./clock.ts";
import { control, depthFrame, feedRpc, feedStub, PATIENCE, snapshotBody, startedFeed } from "./exchange-control.ts";

/** The frames that a tape holds. */
function framesOf(tape: Uint8Array | null): string[] {
  if (tape === null) return [];
  const lines = gunzipSync(tape).toString("utf8").trimEnd().split("\n").map(decodeTapeLine);
  return lines.flatMap((record) => ("kind" in record && record.kind === "frame" ? [record.text] : []));
}

/** Changes what the object has written down for its successor. */
async function rewriteKept(key: string, change: (value: Record<string, unknown>) => unknown): Promise<void> {
  await runInDurableObject(feedStub(), (_, { storage }) => {
    const row = storage.sql.exec<{ value: string }>("SELECT value FROM kept WHERE key = ?", key).one();
    storage.sql.exec(
      "UPDATE kept SET value = ? WHERE key = ?",
      JSON.stringify(change(JSON.parse(row.value) as Record<string, unknown>)),
      key,
    );
  });
}

/** Puts a gap into the object's store, as its recorder does. */
async function save(gap: GapRecord): Promise<void> {
  await runInDurableObject(feedStub(), (_, { storage }) => new FeedStore(new ObjectStore(storage), "main").saveGaps([gap]));
}

async function marketState(symbol: string): Promise<string | undefined> {
  const status: FeedStatus = await feedRpc().status();
  return status.markets.find((market) => market.market === `binance-spot:${symbol}`)?.state;
}

describe("the feed object", () => {
  beforeEach(async () => {
    await control.refuse(null);
  });

  it("dials, builds a book by the venue's rule and serves it with its proof", async () => {
    const sequence = await startedFeed();
    await control.send([depthFrame("BTCUSDT", { from: sequence + 1, bids: [["100.00", "3.00000"]] })]);
    await vi.waitFor(async () => {
      const book = await feedRpc().book("binance-spot:BTCUSDT", 5);
      if (!book.ok) throw new Error(book.detail);
      expect(book.proof.lastSequence).toBe(sequence + 1);
      expect(book.bids[0]).toEqual([10_000, 300_000]);
      expect(book.proof.unbrokenSince).not.toBeNull();
    }, PATIENCE);
  });

  it("counts what it is billed for from its start on: calls, messages, rows", async () => {
    const sequence = await startedFeed();
    const before = (await feedRpc().status()).counters;
    await control.send([1, 2, 3].map((step) => depthFrame("BTCUSDT", { from: sequence + step })));
    await vi.waitFor(async () => expect((await feedRpc().status()).counters.messages).toBe(before.messages + 3), PATIENCE);
    const started = (await feedRpc().status()).counters;
    await feedRpc().quote("binance-spot:BTCUSDT");
    await feedRpc().tapes(["BTCUSDT"], 0);
    const after = (await feedRpc().status()).counters;
    expect(after.calls).toBe(started.calls + 3);
    expect(after.since).toBe(before.since);
    expect(after.rowsWritten).toBeGreaterThan(0);
    const { alarms } = after;
    await runDurableObjectAlarm(feedStub());
    const woken = (await feedRpc().status()).counters;
    expect(woken.alarms).toBeGreaterThan(alarms);
    // An alarm set is a row written.
    expect(woken.rowsWritten).toBeGreaterThan(after.rowsWritten);
    await abortAllDurableObjects();
    expect((await feedRpc().status()).counters).toMatchObject({ calls: 1, messages: 0 });
  });

  it("answers for a market that it doesn't hold with a refusal, not a failure", async () => {
    await startedFeed();
    expect(await feedRpc().quote("binance-spot:NOPE")).toMatchObject({ ok: false, reason: "unknown-market" });
  });

  it("loses nothing but the book when the venue closes: reconnects, resyncs, and the hole is in the ledger", async () => {
    await startedFeed();
    await control.close();
    await vi.waitFor(async () => {
      const { gaps } = await feedRpc().pending(1);
      const gap = gaps.find((candidate) => candidate.reason === "connection-down");
      expect(gap).toMatchObject({ channel: "connection", action: "reconnected" });
      expect(gap?.to).not.toBeNull();
    }, PATIENCE);
    expect(await marketState("BTCUSDT")).toBe("live");
  });

  it("makes no book of a snapshot that was asked for on a connection that is gone, however late it comes", async () => {
    const sequence = await startedFeed();
    await control.hold(true);
    await control.close();
    await vi.waitFor(async () => expect(await control.waiting()).toBe(1), PATIENCE);
    const { openedAt } = (await feedRpc().status()).connection;
    await control.close();
    await vi.waitFor(async () => {
      const { connection } = await feedRpc().status();
      expect(connection.state).toBe("open");
      expect(connection.openedAt).not.toBe(openedAt);
    }, PATIENCE);
    const now = snapshotBody(sequence + 50);
    await control.snapshots({ BTCUSDT: now, ETHUSDT: now });
    await control.hold(false);
    await vi.waitFor(async () => {
      const { markets } = await feedRpc().status();
      expect(markets.map(({ state }) => state)).toEqual(["live", "live"]);
      expect(markets.map(({ proof }) => proof.lastSequence)).toEqual([sequence + 50, sequence + 50]);
    }, PATIENCE);
  });

  it("resyncs one symbol alone when its sequence breaks", async () => {
    const sequence = await startedFeed();
    await control.snapshots({ BTCUSDT: snapshotBody(sequence + 9), ETHUSDT: snapshotBody(sequence) });
    const before = await feedRpc().book("binance-spot:ETHUSDT", 1);
    await control.send([depthFrame("BTCUSDT", { from: sequence + 10 })]);
    await vi.waitFor(async () => {
      const { gaps } = await feedRpc().pending(1);
      expect(gaps.filter((gap) => gap.reason === "sequence-gap" && gap.to !== null).map((gap) => gap.market)).toContain(
        "binance-spot:BTCUSDT",
      );
    }, PATIENCE);
    const after = await feedRpc().book("binance-spot:ETHUSDT", 1);
    expect(before.ok && after.ok && after.proof.unbrokenSince === before.proof.unbrokenSince).toBe(true);
  });

  it("survives its own death between two events: the tape of before is there, and the hole says how long", async () => {
    const sequence = await startedFeed();
    const frame = depthFrame("BTCUSDT", { from: sequence + 1, asks: [["101.00", "7.00000"]] });
    await control.send([frame]);
    await vi.waitFor(async () => {
      const book = await feedRpc().book("binance-spot:BTCUSDT", 5);
      expect(book.ok && book.proof.lastSequence).toBe(sequence + 1);
    }, PATIENCE);
    // The minute may have changed since the frame was sent.
    const minutes = [minuteOf(Date.now() - 60_000), minuteOf(Date.now())];
    const kept = async (): Promise<string[]> =>
      (await Promise.all(minutes.map(async (each) => framesOf((await feedRpc().tapes(["BTCUSDT"], each))[0]?.bytes ?? null)))).flat();
    // The tape is flushed each five seconds: when this frame's chunk is stored, the process may die.
    await vi.waitFor(async () => {
      await feedRpc().status();
      expect(await kept()).toContain(frame);
    }, PATIENCE);
    await abortAllDurableObjects();
    await control.snapshots({ BTCUSDT: snapshotBody(sequence + 2), ETHUSDT: snapshotBody(sequence + 2) });
    await vi.waitFor(async () => expect(await marketState("BTCUSDT")).toBe("live"), PATIENCE);
    expect(await kept()).toContain(frame);
    const { gaps } = await feedRpc().pending(1);
    const restarted = gaps.filter((gap: GapRecord) => gap.reason === "restarted" && gap.market === "binance-spot:BTCUSDT");
    expect(restarted.length).toBeGreaterThan(0);
    expect(restarted.at(-1)?.to).not.toBeNull();
  });

  it("says that it is blocked where the venue refuses this address, and goes on trying", async () => {
    await startedFeed();
    await control.refuse(451);
    await control.close();
    await vi.waitFor(async () => {
      const status = await feedRpc().status();
      expect(status.connection.state).toBe("blocked");
      expect(status.connection.attempts).toBeGreaterThan(0);
    }, PATIENCE);
    expect(await feedRpc().features("binance-spot:BTCUSDT", [])).toMatchObject({ ok: false, reason: "disconnected" });
    await control.refuse(null);
    await vi.waitFor(async () => expect((await feedRpc().status()).connection.state).toBe("open"), PATIENCE);
  });

  it("tries the venue's other hosts from the start where REST is refused before there is any book", async () => {
    await abortAllDurableObjects();
    await control.refuse(451);
    await runInDurableObject(feedStub(), (_, state) => void state.storage.sql.exec("DELETE FROM kept WHERE key = 'instruments'"));
    await abortAllDurableObjects();
    await control.refuse(451);
    const hosts = new Set<string>();
    await vi.waitFor(async () => {
      const { connection } = await feedRpc().status();
      hosts.add(connection.host);
      expect(connection.state).toBe("blocked");
      expect(hosts.size).toBeGreaterThan(1);
    }, PATIENCE);
  });

  it("knows after its own death what it had counted of the minute it died in, tape or no tape", async () => {
    await startedFeed();
    const minute = minuteOf(Date.now());
    const died = minute - 120_000;
    await rewriteKept("alive", (alive) => ({
      ...alive,
      at: died + 2_000,
      minute: died,
      markets: { BTCUSDT: { coveredMs: 1_500, events: 7, trades: 3, gapStarts: [] } },
    }));
    await abortAllDurableObjects();
    await vi.waitFor(async () => {
      const { minutes } = await feedRpc().pending(60);
      const snapshots = minutes.find((each) => each.minute === died)?.snapshots ?? [];
      expect(snapshots).toMatchObject([
        { market: "binance-spot:BTCUSDT", state: "disconnected", quote: null, coveredMs: 1_500, events: 7, trades: 3 },
        { market: "binance-spot:ETHUSDT", coveredMs: 0, events: 0, trades: 0 },
      ]);
    }, PATIENCE);
  });

  it("starts where the last process stopped, on a machine whose clock is behind: a minute that was closed stays closed", async () => {
    await startedFeed();
    const ahead = Date.now() + 120_000;
    await rewriteKept("alive", (alive) => ({ ...alive, at: ahead, minute: minuteOf(ahead) }));
    await abortAllDurableObjects();
    expect((await feedRpc().status()).now).toBeGreaterThanOrEqual(ahead);
    await rewriteKept("alive", (alive) => ({ ...alive, at: Date.now(), minute: minuteOf(Date.now()) }));
  });

  it("asks for the venue's grids at each start, and builds its books anew on the ones that have changed", async () => {
    await startedFeed();
    const coarse = { decimals: 1, mantissa: 1 };
    await rewriteKept("instruments", (instruments) => (instruments as unknown as object[]).map((each) => ({ ...each, tick: coarse })));
    const sequence = await startedFeed();
    const book = await feedRpc().book("binance-spot:BTCUSDT", 1);
    if (!book.ok) throw new Error(book.detail);
    expect(book.instrument.tick).toEqual({ decimals: 2, mantissa: 1 });
    expect(book.bids[0]?.[0]).toBe(9_999);
    expect(book.proof.lastSequence).toBe(sequence);
  });

  it("keeps a gap until the ledger has it, and no longer", async () => {
    await startedFeed();
    const { gaps } = await feedRpc().pending(1);
    const closed = gaps.filter((gap) => gap.to !== null);
    expect(closed.length).toBeGreaterThan(0);
    await feedRpc().acknowledge([], closed);
    const pendingOf = async (ids: readonly string[]): Promise<GapRecord[]> =>
      (await feedRpc().pending(1)).gaps.filter(({ id }) => ids.includes(id));
    expect(await pendingOf(closed.map(({ id }) => id))).toEqual([]);
    // One that the ledger has stored open is not done: its end is still to come.
    const open: GapRecord = {
      id: "binance-spot:BTCUSDT/depth/1/stale",
      market: "binance-spot:BTCUSDT",
      channel: "depth",
      from: 1,
      to: null,
      reason: "stale",
      detail: "",
      action: "pending",
    };
    await save(open);
    await feedRpc().acknowledge([], [open]);
    expect(await pendingOf([open.id])).toEqual([]);
    const ended: GapRecord = { ...open, to: 2, action: "resynced" };
    await save(ended);
    expect(await pendingOf([open.id])).toEqual([ended]);
  });

  it("is brought back by its alarm alone, in time: nobody may ask for hours, and it is evicted with only a socket", async () => {
    await startedFeed();
    const reason = async (): Promise<string> => {
      const book = await feedRpc().book("binance-spot:BTCUSDT", 1);
      return book.ok ? "live" : book.reason;
    };
    // Were it not brought forward, the next one would be in an hour.
    await runInDurableObject(feedStub(), (_, { storage }) => storage.setAlarm(Date.now() + 3_600_000));
    await control.close();
    await vi.waitFor(async () => expect(await reason()).toBe("syncing"), PATIENCE);
    // From here on the object's own alarms, set by the clock, are late by that much.
    advanceClock(31_000);
    expect(await runDurableObjectAlarm(feedStub())).toBe(true);
    expect(await reason()).toBe("disconnected");
  });
});

describe("the feed object's configuration", () => {
  it("that doesn't name it keeps it from running, and its status says why", async () => {
    const status = await feedRpc("nobody").status();
    expect(status.connection.lastDownReason).toMatch(/no feed named nobody/);
    expect(await feedRpc("nobody").features("binance-spot:BTCUSDT", [])).toMatchObject({ ok: false, reason: "disconnected" });
  });
});

describe("several feeds in one object", () => {
  const entry = (feed: string, symbol: string): object => ({ feed, object: "pair", venue: "binance-spot", symbols: [symbol] });
  const FEEDS = JSON.stringify([
    entry("first", "BTCUSDT"),
    entry("second", "ETHUSDT"),
    { feed: "broken", object: "pair", venue: "no-such-venue", symbols: ["X"] },
    { feed: "elsewhere", object: "other", venue: "binance-spot", symbols: ["XRPUSDT"] },
  ]);

  it("each have a connection, books and a part of the store of their own, and one that can't run keeps none from it", async () => {
    await control.snapshots({ BTCUSDT: snapshotBody(7_000), ETHUSDT: snapshotBody(8_000) });
    await runInDurableObject(feedStub("pair"), async (_, state) => {
      const object = new MarketFeed(state, { FEEDS, VENUE_HOSTS: "{}" });
      const sequencesOf = async (feed: string): Promise<unknown> =>
        (await object.status(feed)).markets.map(({ proof }) => proof.lastSequence);
      await vi.waitFor(async () => {
        await object.alarm();
        expect([await sequencesOf("first"), await sequencesOf("second")]).toEqual([[7_000], [8_000]]);
      }, PATIENCE);
      expect(await object.quote("first", "binance-spot:BTCUSDT")).toMatchObject({ ok: true });
      expect(await object.quote("first", "binance-spot:ETHUSDT")).toMatchObject({ ok: false, reason: "unknown-market" });
      expect((await object.status("broken")).connection.lastDownReason).toMatch(/no adapter for venue no-such-venue/);
      expect((await object.status("elsewhere")).connection.lastDownReason).toMatch(/no feed named elsewhere in this object/);

      const [first, second] = ["first", "second"].map((feed) => new FeedStore(new ObjectStore(state.storage), feed));
      first?.saveChunk(60_000, [{ symbol: "BTCUSDT", gzip: new Uint8Array([1]) }]);
      second?.saveChunk(60_000, [{ symbol: "BTCUSDT", gzip: new Uint8Array([2]) }]);
      expect(await object.tapes("second", ["BTCUSDT"], 60_000)).toEqual([{ symbol: "BTCUSDT", bytes: new Uint8Array([2]) }]);
      await object.acknowledge("first", [60_000], []);
      expect(await object.tapes("first", ["BTCUSDT"], 60_000)).toEqual([]);
      expect(await object.tapes("second", ["BTCUSDT"], 60_000)).toHaveLength(1);
      // What the object does is counted once, by the first of its feeds.
      expect((await object.status("first")).counters.alarms).toBeGreaterThan(0);
      expect((await object.status("second")).counters.alarms).toBe(0);
    });
  });
});
