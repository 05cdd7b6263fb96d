/** The book's levels as they stand: a column in another's place, or a level that isn't there told as a number, and a network learns a market that never was. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetLevels10, featureSetNamed, featureSetVolumes10 } from "../../core/features/registry.ts";
import { arbitraryMarket, type KeptRow, type MarketLog, streamedRows } from "./features-reference.ts";

function rowsOf(featureSet: FeatureSet, log: MarketLog): KeptRow[] {
  return streamedRows(log, featureSet).rows;
}

const tick = (venueTime: number): MarketLog["events"][number] => ({ kind: "trade", venueTime, takerSide: "buy", lots: 1 });

/** Mid 1000; two bids, three asks. */
const SMALL: MarketLog = {
  startTime: 500,
  bids: [
    [999, 10],
    [996, 30],
  ],
  asks: [
    [1001, 20],
    [1002, 40],
    [1005, 100],
  ],
  events: [tick(1_000), { kind: "book", venueTime: 1_500, bids: [[996, 0]], asks: [[1001, 0]] }, tick(2_000)],
};

describe("levels-10", () => {
  it("worked by hand: distance to the mid in bps and size beside the usual depth, ask before bid, level by level", () => {
    const rows = rowsOf(featureSetLevels10, SMALL);
    expect(rows.map((row) => row.featureTime)).toEqual([1_000, 2_000]);
    // 40 lots of bids and 160 of asks: 100 a side.
    const size = (lots: number, usual: number): number => Math.log(1 + (10 * lots) / usual);
    const first = rows[0]?.row ?? [];
    expect(first.slice(0, 4)).toEqual([10, expect.closeTo(size(20, 100), 12), -10, expect.closeTo(size(10, 100), 12)]);
    expect(first.slice(4, 8)).toEqual([20, expect.closeTo(size(40, 100), 12), -40, expect.closeTo(size(30, 100), 12)]);
    // No third bid: nothing rests there, and the price stays at the deepest.
    expect(first.slice(8, 12)).toEqual([50, expect.closeTo(size(100, 100), 12), -40, 0]);
    for (let level = 4; level <= 10; level++) expect(first.slice(4 * level - 4, 4 * level), `level ${level}`).toEqual([50, 0, -40, 0]);
    // Mid 1000.5; 10 lots of bids and 140 of asks: the usual depth is the mean of 200 and 150, per side.
    const second = rows[1]?.row ?? [];
    const usual = (200 + 150) / 2 / 2;
    expect(second.slice(0, 4)).toEqual([
      expect.closeTo((1e4 * 1.5) / 1000.5, 10),
      expect.closeTo(size(40, usual), 12),
      expect.closeTo((-1e4 * 1.5) / 1000.5, 10),
      expect.closeTo(size(10, usual), 12),
    ]);
    expect(second.slice(4, 8)).toEqual([
      expect.closeTo((1e4 * 4.5) / 1000.5, 10),
      expect.closeTo(size(100, usual), 12),
      expect.closeTo((-1e4 * 1.5) / 1000.5, 10),
      0,
    ]);
  });

  it("of any market: finite, asks not below and bids not above the mid, and never nearer with depth", () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        for (const { row } of rowsOf(featureSetLevels10, log)) {
          expect(row.every(Number.isFinite)).toBe(true);
          for (let level = 1; level < 10; level++) {
            const [ask, , bid] = row.slice(4 * level - 4, 4 * level) as [number, number, number, number];
            const [deeperAsk, , deeperBid] = row.slice(4 * level, 4 * level + 4) as [number, number, number, number];
            expect(ask).toBeGreaterThanOrEqual(0);
            expect(bid).toBeLessThanOrEqual(0);
            expect(deeperAsk).toBeGreaterThanOrEqual(ask);
            expect(deeperBid).toBeLessThanOrEqual(bid);
            compared++;
          }
        }
      }),
      { numRuns: 40 },
    );
    expect(compared).toBeGreaterThan(1_000);
  });

  it("is warm when the depth scale has thirty seconds behind it, and starts over after a reset", () => {
    const seconds = Array.from({ length: 40 }, (_, index) => tick(1_000 + index * 1_000));
    const rows = rowsOf(featureSetLevels10, { ...SMALL, events: seconds });
    // A full window of 30 s, and up to one second until the first row.
    expect(rows.find((row) => row.isWarm)?.featureTime).toBe(32_000);
  });

  it("keeps its fingerprint: were it to change by accident, every published model would refuse to load", () => {
    expect(featureSetLevels10.fingerprint).toBe("8711b1401224b065");
    expect(featureSetLevels10.columns).toHaveLength(40);
    expect(featureSetLevels10.columns.slice(0, 5)).toEqual(["ask_price_1", "ask_size_1", "bid_price_1", "bid_size_1", "ask_price_2"]);
    expect(featureSetNamed("levels-10")).toBe(featureSetLevels10);
    expect(featureSetNamed("levels-11")).toBeNull();
  });
});

describe("volumes-10", () => {
  it("worked by hand: bids from the worst to the best, then asks from the best to the worst, nothing where nothing rests", () => {
    const [first, second] = rowsOf(featureSetVolumes10, SMALL).map(({ row }) => row);
    const log = (lots: number): number => expect.closeTo(Math.log(1 + lots), 12) as number;
    expect(first).toEqual([0, 0, 0, 0, 0, 0, 0, 0, log(30), log(10), log(20), log(40), log(100), 0, 0, 0, 0, 0, 0, 0]);
    expect(second).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, log(10), log(40), log(100), 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("keeps its fingerprint, and needs no warm-up: it looks at the book alone", () => {
    expect(featureSetVolumes10.fingerprint).toBe("7c89517805b497c6");
    expect(featureSetVolumes10.columns.slice(8, 12)).toEqual(["bid_volume_2", "bid_volume_1", "ask_volume_1", "ask_volume_2"]);
    expect(featureSetVolumes10.warmupMs).toBe(0);
  });
});
