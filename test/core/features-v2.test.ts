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

  it("a side that fills up: the logarithm of now less that of a second ago, both by the depth scale of now", () => {
    const log = market([{ kind: "book", venueTime: 1_500, bids: [[999, 110]], asks: [] }, trade(2_000, "buy", 1, 1_000)]);
    const least = 1e-3 * ((200 / 2 + 300 / 2) / 2);
    const weigh = (lots: number): number => lots * Math.exp(-10) + least;
    expect(reader(log)("weighted_log_ratio_1bps_change_1s", 1)).toBeCloseTo(Math.log(weigh(110) / weigh(10)), 12);
    expect(reader(log)("weighted_log_ratio_1bps_change_1s")).toBe(0);
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

  it("trades that the book doesn't show yet are those that the venue dates after its last change, whichever came first, of the last five seconds", () => {
    const log = market([
      trade(600, "sell", 50, 999),
      trade(800, "sell", 4, 1_003),
      { kind: "book", venueTime: 700, bids: [[999, 9]], asks: [] },
      trade(900, "buy", 1, 1_001),
      trade(6_100, "buy", 2, 1_000),
      trade(8_000, "buy", 1, 1_000),
    ]);
    const at = reader(log);
    const scale = (39 + 160) / 2;
    expect(at("trades_newer")).toBeCloseTo(Math.log(3), 12);
    expect(at("signed_volume_newer")).toBeCloseTo(squash(-3 / scale), 12);
    expect(at("trade_deviation_newer")).toBeCloseTo(10, 12);
    // 4 at 1003 and 1 at 1001: 1002.6, beyond what counts.
    expect(at("trade_vwap_deviation_newer")).toBe(20);
    // Five rows on, the trades of the first second are out of reach.
    expect(at("trades_newer", 4)).toBeCloseTo(Math.log(3), 12);
    expect([at("trades_newer", 5), at("trade_deviation_newer", 5)]).toEqual([0, 0]);
    expect([at("trades_newer", 6), at("trade_deviation_newer", 6)]).toEqual([expect.closeTo(Math.log(2), 12), 0]);
  });

  it("the range of trades: how high and how low they went, from the mid of now", () => {
    const log = market([
      trade(600, "buy", 1, 1_001),
      trade(700, "sell", 1, 999.5),
      trade(1_200, "buy", 1, 1_000.5),
      trade(5_000, "buy", 1, 1_000),
    ]);
    const at = reader(log);
    expect([at("trade_high_1s"), at("trade_low_1s")]).toEqual([10, -5]);
    expect([at("trade_high_1s", 1), at("trade_low_1s", 1), at("trade_high_3s", 1), at("trade_low_3s", 1)]).toEqual([5, 5, 10, -5]);
    expect([at("trade_high_1s", 2), at("trade_low_1s", 2), at("trade_high_3s", 3), at("trade_low_3s", 3)]).toEqual([0, 0, 5, 5]);
  });

  it("the mid's moves: up half a tick, up half, down one: three, of which the last was 10 bps down and a third more went up", () => {
    const log = market([
      { kind: "book", venueTime: 600, bids: [[1_000, 5]], asks: [] },
      { kind: "book", venueTime: 650, bids: [[1_000, 6]], asks: [] },
      { kind: "book", venueTime: 700, bids: [], asks: [[1_001, 0]] },
      { kind: "book", venueTime: 800, bids: [[1_000, 0]], asks: [[1_001, 3]] },
      trade(40_000, "buy", 1, 1_000),
    ]);
    const at = reader(log);
    expect(at("mid_move_last")).toBe(-3);
    expect([at("mid_moves_1s"), at("mid_moves_5s")]).toEqual([expect.closeTo(Math.log(4), 12), expect.closeTo(Math.log(4), 12)]);
    expect(at("mid_moves_net_5s")).toBeCloseTo(1 / 3, 12);
    expect([at("mid_moves_1s", 1), at("mid_moves_net_5s", 4), at("mid_moves_net_5s", 5)]).toEqual([0, expect.closeTo(1 / 3, 12), 0]);
    expect([at("mid_move_age"), at("mid_move_age", 29)]).toEqual([0, expect.closeTo(Math.log(30), 12)]);
    expect([at("mid_move_last", 30), at("mid_move_age", 30)]).toEqual([0, expect.closeTo(Math.log(31), 12)]);
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

describe("pushes", () => {
  it("count the more the farther prices move: a mid that rose by 5 bps, so a volatility of 5, and a heavier ask side", () => {
    const log = market([{ kind: "book", venueTime: 1_500, bids: [[1_000, 10]], asks: [] }, trade(2_000, "buy", 1, 1_000)]);
    const at = reader(log);
    expect(at("imbalance_5_by_volatility")).toBe(0);
    const volatility = 1e4 * Math.log(1_000.5 / 1_000);
    expect(at("imbalance_5_by_volatility", 1)).toBeCloseTo(((50 - 160) / 210) * volatility, 10);
    // Beyond five basis points it is a jump, and counts as one of five.
    const jump = reader(
      market([{ kind: "book", venueTime: 1_500, bids: [[1_000, 10]], asks: [[1_001, 0]] }, trade(2_000, "buy", 1, 1_000)]),
    );
    expect(jump("imbalance_5_by_volatility", 1)).toBeCloseTo(5 * ((50 - 140) / 190), 10);
  });
});

describe("the sets", () => {
  it("keep their fingerprints: were one to change by accident, every model of it would refuse to load", () => {
    expect([featureSetR70.fingerprint, featureSetR70.columns.length, featureSetR70.warmupMs]).toEqual(["5a7b32f7415c719b", 56, 31_000]);
    expect([featureSetV2.fingerprint, featureSetV2.columns.length, featureSetV2.warmupMs]).toEqual(["218121f93b099ef2", 133, 31_000]);
  });
});
