/** Trades and quotes beside a book that goes on: their loss and their silence are told, and told once. */

import { describe, expect, it } from "vitest";
import type { GapRecord } from "../../feed/contract.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { book, depth, one, quote, STALE_AFTER, START, scriptedStream, several, trackerOf, trade } from "./scripted-adapter.ts";

const BOTH = ["AAA", "BBB"];

function live(options: Parameters<typeof scriptedStream>[0] = {}): FeedReducer {
  const feed = scriptedStream(options);
  feed.connectionOpened(START);
  for (const s of options.symbols ?? ["AAA"]) feed.frame(one(book(START, { s })), START);
  feed.takeGapChanges();
  return feed;
}

/** Depth, a trade and a quote of each symbol each second for a minute. @returns the time of the last. */
function passMinute(feed: FeedReducer, symbols: readonly string[] = ["AAA"], from = START): number {
  for (let second = 1; second <= 60; second++) {
    const at = from + second * 1_000;
    for (const s of symbols) feed.frame(several([depth(at, { s }), trade(at, at, s), quote(at, [1_000, 5], [1_002, 5], s)]), at);
  }
  return from + 60_000;
}

describe("a hole among trade ids that count up", () => {
  it("is in the ledger, from the last trade to the one that shows it; the trade counts, and the book stays", () => {
    const feed = live({ tradeIds: "consecutive" });
    feed.frame(one(trade(START, 7)), START + 600);
    feed.frame(one(trade(START, 11)), START + 900);
    expect(trackerOf(feed).state).toBe("live");
    expect(trackerOf(feed).minute.trades).toBe(2);
    expect(feed.takeGapChanges()).toEqual([
      {
        id: `scripted:AAA/trades/${START + 600}/lost-trades`,
        market: "scripted:AAA",
        channel: "trades",
        from: START + 600,
        to: START + 900,
        reason: "lost-trades",
        detail: "3 trade(s) before 11 never came",
        action: "noted",
      },
    ]);
  });

  it("is seen while the book is being built, too", () => {
    const feed = scriptedStream({ tradeIds: "consecutive" });
    feed.connectionOpened(START);
    feed.frame(several([trade(START, 7), trade(START, 9)]), START + 600);
    expect(feed.takeGapChanges()).toMatchObject([{ channel: "trades", reason: "lost-trades" }]);
  });

  it("is seen over two connections, and ids that the next one counts anew are new trades", () => {
    const feed = live({ tradeIds: "consecutive" });
    feed.frame(several([trade(START, 7), trade(START, 8)]), START + 600);
    feed.connectionOpened(START + 1_000);
    feed.frame(several([trade(START, 8), trade(START, 7), trade(START, 10)]), START + 1_100);
    expect(trackerOf(feed).minute.trades).toBe(4);
    expect(feed.takeGapChanges().filter(({ channel }) => channel === "trades")).toMatchObject([
      { detail: "1 trade(s) before 10 never came" },
    ]);
  });

  it.each(["lost and opened", "opened alone"])(
    "while there was no connection is from the last trade on, which was before it: %s",
    (how) => {
      const feed = live({ tradeIds: "consecutive" });
      feed.frame(one(trade(START, 7)), START + 600);
      if (how === "lost and opened") feed.connectionLost(START + 1_000, "connection-down", "1006");
      feed.connectionOpened(START + 5_000);
      feed.frame(one(trade(START, 9)), START + 5_100);
      expect(feed.takeGapChanges().filter(({ channel }) => channel === "trades")).toMatchObject([
        { from: START + 600, to: START + 5_100, reason: "lost-trades", detail: "1 trade(s) before 9 never came" },
      ]);
    },
  );

  it("is none where ids have no order", () => {
    const feed = live();
    feed.frame(several([trade(START, 7), trade(START, 900), trade(START, 3)]), START + 600);
    expect(feed.takeGapChanges()).toEqual([]);
  });
});

