/** A frame that can't be read may have been a change of a book: where nothing would show that it is missing, the book can't be kept. */

import { describe, expect, it } from "vitest";
import type { TapeRecord } from "../../core/wire/tape.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { book, one, START, scriptedStream, trackerOf, trade } from "./scripted-adapter.ts";

function live(continuity: ExchangeAdapter["continuity"]): FeedReducer {
  const feed = scriptedStream({ continuity, symbols: ["AAA", "BBB", "DDD"] });
  feed.connectionOpened(START);
  for (const s of ["AAA", "BBB"]) feed.frame(one(book(START, { s, q: 0 })), START + 500);
  feed.takeGapChanges();
  return feed;
}

function statesOf(feed: FeedReducer): string[] {
  return [...feed.markets.values()].map((market) => market.state);
}

const NOBODY_KNOWS_WHOSE = ["not JSON", '{"k":"bad"}', '{"k":"bad","s":"CCC","c":"depth"}'];

describe.each(["none", "connection"] as const)("where a venue numbers %s", (continuity) => {
  it("a book's own message that can't be read has that book built again, and no other", () => {
    for (const frame of ['{"k":"bad","s":"AAA"}', '{"k":"bad","s":"AAA","c":"depth"}']) {
      const feed = live(continuity);
      expect(feed.frame(frame, START + 700)).toMatchObject({ decoded: "malformed", symbol: "AAA", hole: null });
      expect(statesOf(feed)).toEqual(["syncing", "live", "syncing"]);
      expect(feed.takeGapChanges()).toMatchObject([
        { market: "scripted:AAA", from: START + 500, reason: "malformed", detail: "a message that could not be read: said to be bad" },
      ]);
      expect(feed.wantedSnapshots(START + 700)).toEqual(["AAA"]);
      expect(trackerOf(feed).malformedFrames).toBe(1);
    }
  });

  it.each(NOBODY_KNOWS_WHOSE)("one that may be of any has all of them built again: %s", (frame) => {
    const feed = live(continuity);
    expect(feed.frame(frame, START + 700)).toMatchObject({ decoded: "malformed", symbol: null });
    expect(statesOf(feed)).toEqual(["syncing", "syncing", "syncing"]);
    expect(feed.takeGapChanges()).toMatchObject([{ reason: "malformed" }, { reason: "malformed" }]);
    expect(feed.malformedFrames).toBe(1);
  });

  it("one that isn't text has, too", () => {
    const feed = live(continuity);
    feed.unreadableFrame("AAEC", "a binary frame", START + 700);
    expect(statesOf(feed)).toEqual(["syncing", "syncing", "syncing"]);
  });

  it("a trade's or a quote's leaves the books; lost trades are in the ledger", () => {
    const feed = live(continuity);
    feed.frame(one(trade(START, 7)), START + 600);
    feed.frame('{"k":"bad","s":"AAA","c":"quotes"}', START + 700);
    feed.frame('{"k":"bad","s":"AAA","c":"trades"}', START + 800);
    feed.frame('{"k":"bad","s":"CCC","c":"trades"}', START + 900);
    expect(statesOf(feed)).toEqual(["live", "live", "syncing"]);
    expect(feed.takeGapChanges()).toMatchObject([
      { market: "scripted:AAA", channel: "trades", from: START + 600, to: START + 800, reason: "lost-trades", action: "noted" },
    ]);
    expect(feed.malformedFrames).toBe(3);
  });

  it("more of them while the books are being built ask for nothing more", () => {
    const feed = live(continuity);
    feed.frame("not JSON", START + 700);
    for (const symbol of feed.wantedSnapshots(START + 700)) feed.snapshotAsked(symbol, START + 700);
    feed.takeGapChanges();
    for (let at = START + 800; at < START + 2_000; at += 100) feed.frame("not JSON", at);
    expect(feed.wantedSnapshots(START + 14_000)).toEqual([]);
    expect(feed.takeGapChanges()).toEqual([]);
  });
});

