import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { Feature } from "../../core/features/contract.ts";
import { defineFeatureSet } from "../../core/features/define.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { applyLevels, type KeptRow, keep, type Level, referenceRows, streamedRows, tradeEvent } from "./features-reference.ts";

const START = 1_700_000_000_400;
const FIRST = 1_700_000_001_000;

interface Rig {
  pipeline: FeaturePipeline;
  book: OrderBook;
  rows: KeptRow[];
  set(bids: readonly Level[], asks: readonly Level[]): void;
}

/** A started pipeline on a book of 100 x 5, 102 x 7. */
function rig(): Rig {
  const rows: KeptRow[] = [];
  const book = new OrderBook();
  const pipeline = new FeaturePipeline(featureSetV1, { onRow: (row) => rows.push(keep(row)) });
  const set = (bids: readonly Level[], asks: readonly Level[]): void => {
    applyLevels(book, bids, asks);
    pipeline.onBook(pipeline.marketTime ?? START);
  };
  applyLevels(book, [[100, 5]], [[102, 7]]);
  pipeline.start(START, book);
  return { pipeline, book, rows, set };
}

function times(rows: readonly KeptRow[]): number[] {
  return rows.map((row) => row.featureTime);
}

function column(row: KeptRow | undefined, name: string): number | undefined {
  return row?.row[featureSetV1.columns.indexOf(name)];
}

describe("the grid of the market's clock", () => {
  it("the row for T is written before the first event at T is applied, or it would know what had not been received", () => {
    const { pipeline, rows, set } = rig();
    expect(pipeline.advance(FIRST - 1)).toBe("advanced");
    expect(rows).toEqual([]);
    pipeline.advance(FIRST);
    set([[101, 3]], []);
    expect(times(rows)).toEqual([FIRST]);
    expect(rows[0]?.bidTicks).toBe(100);
    pipeline.advance(FIRST + 1000);
    expect(rows[1]?.bidTicks).toBe(101);
    expect(rows[1]?.askTicks).toBe(102);
  });

  it("begins at the next whole second, also when started on one, so that no row has an empty first second", () => {
    const { pipeline, book, rows } = rig();
    pipeline.start(FIRST, book);
    pipeline.advance(FIRST + 999);
    expect(rows).toEqual([]);
    pipeline.advance(FIRST + 1000);
    expect(times(rows)).toEqual([FIRST + 1000]);
  });

  it("refuses a phase that is no part of a second: its rows would be of a grid that nobody else has", () => {
    for (const phaseMs of [-1, 0.5, 1_000, Number.NaN]) expect(() => new FeaturePipeline(featureSetV1, { phaseMs })).toThrow("a phase of");
  });

  it("a silence of a minute has a row for each second, so that labels and windows stay whole", () => {
    const { pipeline, rows } = rig();
    pipeline.advance(FIRST + 59_999);
    expect(times(rows)).toEqual(Array.from({ length: 60 }, (_, index) => FIRST + index * 1000));
    expect(new Set(rows.map((row) => row.segment)).size).toBe(1);
  });

  it("a longer silence is passed over with the columns that writing all its seconds would have given", () => {
    const events = [
      { kind: "trade" as const, venueTime: FIRST + 200, takerSide: "buy" as const, lots: 9 },
      { kind: "book" as const, venueTime: FIRST + 40_300, bids: [[101, 4] as const], asks: [] },
      { kind: "trade" as const, venueTime: FIRST + 40_900, takerSide: "sell" as const, lots: 2 },
      { kind: "trade" as const, venueTime: FIRST + 3_000_000, takerSide: "buy" as const, lots: 1 },
      { kind: "trade" as const, venueTime: FIRST + 3_003_500, takerSide: "buy" as const, lots: 1 },
    ];
    const log = { startTime: START, bids: [[100, 5] as const], asks: [[102, 7] as const], events };
    const { rows } = streamedRows(log);
    const seconds = times(rows).map((time) => (time - FIRST) / 1000);
    expect(seconds).toEqual([...Array.from({ length: 42 }, (_, index) => index), 3000, 3001, 3002, 3003]);
    const reference = new Map(referenceRows(log).map((row) => [row.featureTime, row.columns]));
    for (const row of rows) {
      for (const name of featureSetV1.columns) {
        expect(column(row, name), `${name} at ${row.featureTime}`).toBeCloseTo(reference.get(row.featureTime)?.get(name) ?? Number.NaN, 10);
      }
    }
    expect(rows[41]?.segment).not.toBe(rows[42]?.segment);
    expect(rows[42]?.isWarm).toBe(true);
  });

  it("an event older than the clock leaves the clock where it is, and is still counted", () => {
    const { pipeline, rows } = rig();
    pipeline.advance(FIRST + 500);
    expect(pipeline.advance(FIRST - 5_000)).toBe("advanced");
    pipeline.onTrade(tradeEvent({ venueTime: FIRST - 5_000, takerSide: "buy", lots: 6 }));
    expect(pipeline.marketTime).toBe(FIRST + 500);
    pipeline.advance(FIRST + 1000);
    expect(times(rows)).toEqual([FIRST, FIRST + 1000]);
    expect(column(rows[1], "signed_volume_1s")).toBeCloseTo(Math.log1p(10), 12);
  });

  it("one frame with a time an hour ahead can't carry the clock away", () => {
    const { pipeline, rows } = rig();
    expect(pipeline.advance(START + 3_600_001)).toBe("clock-leap");
    expect(pipeline.advance(Number.MAX_VALUE)).toBe("bad-time");
    expect(pipeline.advance(Number.NaN)).toBe("bad-time");
    expect(pipeline.marketTime).toBe(START);
    expect(pipeline.advance(FIRST)).toBe("advanced");
    expect(times(rows)).toEqual([FIRST]);
  });
});

