import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { featureView } from "../../feed/feature-view.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { bookView } from "../../feed/views.ts";
import { readNanosecondLines, recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { depthFrame, marketOf, quoteFrame, START, scriptedFeed, snapshotBody, synchronise } from "./scripted-venue.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapAfterCollection(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const STALE_AFTER = binanceSpot.staleAfterMs;

describe("a book is built as the venue prescribes", () => {
  it("joins a snapshot with the changes kept before it came", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const market = marketOf(feed);
    expect(market.state).toBe("live");
    expect(market.lastSequence).toBe(101);
    expect(market.book.bids.lotsAtPrice(999)).toBe(2_000);
    expect(market.book.bids.bestTicks).toBe(1_000);
  });

  it("wants a snapshot once a change has been kept, and of a quiet market after three seconds", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    expect(feed.wantedSnapshots(START + 100)).toEqual([]);
    expect(feed.wantedSnapshots(START + 3_000)).toEqual(["AAAUSDT"]);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    expect(feed.wantedSnapshots(START + 100)).toEqual(["AAAUSDT"]);
    feed.snapshotAsked("AAAUSDT", feed.now);
    expect(feed.wantedSnapshots(START + 5_000)).toEqual([]);
  });

  it("takes another snapshot when the first is older than what was kept, instead of leaving a hole in the book", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 200, time: START }), START + 100);
    feed.snapshotAsked("AAAUSDT", feed.now);
    feed.snapshot("AAAUSDT", snapshotBody(150), START + 200);
    const market = marketOf(feed);
    expect(market.state).toBe("syncing");
    expect(feed.wantedSnapshots(START + 200)).toEqual(["AAAUSDT"]);
    feed.snapshotAsked("AAAUSDT", feed.now);
    feed.snapshot("AAAUSDT", snapshotBody(160), START + 300);
    // The second in a row waits two seconds, or a venue that lags would be asked without a pause.
    expect(feed.wantedSnapshots(START + 2_299)).toEqual([]);
    expect(feed.wantedSnapshots(START + 2_300)).toEqual(["AAAUSDT"]);
    feed.snapshotAsked("AAAUSDT", feed.now);
    feed.snapshot("AAAUSDT", snapshotBody(199), START + 2_400);
    expect(market.state).toBe("live");
    expect(market.lastSequence).toBe(200);
  });

  it("refuses an unreadable snapshot and asks again, as after a request that failed: one bad answer must not end the market", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    feed.snapshotAsked("AAAUSDT", feed.now);
    feed.snapshot("AAAUSDT", `{"lastUpdateId":99,"bids":[["10.0`, START + 200);
    expect(marketOf(feed).state).toBe("syncing");
    expect(feed.malformedFrames).toBe(1);
    expect(feed.wantedSnapshots(START + 200)).toEqual(["AAAUSDT"]);
    feed.snapshotAsked("AAAUSDT", feed.now);
    feed.snapshotFailed("AAAUSDT", START + 300);
    expect(feed.wantedSnapshots(START + 2_299)).toEqual([]);
    expect(feed.wantedSnapshots(START + 2_300)).toEqual(["AAAUSDT"]);
  });
});

