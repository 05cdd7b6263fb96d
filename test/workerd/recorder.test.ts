/** The writing side of the object, on its real store, at times that the test says: what storage refuses is late, never lost in silence. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { decodeTapeLine, type TapeRecord } from "../../core/wire/tape.ts";
import { type AliveMark, FeedStore, MAX_HELD_BYTES, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import { earlierCounts, Recorder } from "../../durable-objects/market-feed/recorder.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { depthFrame, feedStub, snapshotBody } from "./exchange-control.ts";
import { tapeLines } from "./tape-lines.ts";

/** 12:58, so that the hour turns at the second minute after it. */
const MINUTE = Date.UTC(2026, 0, 5, 12, 58);
const NEXT = MINUTE + 60_000;

const BTC: Instrument = {
  venue: "binance-spot",
  symbol: "BTCUSDT",
  tick: { decimals: 2, mantissa: 1 },
  lot: { decimals: 5, mantissa: 1 },
};

interface Bench {
  readonly store: FeedStore;
  readonly reducer: FeedReducer;
  readonly recorder: Recorder;
}

/** A recorder that begins at 40 s of the minute, in an object of its own. */
function withRecorder(name: string, act: (bench: Bench) => void): Promise<void> {
  return runInDurableObject(feedStub(name), (_, state) => {
    const store = new FeedStore(new ObjectStore(state.storage), name);
    const reducer = new FeedReducer({ adapter: binanceSpot, instruments: [BTC], featureSet: featureSetV1 });
    reducer.tick(MINUTE + 40_000);
    act({ store, reducer, recorder: new Recorder(store, reducer, MINUTE + 40_000) });
  });
}

/** Storage that fails in the midst of so many flushes from now on, after it has taken their tape. */
function failFlushes(store: FeedStore, count: number): void {
  const saveGaps = store.saveGaps.bind(store);
  let left = count;
  store.saveGaps = (gaps) => {
    if (left-- > 0) throw new Error("storage is full");
    saveGaps(gaps);
  };
}