describe("gaps", () => {
  it("after a stop there is no row and nothing to forecast from until the book is built again", () => {
    const { pipeline, book, rows } = rig();
    pipeline.advance(FIRST);
    expect(pipeline.latest?.featureTime).toBe(FIRST);
    pipeline.stop();
    expect(pipeline.latest).toBeNull();
    expect(pipeline.advance(FIRST + 5000)).toBe("stopped");
    pipeline.onBook(FIRST + 5000);
    expect(rows).toHaveLength(1);
    pipeline.start(FIRST + 5000, book);
    expect(pipeline.latest).toBeNull();
    pipeline.advance(FIRST + 6000);
    expect(times(rows)).toEqual([FIRST, FIRST + 6000]);
    expect(rows[1]?.segment).not.toBe(rows[0]?.segment);
  });

  it("what was before the gap is forgotten: no return, flow or volume reaches across", () => {
    const { pipeline, book, rows, set } = rig();
    pipeline.advance(FIRST + 10_000);
    pipeline.onTrade(tradeEvent({ venueTime: FIRST + 10_000, takerSide: "buy", lots: 50 }));
    set([[101, 9]], []);
    pipeline.stop();
    book.clear();
    applyLevels(book, [[200, 1]], [[210, 1]]);
    pipeline.start(FIRST + 10_500, book);
    pipeline.advance(FIRST + 11_000);
    const row = rows.at(-1);
    for (const name of ["ofi_10s", "signed_volume_10s", "mid_return_30s", "realised_volatility_30s", "log_return_bid", "log_volume_ask"]) {
      expect(column(row, name), name).toBe(0);
    }
    expect(column(row, "seconds_since_gap")).toBe(0.5);
  });

  it("is warm only when 31 s have passed since the book was built, so that every window is full", () => {
    const { pipeline, rows } = rig();
    pipeline.advance(FIRST + 40_000);
    const warm = rows.filter((row) => row.isWarm);
    expect(warm[0]?.featureTime).toBe(FIRST + 31_000);
    expect(warm).toHaveLength(10);
  });

  it("a grid time without a side has no row, and everything starts over there", () => {
    const { pipeline, rows, set } = rig();
    pipeline.advance(FIRST + 40_100);
    set([], [[102, 0]]);
    pipeline.advance(FIRST + 42_100);
    expect(rows.at(-1)?.featureTime).toBe(FIRST + 40_000);
    expect(pipeline.latest).toBeNull();
    set([], [[103, 2]]);
    pipeline.advance(FIRST + 43_000);
    const row = rows.at(-1);
    expect(row?.featureTime).toBe(FIRST + 43_000);
    expect(row?.isWarm).toBe(false);
    expect(row?.segment).toBeGreaterThan(rows.at(-2)?.segment ?? Number.POSITIVE_INFINITY);
    expect(column(row, "seconds_since_gap")).toBe(1);
  });

  it("a crossed book has no row; a locked one has, with no spread", () => {
    const { pipeline, rows, set } = rig();
    set([[103, 1]], []);
    pipeline.advance(FIRST);
    expect(rows).toEqual([]);
    set([[103, 0]], []);
    set([[102, 4]], []);
    pipeline.advance(FIRST + 1000);
    expect(times(rows)).toEqual([FIRST + 1000]);
    expect(column(rows[0], "spread_bps")).toBe(0);
    expect(column(rows[0], "weighted_mid_deviation_bps")).toBe(0);
  });

  it("a price of no ticks, which has no logarithm, is refused like an empty side", () => {
    const { pipeline, book, rows } = rig();
    book.clear();
    applyLevels(book, [[0, 5]], [[1, 5]]);
    pipeline.advance(FIRST);
    expect(rows).toEqual([]);
  });

  it("a restart on an older time never writes a time twice, or a dataset would hold two rows of one second", () => {
    const { pipeline, book, rows } = rig();
    pipeline.advance(FIRST + 5000);
    expect(pipeline.start(FIRST + 1000, book)).toBe("started");
    pipeline.advance(FIRST + 4000);
    pipeline.advance(FIRST + 6000);
    expect(times(rows)).toEqual([0, 1, 2, 3, 4, 5, 6].map((second) => FIRST + second * 1000));
  });

  it("won't start at a time that is none", () => {
    const { pipeline, book, rows } = rig();
    expect(pipeline.start(Number.NaN, book)).toBe("bad-time");
    expect(pipeline.advance(FIRST)).toBe("stopped");
    expect(rows).toEqual([]);
  });
});

