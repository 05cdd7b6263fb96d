/** What a venue, a network or a machine can do to a feed that a sequence number doesn't show. */

import { describe, expect, it } from "vitest";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { featureView } from "../../feed/feature-view.ts";
import { PendingFrames } from "../../feed/pending-frames.ts";
import { Room } from "../../feed/room.ts";
import { bookView } from "../../feed/views.ts";
import { depthFrame, marketOf, quoteFrame, START, scriptedFeed, snapshotBody, synchronise, tradeFrame } from "./scripted-venue.ts";

const STALE_AFTER = binanceSpot.staleAfterMs;
const HOUR = 3_600_000;

describe("a snapshot that comes late", () => {
  it("of a connection that is gone makes no book, and closes no gap", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    feed.connectionLost(START + 200, "connection-down", "1006");
    feed.snapshot("AAAUSDT", snapshotBody(99), START + 300);
    expect(marketOf(feed).state).toBe("disconnected");
    expect(marketOf(feed).gaps.current).toMatchObject({ reason: "connection-down", to: null });
  });

  it("begins a tape that has no opening, cut from the middle", () => {
    const feed = scriptedFeed();
    feed.record({ kind: "snapshot", receivedAt: START, symbol: "AAAUSDT", body: snapshotBody(99) });
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    expect(marketOf(feed)).toMatchObject({ state: "live", lastSequence: 100 });
  });
});

describe("a book that has stopped", () => {
  it("is stale although trades go on: they don't vouch for it", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    let at = START + 300;
    for (; at < START + STALE_AFTER + 2_000; at += 1_000) feed.frame(tradeFrame(at, at), at);
    expect(bookView(marketOf(feed), { now: at, levels: 1 })).toMatchObject({ ok: false, reason: "stale" });
    expect(feed.staleSymbols(at)).toEqual(["AAAUSDT"]);
  });

  it("is stale when one message has carried the sequence so far that all that follows looks old", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102, to: Number.MAX_SAFE_INTEGER, time: START + 300 }), START + 300);
    let sequence = 103;
    let at = START + 400;
    for (; at < START + STALE_AFTER + 2_000; at += 100) feed.frame(depthFrame({ from: sequence++, time: at }), at);
    expect(feed.staleSymbols(at)).toEqual(["AAAUSDT"]);
  });

  it("of a thin market is excused twenty of its own intervals, however many trades lie between, and never more than twenty of the venue's", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let id = 1; id < 100; id++) feed.frame(tradeFrame(id, START + 300 + id * 100), START + 300 + id * 100);
    feed.frame(depthFrame({ from: 102, time: START + 20_100 }), START + 20_100);
    expect(marketOf(feed).staleAfterMs()).toBe(400_000);
    const asleep = scriptedFeed();
    synchronise(asleep);
    asleep.frame(depthFrame({ from: 102, time: START + HOUR }), START + HOUR);
    expect(marketOf(asleep).staleAfterMs()).toBe(600_000);
  });

  it("after an outage is judged by the market's pace, not by the outage", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let count = 0; count < 50; count++)
      feed.frame(depthFrame({ from: 102 + count, time: START + 300 + count * 100 }), START + 300 + count * 100);
    feed.connectionLost(START + 6_000, "connection-down", "1006");
    synchronise(feed, "AAAUSDT", START + 12 * HOUR);
    expect(marketOf(feed).staleAfterMs()).toBe(STALE_AFTER);
  });
});

describe("a message that breaks whatever it is joined with", () => {
  /** Answers whatever is asked for, with the book as it is at that time; a valid change comes each second. */
  function answer(feed: ReturnType<typeof scriptedFeed>, from: number, until: number): void {
    for (let second = from; second <= until; second++) {
      const at = START + second * 1_000;
      feed.frame(depthFrame({ from: 101 + second, time: at }), at);
      for (const symbol of feed.wantedSnapshots(at)) {
        feed.snapshotAsked(symbol, at);
        feed.snapshot(symbol, snapshotBody(101 + second), at);
      }
    }
  }

  it("is let go after three books, or a digit too many in it would keep the market from ever having one", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    // As found: a price without its point, and a number with six digits too many.
    feed.frame(depthFrame({ from: 102, to: 102_000_000, time: START + 900, bids: [["1000.00", "1.000"]] }), START + 900);
    expect(marketOf(feed)).toMatchObject({ state: "syncing", gaps: { current: { reason: "crossed-book" } } });
    answer(feed, 1, 20);
    expect(marketOf(feed)).toMatchObject({ state: "live", lastSequence: 121 });
    expect(marketOf(feed).book.bids.bestTicks).toBe(1_000);
  });

  it("and so is one whose number no snapshot reaches", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102_000_000, to: 102_000_001, time: START + 900 }), START + 900);
    expect(marketOf(feed)).toMatchObject({ state: "syncing", gaps: { current: { reason: "sequence-gap" } } });
    answer(feed, 1, 20);
    expect(marketOf(feed)).toMatchObject({ state: "live", lastSequence: 121 });
  });
});

