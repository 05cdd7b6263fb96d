/** What is served of a market, and what is stored of its minutes: never a number that is older, colder or of another book than it says. */

import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { FeatureView, Refusal, WantedRows } from "../../feed/contract.ts";
import { featureView } from "../../feed/feature-view.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { MinuteTally } from "../../feed/minute-tally.ts";
import { bookView, quoteAnswer } from "../../feed/views.ts";
import { book, one, scriptedStream, trackerOf } from "./scripted-adapter.ts";
import { depthFrame, marketOf, passSeconds, quoteFrame, START, scriptedFeed, synchronise, tradeFrame } from "./scripted-venue.ts";

/** START is ten seconds into its minute. */
const FIRST_MINUTE = START - 10_000;
const V1: WantedRows = { fingerprint: featureSetV1.fingerprint, rows: 1 };

function rowOf(feed: FeedReducer, now: number): FeatureView | Refusal {
  return featureView(marketOf(feed), { now, wanted: [V1] });
}

describe("a feature row", () => {
  it("is refused until every window is full: a forecast from half of one would be of nothing", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    passSeconds(feed, 1, 5);
    expect(marketOf(feed).pipeline.rowCount).toBe(5);
    expect(rowOf(feed, START + 5_200)).toHaveProperty("sets", [
      {
        fingerprint: V1.fingerprint,
        refusal: {
          reason: "warming-up",
          detail: "binance-spot:AAAUSDT has been unbroken for 5 s; features need 31 s of market time.",
        },
      },
    ]);
    passSeconds(feed, 6, 30);
    expect(rowOf(feed, START + 30_000)).toHaveProperty("sets.0.refusal.reason", "warming-up");
    passSeconds(feed, 31, 31);
    expect(rowOf(feed, START + 31_000)).toMatchObject({
      ok: true,
      featureTime: START + 31_000,
      sets: [{ columns: 27, rows: expect.objectContaining({ length: 27 }) }],
    });
  });

  it("is refused whole until there is a first one: nothing says what a forecast would start at", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    expect(rowOf(feed, START + 500)).toEqual({
      ok: false,
      reason: "warming-up",
      detail: "binance-spot:AAAUSDT has been unbroken for 0 s; features need 31 s of market time.",
    });
  });

  it("says how old it is while the market's clock stands still, so that a forecast of it can expire", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    passSeconds(feed, 1, 40);
    const now = START + 47_000;
    // Trades keep coming, all of one second of the venue's: no row falls due.
    for (let at = START + 41_000; at <= now; at += 1_000) feed.frame(tradeFrame(at, START + 40_000), at);
    expect(rowOf(feed, now)).toMatchObject({ featureTime: START + 40_000, rowAgeMs: 7_000 });
    feed.frame(depthFrame({ from: 142, time: now }), now);
    expect(rowOf(feed, now)).toMatchObject({ featureTime: now, rowAgeMs: 0 });
  });

  it("comes with when its book was last heard of and how much of the last minute it was there, not with what a healthy feed would say", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    passSeconds(feed, 1, 45);
    const view = rowOf(feed, START + 45_500);
    expect(view).toMatchObject({ ok: true, now: START + 45_500, receivedAt: START + 45_000, rowAgeMs: 500 });
    // Live since 10.2 s of the first minute, now at 55.5 s of it; of the minute before nothing is known.
    expect(view).toHaveProperty("coverage", 45_300 / 115_500);
    expect(bookView(marketOf(feed), { now: START + 45_500, levels: 1 })).toHaveProperty("receivedAt", START + 45_000);
  });
});

describe("the market's time", () => {
  it("is unknown until the venue has said one: a book whose snapshot carries none is not of 1970", () => {
    const feed = scriptedStream();
    feed.connectionOpened(START);
    feed.frame(one(book(START)), START + 500);
    expect(bookView(trackerOf(feed), { now: START + 600, levels: 1 })).toMatchObject({ ok: true, marketTime: null });
    expect(quoteAnswer(trackerOf(feed), START + 600)).toMatchObject({ ok: true, marketTime: null });
  });
});

describe("the quote", () => {
  it("is as old as what it shows: trades that still come make no top fresh", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(tradeFrame(1, START + 20_000), START + 20_000);
    expect(quoteAnswer(marketOf(feed), START + 20_500)).toMatchObject({ source: "book", receivedAt: START + 200 });
    feed.frame(quoteFrame(101, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }), START + 21_000);
    feed.frame(tradeFrame(2, START + 22_000), START + 22_000);
    expect(quoteAnswer(marketOf(feed), START + 22_500)).toMatchObject({ source: "venue-quote", receivedAt: START + 21_000 });
  });

  it("is the venue's while that is at least as new as the book, and the book's own top once it isn't", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(quoteFrame(101, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }), START + 250);
    expect(quoteAnswer(marketOf(feed), START + 250)).toMatchObject({ source: "venue-quote", sequence: 101, bidTicks: 1_000 });
    feed.frame(depthFrame({ from: 102, time: START + 300, bids: [["10.01", "3.000"]] }), START + 300);
    expect(quoteAnswer(marketOf(feed), START + 400)).toMatchObject({
      source: "book",
      sequence: 102,
      receivedAt: START + 300,
      bidTicks: 1_001,
      bidLots: 3_000,
      askTicks: 1_002,
      askLots: 1_000,
    });
    feed.frame(quoteFrame(103, { bid: ["10.00", "5.000"], ask: ["10.03", "2.000"] }), START + 410);
    expect(quoteAnswer(marketOf(feed), START + 410)).toMatchObject({
      source: "venue-quote",
      sequence: 103,
      bidTicks: 1_000,
      bidLots: 5_000,
      askTicks: 1_003,
      askLots: 2_000,
    });
  });

  it("of a connection that is gone is not served, whatever its number: the next may count from anew", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(quoteFrame(5_000, { bid: ["9.00", "1.000"], ask: ["9.01", "1.000"] }), START + 250);
    expect(quoteAnswer(marketOf(feed), START + 250)).toMatchObject({ source: "venue-quote", sequence: 5_000 });
    feed.connectionLost(START + 300, "connection-down", "1006");
    synchronise(feed, "AAAUSDT", START + 1_000);
    expect(quoteAnswer(marketOf(feed), START + 1_300)).toMatchObject({ source: "book", sequence: 101, bidTicks: 1_000 });
  });
});

