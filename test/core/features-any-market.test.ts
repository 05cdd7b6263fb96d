/**
 * What holds for every feature set on any market: streaming is what the definitions give, nothing is read from the future or from before the windows, no side is treated better, and a column is a number.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSetA, featureSetB, featureSetR70, featureSetV1, featureSetV2 } from "../../core/features/registry.ts";
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

function replaceBook(book: OrderBook, bids: readonly Level[], asks: readonly Level[]): void {
  book.clear();
  applyLevels(book, bids, asks);
}

describe.each([featureSetV1, featureSetR70, featureSetV2, featureSetA, featureSetB])("any market, in the columns of $id,", (featureSet) => {
  const column = (name: string): number => {
    const index = featureSet.columns.indexOf(name);
    if (index < 0) throw new Error(`no column ${name}`);
    return index;
  };
  const runs = { numRuns: 40 };

  it("streaming gives what the definitions give on the whole log: no window, clock or state is off by one", () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const { rows } = streamedRows(log, featureSet);
        const reference = referenceRows(log);
        expect(rows.map((row) => row.featureTime)).toEqual(reference.map((row) => row.featureTime));
        rows.forEach(({ row }, index) => {
          const expected = reference[index]?.columns;
          for (const [at, name] of featureSet.columns.entries()) {
            const value = expected?.get(name) ?? Number.NaN;
            // The reference takes ln of a ratio near 1, which loses up to 1e-12 bps; volatility multiplies that.
            expect(Math.abs((row[at] ?? Number.NaN) - value), `${name} at row ${index}`).toBeLessThanOrEqual(
              (name.endsWith("_by_volatility") ? 5e-11 : 5e-12) + 1e-12 * Math.abs(value),
            );
            compared++;
          }
        });
      }),
      runs,
    );
    expect(compared).toBeGreaterThan(10_000);
  });

  it("rows of a phase are those of the market whose clock is late by it, dated by the true one: else their windows and times are of two grids", () => {
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, fc.constantFrom(100, 250, 500, 900), (log, phaseMs) => {
        const { rows } = streamedRows(log, featureSet, phaseMs);
        const events = log.events.map((event) => ({ ...event, venueTime: event.venueTime - phaseMs }));
        const late = streamedRows({ ...log, startTime: log.startTime - phaseMs, events }, featureSet);
        expect(rows).toEqual(late.rows.map((row) => ({ ...row, featureTime: row.featureTime + phaseMs })));
        expect(rows.every(({ featureTime }) => featureTime % 1_000 === phaseMs)).toBe(true);
        compared += rows.length;
      }),
      runs,
    );
    expect(compared).toBeGreaterThan(100);
  });

  it("rows of a prefix are the first rows of the whole, to the bit: nothing is read from the future", () => {
    fc.assert(
      fc.property(arbitraryMarket, fc.double({ min: 0, max: 1, noNaN: true }), (log, share) => {
        const cut = Math.floor(log.events.length * share);
        const part = streamedRows({ ...log, events: log.events.slice(0, cut) }, featureSet).rows;
        expect(part).toEqual(streamedRows(log, featureSet).rows.slice(0, part.length));
      }),
      runs,
    );
  });

  it("a feed that began later writes the same bytes once warm: nothing older than the windows leaves a trace", () => {
    // The one column that says how old the feed is; a set may have none.
    const gap = featureSet.columns.indexOf("seconds_since_gap");
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, fc.double({ min: 0, max: 0.6, noNaN: true }), (log, share) => {
        const wanted = new Map(streamedRows(log, featureSet).rows.map((row) => [row.featureTime, row]));
        for (const { featureTime, isWarm, row } of streamedRows(begunLater(log, Math.floor(log.events.length * share)), featureSet).rows) {
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
        const pipeline = new FeaturePipeline(featureSet, { onRow: (row) => rows.push(keep(row)) });
        for (const log of [before, after]) {
          rows.length = 0;
          replaceBook(book, log.bids, log.asks);
          pipeline.start(log.startTime, book);
          for (const event of log.events) feedEvent(pipeline, book, event);
          pipeline.stop();
        }
        const fresh = streamedRows(after, featureSet).rows;
        expect(rows.map(({ segment, ...row }) => row)).toEqual(fresh.map(({ segment, ...row }) => row));
      }),
      runs,
    );
  });

  it("the mirrored market has mirrored columns: no side is treated better than the other", () => {
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const plain = streamedRows(log, featureSet).rows;
        const turned = streamedRows(mirrored(log), featureSet).rows;
        expect(turned.length).toBe(plain.length);
        plain.forEach(({ row }, index) => {
          for (const [at, name] of featureSet.columns.entries()) {
            const { twin, sign, isExact } = mirrorOf(name);
            const value = row[at] ?? Number.NaN;
            const other = sign * (turned[index]?.row[column(twin)] ?? Number.NaN);
            // Mirrored prices are other numbers, 40 in a million at most, so what is divided by a price differs by as much; a logarithm by the square of the move too.
            if (isExact) expect(other, name).toBeCloseTo(value, 12);
            // The volume-adjusted mid lies some 10 bps away where a side is thin, and its return is the difference of two such.
            else if (name.startsWith("vamp_return")) expect(other, name).toBeCloseTo(value, 1);
            // Distances stand in an exponent, and near balance little is left of either side.
            else if (/^weighted_(imbalance|log)/.test(name)) expect(other, name).toBeCloseTo(value, 3);
            else expect(Math.abs(other - value), name).toBeLessThanOrEqual(1e-4 * Math.abs(value) * (1 + 2 * Math.abs(value)) + 1e-9);
          }
        });
      }),
      runs,
    );
  });

  it("a finer tick and a smaller lot change no bit: a model carries over to another instrument", () => {
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        expect(streamedRows(rescaled(log, 8, 1024), featureSet).rows.map((row) => row.row)).toEqual(
          streamedRows(log, featureSet).rows.map((row) => row.row),
        );
      }),
      runs,
    );
  });

  it("no column is ever NaN or infinite, also with sizes as large as a decoder lets through", () => {
    fc.assert(
      fc.property(arbitraryMarket, fc.constantFrom(1, 2 ** 44), (log, lotScale) => {
        for (const { row } of streamedRows(rescaled(log, 1, lotScale), featureSet).rows) expect(row.every(Number.isFinite)).toBe(true);
      }),
      runs,
    );
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
        ? { ...event, takerSide: event.takerSide === "buy" ? "sell" : "buy", ticks: 2 * CENTRE_TICKS - (event.ticks ?? 1) }
        : { ...event, bids: turn(event.asks), asks: turn(event.bids) },
    ),
  };
}

/** Where a column goes in the mirror, with what sign, and whether to the last digits. */
function mirrorOf(name: string): { twin: string; sign: 1 | -1; isExact: boolean } {
  const opposites: Readonly<Record<string, string>> = { bid: "_ask", ask: "_bid", high: "_low", low: "_high" };
  const twin = name.replace(/_(bid|ask|high|low)(?=_|$)/, (whole, side: string) => opposites[side] ?? whole);
  const isOdd =
    /^(log_return|imbalance|mid_velocity|mid_acceleration|relative_strength|weighted_|ofi|signed_volume|mid_return|mid_direction|vwap|vamp|depth_imbalance|gap_difference|walk_mid|last_trades|trade_deviation|trade_vwap|trade_high|trade_low|mid_move_last|mid_moves_net)/.test(
      name,
    );
  return {
    twin,
    sign: isOdd ? -1 : 1,
    // The volatility is made of returns, which the mirror changes in the fourth digit.
    isExact:
      !name.endsWith("_by_volatility") &&
      /^(log_volume|volume|relative_strength|imbalance|depth|ofi|signed_volume|seconds|trades_|last_trade_age|mid_move_age|mid_moves)/.test(
        name,
      ),
  };
}

function rescaled(log: MarketLog, tickScale: number, lotScale: number): MarketLog {
  const scale = (levels: readonly Level[]): Level[] => levels.map(([ticks, lots]) => [ticks * tickScale, lots * lotScale]);
  return {
    startTime: log.startTime,
    bids: scale(log.bids),
    asks: scale(log.asks),
    events: log.events.map((event) =>
      event.kind === "trade"
        ? { ...event, lots: event.lots * lotScale, ticks: (event.ticks ?? 1) * tickScale }
        : { ...event, bids: scale(event.bids), asks: scale(event.asks) },
    ),
  };
}