describe("a break of the sequence", () => {
  it("takes the book away, names the gap, and heals with the next snapshot", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.takeGapChanges();
    feed.frame(depthFrame({ from: 103, time: START + 300 }), START + 300);
    const market = marketOf(feed);
    expect(market.state).toBe("syncing");
    expect(bookView(market, { now: START + 300, levels: 5 })).toMatchObject({
      ok: false,
      reason: "syncing",
    });
    expect(market.book.state).toBe("empty");
    feed.snapshot("AAAUSDT", snapshotBody(102), START + 1_500);
    expect(market.state).toBe("live");
    expect(market.lastSequence).toBe(103);
    const gaps = feed.takeGapChanges();
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ reason: "sequence-gap", from: START + 200, to: START + 1_500, action: "resynced" });
  });

  it("touches no other market", () => {
    const feed = scriptedFeed(["AAAUSDT", "BBBUSDT"]);
    synchronise(feed);
    feed.frame(depthFrame({ symbol: "BBBUSDT", from: 7, time: START }), START + 250);
    feed.snapshot("BBBUSDT", snapshotBody(6), START + 260);
    feed.frame(depthFrame({ symbol: "BBBUSDT", from: 9, time: START + 300 }), START + 300);
    expect(marketOf(feed, "BBBUSDT").state).toBe("syncing");
    expect(marketOf(feed).state).toBe("live");
    feed.frame(depthFrame({ from: 102, time: START + 310, bids: [["9.98", "1.000"]] }), START + 310);
    expect(marketOf(feed).lastSequence).toBe(102);
  });

  it("drops a duplicated message without losing the book", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const frame = depthFrame({ from: 102, to: 105, time: START + 300, bids: [["9.98", "1.000"]] });
    feed.frame(frame, START + 300);
    const hash = marketOf(feed).book.contentHash();
    feed.frame(frame, START + 310);
    expect(marketOf(feed).state).toBe("live");
    expect(marketOf(feed).book.contentHash()).toBe(hash);
  });

  it("rebuilds a book that a message has crossed", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102, time: START + 300, bids: [["10.05", "1.000"]] }), START + 300);
    expect(marketOf(feed).state).toBe("syncing");
    expect(marketOf(feed).gaps.current?.reason).toBe("crossed-book");
  });

  it("rebuilds a book whose top differs from the venue's own quote at the same number", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(quoteFrame(101, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }), START + 250);
    expect(marketOf(feed).state).toBe("live");
    feed.frame(quoteFrame(102, { bid: ["10.01", "5.000"], ask: ["10.02", "1.000"] }), START + 260);
    feed.frame(depthFrame({ from: 102, time: START + 300 }), START + 300);
    expect(marketOf(feed).state).toBe("syncing");
    expect(marketOf(feed).gaps.current?.reason).toBe("quote-mismatch");
    expect(marketOf(feed).check).toMatchObject({ comparisons: 2, mismatches: 1 });
  });

  it.each([
    ["best bid", { bid: ["9.99", "1.000"], ask: ["10.02", "1.000"] }],
    ["size at the best bid", { bid: ["10.00", "1.001"], ask: ["10.02", "1.000"] }],
    ["best ask", { bid: ["10.00", "1.000"], ask: ["10.03", "1.000"] }],
    ["size at the best ask", { bid: ["10.00", "1.000"], ask: ["10.02", "0.999"] }],
  ] as const)("rebuilds a book that only the quote's %s contradicts, whether the quote comes before its change or after", (_, quote) => {
    const early = scriptedFeed();
    synchronise(early);
    early.frame(quoteFrame(102, quote), START + 260);
    expect(marketOf(early).state).toBe("live");
    early.frame(depthFrame({ from: 102, time: START + 300 }), START + 300);
    const late = scriptedFeed();
    synchronise(late);
    late.frame(quoteFrame(101, quote), START + 260);
    for (const feed of [early, late]) {
      expect(marketOf(feed).state).toBe("syncing");
      expect(marketOf(feed).gaps.current?.reason).toBe("quote-mismatch");
      expect(marketOf(feed).check).toMatchObject({ comparisons: 1, mismatches: 1 });
    }
  });
});

