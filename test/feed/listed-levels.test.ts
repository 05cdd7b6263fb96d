/** The venue's own best levels in the whole feed: a change lost behind the top is found and mended, and a venue's list alone never changes a book. */

import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { EventLevel, MarketRecord } from "../../core/wire/market-events.ts";
import { openClient } from "../../exchange-simulator/in-process.ts";
import { buildWorld } from "../../exchange-simulator/simulated-venues.ts";
import type { World } from "../../exchange-simulator/world.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { bookView } from "../../feed/views.ts";
import { scriptedWorld, truthOf, START as VENUE_START } from "../exchange-simulator/venue-world.ts";
import { book, depth, type Level, one, quote, START, scriptedStream, several, top, trackerOf } from "./scripted-adapter.ts";

const BIDS: readonly Level[] = [1_000, 999, 998, 997, 996, 995].map((ticks) => [ticks, 5] as const);
const ASKS: readonly Level[] = [1_002, 1_003, 1_004].map((ticks) => [ticks, 5] as const);
/** What the venue's bids are after a change that the feed has lost. */
const TRUE_BIDS: readonly Level[] = BIDS.map(([ticks, lots]) => [ticks, ticks === 996 ? 8 : lots] as const);

function live(options: Parameters<typeof scriptedStream>[0] = {}): FeedReducer {
  const feed = scriptedStream(options);
  feed.connectionOpened(START);
  for (const s of options.symbols ?? ["AAA"]) feed.frame(one(book(START, { s, b: BIDS, a: ASKS })), START);
  feed.takeGapChanges();
  return feed;
}

/** Each 100 ms a change at the top, a quote that is right, and the venue's list, until the book is lost. @returns after how many; null when never. */
function listsUntilLost(feed: FeedReducer, bids: readonly Level[], most: number): number | null {
  for (let count = 1; count <= most; count++) {
    const at = START + count * 100;
    const best: Level = [1_000, 5 + (count % 2)];
    const quoted = quote(at, best, [1_002, 5]);
    feed.frame(several([depth(at, { b: [best] }), quoted, top(at, [best, ...bids.slice(1)], ASKS)]), at);
    if (trackerOf(feed).state !== "live") return count;
  }
  return null;
}

describe("a book of which one change at its fifth level was lost", () => {
  it("is lost to the venue's lists, though its top is right; the ledger says why, and it is asked for anew", () => {
    const feed = live({ symbols: ["AAA", "BBB"] });
    // 3 moments half a second apart, the last of them 2 s old.
    expect(listsUntilLost(feed, TRUE_BIDS, 100)).toBe(32);
    expect(feed.takeGapChanges()).toMatchObject([{ market: "scripted:AAA", channel: "depth", reason: "levels-mismatch", to: null }]);
    expect(feed.wantedSnapshots(START + 3_300)).toEqual(["AAA"]);
    expect(trackerOf(feed, "BBB").state).toBe("live");
    feed.frame(one(book(START, { b: TRUE_BIDS, a: ASKS })), START + 3_400);
    expect(listsUntilLost(feed, TRUE_BIDS, 100)).toBeNull();
    expect(feed.takeGapChanges()).toMatchObject([{ reason: "levels-mismatch", to: START + 3_400, action: "resynced" }]);
  });

  it("shows in its proof, apart from the quotes, which agree", () => {
    const feed = live();
    const { proof } = bookView(trackerOf(feed), { now: START, levels: 1 }) as Extract<ReturnType<typeof bookView>, { ok: true }>;
    expect(proof).toMatchObject({ comparisons: 0, mismatches: 0, topLevels: null });
    listsUntilLost(feed, TRUE_BIDS, 25);
    expect(bookView(trackerOf(feed), { now: START + 2_500, levels: 1 })).toMatchObject({
      // Of 25 lists 4 are more than two seconds old.
      proof: { comparisons: 25, mismatches: 0, topLevels: { comparisons: 4, mismatches: 4 } },
    });
  });
});

describe("the venue's list", () => {
  it("is a check alone: it neither changes a book, nor begins one, nor vouches for one that has gone silent", () => {
    const feed = live();
    const hash = trackerOf(feed).book.contentHash();
    feed.frame(one(top(START, [[7, 7]], [])), START + 100);
    expect(trackerOf(feed).book.contentHash()).toBe(hash);
    expect(trackerOf(feed).lastBookAt).toBe(START);
    const unbuilt = scriptedStream();
    unbuilt.connectionOpened(START);
    unbuilt.frame(one(top(START, BIDS, ASKS)), START + 100);
    expect(trackerOf(unbuilt).state).toBe("syncing");
    expect(trackerOf(unbuilt).check.topLevels).toBeNull();
  });

  it("of before a book was built anew is not held against the new one", () => {
    const feed = live();
    for (const after of [0, 600, 1_200]) feed.frame(one(top(START, TRUE_BIDS, ASKS)), START + after);
    feed.frame(one(book(START, { b: TRUE_BIDS, a: ASKS })), START + 1_300);
    feed.takeGapChanges();
    feed.frame(one(depth(START, { a: [[1_003, 6]] })), START + 9_000);
    expect(trackerOf(feed).state).toBe("live");
  });
});

