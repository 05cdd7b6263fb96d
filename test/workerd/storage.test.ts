/** The stores: migrations, and rows that may be written twice, late, or by two writers at once without changing. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_SPLIT_SCHEDULE, type SplitSchedule } from "../../core/labels/split.ts";
import { tapesKey } from "../../core/wire/keys.ts";
import type { TapePlace } from "../../core/wire/minute-tapes.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import { gapBody, snapshotBody } from "../../workers/api/views/stored.ts";
import { gapRow, snapshotRow } from "../../workers/cron/rows.ts";
import { bulkUpsert } from "../../workers/storage/bulk-upsert.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { batchId, readLastStored } from "../../workers/storage/read-batches.ts";
import { readGaps } from "../../workers/storage/read-gaps.ts";
import { readInstrument } from "../../workers/storage/read-instruments.ts";
import { readSnapshots, type SnapshotRow } from "../../workers/storage/read-snapshots.ts";
import { findDayTapes, findMinuteTape, readDayTapes, readPieces } from "../../workers/storage/read-tapes.ts";
import { gaps as gapTable } from "../../workers/storage/schema.ts";
import { type MinuteTapes, putTapes } from "../../workers/storage/tapes.ts";
import { type StoredBatch, writeBatch } from "../../workers/storage/write-batch.ts";

const MARKET = "binance-spot:BTCUSDT";
const MINUTE = Date.UTC(2026, 0, 5, 12, 0);
const PART_0 = { venue: "binance-spot", feed: "main", minuteMs: MINUTE, part: 0 };
const GRIDS = { tick: "0.01", lot: "0.00001" };
const database = openDatabase(env.DB);
const ALL = { market: MARKET, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000, now: Number.MAX_SAFE_INTEGER };

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  const { objects } = await env.TAPES.list({ prefix: "tape/" });
  await env.TAPES.delete(objects.map(({ key }) => key));
  await env.DB.batch(["snapshots", "gaps", "batches", "instruments"].map((table) => env.DB.prepare(`delete from ${table}`)));
});

describe("snapshots", () => {
  it("come back as the feed wrote them, update ids of 2^53 - 1 and feature doubles included", async () => {
    const features = {
      featureTime: MINUTE + 59_000,
      fingerprint: "0123456789abcdef",
      row: [0.1 + 0.2, -1e-300, 123_456_789.123_456_79, 0],
    };
    const snapshot = minuteSnapshot({ lastSequence: Number.MAX_SAFE_INTEGER, features });
    await writeBatch(database, stored({ snapshots: [snapshot] }));
    const [row] = await readSnapshots(database, ALL);
    expect(row).toMatchObject({ market: MARKET, minute: MINUTE, lastSequence: Number.MAX_SAFE_INTEGER, featureTime: MINUTE + 59_000 });
    expect(JSON.parse(row?.features ?? "null")).toEqual(features.row);
    expect(JSON.parse(row?.bids ?? "null")).toEqual(snapshot.bids);
  });

  it("written twice are one row, equal to the first", async () => {
    const batch = stored({ snapshots: [minuteSnapshot({})] });
    await writeBatch(database, batch);
    const once = await readSnapshots(database, ALL);
    await writeBatch(database, batch);
    expect(await readSnapshots(database, ALL)).toEqual(once);
    expect(once).toHaveLength(1);
  });

  it("keep the tape's place when a second writer found the tape gone", async () => {
    const tape = { key: tapesKey(PART_0), offset: 11, bytes: 7 };
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({})], tape }));
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({})] }));
    expect(await readSnapshots(database, ALL)).toMatchObject([{ tapeKey: tape.key, tapeOffset: 11, tapeBytes: 7 }]);
  });

  it("keep the split label they were given first, whatever another run, a fuller row or a changed schedule says: what was tested on is never trained on", async () => {
    const other: SplitSchedule = { trainDays: 30, validationDays: 1, testDays: 1, embargoMinutes: 10 };
    const first = { split: "test", splitSchedule: "days-6-2-2-embargo-60min" };
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({ coveredMs: 5_000 })] }));
    expect(await readSnapshots(database, ALL)).toMatchObject([{ coveredMs: 5_000, ...first }]);
    for (const coveredMs of [60_000, 1_000]) {
      await writeBatch(database, stored({ snapshots: [minuteSnapshot({ coveredMs })], splits: other }));
      expect(await readSnapshots(database, ALL)).toMatchObject([{ coveredMs: 60_000, ...first }]);
    }
    const later = minuteSnapshot({ minute: MINUTE + 60_000 });
    await writeBatch(database, stored({ snapshots: [later], splits: other }));
    expect((await readSnapshots(database, ALL))[1]).toMatchObject({ split: "train", splitSchedule: "days-30-1-1-embargo-10min" });
  });

  it("of before there were labels get theirs once, and keep it", async () => {
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({})] }));
    await env.DB.prepare("update snapshots set split = null, split_schedule = null").run();
    expect(shown((await readSnapshots(database, ALL))[0])).toMatchObject({ split: null });
    for (const splits of [DEFAULT_SPLIT_SCHEDULE, { ...DEFAULT_SPLIT_SCHEDULE, trainDays: 40 }]) {
      await writeBatch(database, stored({ snapshots: [minuteSnapshot({})], splits }));
      expect(await readSnapshots(database, ALL)).toMatchObject([{ split: "test", splitSchedule: "days-6-2-2-embargo-60min" }]);
    }
  });

  it("that saw less of the minute never erase those that saw more, whichever comes first", async () => {
    const full = minuteSnapshot({ coveredMs: 60_000, events: 100, pricePath: "@1767614400/6000000/1;;" });
    const poor = minuteSnapshot({
      coveredMs: 4_000,
      events: 900,
      quote: null,
      bids: null,
      asks: null,
      bookHash: null,
      state: "syncing",
      pricePath: "@1767614400/7/1",
    });
    await writeBatch(database, stored({ snapshots: [full] }));
    const expected = await readSnapshots(database, ALL);
    await writeBatch(database, stored({ snapshots: [poor] }));
    expect(await readSnapshots(database, ALL)).toEqual(expected);
    await env.DB.prepare("delete from snapshots").run();
    for (const snapshot of [poor, full]) await writeBatch(database, stored({ snapshots: [snapshot] }));
    expect(await readSnapshots(database, ALL)).toEqual(expected);
  });

  it("that saw nothing either are told apart by their events", async () => {
    for (const events of [7, 3]) await writeBatch(database, stored({ snapshots: [minuteSnapshot({ coveredMs: 0, events })] }));
    expect(await readSnapshots(database, ALL)).toMatchObject([{ coveredMs: 0, events: 7 }]);
  });

  it("name the largest piece of their tape, its place with its length, though the poorer row brought it", async () => {
    const tapes = [7, 19, 12].map((bytes, part) => ({ key: tapesKey({ ...PART_0, part }), offset: 100 + part, bytes }));
    for (const [index, tape] of tapes.entries()) {
      await writeBatch(database, stored({ snapshots: [minuteSnapshot({ coveredMs: 60_000 - index })], tape }));
    }
    const largest = { tapeKey: tapesKey({ ...PART_0, part: 1 }), tapeOffset: 101, tapeBytes: 19 };
    expect(await readSnapshots(database, ALL)).toMatchObject([{ coveredMs: 60_000, ...largest }]);
  });

  it("of more than one parameter's size all arrive, in the order of their minutes", async () => {
    const levels = Array.from({ length: 20 }, (_, depth): [number, number] => [6_000_000_000 - depth, 123_456_789_012]);
    const snapshots = Array.from({ length: 900 }, (_, index) =>
      minuteSnapshot({ minute: MINUTE + (899 - index) * 60_000, bids: levels, asks: levels }),
    );
    await writeBatch(database, stored({ snapshots }));
    const rows = await readSnapshots(database, ALL);
    expect(rows.map(({ minute }) => minute)).toEqual(Array.from({ length: 900 }, (_, index) => MINUTE + index * 60_000));
  });

  it("that D1 refuses leave nothing of their batch behind, though all before the last statement was right", async () => {
    const right = stored({ snapshots: [minuteSnapshot({})], gaps: [gap({})] });
    const broken: StoredBatch = { ...right, batch: { ...right.batch, feed: null as unknown as string } };
    await expect(writeBatch(database, broken)).rejects.toThrow();
    expect(await readInstrument(database, MARKET)).toBeNull();
    expect(await readSnapshots(database, ALL)).toEqual([]);
    expect(await readGaps(database, { ...ALL, after: null })).toEqual([]);
    await writeBatch(database, right);
    expect(await readSnapshots(database, ALL)).toHaveLength(1);
  });
});

describe("a stored minute, as the API shows it", () => {
  it("is what the feed wrote, each side with its own size and levels, and each time its own", async () => {
    const features = { featureTime: MINUTE + 59_000, fingerprint: "fedcba9876543210", row: [0.5, -0.25] };
    const bids: [number, number][] = [
      [6_000_000, 100],
      [5_999_998, 7],
    ];
    const snapshot = minuteSnapshot({
      bids,
      features,
      lastSequence: 41,
      coveredMs: 58_000,
      events: 12,
      trades: 3,
      pricePath: "@1767614399/8812345/1;;1;-1,2",
    });
    await writeBatch(database, stored({ snapshots: [snapshot], tape: { key: "tape/v2/x", offset: 33, bytes: 77 } }));
    const [row] = await readSnapshots(database, ALL);
    expect(shown(row)).toEqual({
      minute: MINUTE,
      minuteIso: "2026-01-05T12:00:00.000Z",
      tick: "0.01",
      lot: "0.00001",
      batch: batchId("main", MINUTE, 0),
      state: "live",
      bookState: "normal",
      bid: { price: "60000.00", size: "0.00100", priceTicks: 6_000_000, sizeLots: 100 },
      ask: { price: "60000.01", size: "0.00200", priceTicks: 6_000_001, sizeLots: 200 },
      mid: "60000.005",
      bids: [
        { price: "60000.00", size: "0.00100", priceTicks: 6_000_000, sizeLots: 100 },
        { price: "59999.98", size: "0.00007", priceTicks: 5_999_998, sizeLots: 7 },
      ],
      asks: [{ price: "60000.01", size: "0.00200", priceTicks: 6_000_001, sizeLots: 200 }],
      lastSequence: 41,
      bookHash: "0123456789abcdef",
      marketTime: MINUTE + 59_900,
      features,
      coveredMs: 58_000,
      events: 12,
      trades: 3,
      pricePath: "@1767614399/8812345/1;;1;-1,2",
      split: { label: "test", schedule: "days-6-2-2-embargo-60min" },
      tape: { key: "tape/v2/x", offset: 33, bytes: 77, url: "/v1/markets/binance-spot:BTCUSDT/tapes/2026-01-05T12:00:00.000Z" },
    });
  });

  it("keeps its meaning on the grids of its own row; one without them is a fault of ours, never prices on a guessed grid", async () => {
    const grids = { tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 1, mantissa: 1 } };
    await writeBatch(
      database,
      stored({ snapshots: [minuteSnapshot({ instrument: { ...grids, venue: "binance-spot", symbol: "BTCUSDT" } })] }),
    );
    const [row] = await readSnapshots(database, ALL);
    expect(shown(row)).toMatchObject({ bid: { price: "3000000.0", size: "10.0" }, asks: [{ price: "3000000.5", size: "20.0" }] });
    expect(() => shown(row && { ...row, lot: "" })).toThrow('has the grids "0.5" and ""');
  });

  it("without a live book is null where nothing was known, not an empty book or a price of 0", async () => {
    const nothing = { quote: null, bids: null, asks: null, lastSequence: null, bookHash: null, marketTime: null };
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({ ...nothing, state: "syncing", coveredMs: 0 })] }));
    const [row] = await readSnapshots(database, ALL);
    expect(shown(row)).toMatchObject({
      ...{ state: "syncing", bid: null, ask: null, mid: null, bids: null, asks: null },
      ...{ lastSequence: null, bookHash: null, marketTime: null, features: null, coveredMs: 0, tape: null },
    });
  });
});

describe("gaps of a market that is retired", () => {
  const retired = gap({ id: "r", from: MINUTE, to: null, reason: "retired", action: "retired" });
  const began = (from: number, changes: Partial<GapRecord> = {}) => gap({ id: `s${from}`, from, to: null, reason: "started", ...changes });
  const write = (...gaps: GapRecord[]) => writeBatch(database, stored({ gaps }));
  const endOf = async () => (await readGaps(database, { ...ALL, after: null })).find(({ id }) => id === "r")?.to;

  it.each([
    ["the end first", [retired, began(MINUTE + 9_000)]],
    ["the beginning first", [began(MINUTE + 9_000), retired]],
    ["the end again", [retired, began(MINUTE + 9_000), retired]],
    ["a later beginning too", [retired, began(MINUTE + 9_000), began(MINUTE + 90_000)]],
    [
      "earlier beginnings too",
      [began(MINUTE - 86_400_000), began(MINUTE - 5_000, { reason: "restarted" }), retired, began(MINUTE + 9_000)],
    ],
  ])("end where it is recorded again, so that no time is missing from the ledger: %s", async (_, gaps) => {
    for (const each of gaps) await write(each);
    expect(await endOf()).toBe(MINUTE + 9_000);
  });

  it("end at once when another object had begun while the old one still ran", async () => {
    for (const each of [began(MINUTE - 20_000), retired]) await write(each);
    expect(await endOf()).toBe(MINUTE);
  });

  it("stay open while it isn't recorded, whatever other markets do and it did before", async () => {
    const others = [began(MINUTE + 9_000, { id: "o", market: "binance-spot:ETHUSDT" }), began(MINUTE - 86_400_000)];
    for (const each of [retired, ...others, gap({ id: "t", from: MINUTE + 10, to: MINUTE + 20, reason: "lost-trades" })]) await write(each);
    expect(await endOf()).toBeNull();
  });
});

describe("gaps", () => {
  it("once closed are never opened, moved or renamed by a late write", async () => {
    const open = gap({ to: null, action: "pending" });
    const closed = gap({ to: MINUTE + 9_000, action: "resynced" });
    for (const written of [open, closed, open, gap({ to: MINUTE + 50_000, action: "dropped" })]) {
      await writeBatch(database, stored({ gaps: [written] }));
    }
    const rows = await readGaps(database, { ...ALL, after: null });
    expect(rows).toEqual([closed]);
    expect(rows.map(gapBody)).toEqual([closed]);
  });

  it("are found by the stretch they touch, of one market or of all", async () => {
    const other = gap({ id: "c", market: "binance-spot:ETHUSDT", from: MINUTE + 20, to: null, action: "pending" });
    const gaps = [gap({ id: "a", from: MINUTE, to: MINUTE + 10 }), gap({ id: "b", from: MINUTE + 10, to: MINUTE + 30 }), other];
    await writeBatch(database, stored({ gaps }));
    const ids = async (market: string | null, from: number, to: number): Promise<string[]> =>
      (await readGaps(database, { market, from, to, after: null, limit: 10 })).map(({ id }) => id);
    expect(await ids(MARKET, MINUTE, MINUTE + 10)).toEqual(["a"]);
    expect(await ids(MARKET, MINUTE + 10, MINUTE + 11)).toEqual(["b"]);
    expect(await ids(null, MINUTE + 25, MINUTE + 1_000)).toEqual(["b", "c"]);
    expect(await ids(null, MINUTE + 500_000, MINUTE + 600_000)).toEqual(["c"]);
  });

  it("that began in the same moment are all on some page: a venue's restart breaks every market at once", async () => {
    const gaps = ["a", "b", "c"].map((id) => gap({ id, market: `binance-spot:${id}` }));
    await writeBatch(database, stored({ gaps: [...gaps, gap({ id: "0", from: MINUTE + 1 })] }));
    const range = { market: null, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 };
    const seen: string[] = [];
    let after: { from: number; id: string } | null = null;
    // Five pages of one hold four gaps and end; a page that comes again does not run on for ever.
    for (let page = 0; page < 5; page++) {
      const [next]: GapRecord[] = await readGaps(database, { ...range, after });
      if (next === undefined) break;
      seen.push(next.id);
      after = next;
    }
    expect(seen).toEqual(["a", "b", "c", "0"]);
  });
});

describe("rows beyond what one parameter takes", () => {
  it("go in as few statements as D1's size for one allows, and arrive whole", async () => {
    // 100 kB each, five to a parameter of 600 kB; the 25 together are more than the 2 MB that D1 takes.
    const gaps = Array.from({ length: 25 }, (_, index) => gap({ id: String.fromCharCode(97 + index), detail: "x".repeat(100_000) }));
    const statements = bulkUpsert(database, { table: gapTable, rows: gaps.map(gapRow), conflict: { key: ["id"] } });
    expect(statements).toHaveLength(5);
    await writeBatch(database, stored({ gaps }));
    expect(await readGaps(database, { ...ALL, after: null })).toEqual(gaps);
  });
});

describe("instruments", () => {
  it("are replaced when the venue changes a grid", async () => {
    await writeBatch(database, stored({}));
    await writeBatch(database, { ...stored({}), instruments: [{ ...instrument, tick: "0.1" }] });
    expect(await readInstrument(database, MARKET)).toEqual({ ...instrument, tick: "0.1" });
  });
});

describe("batches", () => {
  it("of a feed are told from those of a feed whose name begins the same, and the last is found", async () => {
    for (const [feed, startedAt] of [
      ["main", MINUTE],
      ["main", MINUTE + 60_000],
      ["main-2", MINUTE + 120_000],
    ] as const) {
      await writeBatch(database, { ...stored({}), batch: { ...stored({}).batch, id: batchId(feed, startedAt, 0), feed, startedAt } });
    }
    // The first run after a restart may store nothing but the gap.
    const gapsAlone = {
      ...stored({}).batch,
      id: batchId("main", MINUTE + 90_000, 0),
      startedAt: MINUTE + 90_000,
      firstMinute: null,
      lastMinute: null,
    };
    await writeBatch(database, { ...stored({}), batch: gapsAlone });
    expect(await readLastStored(database, "main")).toMatchObject({ feed: "main", startedAt: MINUTE + 60_000 });
  });
});

describe("tapes", () => {
  it("of a minute's markets are one object, each market's a range of it, with the checksum of the bytes", async () => {
    const given = tapesOf({ ETHUSDT: "ether", BTCUSDT: "bitcoin", _feed: "acknowledged" });
    const { places, objects } = await putTapes(env.TAPES, given);
    const { objects: listed } = await env.TAPES.list({ prefix: "tape/" });
    expect(listed.map(({ key }) => key)).toEqual(["tape/v2/binance-spot/2026-01-05/1200.main.00.tapes.gz"]);
    expect(objects).toBe(1);
    const object = await env.TAPES.get(listed[0]?.key ?? "");
    const body = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
    // Any tool can read it: it is gzip from end to end.
    expect(gunzipSync(body).toString()).toBe("bitcoinetheracknowledged");
    expect(new Uint8Array(object?.checksums.sha256 ?? new ArrayBuffer(0))).toEqual(
      new Uint8Array(await crypto.subtle.digest("SHA-256", body)),
    );
    for (const { symbol, bytes } of given.tapes) {
      const place = places.get(symbol);
      expect(place?.key).toBe(object?.key);
      expect(body.slice(place?.offset, (place?.offset ?? 0) + (place?.bytes ?? 0))).toEqual(new Uint8Array(bytes));
      expect(await read(symbol)).toEqual(gunzipSync(bytes).toString());
    }
  });

  it("of a minute written twice are the same object, written once", async () => {
    const given = tapesOf({ BTCUSDT: "one", ETHUSDT: "two" });
    const first = await putTapes(env.TAPES, given);
    const before = await etags();
    expect(await putTapes(env.TAPES, given)).toEqual({ places: first.places, objects: 0 });
    expect(await etags()).toEqual(before);
  });

  it("of one minute in two parts are both kept, in the order they came, and each can come again without being added again", async () => {
    const [first, second] = [tapesOf({ BTCUSDT: "one", ETHUSDT: "alike" }), tapesOf({ BTCUSDT: "another", ETHUSDT: "alike" })];
    await putTapes(env.TAPES, first);
    expect((await putTapes(env.TAPES, second)).objects).toBe(1);
    const before = await etags();
    expect(Object.keys(before)).toEqual([tapesKey(PART_0), tapesKey({ ...PART_0, part: 1 })]);
    for (const again of [first, second, first]) expect((await putTapes(env.TAPES, again)).objects).toBe(0);
    expect(await etags()).toEqual(before);
    expect([await read("BTCUSDT"), await read("ETHUSDT")]).toEqual(["oneanother", "alike"]);
  });

  it("that hold what is there and more add what is new alone: nothing received is in the minute twice", async () => {
    const [part, rest] = [gzip("part"), gzip("rest")];
    await putTapes(env.TAPES, { ...tapesOf({}), tapes: [{ symbol: "BTCUSDT", bytes: part }] });
    const whole = { ...tapesOf({}), tapes: [{ symbol: "BTCUSDT", bytes: new Uint8Array([...part, ...rest]) }] };
    for (const objects of [1, 0]) expect((await putTapes(env.TAPES, whole)).objects).toBe(objects);
    expect(await read("BTCUSDT")).toBe("partrest");
  });

  it("of a market that an earlier part has nothing of go into the next, and are found again there", async () => {
    await putTapes(env.TAPES, tapesOf({ BTCUSDT: "one" }));
    for (const objects of [1, 0]) {
      const second = await putTapes(env.TAPES, tapesOf({ ETHUSDT: "two" }));
      expect(second).toMatchObject({ objects, places: new Map([["ETHUSDT", { offset: 0, key: tapesKey({ ...PART_0, part: 1 }) }]]) });
    }
    expect([await read("BTCUSDT"), await read("ETHUSDT")]).toEqual(["one", "two"]);
  });

  it("that came together with one that is stored are stored beside it: what is there of one market says nothing of another", async () => {
    await putTapes(env.TAPES, tapesOf({ BTCUSDT: "one" }));
    const { places } = await putTapes(env.TAPES, tapesOf({ BTCUSDT: "one", ETHUSDT: "two" }));
    expect([places.get("BTCUSDT")?.key, places.get("ETHUSDT")?.key]).toEqual([tapesKey(PART_0), tapesKey({ ...PART_0, part: 1 })]);
    expect([await read("BTCUSDT"), await read("ETHUSDT")]).toEqual(["one", "two"]);
  });

  it("of many writers at once all arrive whole", async () => {
    const words = ["alpha", "beta", "gamma"];
    await Promise.all(words.map((word) => putTapes(env.TAPES, tapesOf({ BTCUSDT: word }))));
    const text = await read("BTCUSDT");
    expect(text).toHaveLength(words.join("").length);
    for (const word of words) expect(text).toContain(word);
  });

  it("of a market that moved to another feed within the minute are read from both", async () => {
    await putTapes(env.TAPES, tapesOf({ BTCUSDT: "before" }));
    await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "after" }), feed: "new" });
    expect(await read("BTCUSDT")).toBe("beforeafter");
  });

  it("of other minutes, markets and venues are not read with it", async () => {
    await putTapes(env.TAPES, tapesOf({ BTCUSDT: "mine", BTCUSD: "not mine" }));
    await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "late" }), minute: MINUTE + 60_000 });
    await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "elsewhere" }), venue: "binance-spot-2" });
    expect(await read("BTCUSDT")).toBe("mine");
  });

  it("that are empty are no object: a range of nothing can't be read", async () => {
    const given = { ...tapesOf({}), tapes: [{ symbol: "BTCUSDT", bytes: new Uint8Array() }] };
    expect(await putTapes(env.TAPES, given)).toEqual({ places: new Map(), objects: 0 });
    expect(await etags()).toEqual({});
  });

  it("whose directory is not that of their object are refused: it would give one market's bytes for another's", async () => {
    await env.TAPES.put(tapesKey(PART_0), gzip("x"), { customMetadata: { directory: "BTCUSDT:1" } });
    await expect(read("BTCUSDT")).rejects.toThrow('have the directory "BTCUSDT:1"');
  });
});

describe("a day of a market's tapes", () => {
  const DAY = Date.UTC(2026, 0, 5);

  it("is every minute stored, oldest first and with all its pieces, and names each that is not", async () => {
    const minutes = [0, 1, 3, 1_439].map((index) => DAY + index * 60_000);
    for (const minute of minutes.toReversed()) await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: `${minute}\n` }), minute });
    await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "late\n" }), minute: DAY });
    await putTapes(env.TAPES, { ...tapesOf({ ETHUSDT: "x" }), minute: DAY + 120_000 });
    await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "tomorrow" }), minute: DAY + 1_440 * 60_000 });
    const day = await findDayTapes(env.TAPES, BTC, "2026-01-05");
    expect(day.minutes.map(({ minute }) => minute)).toEqual(minutes);
    expect(day.missing).toHaveLength(1_436);
    expect(day.missing.slice(0, 3)).toEqual([2, 4, 5].map((index) => DAY + index * 60_000));
    const texts: string[] = [];
    for await (const { minute, bytes } of readDayTapes(env.TAPES, day)) texts.push(`${minute}: ${gunzipSync(bytes).toString()}`);
    expect(texts.map((text) => text.replaceAll("\n", " "))).toEqual([
      `${DAY}: ${DAY} late `,
      ...minutes.slice(1).map((minute) => `${minute}: ${minute} `),
    ]);
  });

  it("goes over as many pages as the store makes of it", async () => {
    const minutes = Array.from({ length: 7 }, (_, index) => DAY + index * 60_000);
    for (const minute of minutes) await putTapes(env.TAPES, { ...tapesOf({ BTCUSDT: "x" }), minute });
    const paging = new Proxy(env.TAPES, {
      get: (bucket, call) =>
        call === "list" ? (options: R2ListOptions) => bucket.list({ ...options, limit: 3 }) : (Reflect.get(bucket, call) as unknown),
    });
    expect((await findDayTapes(paging, BTC, "2026-01-05")).minutes.map(({ minute }) => minute)).toEqual(minutes);
  });

  it.each(["2026-02-30", "2026-1-5", "today"])("that no calendar has is refused: %s", async (day) => {
    await expect(findDayTapes(env.TAPES, BTC, day)).rejects.toThrow(`no such day: ${day}`);
  });
});

const BTC = { venue: "binance-spot", symbol: "BTCUSDT" };

function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 1 });
}

/** @param texts by symbol. */
function tapesOf(texts: Record<string, string>): MinuteTapes {
  const tapes = Object.entries(texts).map(([symbol, text]) => ({ symbol, bytes: gzip(text) }));
  return { feed: "main", venue: "binance-spot", minute: MINUTE, tapes };
}

