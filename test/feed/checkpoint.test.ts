import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../feed/checkpoint.ts";
import { depthFrame, marketOf, START, scriptedFeed, synchronise } from "./scripted-venue.ts";

describe("a checkpoint", () => {
  it("lets a replay begin in the middle, with the very book", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const original = marketOf(feed);
    const body = encodeCheckpoint(original.book, original.lastSequence ?? 0);
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
    const body = encodeCheckpoint(market.book, market.lastSequence ?? 0);
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

  it.each([
    "",
    "{}",
    '{"lastSequence":1.5,"contentHash":"","bids":[],"asks":[]}',
    '{"lastSequence":1,"contentHash":"","bids":[1],"asks":[]}',
    '{"lastSequence":1,"contentHash":"","bids":[1,-2],"asks":[]}',
  ])("that is none is refused: %s", (text) => {
    expect(decodeCheckpoint(text)).toHaveProperty("malformed");
  });
});