describe("a simulated BitMEX market", () => {
  /** Plays a world into a feed that asks anew for what it loses. @param loses whether a frame never comes. */
  function play(world: World, seconds: number, loses: (frame: string) => boolean) {
    const { answer } = world.rest("bitmex", {
      method: "GET",
      path: "/api/v1/instrument",
      query: new URLSearchParams({ symbol: "XBTUSD" }),
    });
    const instruments = bitmex.decodeInstruments(answer.body, ["XBTUSD"]);
    if ("malformed" in instruments) throw new Error(instruments.malformed);
    const feed = new FeedReducer({ adapter: bitmex, ...instruments, featureSet: featureSetV1 });
    const client = openClient(world, "bitmex", "/realtime");
    feed.connectionOpened(VENUE_START);
    for (const frame of bitmex.subscribe(["XBTUSD"], null)) client.say(frame);
    const market = trackerOf(feed, "XBTUSD");
    const seen = { lists: 0, lost: 0, listsToFind: 0 };
    for (let now = VENUE_START; now <= VENUE_START + seconds * 1_000; now += 10) {
      world.advanceTo(now);
      for (const { text, receivedAt } of client.takeTimed()) {
        if (loses(text)) {
          seen.lost++;
          continue;
        }
        const isList = text.startsWith('{"table":"orderBook10"');
        if (isList) seen.lists++;
        if (isList && seen.lost > 0 && market.gaps.count24h(now) === 0) seen.listsToFind++;
        feed.frame(text, receivedAt);
      }
      for (const symbol of feed.wantedSnapshots(now)) {
        for (const frame of bitmex.resubscribe([symbol], "depth", null)) client.say(frame);
        feed.snapshotAsked(symbol, now);
      }
    }
    const gaps = feed.takeGapChanges().filter(({ from }) => from > VENUE_START);
    const truth = truthOf(world, "bitmex", "XBTUSD");
    expect(market.state).toBe("live");
    for (const side of ["bids", "asks"] as const) {
      const ladder = market.book[side];
      const held = Array.from({ length: ladder.levelCount }, (_, at) => [ladder.ticksAt(at), ladder.lotsAt(at)]);
      const { tick } = market.instrument;
      const ticksOf = (price: number) => Math.round((price * 10 ** tick.decimals) / tick.mantissa);
      expect(held).toEqual(truth[side].map(([price, size]) => [ticksOf(price), size]));
    }
    return { seen, gaps, topLevels: market.check.topLevels };
  }

  it("whose changes all come is equal to each list of the venue's, at a hundred of them a second", async () => {
    const generated = { names: ["BTC-USD"], preset: "both", seed: 21, startTime: VENUE_START, seconds: 40 } as const;
    const world = await buildWorld({ venues: ["bitmex"], generated });
    const { seen, gaps, topLevels } = play(world, 30, () => false);
    expect(gaps).toEqual([]);
    expect(seen.lists).toBeGreaterThan(2_000);
    expect(topLevels?.mismatches).toBe(0);
    expect(topLevels?.comparisons).toBeGreaterThan(seen.lists * 0.98);
  });

  it("of which one update of the fifth level never comes is found within 69 lists at ten a second, and built anew", () => {
    // Bids from 100 down by half a dollar, asks from 100.5 up; the sizes at the top and the third ask go on changing.
    const side = (first: number, step: number): EventLevel[] => Array.from({ length: 12 }, (_, at) => [first + at * step, 100 + at]);
    const records: MarketRecord[] = [{ kind: "snapshot", ...timed(0), bids: side(200, -1), asks: side(201, 1) }];
    for (let count = 1; count <= 300; count++) {
      const fifth: EventLevel[] = count === 100 ? [[196, 777]] : [];
      records.push({ kind: "depth", ...timed(count * 100), bids: [[200, 100 + (count % 7)]], asks: [[203, 300 + (count % 11)]] });
      if (fifth.length > 0) records.push({ kind: "depth", ...timed(count * 100), bids: fifth, asks: [] });
    }
    const isFifth = (text: string) => text.startsWith('{"table":"orderBookL2","action":"update"') && text.includes('"size":777,');
    const { seen, gaps } = play(scriptedWorld(records), 29, isFifth);
    expect(gaps.filter(({ to }) => to !== null)).toMatchObject([{ channel: "depth", reason: "levels-mismatch", action: "resynced" }]);
    expect(seen.lost).toBe(1);
    // 3 moments half a second apart, the last of them 2 s old: some 31.
    expect(seen.listsToFind).toBeGreaterThan(20);
    expect(seen.listsToFind).toBeLessThanOrEqual(4 + 65);
  });
});

function timed(afterMs: number) {
  return { receivedAt: VENUE_START + afterMs, venueTime: VENUE_START + afterMs, sequence: null };
}
