/** Rows of several feature sets, as the edge gives them out: those that a dataset of the same tape has, over no gap, and of one moment. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { FeatureSet } from "../../core/features/contract.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSetV1, featureSetV2, featureSetVolumes10 } from "../../core/features/registry.ts";
import type { MarketEvent } from "../../core/market/event.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import type { FeatureView, SetRows, WantedRows } from "../../feed/contract.ts";
import { featureView } from "../../feed/feature-view.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { MAX_WINDOW_ROWS, RowWindow } from "../../feed/row-window.ts";
import { type KeptRow, keep } from "../core/features-reference.ts";
import { depthFrame, instrument, marketOf, passSeconds, START, synchronise } from "./scripted-venue.ts";

const SETS: readonly FeatureSet[] = [featureSetV1, featureSetV2, featureSetVolumes10];
const DAY = Date.UTC(2026, 0, 5);
const SYMBOL = "AAAUSDT";

function feedOf(): FeedReducer {
  const furtherFeatureSets = [featureSetV2, featureSetVolumes10];
  return new FeedReducer({ adapter: binanceSpot, featureSet: featureSetV1, furtherFeatureSets, instruments: [instrument(SYMBOL)] });
}

function wanting(rows: number, sets: readonly FeatureSet[] = SETS): WantedRows[] {
  return sets.map(({ fingerprint }) => ({ fingerprint, rows }));
}

function viewOf(feed: FeedReducer, wanted: readonly WantedRows[], now = feed.now): FeatureView {
  const view = featureView(marketOf(feed), { now, wanted });
  if (!view.ok) throw new Error(view.detail);
  return view;
}

function reasonsOf({ sets }: FeatureView): string[] {
  return sets.map((set) => ("refusal" in set ? set.refusal.reason : "given"));
}

function rowsOf(set: SetRows | undefined): readonly (readonly number[])[] {
  if (set === undefined || "refusal" in set) throw new Error(set?.refusal.detail);
  const { columns, rows } = set;
  expect(rows.length % columns).toBe(0);
  return Array.from({ length: rows.length / columns }, (_, row) => Array.from(rows.subarray(row * columns, (row + 1) * columns)));
}

/** A tape as one that only wants rows would read it: no reducer, one set, a book that begins at the snapshot. The tape has no gap. */
function plainRows(tape: readonly TapeRecord[], featureSet: FeatureSet): KeptRow[] {
  const rows: KeptRow[] = [];
  const decoder = binanceSpot.createDecoder([instrument(SYMBOL)]);
  const pipeline = new FeaturePipeline(featureSet, { onRow: (row) => rows.push(keep(row)) });
  const book = new OrderBook();
  const early: string[] = [];
  let sequence: number | null = null;
  let isStarted = false;
  const take = (event: MarketEvent): void => {
    if (event.kind === "depth") {
      if (event.lastSequence <= (sequence ?? 0)) return;
      pipeline.advance(event.venueTime);
      book.apply(event.levels);
      if (isStarted) pipeline.onBook(event.venueTime);
      else pipeline.start(event.venueTime, book);
      isStarted = true;
    } else if ((event.kind === "trade" || event.kind === "kline") && isStarted) {
      pipeline.advance(event.venueTime);
      if (event.kind === "trade") pipeline.onTrade(event);
    }
  };
  const read = (text: string): void => {
    const decoded = decoder.decode(text);
    if (decoded.kind === "event") take(decoded.event as MarketEvent);
  };
  for (const record of tape) {
    if (record.kind === "snapshot") {
      const decoded = decoder.decodeSnapshot(SYMBOL, record.body);
      if (decoded.kind !== "event" || decoded.event.kind !== "snapshot") throw new Error("no snapshot");
      book.replace(decoded.event.levels, []);
      sequence = decoded.event.lastSequence;
      for (const text of early) read(text);
    } else if (record.kind === "frame") {
      if (sequence === null) early.push(record.text);
      else read(record.text);
    }
  }
  return rows;
}

function tapeOf(seed: number, { seconds, startTime }: { seconds: number; startTime: number }): TapeRecord[] {
  return [...simulateTape({ preset: "small-tick", seed, symbol: SYMBOL, seconds, startTime })];
}

