/** A window of known levels that is never renewed leaves, after a day's move, a book whose far levels are guesses and at last no top at all. */

import { describe, expect, it } from "vitest";
import { decodeTapeLine, encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { bookView } from "../../feed/views.ts";
import { depthFrame, marketOf, START, scriptedFeed, snapshotBody } from "./scripted-venue.ts";

type Level = [string, string];

/** As many levels as the venue gives at most, `from` the best price on, one tick apart. */
function side(from: number, step: 1 | -1, size = "1.000"): Level[] {
  return Array.from({ length: 1_000 }, (_, index) => [((from + step * index) / 100).toFixed(2), size]);
}

/** Bids from 20.00 down to 10.01, asks from 20.02 up to 30.01: all that the venue gives of a deeper book. */
const FIRST = { bids: side(2_000, -1), asks: side(2_002, 1) };

/** Everything that a feed is given, as its tape has it. */
class Script {
  readonly feed: FeedReducer = scriptedFeed();
  readonly tape: string[] = [];
  sequence = 100;

  take(record: TapeRecord): void {
    this.tape.push(encodeTapeRecord(record));
    this.feed.record(record);
  }

  change(second: number, levels: { bids?: Level[]; asks?: Level[] } = {}): void {
    const time = START + second * 1_000;
    this.sequence++;
    this.take({ kind: "frame", receivedAt: time, text: depthFrame({ from: this.sequence, time, ...levels }) });
  }

  snapshot(second: number, lastSequence: number, { bids, asks }: { bids: Level[]; asks: Level[] }): void {
    const body = snapshotBody(lastSequence, bids, asks);
    this.take({ kind: "snapshot", receivedAt: START + second * 1_000, symbol: "AAAUSDT", body });
  }

  asked(second: number): void {
    this.take({ kind: "asked", receivedAt: START + second * 1_000, symbol: "AAAUSDT" });
  }

  wanted(second: number): string[] {
    return this.feed.wantedSnapshots(START + second * 1_000);
  }
}

/** Live at sequence 101 with the first window; then the market falls to 14.99, where half of the bids' window is used up. */
function fallen(): Script {
  const script = new Script();
  script.take({ kind: "open", receivedAt: START, connection: "1" });
  script.change(0);
  script.snapshot(0, 100, FIRST);
  for (let second = 1; second <= 70; second++) script.change(second);
  expect(script.wanted(71)).toEqual([]);
  const gone = Array.from({ length: 501 }, (_, index): Level => [((2_000 - index) / 100).toFixed(2), "0.000"]);
  script.change(72, { bids: gone, asks: [["15.00", "2.000"]] });
  return script;
}

/** The venue's book there: 14.99 down to 5.00. */
const AFTER_FALL = { bids: side(1_499, -1), asks: [["15.00", "2.000"] as Level, ...side(2_002, 1)].slice(0, 1_000) };

describe("a window of known levels that is used up by half", () => {
  it("is renewed while the book stays live, with nothing in the ledger", () => {
    const script = fallen();
    const market = marketOf(script.feed);
    expect(market.book.bids.completeToTicks).toBe(1_001);
    expect(script.wanted(73)).toEqual(["AAAUSDT"]);
    script.asked(73);
    expect(script.wanted(74)).toEqual([]);
    script.change(74, { bids: [["14.98", "7.000"]] });
    script.snapshot(75, script.sequence - 1, AFTER_FALL);
    expect(market.state).toBe("live");
    expect(market.book.bids.completeToTicks).toBe(500);
    expect(market.book.bids.lotsAtPrice(1_498)).toBe(7_000);
    expect(market.lastSequence).toBe(script.sequence);
    script.change(76);
    expect(market.lastSequence).toBe(script.sequence);
    const gaps = script.feed.takeGapChanges();
    expect(gaps).toEqual([]);
  });

  it("joins a snapshot that is ahead of the stream, and drops what it holds already", () => {
    const script = fallen();
    expect(script.wanted(73)).toEqual(["AAAUSDT"]);
    script.asked(73);
    script.snapshot(74, script.sequence + 2, AFTER_FALL);
    const market = marketOf(script.feed);
    expect(market.lastSequence).toBe(script.sequence + 2);
    script.change(75, { bids: [["14.98", "9.000"]] });
    script.change(76, { bids: [["14.98", "9.000"]] });
    expect(market.book.bids.lotsAtPrice(1_498)).toBe(1_000);
    script.change(77, { bids: [["14.98", "9.000"]] });
    expect(market.book.bids.lotsAtPrice(1_498)).toBe(9_000);
    expect(market.state).toBe("live");
  });

  it("shows a book that was not the venue's, puts the right one in its place, and writes that down", () => {
    const script = fallen();
    script.asked(73);
    script.change(74);
    const bids = AFTER_FALL.bids.map(([price, size]): Level => (price === "14.50" ? [price, "4.000"] : [price, size]));
    script.snapshot(75, script.sequence, { ...AFTER_FALL, bids });
    const market = marketOf(script.feed);
    expect(market.state).toBe("live");
    expect(market.book.bids.lotsAtPrice(1_450)).toBe(4_000);
    expect(script.feed.takeGapChanges()).toMatchObject([{ reason: "snapshot-differs", from: START, to: START + 75_000 }]);
  });

  it("is left as it is by a snapshot that does not join, and asked for again a minute later", () => {
    const script = fallen();
    script.asked(73);
    script.change(74);
    const before = marketOf(script.feed).book.contentHash();
    script.snapshot(75, 50, AFTER_FALL);
    expect(marketOf(script.feed).state).toBe("live");
    expect(marketOf(script.feed).book.contentHash()).toBe(before);
    expect(script.wanted(76)).toEqual([]);
    expect(script.wanted(133)).toEqual(["AAAUSDT"]);
  });

  it("is renewed the same way when its tape is replayed", () => {
    const script = fallen();
    script.asked(73);
    script.change(74, { bids: [["14.98", "7.000"]] });
    script.snapshot(75, script.sequence - 1, AFTER_FALL);
    script.change(76);
    const replayed = scriptedFeed();
    for (const line of script.tape) {
      const record = decodeTapeLine(line.trimEnd());
      if ("malformed" in record) throw new Error(record.malformed);
      replayed.record(record);
    }
    expect(marketOf(replayed).book.contentHash()).toBe(marketOf(script.feed).book.contentHash());
    expect(marketOf(replayed).book.bids.completeToTicks).toBe(500);
  });
});

describe("levels beyond the window", () => {
  it("are not served: one of them may have been there all the time, unseen", () => {
    const script = fallen();
    script.change(73, { bids: [["9.99", "3.000"]] });
    const view = bookView(marketOf(script.feed), { now: START + 73_000, levels: 5_000 });
    if (!view.ok) throw new Error(view.detail);
    expect(view.bids.at(-1)).toEqual([1_001, 1_000]);
    expect(view.completeTo.bidTicks).toBe(1_001);
    expect(marketOf(script.feed).book.bids.lotsAtPrice(999)).toBe(3_000);
  });
});