describe("the digest", () => {
  const log = {
    startTime: START,
    bids: [[100, 5] as const],
    asks: [[102, 7] as const],
    events: [
      { kind: "trade" as const, venueTime: FIRST, takerSide: "buy" as const, lots: 3 },
      { kind: "trade" as const, venueTime: FIRST + 9000, takerSide: "buy" as const, lots: 3 },
    ],
  };

  it("is the same for the same events and differs by one lot: it is what says that replay and live agree", () => {
    const other = { ...log, asks: [[102, 8] as const] };
    expect(streamedRows(log).rowsHash).toBe(streamedRows(log).rowsHash);
    expect(streamedRows(other).rowsHash).not.toBe(streamedRows(log).rowsHash);
  });

  it("covers the rows' times", () => {
    const later = { ...log, startTime: START + 1000, events: log.events.map((event) => ({ ...event, venueTime: event.venueTime + 1000 })) };
    expect(streamedRows(later).rows.map((row) => row.row)).toEqual(streamedRows(log).rows.map((row) => row.row));
    expect(streamedRows(later).rowsHash).not.toBe(streamedRows(log).rowsHash);
  });
});

describe("a feature that is wrong", () => {
  const broken: Feature = {
    columns: [{ name: "ratio", unit: "", formula: "0 / 0", source: "a mistake" }],
    warmupMs: 0,
    onBook() {},
    onTrade() {},
    write(_context, _time, out, offset) {
      out[offset] = 0 / 0;
    },
    reset() {},
  };

  it("is found at its first NaN, by name, before a model is trained on it", () => {
    const pipeline = new FeaturePipeline(defineFeatureSet("broken", 1, () => [broken]));
    const book = new OrderBook();
    applyLevels(book, [[100, 5]], [[102, 7]]);
    pipeline.start(START, book);
    expect(() => pipeline.advance(FIRST)).toThrow(/ratio is NaN/);
  });

  it("can't share a column's name with another", () => {
    expect(() => defineFeatureSet("twice", 1, () => [broken, broken])).toThrow(/ratio/);
  });

  it("changes the fingerprint with its revision, its columns or their order", () => {
    const other: Feature = { ...broken, columns: [{ name: "other", unit: "", formula: "", source: "" }] };
    const prints = [
      defineFeatureSet("a", 1, () => [broken, other]),
      defineFeatureSet("a", 2, () => [broken, other]),
      defineFeatureSet("b", 1, () => [broken, other]),
      defineFeatureSet("a", 1, () => [other, broken]),
      defineFeatureSet("a", 1, () => [broken]),
    ].map((featureSet) => featureSet.fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(defineFeatureSet("a", 1, () => [broken, other]).fingerprint).toBe(prints[0]);
  });
});
