/** The object's own store: what it takes it gives back, whole, or not at all. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { FeedStore, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import type { GapRecord, MinuteSnapshot } from "../../feed/contract.ts";
import { feedStub } from "./exchange-control.ts";

const MINUTE = Date.UTC(2026, 0, 5, 12, 0);

function withStore(act: (store: FeedStore) => void): Promise<void> {
  return runInDurableObject(feedStub("store"), (_, state) => act(new FeedStore(new ObjectStore(state.storage), "store")));
}

/** Bytes that tell their place, so that a piece lost or moved shows. */
function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (Math.imul(index + seed, 2_654_435_761) >>> 13) & 255);
}

function gapAt(from: number, to: number | null): GapRecord {
  const id = `binance-spot:AAA/depth/${from}/stale`;
  return {
    id,
    market: "binance-spot:AAA",
    channel: "depth",
    from,
    to,
    reason: "stale",
    detail: "",
    action: to === null ? "pending" : "resynced",
  };
}

describe("the feed's store", () => {
  it("cuts a part that is larger than a row, and joins it again beside the others", async () => {
    await withStore((store) => {
      const large = bytes(5_000_000, 1);
      const small = bytes(100, 2);
      store.saveChunk(MINUTE, [
        { symbol: "AAA", gzip: small },
        { symbol: "BBB", gzip: large },
      ]);
      store.saveChunk(MINUTE, [{ symbol: "AAA", gzip: small }]);
      const [a, b] = [store.tape("AAA", MINUTE), store.tape("BBB", MINUTE)];
      expect(b?.length).toBe(large.length);
      expect(b?.every((value, index) => value === large[index])).toBe(true);
      expect(a).toEqual(Uint8Array.from([...small, ...small]));
      expect(store.tape("CCC", MINUTE)).toBeNull();
    });
  });

  it("gives several symbols' tapes at once, each its own and all of it, and nothing for one that has none", async () => {
    await withStore((store) => {
      const minute = MINUTE + 300_000;
      for (const seed of [10, 20]) {
        store.saveChunk(minute, [
          { symbol: "AAA", gzip: bytes(5, seed) },
          { symbol: "BBB", gzip: bytes(7, seed + 1) },
          { symbol: "CCC", gzip: bytes(3, seed + 2) },
        ]);
      }
      expect(store.tapes(["CCC", "NONE", "AAA"], minute)).toEqual([
        { symbol: "CCC", bytes: Uint8Array.from([...bytes(3, 12), ...bytes(3, 22)]) },
        { symbol: "AAA", bytes: Uint8Array.from([...bytes(5, 10), ...bytes(5, 20)]) },
      ]);
      store.acknowledgeMinutes([minute]);
    });
  });

  it("counts the rows that it writes as they are billed: a bill of less would be no bill", async () => {
    await withStore((store) => {
      const written = (act: () => void): number => {
        const before = store.rowsWritten;
        act();
        return store.rowsWritten - before;
      };
      const minute = MINUTE + 360_000;
      const chunk = [{ symbol: "AAA", gzip: bytes(5, 1) }];
      expect([1, 2].map(() => written(() => store.saveChunk(minute, chunk)))).toEqual([1, 1]);
      expect(written(() => store.keep("alive", { at: minute }))).toBe(1);
      expect(written(() => store.saveMinute(minute, []))).toBe(1);
      expect(written(() => store.acknowledgeMinutes([minute]))).toBe(3);
      const before = store.rowsRead;
      store.saveChunk(minute, chunk);
      store.tapes(["AAA"], minute);
      expect(store.rowsRead - before).toBeGreaterThanOrEqual(1);
      store.acknowledgeMinutes([minute]);
    });
  });

  it("writes all of a flush or nothing: a chunk stored before a failure would be stored again", async () => {
    await withStore((store) => {
      const minute = MINUTE + 60_000;
      const failing = (): void =>
        store.atomically(() => {
          store.saveChunk(minute, [{ symbol: "AAA", gzip: bytes(10, 3) }]);
          throw new Error("storage is full");
        });
      expect(failing).toThrow("storage is full");
      expect(store.tape("AAA", minute)).toBeNull();
    });
  });

  it("lets the oldest minute of the whole object go first, rows and tape alike, and says whose it was: a busy feed has no room of its own", async () => {
    await runInDurableObject(feedStub("shared-store"), (_, state) => {
      const object = new ObjectStore(state.storage);
      const [one, other] = [new FeedStore(object, "one"), new FeedStore(object, "other")];
      one.keep("instruments", [{ venue: "binance-spot", symbol: "AAA" }]);
      const snapshot = { market: "bitmex:BBB" } as MinuteSnapshot;
      const part = (symbol: string): { symbol: string; gzip: Uint8Array } => ({ symbol, gzip: bytes(10, 4) });
      one.saveMinute(MINUTE + 60_000, []);
      one.saveChunk(MINUTE + 60_000, [part("AAA"), part("_feed")]);
      other.saveMinute(MINUTE, [snapshot]);
      other.saveMinute(MINUTE + 120_000, [snapshot]);
      // Two parts of ten bytes, and what the rows' text takes.
      expect(object.heldBytes()).toBe(20 + 2 * JSON.stringify([snapshot]).length + "[]".length);
      expect(object.dropOldest()).toEqual({ feed: "other", minute: MINUTE, markets: ["bitmex:BBB"] });
      expect([one.pendingCount().minutes, other.pendingCount().minutes]).toEqual([1, 1]);
      expect(object.dropOldest()).toEqual({ feed: "one", minute: MINUTE + 60_000, markets: ["binance-spot:AAA", "binance-spot:_feed"] });
      expect(one.tape("AAA", MINUTE + 60_000)).toBeNull();
      expect([object.dropOldest()?.minute, object.dropOldest(), object.heldBytes()]).toEqual([MINUTE + 120_000, null, 0]);
    });
  });

  it("hands a gap out until the ledger has its end: one that is stored open is sent again when it closes", async () => {
    await withStore((store) => {
      const [open, closed] = [gapAt(MINUTE, null), gapAt(MINUTE, MINUTE + 5_000)];
      store.saveGaps([open]);
      store.acknowledgeGaps([open]);
      expect([store.pendingGaps(), store.openGaps()]).toEqual([[], [open]]);
      store.saveGaps([closed]);
      // It closed while the ledger was storing its open form, or an earlier end of it.
      store.acknowledgeGaps([open, gapAt(MINUTE, MINUTE + 4_000)]);
      expect([store.pendingGaps(), store.openGaps()]).toEqual([[closed], []]);
      store.acknowledgeGaps([closed]);
      expect(store.pendingGaps()).toEqual([]);
    });
  });

  it("lets the oldest closed gaps go when no ledger comes for them, and never one that is open", async () => {
    await withStore((store) => {
      const open = gapAt(MINUTE, null);
      // 10,000 are held; these are three more with the open one.
      store.saveGaps([open, ...Array.from({ length: 10_002 }, (_, index) => gapAt(MINUTE + 1 + index, MINUTE + 20_000))]);
      const held = store.pendingGaps();
      expect([held.length, held[0], held[1]?.from, held.at(-1)?.from]).toEqual([10_001, open, MINUTE + 3, MINUTE + 10_002]);
    });
  });
});