describe("hostile frames", () => {
  const good = depthFrame({ from: 102, time: START + 300, bids: [["9.98", "1.000"]] });
  const hostile: [string, string][] = [
    ["not JSON", "hello"],
    ["cut off", good.slice(0, -7)],
    ["empty", ""],
    ["a list", "[1,2,3]"],
    ["a number for a symbol", good.replace('"AAAUSDT"', "7")],
    ["a price off the grid", good.replace("9.98", "9.985")],
    ["a negative size", good.replace('"1.000"', '"-1.000"')],
    ["a sequence that is text", good.replace('"U":102', '"U":"102"')],
    ["a sequence that runs backwards", good.replace('"U":102', '"U":109')],
    ["nested without end", "[".repeat(50_000)],
  ];
  it.each(hostile)("%s: counted, kept as a sample, and nothing else is touched", (_, frame) => {
    const feed = scriptedFeed();
    synchronise(feed);
    const hash = marketOf(feed).book.contentHash();
    feed.frame(frame, START + 300);
    expect(feed.malformedFrames).toBe(1);
    expect(feed.malformedSamples).toHaveLength(1);
    expect(marketOf(feed).state).toBe("live");
    expect(marketOf(feed).book.contentHash()).toBe(hash);
    feed.frame(good, START + 310);
    expect(marketOf(feed).lastSequence).toBe(102);
  });

  it("keeps only the last ten samples, so that a venue gone mad can't fill the memory", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (let count = 0; count < 1_000; count++) feed.frame(`nonsense ${count} ${"x".repeat(5_000)}`, START + 300);
    expect(feed.malformedFrames).toBe(1_000);
    expect(feed.malformedSamples).toHaveLength(10);
    expect(Math.max(...feed.malformedSamples.map((sample) => sample.length))).toBeLessThan(400);
  });

  it("keeps a sample of a large frame without the frame: a view of it would hold all of it in memory", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const before = heapAfterCollection();
    for (let count = 0; count < 10; count++) feed.frame(Buffer.alloc(8_000_000, "x").toString("latin1"), START + 300);
    expect(feed.malformedSamples).toHaveLength(10);
    // A collector may leave for the next time what nobody holds; what is held stays however often it runs.
    const least = Math.min(...Array.from({ length: 5 }, () => heapAfterCollection()));
    expect(least - before).toBeLessThan(8_000_000);
  });
});

describe("a connection that goes down", () => {
  it("is the same gap when its tape is replayed: reason, channel and all", () => {
    const reasons = ["rotation", "stale", "connection-down"] as const;
    for (const reason of reasons) {
      const live = scriptedFeed();
      const replay = scriptedFeed();
      for (const feed of [live, replay]) synchronise(feed);
      live.connectionLost(START + 5_000, reason, "as told: in words");
      replay.record({ kind: "down", receivedAt: START + 5_000, reason: `${reason}: as told: in words` });
      expect(marketOf(replay).gaps.current).toEqual(marketOf(live).gaps.current);
      expect(marketOf(live).gaps.current?.reason).toBe(reason);
    }
  });

  it("leaves no number behind, and one gap from the last message to the next whole book", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.takeGapChanges();
    feed.connectionLost(START + 5_000, "connection-down", "1006");
    const market = marketOf(feed);
    expect(featureView(market, { now: START + 5_000, wanted: [] })).toMatchObject({ ok: false, reason: "disconnected" });
    synchronise(feed, "AAAUSDT", START + 9_000);
    expect(feed.takeGapChanges()).toMatchObject([
      { reason: "connection-down", from: START + 200, to: START + 9_200, action: "reconnected" },
    ]);
  });

  it("is told by another that opens, too: the old book is not kept for a stream that doesn't continue it", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.connectionOpened(START + 5_000);
    expect(marketOf(feed).gaps.current).toMatchObject({ reason: "connection-down", from: START + 200, to: null });
    expect(marketOf(feed)).toMatchObject({ state: "syncing", lastSequence: null, unbrokenSince: null });
    expect(marketOf(feed).book.state).toBe("empty");
  });

  it("with its whole process leaves a gap from the death on, not from the return, or the time between would look covered", () => {
    const feed = scriptedFeed(["AAAUSDT", "BBBUSDT"]);
    feed.begin(START, () => START - 90_000);
    feed.connectionOpened(START);
    synchronise(feed);
    expect(feed.takeGapChanges()).toMatchObject([
      { market: "binance-spot:AAAUSDT", reason: "restarted", from: START - 90_000, to: START + 200, action: "resynced" },
      { market: "binance-spot:BBBUSDT", reason: "restarted", from: START - 90_000, to: null, action: "pending" },
    ]);
  });

  it("counts the minute's coverage without the time that was lost", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.connectionLost(START + 20_000, "connection-down", "1006");
    synchronise(feed, "AAAUSDT", START + 30_000);
    feed.tick(START + 50_000);
    const [closed] = feed.takeClosedMinutes();
    // Live from 10.2 s to the last message before the loss (also 10.2 s), and from 40.2 s to the minute's end.
    expect(closed?.snapshots[0]?.coveredMs).toBe(60_000 - 40_200);
  });

  it("covers no more of a silent minute than the market's own pace allows, whether or not the silence was noticed", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.tick(START + 3 * 60_000);
    const covered = feed.takeClosedMinutes().map((closed) => closed.snapshots[0]?.coveredMs);
    expect(covered).toEqual([STALE_AFTER, 0, 0]);
  });

  it("counts again from the message that ends a silence", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102, time: START + 45_000 }), START + 45_000);
    feed.tick(START + 50_000);
    // From 10.2 s for as long as silence may last, and from 55 s to the minute's end.
    expect(feed.takeClosedMinutes()[0]?.snapshots[0]?.coveredMs).toBe(STALE_AFTER + 5_000);
  });
});