describe("the recorder", () => {
  it("stores what storage refused once it takes it: each record once, under the minute that it came in", async () => {
    await withRecorder("refused", ({ store, reducer, recorder }) => {
      recorder.frame(["BTCUSDT"], MINUTE + 54_000, "first");
      expect(tapeLines(store.tape("BTCUSDT", MINUTE))).toEqual([`${MINUTE + 40_000} i BTCUSDT 0.01 0.00001`, `${MINUTE + 54_000} f first`]);
      failFlushes(store, 2);
      recorder.frame(["BTCUSDT"], MINUTE + 56_000, "second");
      expect(recorder.flush(MINUTE + 57_000)).toBe("refused");
      expect(tapeLines(store.tape("BTCUSDT", MINUTE))).toHaveLength(2);
      // The minute ends while storage still refuses.
      reducer.tick(NEXT + 3_000);
      recorder.advance(NEXT + 3_000);
      recorder.frame(["BTCUSDT"], NEXT + 3_000, "third");
      recorder.advance(NEXT + 9_000);
      recorder.frame(["BTCUSDT"], NEXT + 9_000, "fourth");
      recorder.flush(NEXT + 9_000);
      expect(tapeLines(store.tape("BTCUSDT", MINUTE)).slice(2)).toEqual([`${MINUTE + 56_000} f second`, `${NEXT + 3_000} f third`]);
      expect(tapeLines(store.tape("BTCUSDT", NEXT))).toEqual([`${NEXT + 9_000} i BTCUSDT 0.01 0.00001`, `${NEXT + 9_000} f fourth`]);
      expect(store.pendingMinutes(9).map(({ minute }) => minute)).toEqual([MINUTE]);
      expect(store.pendingGaps()).toEqual([]);
    });
  });

  it("stores at the latest what came five seconds ago: that is all that a kill may cost", async () => {
    await withRecorder("interval", ({ store, recorder }) => {
      recorder.frame(["BTCUSDT"], MINUTE + 44_999, "first");
      expect(store.tape("BTCUSDT", MINUTE)).toBeNull();
      recorder.frame(["BTCUSDT"], MINUTE + 45_000, "second");
      expect(tapeLines(store.tape("BTCUSDT", MINUTE))).toHaveLength(3);
      expect(store.kept<AliveMark>("alive")).toMatchObject({ at: MINUTE + 45_000, minute: MINUTE });
    });
  });

  it("drops what passes the object's memory while storage refuses, and the ledger says of which market, and how much", async () => {
    await withRecorder("dropped", ({ store, recorder }) => {
      failFlushes(store, 1);
      const now = MINUTE + 41_000;
      // 32 million characters are held: 31 of these lines, each a little over a million, and the two with the grids.
      const frame = "x".repeat(1_000_000);
      for (let sent = 0; sent < 33; sent++) recorder.frame(["BTCUSDT"], now + sent, frame);
      recorder.frame([], now + 40, frame);
      expect(store.tape("BTCUSDT", MINUTE)).toBeNull();
      expect([recorder.flush(now + 1_000), recorder.flush(now + 2_000)]).toEqual(["stored", "stored"]);
      expect(tapeLines(store.tape("BTCUSDT", MINUTE))).toHaveLength(32);
      const common = { channel: "tape", to: now + 1_000, reason: "tape-overflow", action: "dropped" };
      const gap = (market: string, from: number, detail: string): unknown => ({
        ...{ ...common, market, from, detail },
        id: `${market}/tape/${from}/tape-overflow/${now + 1_000}`,
      });
      expect(store.pendingGaps()).toEqual([
        gap("binance-spot:BTCUSDT", now + 31, "2 records came while storage refused them"),
        gap("binance-spot:_feed", now + 40, "1 records came while storage refused them"),
      ]);
    });
  });

  it("puts the hole onto the tape of a market that lost records, and its book behind it: a replay goes on from there, and not through the hole", async () => {
    await withRecorder("torn", ({ store, reducer, recorder }) => {
      const at = MINUTE + 41_000;
      reducer.connectionOpened(at);
      const take = (sequence: number, price: string): void => {
        const text = depthFrame("BTCUSDT", { from: sequence, bids: [[price, "1.00000"]] });
        recorder.advance(at + sequence);
        reducer.frame(text, at + sequence);
        recorder.frame(["BTCUSDT"], at + sequence, text);
      };
      recorder.connection(at, { kind: "open", connection: "1" });
      reducer.snapshot("BTCUSDT", snapshotBody(100), at);
      recorder.snapshot("BTCUSDT", at, snapshotBody(100));
      take(101, "99.90");
      const { tapeRoom } = store.object;
      const others = tapeRoom.size - tapeRoom.taken;
      expect(tapeRoom.take(others)).toBe(true);
      take(102, "99.91");
      tapeRoom.give(others);
      recorder.flush(at + 102);
      take(103, "99.92");
      recorder.flush(at + 104);
      const lines = tapeLines(store.tape("BTCUSDT", MINUTE));
      expect(lines.map((line) => line.split(" ")[1]).join(" ")).toBe("i o s f g k f");
      expect(lines[4]).toBe(`${at + 103} g BTCUSDT records were lost that storage refused`);
      const replay = new FeedReducer({ adapter: binanceSpot, instruments: [BTC], featureSet: featureSetV1 });
      for (const line of lines) replay.record(decodeTapeLine(line) as TapeRecord);
      const [replayed, live] = [replay, reducer].map(({ markets }) => markets.get("BTCUSDT"));
      expect([replayed?.state, replayed?.lastSequence]).toEqual(["live", 103]);
      expect(replayed?.book.contentHash()).toBe(live?.book.contentHash());
    });
  });

  it("lets the oldest minute go before the object's storage is full, whichever feed's it is, and the ledger says so of each market in it", async () => {
    await withRecorder("overfull", ({ store, recorder }) => {
      const [oldest, kept] = [MINUTE - 120_000, MINUTE - 60_000];
      const other = new FeedStore(store.object, "other");
      other.keep("instruments", [{ ...BTC, venue: "bitmex", symbol: "XBTUSD" }]);
      for (const symbol of ["XBTUSD", "_feed"]) other.saveChunk(oldest, [{ symbol, gzip: new Uint8Array(10) }]);
      store.saveChunk(kept, [{ symbol: "BTCUSDT", gzip: new Uint8Array(10) }]);
      store.object.heldBytes = () => (other.tape("XBTUSD", oldest) === null ? MAX_HELD_BYTES : MAX_HELD_BYTES + 1);
      recorder.advance(NEXT);
      expect([other.tape("XBTUSD", oldest), store.tape("BTCUSDT", kept)?.length]).toEqual([null, 10]);
      const lost = { channel: "tape", from: oldest, to: MINUTE - 60_000, reason: "tape-overflow", action: "dropped" };
      expect(other.pendingGaps()).toMatchObject([
        { ...lost, market: "bitmex:XBTUSD", detail: expect.stringContaining("2026-01-05T12:56:00") },
        { ...lost, market: "bitmex:_feed" },
      ]);
      expect(store.pendingGaps()).toEqual([]);
    });
  });

  it("shares the object's memory with the other feeds: two that storage refuses hold no more than one would", async () => {
    await withRecorder("shared", ({ store, reducer, recorder }) => {
      const second = new FeedStore(store.object, "second");
      const other = new Recorder(second, reducer, MINUTE + 40_000);
      failFlushes(store, 1);
      failFlushes(second, 1);
      const frame = "x".repeat(1_000_000);
      for (let sent = 0; sent < 20; sent++) {
        recorder.frame(["BTCUSDT"], MINUTE + 41_000, frame);
        other.frame(["ETHUSDT"], MINUTE + 41_000, frame);
      }
      expect(store.object.tapeRoom.taken).toBeGreaterThan(31_000_000);
      expect([recorder.flush(MINUTE + 42_000), other.flush(MINUTE + 42_000)]).toEqual(["stored", "stored"]);
      expect(tapeLines(store.tape("BTCUSDT", MINUTE)).length - 1 + tapeLines(second.tape("ETHUSDT", MINUTE)).length).toBe(31);
      expect([...store.pendingGaps(), ...second.pendingGaps()].map(({ detail }) => Number.parseInt(detail, 10))).toEqual([4, 5]);
      expect(store.object.tapeRoom.taken).toBe(0);
    });
  });

  it("writes down at each flush where the best prices have been: a process that dies takes no more of them with it than one flush brings", async () => {
    await withRecorder("path", ({ store, reducer, recorder }) => {
      const path = (): unknown => store.kept<AliveMark>("alive")?.markets.BTCUSDT?.pricePath;
      reducer.connectionOpened(MINUTE + 41_000);
      reducer.frame(depthFrame("BTCUSDT", { from: 101, time: MINUTE + 41_100 }), MINUTE + 41_100);
      reducer.snapshot("BTCUSDT", snapshotBody(100), MINUTE + 41_200);
      recorder.flush(MINUTE + 41_300);
      expect(path()).toBeNull();
      reducer.frame(depthFrame("BTCUSDT", { from: 102, time: MINUTE + 43_500 }), MINUTE + 43_500);
      recorder.flush(MINUTE + 43_600);
      expect(path()).toBe(`@${(MINUTE + 42_000) / 1_000}/9999/2;`);
      reducer.tick(NEXT + 100);
      recorder.tick(NEXT + 100);
      expect(store.pendingMinutes(1)[0]?.snapshots[0]?.pricePath).toBe(`@${(MINUTE + 42_000) / 1_000}/9999/2;`);
      expect(path()).toBeNull();
    });
  });

  it("goes on from no prices on a grid that the market has no more", () => {
    const known = { coveredMs: 5, events: 4, trades: 3, pricePath: "@1767614400/6000000/1", gapStarts: [] };
    expect(earlierCounts(known, BTC, [BTC])).toEqual(known);
    for (const tick of [
      { decimals: 1, mantissa: 1 },
      { decimals: 2, mantissa: 5 },
    ])
      expect(earlierCounts(known, { ...BTC, tick }, [BTC])).toEqual({ ...known, pricePath: null });
    expect(earlierCounts(known, BTC, [])).toEqual({ ...known, pricePath: null });
  });

  it("lets the oldest of its closed minutes go where storage refuses them all and the object has no more room, and no other feed's", async () => {
    await withRecorder("rows", ({ store, reducer, recorder }) => {
      failFlushes(store, 5);
      const { rowsRoom } = store.object;
      // Room for three rows of a market without a book.
      rowsRoom.take(rowsRoom.size - 60);
      for (let minute = 1; minute <= 5; minute++) {
        reducer.tick(MINUTE + minute * 60_000 + 100);
        recorder.tick(MINUTE + minute * 60_000 + 100);
      }
      expect(recorder.flush(MINUTE + 301_000)).toBe("stored");
      expect(store.pendingMinutes(9).map(({ minute }) => (minute - MINUTE) / 60_000)).toEqual([2, 3, 4]);
      expect(rowsRoom.taken).toBe(rowsRoom.size - 60);
    });
  });
});
