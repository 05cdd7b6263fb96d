/** The stores: migrations, and rows that may be written twice, late, or by two writers at once without changing. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tapeKey } from "../../core/wire/keys.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import { gapBody, snapshotBody } from "../../workers/api/views/stored.ts";
import { gapRow, snapshotRow } from "../../workers/cron/rows.ts";
import { bulkUpsert } from "../../workers/storage/bulk-upsert.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { batchId, readLastStored } from "../../workers/storage/read-batches.ts";
import { readGaps } from "../../workers/storage/read-gaps.ts";
import { readInstrument } from "../../workers/storage/read-instruments.ts";
import { readSnapshots, type SnapshotRow } from "../../workers/storage/read-snapshots.ts";
import { gaps as gapTable } from "../../workers/storage/schema.ts";
import { putTape, type Tape } from "../../workers/storage/tapes.ts";
import { type StoredBatch, writeBatch } from "../../workers/storage/write-batch.ts";

const MARKET = "binance-spot:BTCUSDT";
const MINUTE = Date.UTC(2026, 0, 5, 12, 0);
const GRIDS = { tick: "0.01", lot: "0.00001" };
const database = openDatabase(env.DB);
const ALL = { market: MARKET, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  await env.TAPES.delete(tapeKey("binance-spot", "BTCUSDT", MINUTE));
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

  it("keep the tape's key when a second writer found the tape gone", async () => {
    const key = tapeKey("binance-spot", "BTCUSDT", MINUTE);
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({})], tape: { key, bytes: 7 } }));
    await writeBatch(database, stored({ snapshots: [minuteSnapshot({})] }));
    expect(await readSnapshots(database, ALL)).toMatchObject([{ tapeKey: key, tapeBytes: 7 }]);
  });

  it("that saw less of the minute never erase those that saw more, whichever comes first", async () => {
    const full = minuteSnapshot({ coveredMs: 60_000, events: 100 });
    const poor = minuteSnapshot({ coveredMs: 4_000, events: 900, quote: null, bids: null, asks: null, bookHash: null, state: "syncing" });
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

  it("know their tape at its largest, though the poorer row brought it", async () => {
    const key = tapeKey("binance-spot", "BTCUSDT", MINUTE);
    const tapes = [7, 19, 12].map((bytes) => ({ key, bytes }));
    for (const [index, tape] of tapes.entries()) {
      await writeBatch(database, stored({ snapshots: [minuteSnapshot({ coveredMs: 60_000 - index })], tape }));
    }
    expect(await readSnapshots(database, ALL)).toMatchObject([{ coveredMs: 60_000, tapeKey: key, tapeBytes: 19 }]);
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
    const snapshot = minuteSnapshot({ bids, features, lastSequence: 41, coveredMs: 58_000, events: 12, trades: 3 });
    await writeBatch(database, stored({ snapshots: [snapshot], tape: { key: "tape/v1/x", bytes: 77 } }));
    const [row] = await readSnapshots(database, ALL);
    expect(shown(row)).toEqual({
      minute: MINUTE,
      minuteIso: "2026-01-05T12:00:00.000Z",
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
      tape: { key: "tape/v1/x", bytes: 77, url: "/v1/markets/binance-spot:BTCUSDT/tapes/2026-01-05T12:00:00.000Z" },
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
  it("written twice are the same object, with the checksum of their bytes", async () => {
    const tape = { feed: "main", venue: "binance-spot", symbol: "BTCUSDT", minute: MINUTE, bytes: new TextEncoder().encode("some gzip") };
    const first = await putTape(env.TAPES, tape);
    const before = await env.TAPES.head(first.key);
    expect(await putTape(env.TAPES, tape)).toEqual(first);
    const object = await env.TAPES.get(first.key);
    expect(await object?.text()).toBe("some gzip");
    expect(object?.etag).toBe(before?.etag);
    expect(new Uint8Array(object?.checksums.sha256 ?? new ArrayBuffer(0))).toEqual(
      new Uint8Array(await crypto.subtle.digest("SHA-256", tape.bytes)),
    );
  });

  it("of one minute in two parts are both kept, in the order they came, and each can come again without being added again", async () => {
    const [first, second] = [tapeOf("one"), tapeOf("another")];
    const total = first.bytes.byteLength + second.bytes.byteLength;
    const { key } = await putTape(env.TAPES, first);
    expect(await putTape(env.TAPES, second)).toEqual({ key, bytes: total });
    for (const again of [first, second, first]) expect(await putTape(env.TAPES, again)).toEqual({ key, bytes: total });
    expect(await textOf(key)).toBe("oneanother");
  });

  it("that hold what is there and more replace it: the part isn't kept twice", async () => {
    const [part, rest] = [tapeOf("part"), tapeOf("rest")];
    const whole = { ...part, bytes: new Uint8Array([...part.bytes, ...rest.bytes]) };
    const { key } = await putTape(env.TAPES, part);
    expect(await putTape(env.TAPES, whole)).toEqual({ key, bytes: whole.bytes.byteLength });
    expect(await textOf(key)).toBe("partrest");
  });

  it("of many writers at once all arrive whole", async () => {
    const words = ["alpha", "beta", "gamma"];
    const [object] = await Promise.all(words.map((word) => putTape(env.TAPES, tapeOf(word))));
    const text = await textOf(object?.key ?? "");
    expect(text).toHaveLength(words.join("").length);
    for (const word of words) expect(text).toContain(word);
  });

  it("that others change each time it is added to fail at last, and leave what is there", async () => {
    const { key } = await putTape(env.TAPES, tapeOf("kept"));
    let others = 0;
    const busy = new Proxy(env.TAPES, {
      get: (bucket, call) => (call === "get" ? get : call === "put" ? bucket.put.bind(bucket) : (Reflect.get(bucket, call) as unknown)),
    });
    async function get(name: string): Promise<R2ObjectBody | null> {
      const object = await env.TAPES.get(name);
      await putTape(env.TAPES, tapeOf(`other ${others++} `));
      return object;
    }
    await expect(putTape(busy, tapeOf("late"))).rejects.toThrow("was changed by others 5 times");
    expect(await textOf(key)).toBe("keptother 0 other 1 other 2 other 3 other 4 ");
  });
});

function tapeOf(text: string): Tape {
  return { feed: "main", venue: "binance-spot", symbol: "BTCUSDT", minute: MINUTE, bytes: gzipSync(text, { level: 1 }) };
}

async function textOf(key: string): Promise<string> {
  const object = await env.TAPES.get(key);
  return gunzipSync(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toString();
}

function shown(row: SnapshotRow | undefined): ReturnType<typeof snapshotBody> {
  if (row === undefined) throw new Error("no row was stored");
  return snapshotBody(row, 20);
}

const instrument = { market: MARKET, venue: "binance-spot", symbol: "BTCUSDT", feed: "main", ...GRIDS };

function stored(parts: {
  snapshots?: readonly MinuteSnapshot[];
  gaps?: readonly GapRecord[];
  tape?: { key: string; bytes: number };
}): StoredBatch {
  const { snapshots = [], gaps = [], tape = null } = parts;
  const id = batchId("main", MINUTE, 0);
  const batch = { id, feed: "main", startedAt: MINUTE, minutes: 1, rows: snapshots.length, gaps: gaps.length, tapes: 0, tapeBytes: 0 };
  return {
    batch: { ...batch, firstMinute: MINUTE, lastMinute: MINUTE, remaining: 0 },
    instruments: [instrument],
    snapshots: snapshots.map((snapshot) => snapshotRow({ snapshot, batch: id, tape })),
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