describe("the market's clock", () => {
  it("takes no time that no date can show, however many say so", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let id = 1; id <= 5; id++) feed.frame(tradeFrame(id, 9e15), START + 300);
    expect(marketOf(feed).marketTime).toBe(START);
  });

  it("is not carried away by one trade of the future: rows go on", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(tradeFrame(1, START + 59 * 60_000), START + 300);
    for (let count = 0; count < 40; count++) {
      feed.frame(depthFrame({ from: 102 + count, time: START + (count + 1) * 1_000 }), START + (count + 1) * 1_000);
    }
    expect(marketOf(feed).pipeline.latest?.featureTime).toBe(START + 40_000);
    expect(featureView(marketOf(feed), { now: START + 40_000, wanted: [] })).toMatchObject({ ok: true, featureTime: START + 40_000 });
  });

  it("is not set by a first change of the far future", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, to: 101, time: 8e15 }), START + 100);
    feed.snapshot("AAAUSDT", snapshotBody(100), START + 200);
    for (let count = 0; count < 5; count++) {
      feed.frame(depthFrame({ from: 102 + count, time: START + (count + 1) * 1_000 }), START + (count + 1) * 1_000);
    }
    expect(marketOf(feed).pipeline.latest?.featureTime).toBe(START + 5_000);
  });

  it("believes three that agree: a market that has slept for hours wakes up", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const later = START + 5 * HOUR;
    for (let count = 0; count < 5; count++)
      feed.frame(depthFrame({ from: 102 + count, time: later + count * 1_000 }), later + count * 1_000);
    expect(marketOf(feed).marketTime).toBe(later + 4_000);
    expect(marketOf(feed).pipeline.latest?.featureTime).toBe(later + 4_000);
  });

  it("comes back from a wrong time that several events agreed on", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let id = 1; id <= 4; id++) feed.frame(tradeFrame(id, START + 5 * HOUR), START + 300);
    for (let count = 0; count < 6; count++) {
      feed.frame(depthFrame({ from: 102 + count, time: START + (count + 1) * 1_000 }), START + (count + 1) * 1_000);
    }
    expect(marketOf(feed).marketTime).toBe(START + 6_000);
    expect(marketOf(feed).pipeline.latest?.featureTime).toBe(START + 6_000);
  });
});

describe("a trade sent twice", () => {
  it("is counted once", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let count = 0; count < 5; count++) feed.frame(tradeFrame(7, START + 300), START + 300);
    feed.tick(START + 60_000);
    expect(feed.takeClosedMinutes()[0]?.snapshots[0]?.trades).toBe(1);
  });
});

describe("a top outside the levels that the snapshot covered", () => {
  const bids = Array.from({ length: 1_000 }, (_, depth): [string, string] => [(50 - depth / 100).toFixed(2), "1.000"]);
  const asks = Array.from({ length: 1_000 }, (_, depth): [string, string] => [(50.01 + depth / 100).toFixed(2), "1.000"]);

  function exhausted(): ReturnType<typeof scriptedFeed> {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    feed.snapshot("AAAUSDT", snapshotBody(99, bids, asks), START + 200);
    const gone = bids.map(([price]): [string, string] => [price, "0.000"]);
    feed.frame(depthFrame({ from: 101, time: START + 300, bids: [...gone, ["30.00", "1.000"]] }), START + 300);
    return feed;
  }

  it("is not believed for long when no quote of the venue's says the same", () => {
    const feed = exhausted();
    expect(marketOf(feed).state).toBe("live");
    feed.frame(depthFrame({ from: 102, time: START + 11_000 }), START + 11_000);
    expect(marketOf(feed).gaps.current?.reason).toBe("window-exhausted");
  });

  it("is believed as long as quotes do", () => {
    const feed = exhausted();
    for (let count = 0; count < 30; count++) {
      const at = START + 1_000 + count * 1_000;
      feed.frame(depthFrame({ from: 102 + count, time: at }), at);
      feed.frame(quoteFrame(102 + count, { bid: ["30.00", "1.000"], ask: ["50.01", "1.000"] }), at);
    }
    expect(marketOf(feed).state).toBe("live");
  });
});

describe("a snapshot whose best bid lies above its best ask", () => {
  it("makes no book: nothing is served from it, and the next one joins what was kept", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    feed.snapshot("AAAUSDT", snapshotBody(99, [["20.00", "1.000"]], [["10.00", "1.000"]]), START + 200);
    const market = marketOf(feed);
    expect(bookView(market, { now: START + 200, levels: 1 })).toMatchObject({ ok: false, reason: "syncing" });
    expect(market.gaps.current).toMatchObject({ reason: "crossed-book", to: null });
    expect(feed.wantedSnapshots(START + 60_000)).toEqual(["AAAUSDT"]);
    feed.snapshot("AAAUSDT", snapshotBody(99), START + 300);
    expect(market).toMatchObject({ state: "live", lastSequence: 100 });
  });
});