describe("a closed minute", () => {
  it("of a market that fell silent in it is stale and has no numbers: those of its start are not its end's", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.tick(FIRST_MINUTE + 60_000);
    expect(feed.takeClosedMinutes()[0]?.snapshots).toMatchObject([
      { minute: FIRST_MINUTE, state: "stale", quote: null, bids: null, asks: null, lastSequence: null, bookHash: null, features: null },
    ]);
  });

  it("has the row of its last second, and none that is cold or of the minute before: a label would be read from it as if it were new", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    passSeconds(feed, 1, 49);
    // In the second minute the market's clock stands still while its book goes on; in the third it catches up.
    for (let second = 50; second < 110; second++) {
      feed.frame(depthFrame({ from: 101 + second, time: START + 49_000 }), START + second * 1_000);
    }
    passSeconds(feed, 110, 170);
    const minutes = feed.takeClosedMinutes().flatMap(({ snapshots }) => snapshots);
    expect(minutes.map(({ state, features }) => [state, features?.featureTime ?? null])).toEqual([
      ["live", START + 49_000],
      ["live", null],
      ["live", START + 169_000],
    ]);
    expect(minutes[0]?.features).toMatchObject({ fingerprint: featureSetV1.fingerprint });

    const late = scriptedFeed();
    synchronise(late, "AAAUSDT", START + 20_000);
    for (let second = 21; second < 51; second++) {
      late.frame(depthFrame({ from: 81 + second, time: START + second * 1_000 }), START + second * 1_000);
    }
    expect(marketOf(late).pipeline.rowCount).toBeGreaterThan(20);
    expect(late.takeClosedMinutes()[0]?.snapshots).toMatchObject([{ state: "live", features: null }]);
  });

  it.each([1, 25, 100])("keeps the best %i levels a side that its feed is configured to: fewer are gone for good", (levels) => {
    const feed = scriptedFeed(["AAAUSDT"], levels);
    synchronise(feed);
    const below = (index: number): [string, string] => [(9.99 - index / 100).toFixed(2), "1.000"];
    const above = (index: number): [string, string] => [(10.03 + index / 100).toFixed(2), "2.000"];
    const side = Array.from({ length: 60 }, (_, index) => index);
    feed.frame(depthFrame({ from: 102, time: START + 48_000, bids: side.map(below), asks: side.map(above) }), START + 48_000);
    feed.tick(FIRST_MINUTE + 60_000);
    const [snapshot] = feed.takeClosedMinutes()[0]?.snapshots ?? [];
    // 61 a side: those of the start, and the 60.
    const kept = Math.min(levels, 61);
    expect(snapshot?.bids?.map(([ticks]) => ticks)).toEqual(Array.from({ length: kept }, (_, index) => 1_000 - index));
    expect(snapshot?.asks?.map(([ticks]) => ticks)).toEqual(Array.from({ length: kept }, (_, index) => 1_002 + index));
  });

  it("counts its own trades and messages, each once, and none of its neighbour's", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (const id of [1, 2, 3]) feed.frame(tradeFrame(id, START + 1_000), START + 1_000);
    feed.frame(tradeFrame(4, START + 55_000), START + 55_000);
    feed.tick(FIRST_MINUTE + 120_000);
    const minutes = feed.takeClosedMinutes().flatMap(({ snapshots }) => snapshots);
    // The first also had the change that the book was built with.
    expect(minutes.map(({ trades, events }) => [trades, events])).toEqual([
      [3, 4],
      [1, 1],
    ]);
  });

  it("goes on from what the process before had counted of it", () => {
    const tally = new MinuteTally();
    tally.events = 2;
    tally.trades = 1;
    tally.resume(FIRST_MINUTE, { coveredMs: 7_000, events: 5, trades: 3, pricePath: "@1767614400/7/1" });
    tally.coverage.begin(FIRST_MINUTE + 40_000, 30_000);
    expect(tally.soFar(FIRST_MINUTE + 50_000)).toEqual({ coveredMs: 17_000, events: 7, trades: 4, pricePath: "@1767614400/7/1" });
    expect(tally.close(FIRST_MINUTE)).toEqual({ coveredMs: 27_000, events: 7, trades: 4, pricePath: "@1767614400/7/1" });
    expect(tally.soFar(FIRST_MINUTE + 60_000)).toEqual({ coveredMs: 0, events: 0, trades: 0, pricePath: null });
  });
});
