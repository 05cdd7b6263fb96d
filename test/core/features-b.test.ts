/** Columns of b, worked by hand: its distances are of both sides alike, and no column may be in one market's own units, as theirs are. */

import { describe, expect, it } from "vitest";
import { createMidDeviations } from "../../core/features/columns/mid-deviations.ts";
import { createMidMotion } from "../../core/features/columns/mid-motion.ts";
import { createRelativeStrength } from "../../core/features/columns/relative-strength.ts";
import { createSecondsSinceChange } from "../../core/features/columns/seconds-since-change.ts";
import { featureSetB } from "../../core/features/registry.ts";
import { type LogEvent, type MarketLog, streamedRows } from "./features-reference.ts";

/** Mid 10,000: a tick is one bps. Best five levels hold 70 lots of bids and 130 of asks: a depth scale of 100. */
const MARKET: MarketLog = {
  startTime: 500,
  bids: [
    [9_999, 10],
    [9_998, 20],
    [9_997, 40],
  ],
  asks: [
    [10_001, 30],
    [10_003, 30],
    [10_005, 20],
    [10_007, 30],
    [10_009, 20],
    [10_011, 50],
  ],
  events: [{ kind: "trade", venueTime: 1_000, takerSide: "buy", lots: 1, ticks: 10_000 }],
};

function reader(events: readonly LogEvent[] = MARKET.events): (name: string, row?: number) => number | undefined {
  const { rows } = streamedRows({ ...MARKET, events }, featureSetB);
  return (name, row = 0) => rows[row]?.row[featureSetB.columns.indexOf(name)];
}

/** Rows up to that time are written by it. */
function tradeAt(venueTime: number): LogEvent {
  return { kind: "trade", venueTime, takerSide: "buy", lots: 1, ticks: 10_000 };
}

/** A bid of so many lots; 0 takes it away. */
function bidAt(venueTime: number, ticks: number, lots: number): LogEvent {
  return { kind: "book", venueTime, bids: [[ticks, lots]], asks: [] };
}

describe("feature set b", () => {
  it("has the 28 columns of the classifier, in its order", () => {
    expect(featureSetB.columns).toEqual([
      "spread_bps",
      ...["volume_bid_1", "volume_bid_2", "volume_bid_3", "volume_ask_1", "volume_ask_2", "volume_ask_3"],
      ...["log_volume_bid_1", "log_volume_bid_2", "log_volume_bid_3", "log_volume_bid_4", "log_volume_bid_5"],
      ...["log_volume_ask_1", "log_volume_ask_2", "log_volume_ask_3", "log_volume_ask_4", "log_volume_ask_5"],
      "imbalance_1",
      ...["mid_velocity", "mid_acceleration", "seconds_since_change"],
      ...["average_distance_bid_10", "average_distance_ask_10", "level_range_10"],
      ...["mid_deviation_2", "mid_deviation_5", "mid_deviation_10", "relative_strength_14s"],
    ]);
  });

  it("volumes are multiples of the depth scale, and their logarithms have a floor where a level isn't there", () => {
    const at = reader();
    const named = (name: string, levels: number): unknown[] => Array.from({ length: levels }, (_, depth) => at(`${name}_${depth + 1}`));
    const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 12));
    expect(named("volume_bid", 3)).toEqual(close([0.1, 0.2, 0.4]));
    expect(named("volume_ask", 3)).toEqual(close([0.3, 0.3, 0.2]));
    expect(named("log_volume_bid", 5)).toEqual(close([0.101, 0.201, 0.401, 0.001, 0.001].map(Math.log)));
    expect(named("log_volume_ask", 5)).toEqual(close([0.301, 0.301, 0.201, 0.301, 0.201].map(Math.log)));
    expect(at("imbalance_1")).toBeCloseTo(-20 / 40, 12);
  });

  it("prices are distances in bps, above 0 on either side", () => {
    const at = reader();
    expect(at("spread_bps")).toBeCloseTo(2, 12);
    // Bids: (10·1 + 20·2 + 40·3) / 70. Asks: (30·1 + 30·3 + 20·5 + 30·7 + 20·9 + 50·11) / 180.
    expect(at("average_distance_bid_10")).toBeCloseTo(170 / 70, 12);
    expect(at("average_distance_ask_10")).toBeCloseTo(1_160 / 180, 12);
    // From the third bid to the sixth ask, the deepest there are.
    expect(at("level_range_10")).toBeCloseTo(14, 12);
  });

  it("the mid's speed, acceleration, deviation and strength look back from their own row", () => {
    // Mids at 1, 2, 3, 4, 5 s: 10,000, 10,000.5, 10,000.5, 10,000, 10,000.
    const at = reader([tradeAt(1_000), bidAt(1_500, 10_000, 5), tradeAt(3_000), bidAt(3_500, 10_000, 0), tradeAt(5_000)]);
    const all = (name: string): (number | undefined)[] => [0, 1, 2, 3, 4].map((row) => at(name, row));
    const ticks = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 3));
    expect(all("mid_velocity")).toEqual(ticks([0, 0.5, 0, -0.5, 0]));
    expect(all("mid_acceleration")).toEqual(ticks([0, 0.5, -0.5, -0.5, 0.5]));
    // Two mids half a tick apart deviate by .5 / √2; of 0, .5, .5, 0, 0 the squares about .2 are .3, over four.
    expect(all("mid_deviation_2")).toEqual(ticks([0, 0.5 / Math.SQRT2, 0, 0.5 / Math.SQRT2, 0]));
    expect(at("mid_deviation_5", 4)).toBeCloseTo(Math.sqrt(0.3 / 4), 3);
    expect(all("relative_strength_14s")).toEqual([0, 1, 1, 0, 0]);
  });

  it("a book that stands still counts its whole seconds, and a change in the last one makes it 0 again", () => {
    const at = reader([tradeAt(1_000), bidAt(1_500, 9_998, 21), tradeAt(4_000), bidAt(4_500, 9_998, 22), tradeAt(40_000)]);
    expect([0, 1, 2, 3, 4, 5, 33, 34, 35, 38].map((row) => at("seconds_since_change", row))).toEqual([0, 0, 1, 2, 0, 1, 29, 30, 30, 30]);
  });

  it("columns are warm when they look back over nothing but their own market's rows", () => {
    expect([
      createMidMotion().warmupMs,
      createMidDeviations([2, 5, 10]).warmupMs,
      createRelativeStrength(14).warmupMs,
      createSecondsSinceChange().warmupMs,
    ]).toEqual([3_000, 10_000, 15_000, 31_000]);
  });

  it("keeps its fingerprint: were it to change by accident, every model of it would refuse to load", () => {
    expect([featureSetB.fingerprint, featureSetB.columns.length, featureSetB.warmupMs]).toEqual(["0990db7a6fa08a83", 28, 31_000]);
  });
});