describe("a machine's clock that goes back", () => {
  it("is held: no minute is closed twice, and nothing was received before what came before it", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102, time: START + 55_000 }), START + 55_000);
    feed.frame(depthFrame({ from: 103, time: START + 55_100 }), START + 20_000);
    expect(feed.now).toBe(START + 55_000);
    expect(marketOf(feed)).toMatchObject({ lastReceivedAt: START + 55_000, lastBookAt: START + 55_000, lastSequence: 103 });
    feed.frame(depthFrame({ from: 104, time: START + 56_000 }), START + 56_000);
    feed.tick(START + 110_000);
    expect(feed.takeClosedMinutes().map(({ minute }) => minute)).toEqual([START - 10_000, START + 50_000]);
  });
});

describe("a market that changes more slowly than the venue's markets use to", () => {
  it.each([60, 120, 300])("each %d seconds is learnt from: it is asked for anew a few times, and then left alone", (seconds) => {
    const feed = scriptedFeed();
    synchronise(feed);
    let sequence = 101;
    let resyncs = 0;
    const end = START + 4 * HOUR;
    for (let at = START + 10_000; at < end; at += 10_000) {
      for (const symbol of feed.staleSymbols(at)) {
        resyncs++;
        feed.resync(symbol, at, "silent");
        feed.snapshot(symbol, snapshotBody(sequence), at + 100);
      }
      if ((at - START) % (seconds * 1_000) === 0) feed.frame(depthFrame({ from: ++sequence, time: at + 200 }), at + 200);
    }
    expect(resyncs).toBeLessThanOrEqual(Math.ceil((2 * seconds * 1_000) / STALE_AFTER));
    expect(marketOf(feed).state).toBe("live");
  });
});

describe("a trade", () => {
  const tradesOf = (ids: readonly number[]): number => {
    const feed = scriptedFeed();
    synchronise(feed);
    const before = marketOf(feed).minute.trades;
    for (const id of ids) feed.frame(tradeFrame(id, START + 400), START + 400);
    return marketOf(feed).minute.trades - before;
  };

  it("that is sent twice counts once, also some trades later", () => {
    expect(tradesOf([1, 1, 2, 3, 1, 3])).toBe(3);
  });

  it("that comes late counts, and one absurd id silences none of those that follow", () => {
    expect(tradesOf([2, 1, Number.MAX_SAFE_INTEGER, 3, 4])).toBe(5);
  });
});

describe("a quote that is sent five times", () => {
  it("is one comparison: what is printed as proof is not what was repeated", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const quote = quoteFrame(101, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] });
    for (let count = 0; count < 5; count++) feed.frame(quote, START + 300);
    expect(marketOf(feed).check).toMatchObject({ comparisons: 1, mismatches: 0 });
  });
});

describe("frames kept while a snapshot is on its way", () => {
  const event = { kind: "depth", symbol: "AAAUSDT", venueTime: 1, firstSequence: 5, lastSequence: 5, previousSequence: null } as const;
  const levels = { bidCount: 0, askCount: 0, priceTicks: new Float64Array(0), sizeLots: new Float64Array(0) };

  it("are bounded by their number and by their size, and what is dropped is said", () => {
    const byNumber = new PendingFrames({ frames: 2, room: new Room(1_000) });
    expect(["a", "b", "c"].map((frame) => byNumber.push({ ...event, levels }, frame))).toEqual(["kept", "kept", "overflowed"]);
    expect(byNumber.take()).toEqual(["c"]);
    expect(byNumber.firstSequence).toBeNull();
    const bySize = new PendingFrames({ frames: 1_000, room: new Room(10) });
    expect(["aaaaaa", "bbbbbb", "cccc"].map((frame) => bySize.push({ ...event, levels }, frame))).toEqual(["kept", "overflowed", "kept"]);
    expect(bySize.firstSequence).toBe(5);
  });

  it("of all markets share one room: together they hold no more than one would, and what one lets go the others may take", () => {
    const room = new Room(10);
    const [one, other] = [new PendingFrames({ frames: 9, room }), new PendingFrames({ frames: 9, room })];
    const push = (to: PendingFrames, frame: string): string => to.push({ ...event, levels }, frame);
    expect([push(one, "aaaaaa"), push(other, "bbb"), push(other, "ccc")]).toEqual(["kept", "kept", "overflowed"]);
    expect([room.taken, one.take(), other.take()]).toEqual([9, ["aaaaaa"], ["ccc"]]);
    expect(room.taken).toBe(0);
    // There is no room for it even with nothing of its own.
    expect([push(one, "aaaaaaaa"), push(other, "bbb"), other.firstSequence, room.taken]).toEqual(["kept", "overflowed", null, 8]);
    one.clear();
    expect([push(other, "bbb"), room.taken]).toEqual(["kept", 3]);
  });

  it("are known by the oldest change among them: a snapshot that ends before it would leave a hole", () => {
    const pending = new PendingFrames({ frames: 3, room: new Room(1_000) });
    for (const firstSequence of [5, 6, 7]) pending.push({ ...event, firstSequence, levels }, "a");
    expect(pending.firstSequence).toBe(5);
    expect(pending.push({ ...event, firstSequence: 8, levels }, "a")).toBe("overflowed");
    expect(pending.firstSequence).toBe(8);
    pending.clear();
    expect(pending.firstSequence).toBeNull();
  });
});
