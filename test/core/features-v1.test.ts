import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSets, featureSetV1, findFeatureSet } from "../../core/features/registry.ts";
import { OrderFlow } from "../../core/features/v1/order-flow.ts";
import { logOnePlus } from "../../core/math/elementary.ts";
import {
  applyLevels,
  arbitraryMarket,
  CENTRE_TICKS,
  feedEvent,
  type KeptRow,
  keep,
  type Level,
  type MarketLog,
  referenceRows,
  streamedRows,
} from "./features-reference.ts";

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

describe("any market", () => {
  const runs = { numRuns: 60 };

  it("streaming gives what the definitions give on the whole log: no window, clock or state is off by one", () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const { rows } = streamedRows(log);
        const reference = referenceRows(log);
        expect(rows.map((row) => row.featureTime)).toEqual(reference.map((row) => row.featureTime));
        rows.forEach(({ row }, index) => {
          const expected = reference[index]?.columns;
          expect([...(expected?.keys() ?? [])].sort()).toEqual([...featureSetV1.columns].sort());
          for (const [at, name] of featureSetV1.columns.entries()) {
            const value = expected?.get(name) ?? Number.NaN;
            // The reference takes ln of a ratio near 1, which loses up to 1e-12 bps.
            expect(Math.abs((row[at] ?? Number.NaN) - value), `${name} at row ${index}`).toBeLessThanOrEqual(
              5e-12 + 1e-12 * Math.abs(value),
            );
            compared++;
          }
        });
      }),
      runs,
    );
    expect(compared).toBeGreaterThan(10_000);
  });

  it("rows of a prefix are the first rows of the whole, to the bit: nothing is read from the future", () => {
    fc.assert(
      fc.property(arbitraryMarket, fc.double({ min: 0, max: 1, noNaN: true }), (log, share) => {
        const cut = Math.floor(log.events.length * share);
        const part = streamedRows({ ...log, events: log.events.slice(0, cut) }).rows;
        expect(part).toEqual(streamedRows(log).rows.slice(0, part.length));
      }),
      runs,
    );
  });

  it("a feed that began later writes the same bytes once warm: nothing older than the windows leaves a trace", () => {
    const gap = column("seconds_since_gap");
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, fc.double({ min: 0, max: 0.6, noNaN: true }), (log, share) => {
        const wanted = new Map(streamedRows(log).rows.map((row) => [row.featureTime, row]));
        for (const { featureTime, isWarm, row } of streamedRows(begunLater(log, Math.floor(log.events.length * share))).rows) {
          if (!isWarm) continue;
          expect(row.filter((_, at) => at !== gap)).toEqual(wanted.get(featureTime)?.row.filter((_, at) => at !== gap));
          compared++;
        }
      }),
      runs,
    );
    expect(compared).toBeGreaterThan(500);
  });

  it("after a gap the rows are those of a feed that never saw what was before it: nothing reaches across", () => {
    fc.assert(
      fc.property(arbitraryMarket, arbitraryMarket, (before, market) => {
        const after = laterBy(market, 1_000_000);
        const rows: KeptRow[] = [];
        const book = new OrderBook();
        const pipeline = new FeaturePipeline(featureSetV1, { onRow: (row) => rows.push(keep(row)) });
        for (const log of [before, after]) {
          rows.length = 0;
          replaceBook(book, log.bids, log.asks);
          pipeline.start(log.startTime, book);
          for (const event of log.events) feedEvent(pipeline, book, event);
          pipeline.stop();
        }
        const fresh = streamedRows(after).rows;
        expect(rows.map(({ segment, ...row }) => row)).toEqual(fresh.map(({ segment, ...row }) => row));
      }),
      runs,
    );
  });

  it("the mirrored market has mirrored columns: no side is treated better than the other", () => {
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const plain = streamedRows(log).rows;
        const turned = streamedRows(mirrored(log)).rows;
        expect(turned.length).toBe(plain.length);
        plain.forEach(({ row }, index) => {
          for (const [at, name] of featureSetV1.columns.entries()) {
            const { twin, sign, isExact } = mirrorOf(name);
            const value = row[at] ?? Number.NaN;
            const other = sign * (turned[index]?.row[column(twin)] ?? Number.NaN);
            // Mirrored prices are other numbers, 40 in a million at most, so what is divided by a price differs by as much.
            if (isExact) expect(other, name).toBeCloseTo(value, 12);
            else expect(Math.abs(other - value), name).toBeLessThanOrEqual(1e-4 * Math.abs(value) + 1e-9);
          }
        });
      }),
      runs,
    );
  });

  it("a finer tick and a smaller lot change no bit: a model carries over to another instrument", () => {
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        expect(streamedRows(rescaled(log, 8, 1024)).rows.map((row) => row.row)).toEqual(streamedRows(log).rows.map((row) => row.row));
      }),
      runs,
    );
  });

  it("no column is ever NaN or infinite, also with sizes as large as a decoder lets through", () => {
    fc.assert(
      fc.property(arbitraryMarket, fc.constantFrom(1, 2 ** 44), (log, lotScale) => {
        for (const { row } of streamedRows(rescaled(log, 1, lotScale)).rows) expect(row.every(Number.isFinite)).toBe(true);
      }),
      runs,
    );
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

/** The market as a feed sees it that begins after the first `count` events. */
function begunLater(log: MarketLog, count: number): MarketLog {
  const missed = log.events.slice(0, count);
  const bids = new Map(log.bids);
  const asks = new Map(log.asks);
  for (const event of missed) {
    if (event.kind !== "book") continue;
    for (const [ticks, lots] of event.bids) bids.set(ticks, lots);
    for (const [ticks, lots] of event.asks) asks.set(ticks, lots);
  }
  const startTime = Math.max(log.startTime, ...missed.map((event) => event.venueTime));
  const resting = (levels: Map<number, number>): Level[] => [...levels].filter(([, lots]) => lots > 0);
  return { startTime, bids: resting(bids), asks: resting(asks), events: log.events.slice(count) };
}

function laterBy(log: MarketLog, shiftMs: number): MarketLog {
  const events = log.events.map((event) => ({ ...event, venueTime: event.venueTime + shiftMs }));
  return { ...log, startTime: log.startTime + shiftMs, events };
}

function mirrored(log: MarketLog): MarketLog {
  const turn = (levels: readonly Level[]): Level[] => levels.map(([ticks, lots]) => [2 * CENTRE_TICKS - ticks, lots]);
  return {
    startTime: log.startTime,
    bids: turn(log.asks),
    asks: turn(log.bids),
    events: log.events.map((event) =>
      event.kind === "trade"
        ? { ...event, takerSide: event.takerSide === "buy" ? "sell" : "buy" }
        : { ...event, bids: turn(event.asks), asks: turn(event.bids) },
    ),
  };
}

/** Where a column goes in the mirror, with what sign, and whether to the last digits. */
function mirrorOf(name: string): { twin: string; sign: 1 | -1; isExact: boolean } {
  const twin = name.replace(/_(bid|ask)(?=_|$)/, (_, side) => (side === "bid" ? "_ask" : "_bid"));
  const isOdd = /^(log_return|imbalance|weighted_mid|ofi|signed_volume|mid_return)/.test(name);
  return { twin, sign: isOdd ? -1 : 1, isExact: /^(log_volume|imbalance|depth|ofi|signed_volume|seconds)/.test(name) };
}

function rescaled(log: MarketLog, tickScale: number, lotScale: number): MarketLog {
  const scale = (levels: readonly Level[]): Level[] => levels.map(([ticks, lots]) => [ticks * tickScale, lots * lotScale]);
  return {
    startTime: log.startTime,
    bids: scale(log.bids),
    asks: scale(log.asks),
    events: log.events.map((event) =>
      event.kind === "trade" ? { ...event, lots: event.lots * lotScale } : { ...event, bids: scale(event.bids), asks: scale(event.asks) },
    ),
  };
}
