import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { OrderFlow } from "../../core/features/columns/order-flow.ts";
import { featureSets, featureSetV1, findFeatureSet } from "../../core/features/registry.ts";
import { logOnePlus } from "../../core/math/elementary.ts";
import { applyLevels, type Level, streamedRows } from "./features-reference.ts";

const column = (name: string): number => {
  const index = featureSetV1.columns.indexOf(name);
  if (index < 0) throw new Error(`no column ${name}`);
  return index;
};

function replaceBook(book: OrderBook, bids: readonly Level[], asks: readonly Level[]): void {
  book.clear();
  applyLevels(book, bids, asks);
}

describe("known answers", () => {
  it("OFI has the sign and size that Cont, Kukanov and Stoikov define, else every flow column is wrong", () => {
    const quotes: [number, number, number, number][] = [
      [100, 5, 101, 4],
      [100, 7, 101, 4],
      [100, 7, 101, 1],
      [100, 7, 102, 3],
      [101, 2, 102, 3],
      [100, 6, 102, 3],
      [99, 6, 101, 5],
    ];
    const book = new OrderBook();
    const flow = new OrderFlow();
    const answers = quotes.map(([bid, bidLots, ask, askLots]) => {
      replaceBook(book, [[bid, bidLots]], [[ask, askLots]]);
      return flow.next(book.bids, book.asks);
    });
    expect(answers).toEqual([0, 2, 3, 1, 2, -2, -11]);
  });

  it("a side that empties counts as its queue taken away, and refilled as added, so no flow is made of nothing", () => {
    const book = new OrderBook();
    const flow = new OrderFlow();
    replaceBook(book, [[100, 5]], [[101, 4]]);
    flow.next(book.bids, book.asks);
    replaceBook(book, [], [[101, 4]]);
    expect(flow.next(book.bids, book.asks)).toBe(-5);
    replaceBook(book, [[90, 3]], [[101, 4]]);
    expect(flow.next(book.bids, book.asks)).toBe(3);
  });

  it("the weighted mid of 100 x 30, 101 x 10 is 100.75: it leans to the ask when bids are heavier", () => {
    const { rows } = streamedRows({
      startTime: 500,
      bids: [[100, 30]],
      asks: [[101, 10]],
      events: [{ kind: "trade", venueTime: 1000, takerSide: "buy", lots: 1 }],
    });
    const deviation = rows[0]?.row[column("weighted_mid_deviation_bps")] ?? Number.NaN;
    expect(100.5 * (1 + deviation / 1e4)).toBeCloseTo(100.75, 12);
  });

  it("four seconds worked by hand: flows fall into the second in which they were received, and divide by the mean depth", () => {
    const { rows } = streamedRows({
      startTime: 10_200,
      bids: [[1000, 10]],
      asks: [[1002, 30]],
      events: [
        { kind: "trade", venueTime: 10_300, takerSide: "sell", lots: 4 },
        { kind: "book", venueTime: 11_000, bids: [[1000, 20]], asks: [] },
        { kind: "trade", venueTime: 11_500, takerSide: "buy", lots: 5 },
        { kind: "book", venueTime: 12_400, bids: [[1001, 6]], asks: [] },
        { kind: "trade", venueTime: 13_000, takerSide: "buy", lots: 100 },
      ],
    });
    const at = (name: string): (number | undefined)[] => rows.map(({ row }) => row[column(name)]);
    const log = (x: number): number => Math.sign(x) * logOnePlus(10 * Math.abs(x));
    expect(rows.map((row) => row.featureTime)).toEqual([11_000, 12_000, 13_000]);
    // Best-five depth of both sides at 11, 12, 13 s: 40, 50, 56; the scale is their mean so far, per side.
    const scales = [20, 22.5, 146 / 6];
    for (const [row, lots] of [10, 20, 6].entries()) {
      expect(at("log_volume_bid")[row]).toBeCloseTo(Math.log(lots / (scales[row] as number)), 14);
    }
    // At 11.0 the change of that time has not been applied yet: it belongs to the second that ends at 12.0.
    expect(at("ofi_1s")).toEqual([0, log(10 / 22.5), log(6 / (146 / 6))]);
    expect(at("ofi_5s")).toEqual([0, log(10 / 22.5), log(16 / (146 / 6))]);
    expect(at("signed_volume_1s")).toEqual([log(-4 / 20), log(5 / 22.5), 0]);
    expect(at("signed_volume_10s")).toEqual([log(-4 / 20), log(1 / 22.5), log(1 / (146 / 6))]);
    expect(at("log_return_bid")).toEqual([0, 0, 1e4 * logOnePlus(1 / 1000)]);
    expect(at("log_return_ask")).toEqual([0, 0, 0]);
    expect(at("mid_return_30s")).toEqual([0, 0, 1e4 * logOnePlus(0.5 / 1001)]);
    expect(at("imbalance_1")).toEqual([-0.5, -0.2, (6 - 30) / 36]);
    expect(at("imbalance_5")).toEqual([-0.5, -0.2, (26 - 30) / 56]);
    expect(at("spread_bps")).toEqual([(2 / 1001) * 1e4, (2 / 1001) * 1e4, (1 / 1001.5) * 1e4]);
    expect(at("seconds_since_gap")).toEqual([0.8, 1.8, 2.8]);
  });
});

describe("the set", () => {
  it("keeps its fingerprint: were it to change by accident, every published model would refuse to load", () => {
    expect(featureSetV1.fingerprint).toBe("2a4e9a89a506c4c4");
    expect(featureSetV1.columns).toHaveLength(27);
    expect(featureSetV1.warmupMs).toBe(31_000);
  });

  it("is found by its fingerprint alone", () => {
    for (const featureSet of featureSets) expect(findFeatureSet(featureSet.fingerprint)).toBe(featureSet);
    expect(findFeatureSet("0000000000000000")).toBeNull();
    expect(new Set(featureSets.map((featureSet) => featureSet.fingerprint)).size).toBe(featureSets.length);
  });

  it("describes each column, so that the generated table has no hole", () => {
    expect(featureSetV1.descriptions.map((description) => description.name)).toEqual(featureSetV1.columns);
    for (const { name, unit, formula, source } of featureSetV1.descriptions) {
      expect(name).toMatch(/^[a-z0-9_]+$/);
      for (const text of [unit, formula, source]) expect(text.length, name).toBeGreaterThan(0);
    }
  });
});