describe("rows of several feature sets", () => {
  it("are those of each set computed alone from the same tape, whenever they are asked for", () => {
    const tape = tapeOf(5, { seconds: 220, startTime: DAY });
    const plain = SETS.map((featureSet) => plainRows(tape, featureSet));
    const feed = feedOf();
    let compared = 0;
    for (const [index, record] of tape.entries()) {
      feed.record(record);
      // Some thirty times, at no rhythm of the market's own.
      if (index % 97 !== 0 || marketOf(feed).pipeline.latest?.isWarm !== true) continue;
      for (const [at, rows] of plain.entries()) {
        const last = rows.findIndex(({ featureTime }) => featureTime === marketOf(feed).pipeline.latest?.featureTime);
        const warm = rows.slice(0, last + 1).filter(({ isWarm }) => isWarm);
        const expected = warm.slice(-MAX_WINDOW_ROWS).map(({ row }) => row);
        const { featureTime, bidTicks, askTicks, sets } = viewOf(feed, wanting(expected.length, SETS.slice(at, at + 1)));
        expect({ featureTime, bidTicks, askTicks }).toEqual({
          featureTime: rows[last]?.featureTime,
          bidTicks: rows[last]?.bidTicks,
          askTicks: rows[last]?.askTicks,
        });
        expect(rowsOf(sets[0])).toEqual(expected);
        compared += expected.length;
      }
    }
    expect(compared).toBeGreaterThan(3_000);
    const counts = marketOf(feed).featureSets.map(({ pipeline }) => pipeline.rowCount);
    expect(counts).toEqual(plain.map(({ length }) => length));
  });

  it("begin anew behind a gap: no window holds rows of both sides", () => {
    const feed = feedOf();
    for (const record of tapeOf(5, { seconds: 60, startTime: DAY })) feed.record(record);
    expect(reasonsOf(viewOf(feed, wanting(20)))).toEqual(["given", "given", "given"]);
    const later = tapeOf(6, { seconds: 50, startTime: DAY + 61_000 });
    for (const record of later) feed.record(record);
    for (const [at, featureSet] of SETS.entries()) {
      const warm = plainRows(later, featureSet).filter(({ isWarm }) => isWarm);
      const view = (rows: number): FeatureView => viewOf(feed, wanting(rows, SETS.slice(at, at + 1)));
      expect(rowsOf(view(warm.length).sets[0])).toEqual(warm.map(({ row }) => row));
      expect(view(warm.length + 1).sets).toEqual([
        {
          fingerprint: featureSet.fingerprint,
          refusal: {
            reason: "too-few-rows",
            detail: `binance-spot:AAAUSDT has ${warm.length} rows of ${featureSet.id} without a break, and ${warm.length + 1} are wanted; one comes each second of market time.`,
          },
        },
      ]);
    }
  });

  it("are refused set by set: one that is cold keeps no other from being given", () => {
    const feed = feedOf();
    synchronise(feed);
    passSeconds(feed, 1, 5);
    const view = viewOf(feed, wanting(1));
    expect(reasonsOf(view)).toEqual(["warming-up", "warming-up", "given"]);
    expect(view).toMatchObject({ featureTime: START + 5_000, bidTicks: 1_000, askTicks: 1_002 });
    expect(rowsOf(view.sets[2])).toHaveLength(1);
  });

  it("that nobody computes are refused by name, and so are those of a fifth set", () => {
    const feed = feedOf();
    synchronise(feed);
    passSeconds(feed, 1, 2);
    const [volumes] = wanting(1, [featureSetVolumes10]);
    if (volumes === undefined) throw new Error("no set");
    expect(viewOf(feed, [{ fingerprint: "0123456789abcdef", rows: 1 }]).sets).toEqual([
      {
        fingerprint: "0123456789abcdef",
        refusal: {
          reason: "not-computed",
          detail: "The feed computes v1, v2, volumes-10 for binance-spot:AAAUSDT, and no features with the fingerprint 0123456789abcdef.",
        },
      },
    ]);
    expect(reasonsOf(viewOf(feed, [volumes, volumes, volumes, volumes, volumes]))).toEqual([...Array(4).fill("given"), "not-computed"]);
  });

  it.each([0, -1, 1.5, Number.NaN, 129, 1e9])("are not %d", (rows) => {
    const feed = feedOf();
    synchronise(feed);
    passSeconds(feed, 1, 50);
    expect(reasonsOf(viewOf(feed, wanting(rows)))).toEqual(["too-few-rows", "too-few-rows", "too-few-rows"]);
  });

  it("are refused whole with their book: while it is built, silent or crossed", () => {
    const feed = feedOf();
    synchronise(feed);
    passSeconds(feed, 1, 40);
    const reasonAt = (now: number): unknown => featureView(marketOf(feed), { now, wanted: wanting(1) });
    expect(reasonAt(START + 90_000)).toMatchObject({ ok: false, reason: "stale" });
    feed.frame(depthFrame({ from: 142, time: START + 40_500, asks: [["10.02", "0.000"]] }), START + 40_500);
    expect(reasonAt(START + 40_500)).toMatchObject({ ok: false, reason: "no-mid" });
    feed.connectionLost(START + 41_000, "connection-down", "1006");
    expect(reasonAt(START + 41_000)).toMatchObject({ ok: false, reason: "disconnected" });
    feed.connectionOpened(START + 42_000);
    expect(reasonAt(START + 42_000)).toMatchObject({ ok: false, reason: "syncing" });
    expect(marketOf(feed).featureSets.map(({ window }) => window.count)).toEqual([0, 0, 0]);
  });
});

describe("a window of rows", () => {
  it("holds the newest warm ones of its segment, in order, whatever came before", () => {
    const step = fc.record({ isWarm: fc.boolean(), isBreak: fc.nat(60).map((draw) => draw === 0) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 400, size: "max" }), fc.nat(), (steps, draw) => {
        const window = new RowWindow(2);
        let expected: number[][] = [];
        let segment = 1;
        for (const [index, { isWarm, isBreak }] of steps.entries()) {
          if (isBreak) {
            segment++;
            expected = [];
          }
          const row = Float64Array.of(index, -index);
          window.push({ featureTime: index * 1_000, row, bidTicks: 1, askTicks: 2, isWarm, segment });
          // The pipeline's own buffer: the next row is written into it.
          row.fill(Number.NaN);
          if (isWarm) expected.push([index, -index]);
        }
        expected = expected.slice(-128);
        expect(window.count).toBe(expected.length);
        const length = expected.length === 0 ? 0 : draw % (expected.length + 1);
        expect(Array.from(window.newest(length))).toEqual(length === 0 ? [] : expected.slice(-length).flat());
      }),
    );
    expect(() => new RowWindow(2).newest(1)).toThrow(RangeError);
  });
});
