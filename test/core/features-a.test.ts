/** Columns of a, worked by hand: its reaches are percents, and no column may look ahead, as their model did. */

import { describe, expect, it } from "vitest";
import { featureSetA } from "../../core/features/registry.ts";
import { type MarketLog, streamedRows } from "./features-reference.ts";

/** Mid 10,000: a tick is one bps. Best five levels hold 70 lots of bids and 130 of asks: a depth scale of 100. */
const MARKET: MarketLog = {
  startTime: 500,
  bids: [
    [9_999, 10],
    [9_981, 10],
    [9_970, 10],
    [9_910, 20],
    [9_800, 20],
    [9_600, 80],
    [9_400, 1_000],
  ],
  asks: [
    [10_001, 30],
    [10_019, 30],
    [10_021, 20],
    [10_101, 30],
    [10_299, 20],
    [10_501, 500],
  ],
  events: [{ kind: "trade", venueTime: 1_000, takerSide: "buy", lots: 1, ticks: 10_000 }],
};

function reader(log: MarketLog): (name: string, row?: number) => number | undefined {
  const { rows } = streamedRows(log, featureSetA);
  return (name, row = 0) => rows[row]?.row[featureSetA.columns.indexOf(name)];
}

describe("feature set a", () => {
  it("what rests within .2, .33, 1, 3 and 5 % of the mid, level by level: bids 20, 30, 50, 70, 150 lots, asks 60, 80, 80, 130, 130", () => {
    const at = reader(MARKET);
    const reaches = [20, 33, 100, 300, 500];
    const depths = (lots: readonly number[]): unknown[] => lots.map((each) => expect.closeTo(Math.log(1 + each / 100), 12));
    expect(reaches.map((reach) => at(`depth_bid_${reach}bps`))).toEqual(depths([20, 30, 50, 70, 150]));
    expect(reaches.map((reach) => at(`depth_ask_${reach}bps`))).toEqual(depths([60, 80, 80, 130, 130]));
    expect(reaches.map((reach) => at(`depth_imbalance_${reach}bps`))).toEqual(
      [-40 / 80, -50 / 110, -30 / 130, -60 / 200, 20 / 280].map((share) => expect.closeTo(share, 12)),
    );
  });

  it("returns and volumes of the best prices, each of its own side", () => {
    const at = reader({
      ...MARKET,
      events: [
        ...MARKET.events,
        { kind: "book", venueTime: 1_500, bids: [[10_000, 5]], asks: [] },
        { kind: "trade", venueTime: 2_000, takerSide: "buy", lots: 1, ticks: 1 },
      ],
    });
    expect([at("log_return_bid"), at("log_return_ask")]).toEqual([0, 0]);
    expect(at("log_volume_bid")).toBeCloseTo(Math.log(10 / 100), 12);
    expect(at("log_return_bid", 1)).toBeCloseTo(1e4 * Math.log(10_000 / 9_999), 9);
    expect(at("log_return_ask", 1)).toBe(0);
    // The new bid pushes the fifth out: 55 and 130 lots now, 70 and 130 a second ago, a scale of 385 / 4.
    expect(at("log_volume_bid", 1)).toBeCloseTo(Math.log(5 / 96.25), 12);
  });

  it("direction is the mid beside its mean of up to seven rows before, the present one not among them", () => {
    const at = reader({
      ...MARKET,
      events: [
        ...MARKET.events,
        { kind: "book", venueTime: 2_500, bids: [[10_000, 5]], asks: [] },
        { kind: "trade", venueTime: 11_000, takerSide: "buy", lots: 1, ticks: 1 },
      ],
    });
    // Mids: 10,000 at 1 and 2 s, 10,000.5 from 3 s on.
    expect([at("mid_direction_7s"), at("mid_direction_7s", 1)]).toEqual([0, 0]);
    expect(at("mid_direction_7s", 2)).toBeCloseTo((1e4 * 0.5) / 10_000, 12);
    expect(at("mid_direction_7s", 3)).toBeCloseTo((1e4 * 2) / 60_001, 9);
    expect(at("mid_direction_7s", 8)).toBeCloseTo(1e4 * (10_000.5 / ((10_000 + 6 * 10_000.5) / 7) - 1), 9);
    expect(at("mid_direction_7s", 9)).toBe(0);
  });

  it("keeps its fingerprint: were it to change by accident, every model of it would refuse to load", () => {
    expect([featureSetA.fingerprint, featureSetA.columns.length, featureSetA.warmupMs]).toEqual(["753183f50fe8ce21", 20, 31_000]);
  });
});
