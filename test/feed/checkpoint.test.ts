import { describe, expect, it } from "vitest";
import { decodeCheckpoint } from "../../feed/checkpoint.ts";
import { depthFrame, marketOf, START, scriptedFeed, snapshotBody, synchronise } from "./scripted-venue.ts";

const WINDOW = '"window":{"bidTicks":null,"askTicks":null,"confirmedAt":1}';

describe("a checkpoint", () => {
  it("lets a replay begin in the middle, with the very book", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const original = marketOf(feed);
    const body = original.checkpoint() ?? "";
    const replay = scriptedFeed();
    replay.connectionOpened(START);
    replay.record({ kind: "checkpoint", receivedAt: START + 300, symbol: "AAAUSDT", body });
    const next = depthFrame({ from: 102, time: START + 400, asks: [["10.03", "4.000"]] });
    feed.frame(next, START + 400);
    replay.frame(next, START + 400);
    expect(marketOf(replay).book.contentHash()).toBe(original.book.contentHash());
    expect(marketOf(replay).state).toBe("live");
  });

  it("is compared where there is a book, so that a tape with something missing shows", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const market = marketOf(feed);
    const body = market.checkpoint() ?? "";
    feed.record({ kind: "checkpoint", receivedAt: START + 300, symbol: "AAAUSDT", body });
    expect(market.checkpointMismatches).toBe(0);
    feed.record({
      kind: "checkpoint",
      receivedAt: START + 310,
      symbol: "AAAUSDT",
      body: body.replace("2000", "2001").replace(/"contentHash":"\w+"/, '"contentHash":"0"'),
    });
    expect(market.checkpointMismatches).toBe(1);
  });

  it("carries how far the book is known, so that a replay loses it when the feed does", () => {
    const feed = scriptedFeed();
    feed.connectionOpened(START);
    feed.frame(depthFrame({ from: 100, time: START }), START + 100);
    const bids = Array.from({ length: 1_000 }, (_, index): [string, string] => [(50 - index / 100).toFixed(2), "1.000"]);
    const asks = Array.from({ length: 1_000 }, (_, index): [string, string] => [(50.01 + index / 100).toFixed(2), "1.000"]);
    feed.snapshot("AAAUSDT", snapshotBody(99, bids, asks), START + 200);
    // A level further out on each side: by their number alone the levels no longer tell that a snapshot was cut.
    feed.frame(depthFrame({ from: 101, time: START, bids: [["39.00", "1.000"]], asks: [["61.00", "1.000"]] }), START + 210);
    const replay = scriptedFeed();
    replay.connectionOpened(START);
    replay.record({ kind: "checkpoint", receivedAt: START + 300, symbol: "AAAUSDT", body: marketOf(feed).checkpoint() ?? "" });
    expect(marketOf(replay).book.bids.completeToTicks).toBe(4_001);
    expect(marketOf(replay).book.asks.completeToTicks).toBe(6_000);
    const gone = bids.map(([price]): [string, string] => [price, "0.000"]);
    const frames = [
      [depthFrame({ from: 102, time: START + 400, bids: gone }), START + 400],
      [depthFrame({ from: 103, time: START + 10_250 }), START + 10_250],
    ] as const;
    for (const each of [feed, replay]) for (const [frame, at] of frames) each.frame(frame, at);
    expect(marketOf(feed).gaps.current?.reason).toBe("window-exhausted");
    expect(marketOf(replay).gaps.current?.reason).toBe("window-exhausted");
  });

  it.each([
    "",
    '{"lastSequence":1,"contentHash":"","bids":[1,1],"asks":[]}',
    '{"lastSequence":1,"contentHash":"","bids":[1,1],"asks":[],"window":{"bidTicks":1.5,"askTicks":null,"confirmedAt":1}}',
    "{}",
    '{"lastSequence":1.5,"contentHash":"","bids":[],"asks":[]}',
    `{"lastSequence":1,"contentHash":"","bids":[1],"asks":[],${WINDOW}}`,
    `{"lastSequence":1,"contentHash":"","bids":[1,-2],"asks":[],${WINDOW}}`,
    `{"lastSequence":1,"contentHash":"","bids":[1,0],"asks":[],${WINDOW}}`,
    `{"lastSequence":1,"contentHash":"","bids":[],"asks":[1,1.5],${WINDOW}}`,
  ])("that is none is refused: %s", (text) => {
    expect(decodeCheckpoint(text)).toHaveProperty("malformed");
    expect(decodeCheckpoint(`{"lastSequence":1,"contentHash":"","bids":[1,1],"asks":[],${WINDOW}}`)).not.toHaveProperty("malformed");
  });
});