describe("silence", () => {
  it("is refused as stale when it outlasts the market's own pace", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const now = START + 200 + STALE_AFTER + 1;
    expect(bookView(marketOf(feed), { now, levels: 1 })).toMatchObject({ ok: false, reason: "stale" });
    expect(feed.staleSymbols(now)).toEqual(["AAAUSDT"]);
    expect(feed.staleSymbols(now - 2)).toEqual([]);
  });

  it("closes each minute of it once, up to an hour at a time", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.tick(START + 5 * 60_000);
    const minutes = feed.takeClosedMinutes().map((closed) => closed.minute);
    expect(minutes).toHaveLength(5);
    expect(new Set(minutes).size).toBe(5);
    feed.tick(START + 30 * 24 * 3_600_000);
    expect(feed.takeClosedMinutes().length).toBeLessThan(5);
  });
});

describe.skipIf(recording("wire") === null)(`the recorded BTCUSDT capture ${WITHOUT_RECORDINGS}`, () => {
  const file = recording("wire/binance-spot-btcusdt-20240808.ndjson.gz");

  function replay(receivedAtOf: (line: { receivedAt: number }, index: number) => number): FeedReducer {
    const tick = parseGrid("0.01");
    const lot = parseGrid("0.00001");
    if (tick === null || lot === null || file === null) throw new Error("the recording can't be read");
    const feed = new FeedReducer({
      adapter: binanceSpot,
      featureSet: featureSetV1,
      instruments: [{ venue: "binance-spot", symbol: "BTCUSDT", tick, lot }],
    });
    for (const [index, line] of readNanosecondLines(file).entries()) {
      const at = receivedAtOf(line, index);
      if (index === 0) feed.connectionOpened(at);
      if (line.text.startsWith('{"lastUpdateId"')) feed.snapshot("BTCUSDT", line.text, at);
      else feed.frame(line.text, at);
    }
    return feed;
  }

  it("replays without a gap, and its top equals the venue's quote in every comparison", () => {
    const feed = replay((line) => line.receivedAt);
    const market = marketOf(feed, "BTCUSDT");
    expect(market.state).toBe("live");
    expect(feed.malformedFrames).toBe(0);
    expect(feed.takeGapChanges()).toEqual([]);
    expect(market.check.comparisons).toBeGreaterThan(500);
    expect(market.check.mismatches).toBe(0);
  });

  it("gives the same book and the same feature bytes at another speed and another time of receipt", () => {
    const atItsTime = marketOf(
      replay((line) => line.receivedAt),
      "BTCUSDT",
    );
    const allAtOnce = marketOf(
      replay((_, index) => START + Math.floor(index / 1_000)),
      "BTCUSDT",
    );
    expect(allAtOnce.book.contentHash()).toBe(atItsTime.book.contentHash());
    expect(allAtOnce.pipeline.rowCount).toBeGreaterThan(300);
    expect(allAtOnce.pipeline.rowCount).toBe(atItsTime.pipeline.rowCount);
    expect(allAtOnce.pipeline.rowsHash).toBe(atItsTime.pipeline.rowsHash);
  });
});
