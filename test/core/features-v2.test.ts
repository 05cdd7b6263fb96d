/** Columns of r70 and v2, worked by hand: a wrong sign or weight here is learnt as if it were the market. */

import { describe, expect, it } from "vitest";
import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetR70, featureSetV2 } from "../../core/features/registry.ts";
import { type LogEvent, type MarketLog, streamedRows } from "./features-reference.ts";

const trade = (venueTime: number, takerSide: "buy" | "sell", lots: number, ticks: number): LogEvent => ({
  kind: "trade",
  venueTime,
  takerSide,
  lots,
  ticks,
});

/** Mid 1000, where a tick is 10 bps; 40 lots of bids, 160 of asks: a depth scale of 100. */
function market(events: readonly LogEvent[]): MarketLog {
  return {
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
    events: [...events],
  };
}

/** Of the row at 1.0 s, or of that many rows later. */
function reader(log: MarketLog, featureSet: FeatureSet = featureSetV2): (name: string, row?: number) => number | undefined {
  const { rows } = streamedRows(log, featureSet);
  return (name, row = 0) => rows[row]?.row[featureSet.columns.indexOf(name)];
}

const squash = (x: number): number => Math.sign(x) * Math.log(1 + 10 * Math.abs(x));

describe("the book", () => {
  const at = reader(market([trade(1_000, "buy", 1, 1_000)]));

  it("its sides' average prices are 996.75 and 1003.75: their middle is 2.5 bps above the mid, the volume-adjusted one 18.5 below, since asks are heavier", () => {
    expect(at("vwap_deviation_5")).toBeCloseTo(2.5, 12);
    expect(at("vamp_deviation_5")).toBeCloseTo(-18.5, 12);
  });

  it("depth weighted by distance: 10 bps away a level counts e^(-10/3) of itself, beyond 21 bps nothing", () => {
    const [bid, ask] = [10 * Math.exp(-10 / 3), 20 * Math.exp(-10 / 3) + 40 * Math.exp(-20 / 3)];
    expect(at("weighted_imbalance_3bps")).toBeCloseTo((bid - ask) / (bid + ask), 12);
    expect(at("weighted_log_ratio_3bps")).toBeCloseTo(Math.log((bid + 0.1) / (ask + 0.1)), 12);
    // e^(-10): a side of which nothing is left is a thousandth of the usual depth, not nothing.
    expect(at("weighted_log_ratio_1bps")).toBeCloseTo(
      Math.log((10 * Math.exp(-10) + 0.1) / (20 * Math.exp(-10) + 40 * Math.exp(-20) + 0.1)),
      12,
    );
  });

  it("25 lots sell at 997.2 and buy at 1001.2; of 100 the bids have 40, at 996.75, and the asks sell at 1003", () => {
    expect(at("walk_mid_0_25")).toBeCloseTo(-8, 12);
    expect(at("walk_spread_0_25")).toBeCloseTo(40, 12);
    expect(at("walk_mid_1")).toBeCloseTo(-1.25, 12);
    expect(at("walk_spread_1")).toBeCloseTo(62.5, 12);
  });

  it("a level that isn't there is where the deepest is", () => {
    expect([at("gap_bid_2"), at("gap_ask_2"), at("gap_difference_2")]).toEqual([40, 20, -20]);
    expect([at("gap_bid_10"), at("gap_ask_10"), at("gap_difference_10")]).toEqual([40, 50, 10]);
  });
});

describe("flows", () => {
  it("at the second level: a bid that comes before it pushes it down a place, and what stood there counts as gone", () => {
    // Level 2 of the bids was 996 x 30, then 998 x 5: a better price, so 5 came; level 3 was nothing, then 996 x 30.
    const log = market([{ kind: "book", venueTime: 700, bids: [[998, 5]], asks: [] }, trade(1_000, "buy", 1, 1_000)]);
    const at = reader(log, featureSetR70);
    const scale = (45 + 160) / 2;
    expect(at("ofi_level_1_1s")).toBe(0);
    expect(at("ofi_level_2_1s")).toBeCloseTo(squash(5 / scale), 12);
    expect(at("ofi_level_3_1s")).toBeCloseTo(squash(30 / scale), 12);
    expect(at("ofi_all_1s")).toBeCloseTo(squash(35 / scale), 12);
  });

  it("trades that the book doesn't show yet are those since its last change, within the second", () => {
    const log = market([
      trade(600, "sell", 50, 999),
      { kind: "book", venueTime: 700, bids: [[999, 9]], asks: [] },
      trade(800, "sell", 4, 1_003),
      trade(900, "buy", 1, 1_001),
      trade(1_100, "buy", 2, 1_000),
      trade(2_000, "buy", 1, 1_000),
    ]);
    const at = reader(log);
    const scale = (39 + 160) / 2;
    expect(at("trades_ahead")).toBeCloseTo(Math.log(3), 12);
    expect(at("signed_volume_ahead")).toBeCloseTo(squash(-3 / scale), 12);
    expect(at("trade_deviation_ahead")).toBeCloseTo(10, 12);
    // In the next second the book hasn't changed, and only its own trade counts.
    expect(at("trades_ahead", 1)).toBeCloseTo(Math.log(2), 12);
    expect(at("trade_deviation_ahead", 1)).toBe(0);
  });

  it("last trades: the mean of their prices beside the mid of now, within 20 bps, and none older than thirty seconds", () => {
    const log = market([trade(600, "sell", 1, 1_001), trade(700, "sell", 9, 1_002), trade(40_000, "buy", 1, 1_000)]);
    const at = reader(log);
    expect(at("last_trades_deviation_1")).toBe(20);
    expect(at("last_trades_deviation_5")).toBeCloseTo(15, 12);
    expect(at("last_trade_age")).toBe(0);
    expect(at("last_trade_age", 29)).toBeCloseTo(Math.log(30), 12);
    expect(at("last_trades_deviation_1", 29)).toBe(20);
    expect([at("last_trades_deviation_1", 30), at("last_trade_age", 30)]).toEqual([0, expect.closeTo(Math.log(31), 12)]);
  });
});

describe("the sets", () => {
  it("keep their fingerprints: were one to change by accident, every model of it would refuse to load", () => {
    expect([featureSetR70.fingerprint, featureSetR70.columns.length, featureSetR70.warmupMs]).toEqual(["5a7b32f7415c719b", 56, 31_000]);
    expect([featureSetV2.fingerprint, featureSetV2.columns.length, featureSetV2.warmupMs]).toEqual(["5f038067b6fac6a2", 86, 31_000]);
  });
});