describe("a channel that goes silent while the book goes on", () => {
  /** From `from` on, depth alone for a while. */
  function depthAlone(feed: FeedReducer, from: number, symbols: readonly string[] = ["AAA"]): number {
    for (let second = 1; second <= 40; second++) for (const s of symbols) feed.frame(one(depth(START, { s })), from + second * 1_000);
    return from + 40_000;
  }

  it("is to be subscribed to anew, again after a while, and is a gap until it speaks again", () => {
    const feed = live();
    const last = passMinute(feed);
    const asked: unknown[] = [];
    for (let second = 1; second <= 75; second++) {
      feed.frame(one(depth(START)), last + second * 1_000);
      for (const { channel, symbols } of feed.silentChannels(last + second * 1_000 + 500)) asked.push([second, channel, ...symbols]);
    }
    // Judged at whole seconds, by how long the book has gone on without them.
    expect(asked).toEqual([
      [32, "trades", "AAA"],
      [32, "quotes", "AAA"],
      [62, "trades", "AAA"],
      [62, "quotes", "AAA"],
    ]);
    feed.frame(several([trade(START, 1), quote(START, [1_000, 5], [1_002, 5])]), last + 76_000);
    expect(feed.takeGapChanges()).toMatchObject([
      { channel: "trades", from: last, to: last + 76_000, reason: "stale", action: "resubscribed" },
      { channel: "quotes", from: last, to: last + 76_000, reason: "stale", action: "resubscribed" },
    ]);
    expect(trackerOf(feed).state).toBe("live");
  });

  it("is not alone in its silence where nothing comes at all: that is the book's, or the connection's", () => {
    const feed = live();
    const last = passMinute(feed);
    expect(feed.silentChannels(last + 3_600_000)).toEqual([]);
    expect(feed.takeGapChanges()).toEqual([]);
  });

  it("is the same gap in a replay, where nobody asks and other markets' frames are missing", () => {
    const feed = live({ symbols: BOTH });
    const replay = live();
    for (const of of [feed, replay]) passMinute(of);
    const last = START + 60_000;
    for (let second = 1; second <= 100; second++) {
      const at = last + second * 1_000 + 300;
      // The shell looks at what it pleases, and the other market speaks in between.
      feed.tick(at - 200);
      feed.frame(one(depth(START, { s: "BBB" })), at - 100);
      if (second % 7 === 0) feed.silentChannels(at - 50);
      const isSpoken = second === 45 || second === 46;
      if (second % 5 !== 0 && !isSpoken) continue;
      const frame = isSpoken ? one(trade(START, second)) : one(depth(START));
      feed.frame(frame, at);
      replay.frame(frame, at);
    }
    const gaps = feed.takeGapChanges();
    expect(gaps).toMatchObject([
      { channel: "trades", from: last, to: last + 45_300 },
      { channel: "quotes", from: last, to: null },
    ]);
    expect(replay.takeGapChanges()).toEqual(gaps);
  });

  it("is named with all markets of which it is silent, and only those", () => {
    const feed = live({ symbols: BOTH });
    const last = passMinute(feed, BOTH);
    const now = depthAlone(feed, last, BOTH);
    feed.frame(one(quote(START, [1_000, 5], [1_002, 5], "BBB")), now);
    expect(feed.silentChannels(now)).toEqual([
      { channel: "trades", symbols: BOTH },
      { channel: "quotes", symbols: ["AAA"] },
    ]);
  });

  it("is not judged while the book is being built: all of it is silent then", () => {
    const feed = live();
    const last = passMinute(feed);
    feed.frame("not JSON", last + 1);
    expect(feed.silentChannels(last + STALE_AFTER + 1_000)).toEqual([]);
  });

  it("is not kept waiting by trades that are sent again", () => {
    const feed = live();
    const last = passMinute(feed);
    feed.frame(one(trade(last, last)), last + 20_000);
    expect(feed.silentChannels(depthAlone(feed, last))).toContainEqual({ channel: "trades", symbols: ["AAA"] });
  });

  it.each(["lost and opened", "opened alone"])("is not silent for the time between two connections, the last one %s", (how) => {
    const feed = live();
    const last = passMinute(feed);
    if (how === "lost and opened") feed.connectionLost(last + 1_000, "connection-down", "1006");
    feed.connectionOpened(last + 3_600_000);
    feed.frame(one(book(START)), last + 3_600_100);
    expect(feed.silentChannels(last + 3_600_200)).toEqual([]);
    passMinute(feed, ["AAA"], last + 3_600_000);
    expect(trackerOf(feed).trades.staleAfterMs).toBe(STALE_AFTER);
    expect(feed.takeGapChanges().filter((gap) => gap.channel === "trades")).toEqual([]);
  });

  it.each(["lost", "opened"])("has its gap ended where the connection is %s: what follows is the connection's", (how) => {
    const feed = live();
    const last = passMinute(feed);
    depthAlone(feed, last);
    feed.silentChannels(last + 40_000);
    if (how === "lost") feed.connectionLost(last + 50_000, "connection-down", "1006");
    else feed.connectionOpened(last + 50_000);
    expect(feed.takeGapChanges().filter(({ channel }) => channel === "trades" || channel === "quotes")).toMatchObject([
      { channel: "trades", from: last, to: last + 50_000 },
      { channel: "quotes", from: last, to: last + 50_000 },
    ]);
  });
});

describe("gaps that were open when the process died", () => {
  const open = (channel: GapRecord["channel"]): GapRecord => ({
    id: `scripted:AAA/${channel}/${START - 60_000}/stale`,
    market: "scripted:AAA",
    channel,
    from: START - 60_000,
    to: null,
    reason: "stale",
    detail: "as told",
    action: "pending",
  });

  it("go on in the channel that they are of: one that took another's place would leave it open for good", () => {
    const feed = scriptedStream();
    const market = trackerOf(feed);
    for (const channel of ["depth", "trades", "quotes"] as const) market.resumeGap(open(channel));
    feed.begin(START, () => START - 5_000);
    feed.connectionOpened(START);
    feed.frame(one(book(START)), START + 500);
    expect(feed.takeGapChanges()).toMatchObject([
      { ...open("depth"), to: START + 500, detail: "as told; 1 further trouble(s) before it was whole", action: "resynced" },
      { ...open("trades"), to: START, action: "resubscribed" },
      { ...open("quotes"), to: START, action: "resubscribed" },
    ]);
  });

  it("of a connection go on with the book's", () => {
    const feed = scriptedStream();
    trackerOf(feed).resumeGap(open("connection"));
    feed.connectionOpened(START);
    feed.frame(one(book(START)), START + 500);
    expect(feed.takeGapChanges()).toMatchObject([{ ...open("connection"), to: START + 500, action: "reconnected" }]);
  });
});
