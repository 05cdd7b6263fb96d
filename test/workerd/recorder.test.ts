/** The writing side of the object, on its real store, at times that the test says: what storage refuses is late, never lost in silence. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { type AliveMark, FeedStore, MAX_HELD_BYTES, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import { Recorder } from "../../durable-objects/market-feed/recorder.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { feedStub } from "./exchange-control.ts";
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

  it("drops what passes its memory while storage refuses, and the ledger says how much: a hole that nobody could see otherwise", async () => {
    await withRecorder("dropped", ({ store, recorder }) => {
      failFlushes(store, 1);
      const now = MINUTE + 41_000;
      // 32 million characters are held: 31 of these lines, each a little over a million, and the one with the grids.
      const frame = "x".repeat(1_000_000);
      for (let sent = 0; sent < 33; sent++) recorder.frame(["BTCUSDT"], now, frame);
      expect(store.tape("BTCUSDT", MINUTE)).toBeNull();
      expect([recorder.flush(now + 1_000), recorder.flush(now + 2_000)]).toEqual(["stored", "stored"]);
      expect(tapeLines(store.tape("BTCUSDT", MINUTE))).toHaveLength(32);
      expect(store.pendingGaps()).toEqual([
        {
          id: `binance-spot:_feed/tape/${MINUTE}/${now + 1_000}`,
          market: "binance-spot:_feed",
          channel: "tape",
          from: MINUTE,
          to: now + 1_000,
          reason: "tape-overflow",
          detail: "2 records came while storage refused them",
          action: "dropped",
        },
      ]);
    });
  });

  it("lets the oldest minute go before the object's storage is full, and the ledger says which", async () => {
    await withRecorder("overfull", ({ store, recorder }) => {
      const [oldest, kept] = [MINUTE - 120_000, MINUTE - 60_000];
      for (const minute of [oldest, kept]) store.saveChunk(minute, [{ symbol: "BTCUSDT", gzip: new Uint8Array(10) }]);
      store.heldBytes = () => (store.tape("BTCUSDT", oldest) === null ? MAX_HELD_BYTES : MAX_HELD_BYTES + 1);
      recorder.advance(NEXT);
      expect([store.tape("BTCUSDT", oldest), store.tape("BTCUSDT", kept)?.length]).toEqual([null, 10]);
      expect(store.pendingGaps()).toMatchObject([
        {
          channel: "tape",
          from: oldest,
          to: MINUTE - 60_000,
          reason: "tape-overflow",
          detail: expect.stringContaining("2026-01-05T12:56:00"),
          action: "dropped",
        },
      ]);
    });
  });
});