describe("the tapes of books that were built again for a frame that is on none of them", () => {
  /** What the shell writes on each market's own tape (running-feed.ts): holes before the frame that showed them, and the frame where it belongs. */
  function tapesOf(feed: FeedReducer, frames: readonly (readonly [number, string])[]): Map<string, TapeRecord[]> {
    const tapes = new Map([...feed.markets.keys()].map((symbol): [string, TapeRecord[]] => [symbol, []]));
    for (const [receivedAt, text] of frames) {
      const { symbol, others, rebuilt } = text === "binary" ? binaryOutcome(feed, receivedAt) : feed.frame(text, receivedAt);
      for (const each of rebuilt?.symbols ?? [])
        tapes.get(each)?.push({ kind: "hole", receivedAt, symbol: each, reason: rebuilt?.reason ?? "" });
      for (const each of symbol === null ? [] : [symbol, ...others]) tapes.get(each)?.push({ kind: "frame", receivedAt, text });
    }
    return tapes;
  }

  function binaryOutcome(feed: FeedReducer, at: number) {
    return { symbol: null, others: [], rebuilt: feed.unreadableFrame("AAEC", "a binary frame", at) };
  }

  it.each(["none", "connection"] as const)("say so: each replays to the gaps that it had, where a venue numbers %s", (continuity) => {
    const feed = scriptedStream({ continuity, symbols: ["AAA", "BBB"] });
    feed.connectionOpened(START);
    const tapes = tapesOf(feed, [
      [START + 500, one(book(START, { q: 0 }))],
      [START + 500, one(book(START, { s: "BBB", q: 0 }))],
      [START + 700, "not JSON"],
      [START + 800, "not JSON"],
      [START + 900, one(book(START, { q: 0, b: [[1_001, 2]] }))],
      [START + 1_000, '{"k":"bad","s":"AAA"}'],
      [START + 1_100, one(book(START, { q: 0 }))],
      [START + 1_200, one(book(START, { s: "BBB", q: 0 }))],
      [START + 1_300, "binary"],
      [START + 1_400, one(book(START, { q: 0 }))],
    ]);
    const gaps = feed.takeGapChanges();
    expect(gaps.map(({ market, from, to, reason }) => [market.slice(-3), reason, from - START, to === null ? null : to - START])).toEqual([
      ["AAA", "malformed", 500, 900],
      ["AAA", "malformed", 900, 1_100],
      ["AAA", "malformed", 1_100, 1_400],
      ["BBB", "malformed", 500, 1_200],
      ["BBB", "malformed", 1_200, null],
    ]);
    for (const [symbol, tape] of tapes) {
      const replay = scriptedStream({ continuity, symbols: [symbol] });
      replay.record({ kind: "open", receivedAt: START, connection: "1" });
      for (const record of tape) replay.record(record);
      expect(replay.takeGapChanges(), symbol).toEqual(gaps.filter(({ market }) => market.endsWith(symbol)));
      expect(trackerOf(replay, symbol).book.contentHash()).toBe(trackerOf(feed, symbol).book.contentHash());
    }
  });
});

describe("where a venue numbers each book", () => {
  it.each([...NOBODY_KNOWS_WHOSE, '{"k":"bad","s":"AAA","c":"depth"}'])("the next message shows whether one is missing: %s", (frame) => {
    const feed = live("book");
    feed.frame(frame, START + 700);
    feed.unreadableFrame("AAEC", "a binary frame", START + 700);
    expect(statesOf(feed)).toEqual(["live", "live", "syncing"]);
    expect(feed.takeGapChanges()).toEqual([]);
    expect(feed.malformedFrames).toBe(2);
  });
});

describe("an answer to a request that can't be read", () => {
  it("is of no book that is held", () => {
    const feed = live("none");
    feed.snapshot("BBB", "not JSON", START + 700);
    feed.snapshot("DDD", one(trade(START, 7)), START + 700);
    expect(statesOf(feed)).toEqual(["live", "live", "syncing"]);
    expect(feed.takeGapChanges()).toEqual([]);
    expect(feed.malformedFrames).toBe(2);
  });
});