/** What a reader of the market's minute is given. */
async function read(symbol: string): Promise<string> {
  const pieces = await findMinuteTape(env.TAPES, { venue: "binance-spot", symbol }, MINUTE);
  return gunzipSync(await readPieces(env.TAPES, pieces)).toString();
}

async function etags(): Promise<Record<string, string>> {
  const { objects } = await env.TAPES.list({ prefix: "tape/" });
  return Object.fromEntries(objects.map(({ key, etag }) => [key, etag]));
}

function shown(row: SnapshotRow | undefined): ReturnType<typeof snapshotBody> {
  if (row === undefined) throw new Error("no row was stored");
  return snapshotBody(row, 20);
}

const instrument = { market: MARKET, venue: "binance-spot", symbol: "BTCUSDT", feed: "main", ...GRIDS };

function stored(parts: {
  snapshots?: readonly MinuteSnapshot[];
  gaps?: readonly GapRecord[];
  tape?: TapePlace;
  splits?: SplitSchedule;
}): StoredBatch {
  const { snapshots = [], gaps = [], tape = null, splits = DEFAULT_SPLIT_SCHEDULE } = parts;
  const id = batchId("main", MINUTE, 0);
  const batch = {
    id,
    feed: "main",
    startedAt: MINUTE,
    minutes: 1,
    rows: snapshots.length,
    gaps: gaps.length,
    tapes: 0,
    objects: 0,
    tapeBytes: 0,
  };
  return {
    batch: { ...batch, firstMinute: MINUTE, lastMinute: MINUTE, remaining: 0 },
    instruments: [instrument],
    snapshots: snapshots.map((snapshot) => snapshotRow({ snapshot, batch: id, tape, splits })),
    gaps: gaps.map(gapRow),
  };
}

function minuteSnapshot(parts: Partial<MinuteSnapshot>): MinuteSnapshot {
  return {
    market: MARKET,
    instrument: { venue: "binance-spot", symbol: "BTCUSDT", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } },
    minute: MINUTE,
    state: "live",
    bookState: "normal",
    quote: { bidTicks: 6_000_000, bidLots: 100, askTicks: 6_000_001, askLots: 200 },
    bids: [[6_000_000, 100]],
    asks: [[6_000_001, 200]],
    lastSequence: 1,
    bookHash: "0123456789abcdef",
    marketTime: MINUTE + 59_900,
    features: null,
    coveredMs: 60_000,
    events: 10,
    trades: 2,
    pricePath: null,
    ...parts,
  };
}

function gap(parts: Partial<GapRecord>): GapRecord {
  return {
    id: "a",
    market: MARKET,
    channel: "depth",
    from: MINUTE,
    to: MINUTE + 1_000,
    reason: "sequence-gap",
    detail: "after 7 came 9",
    action: "resynced",
    ...parts,
  };
}
