/** A venue that stops for seconds every minute reads as a quiet market: what is computed over its silences is made up, unless each is in the ledger. */

import { describe, expect, it } from "vitest";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { book, depth, one, quote, START, scriptedStream, trackerOf, trade } from "./scripted-adapter.ts";

const MINUTE_END = START + 50_000;

/** Live from START on. */
function live(silenceMs?: number): FeedReducer {
  const feed = scriptedStream(silenceMs === undefined ? {} : { silenceMs });
  feed.connectionOpened(START);
  feed.frame(one(book(START)), START);
  feed.takeGapChanges();
  return feed;
}

function change(feed: FeedReducer, at: number, lots: number): void {
  feed.frame(one(depth(at, { b: [[999, lots]] })), at);
}

describe("silences of a book beyond the bound that a feed was given", () => {
  it("are in the ledger as they end, from the last message of the book to the next, and the book stays live", () => {
    const feed = live(2_000);
    change(feed, START + 1_000, 1);
    change(feed, START + 8_000, 2);
    expect(feed.takeGapChanges()).toEqual([
      {
        id: `scripted:AAA/depth/${START + 1_000}/silence`,
        market: "scripted:AAA",
        channel: "depth",
        from: START + 1_000,
        to: START + 8_000,
        reason: "silence",
        detail: "7000 ms without a message of the book",
        action: "noted",
      },
    ]);
    expect(trackerOf(feed)).toMatchObject({ state: "live", unbrokenSince: START });
  });

  it("are none up to the bound, and where no bound was given", () => {
    const feed = live(2_000);
    change(feed, START + 2_000, 1);
    expect(feed.takeGapChanges()).toEqual([]);
    const careless = live();
    change(careless, START + 20_000, 1);
    expect(careless.takeGapChanges()).toEqual([]);
  });

  it("go on under trades and quotes: they don't vouch for a book", () => {
    const feed = live(2_000);
    for (let at = START + 500; at < START + 5_000; at += 500) {
      feed.frame(one(trade(at, at)), at);
      feed.frame(one(quote(at, [1_000, 5], [1_002, 5])), at);
    }
    change(feed, START + 5_000, 1);
    expect(feed.takeGapChanges()).toMatchObject([{ from: START, to: START + 5_000, reason: "silence" }]);
  });

  it("end with a whole book that says the same, and the next one begins there", () => {
    const feed = live(2_000);
    feed.frame(one(book(START + 5_000)), START + 5_000);
    change(feed, START + 8_000, 1);
    expect(feed.takeGapChanges()).toMatchObject([
      { from: START, to: START + 5_000, reason: "silence" },
      { from: START + 5_000, to: START + 8_000, reason: "silence" },
    ]);
  });

  it("are not covered beyond the bound: volume over them is no volume", () => {
    const feed = live(2_000);
    for (let at = START; at <= START + 10_000; at += 1_000) change(feed, at, 1);
    // Silent for 30 s, of which 2 s are excused; then to the minute's end.
    for (let at = START + 40_000; at <= MINUTE_END; at += 1_000) change(feed, at, 2);
    feed.tick(MINUTE_END);
    expect(feed.takeClosedMinutes()[0]?.snapshots[0]?.coveredMs).toBe(10_000 + 2_000 + 10_000);
  });

  it("are another gap's where the connection ends them, or the book is lost", () => {
    const feed = live(2_000);
    feed.connectionLost(START + 9_000, "connection-down", "reset");
    feed.connectionOpened(START + 10_000);
    feed.frame(one(book(START + 11_000)), START + 11_000);
    expect(feed.takeGapChanges()).toMatchObject([{ from: START, to: START + 11_000, reason: "connection-down" }]);
  });
});
