/** A snapshot that is never asked for leaves a market without a book; one that is asked for without a pause gets the feed's address banned. */

import { describe, expect, it } from "vitest";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { SnapshotSchedule } from "../../feed/snapshot-schedule.ts";
import { depthFrame, marketOf, START, scriptedFeed, snapshotBody, synchronise } from "./scripted-venue.ts";

const SYMBOLS = ["AAAUSDT"];

describe("a snapshot", () => {
  it("is asked for once at a time, and anew after it has come or failed", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    expect(schedule.isDue(START + 2_999, "nothing-kept")).toBe(false);
    expect(schedule.isDue(START + 3_000, "nothing-kept")).toBe(true);
    for (const settle of [() => schedule.answered(), () => schedule.failed(START), () => schedule.begin(START)]) {
      expect(schedule.isDue(START, "change-kept")).toBe(true);
      schedule.asked(START);
      expect(schedule.isDue(START + 3_600_000, "change-kept")).toBe(false);
      settle();
    }
  });

  it("waits two seconds more after each failure in a row, a minute at most, and not at all on another connection", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    expect(Array.from({ length: 33 }, () => waitAfterFailure(schedule))).toEqual([
      ...Array.from({ length: 31 }, (_, index) => index * 2_000),
      60_000,
      60_000,
    ]);
    schedule.forgive();
    expect(schedule.isDue(START, "change-kept")).toBe(true);
    expect(waitAfterFailure(schedule)).toBe(0);
    expect(waitAfterFailure(schedule)).toBe(2_000);
  });
});

describe("a book that breaks again and again", () => {
  it("is asked for ever later, whatever broke it, until it has held for a minute", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    breakAt(feed, 200, START + 1_000);
    expect(feed.wantedSnapshots(START + 1_000)).toEqual(SYMBOLS);
    feed.snapshot("AAAUSDT", snapshotBody(199), START + 1_100);
    breakAt(feed, 300, START + 2_000);
    expect(feed.wantedSnapshots(START + 3_999)).toEqual([]);
    expect(feed.wantedSnapshots(START + 4_000)).toEqual(SYMBOLS);
    feed.snapshot("AAAUSDT", snapshotBody(299, [["20.00", "1.000"]], [["10.00", "1.000"]]), START + 4_000);
    expect(feed.wantedSnapshots(START + 7_999)).toEqual([]);
    expect(feed.wantedSnapshots(START + 8_000)).toEqual(SYMBOLS);
    feed.snapshot("AAAUSDT", snapshotBody(299), START + 8_000);
    feed.frame(depthFrame({ from: 301, time: START + 68_000 }), START + 68_000);
    breakAt(feed, 400, START + 69_000);
    expect(feed.wantedSnapshots(START + 69_000)).toEqual(SYMBOLS);
  });

  it("on one connection is asked for at once on the next", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    for (const [sequence, at] of [
      [200, START + 1_000],
      [300, START + 2_000],
    ] as const) {
      breakAt(feed, sequence, at);
      feed.snapshot("AAAUSDT", snapshotBody(sequence - 1), at + 100);
    }
    feed.connectionOpened(START + 2_200);
    feed.frame(depthFrame({ from: 400, time: START + 2_300 }), START + 2_300);
    expect(feed.wantedSnapshots(START + 2_300)).toEqual(SYMBOLS);
  });
});

/** A change that doesn't follow what the book holds: it is kept, and the next snapshot has to reach to it. */
function breakAt(feed: FeedReducer, sequence: number, at: number): void {
  feed.frame(depthFrame({ from: sequence, time: at }), at);
  expect(marketOf(feed).state).toBe("syncing");
}

/** Milliseconds, to the step of a second, until the next is due. */
function waitAfterFailure(schedule: SnapshotSchedule): number {
  schedule.failed(START);
  let wait = 0;
  while (!schedule.isDue(START + wait, "change-kept")) wait += 1_000;
  return wait;
}
