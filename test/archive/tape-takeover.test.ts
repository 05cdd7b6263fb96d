/**
 * Losses prevented: trades that the next connection alone has brought, missing from every export; a whole book written for each change while two connections are
 * open, or at each audit; levels given as the book's where others beside them are not known.
 */

import { beforeEach, describe, expect, it } from "vitest";
import { TapeReplay } from "../../archive/tape-events.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { MarketRecord } from "../../core/wire/market-events.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { depthFrame, instrument, quoteFrame, START, snapshotBody, tradeFrame } from "../feed/scripted-venue.ts";
import { apply } from "./books.ts";

/** A tape record by record: what was exported of it, with its book compared to the reducer's after each. */
class Exported {
  readonly records: MarketRecord[] = [];
  private readonly replay: TapeReplay;
  private readonly reducer: FeedReducer;
  private readonly symbol: string;
  private readonly book = new OrderBook();
  private after = 0;

  constructor(of: Instrument) {
    const adapter = findAdapter(of.venue);
    if (adapter === null) throw new Error(`nobody speaks ${of.venue}`);
    this.replay = new TapeReplay(of.venue, [of]);
    this.reducer = new FeedReducer({ adapter, instruments: [of], featureSet: featureSetV1 });
    this.symbol = of.symbol;
  }

  take(record: TapeRecord): void {
    this.reducer.record(record);
    for (const item of this.replay.take(record, { file: "", line: 0 })) {
      if (!("record" in item)) throw new Error(item.refused);
      this.records.push(item.record);
      apply(this.book, item.record);
    }
    const market = this.reducer.markets.get(this.symbol);
    if (market?.state === "live") expect(this.book.contentHash(), `after a ${record.kind}`).toBe(market.book.contentHash());
  }

  /** The next record, a tenth of a second on. */
  next(kind: "frame" | "standby-frame", text: string): void {
    this.after += 100;
    this.take({ kind, receivedAt: START + this.after, text });
  }

  open(kind: "open" | "standby-open" | "takeover"): void {
    this.after += 100;
    this.take({ kind, receivedAt: START + this.after, connection: kind === "open" ? "1" : "2" });
  }

  get kinds(): string[] {
    return this.records.map(({ kind }) => kind);
  }

  /** When each trade came, in ms after the start. */
  get tradesAfter(): number[] {
    return this.records.flatMap(({ kind, receivedAt }) => (kind === "trade" ? [receivedAt - START] : []));
  }
}

const XBTUSD: Instrument = { venue: "bitmex", symbol: "XBTUSD", tick: { mantissa: 5, decimals: 1 }, lot: { mantissa: 100, decimals: 0 } };
const NOW = new Date(START).toISOString();

function row(id: number, side: "Buy" | "Sell", [price, size]: readonly [number, number]): object {
  return { symbol: "XBTUSD", id, side, size, price, timestamp: NOW };
}

function partial(bid = 100): string {
  const data = [row(1, "Buy", [100, bid]), row(2, "Sell", [101, 100])];
  return JSON.stringify({ table: "orderBookL2", action: "partial", filter: { symbol: "XBTUSD" }, data });
}

function update(size: number): string {
  return JSON.stringify({ table: "orderBookL2", action: "update", data: [row(1, "Buy", [100, size])] });
}

function trade(id: number): string {
  const trdMatchID = `00000000-0000-0000-0000-${String(id).padStart(12, "0")}`;
  const data = [{ timestamp: NOW, symbol: "XBTUSD", side: "Buy", size: 100, price: 101, tickDirection: "PlusTick", trdMatchID }];
  return JSON.stringify({ table: "trade", action: "insert", data });
}

function quote(size: number): string {
  const data = [{ timestamp: NOW, symbol: "XBTUSD", bidSize: size, bidPrice: 100, askPrice: 101, askSize: 100 }];
  return JSON.stringify({ table: "quote", action: "insert", data });
}

describe("an export of a BitMEX tape with a next connection", () => {
  let exported: Exported;
  beforeEach(() => {
    exported = new Exported(XBTUSD);
    exported.open("open");
    exported.next("frame", partial());
    exported.open("standby-open");
  });

  it("has the changes of a book that has joined it as changes, with the venue's time, and no book anew", () => {
    exported.next("standby-frame", partial());
    for (const size of [200, 300, 400, 500, 600]) {
      exported.next("standby-frame", update(size));
      // Of the past: the book is the other's already.
      exported.next("frame", update(size));
    }
    exported.open("takeover");
    exported.next("frame", update(700));
    expect(exported.kinds).toEqual(["snapshot", "depth", "depth", "depth", "depth", "depth", "depth"]);
    expect(exported.records.slice(1)).toEqual(
      [2, 3, 4, 5, 6, 7].map((lots, index) => ({
        kind: "depth",
        receivedAt: START + (index < 5 ? 500 + 200 * index : 1_600),
        venueTime: START,
        sequence: expect.any(Number) as number,
        bids: [[200, lots]],
        asks: [],
      })),
    );
  });

  it("has each trade once, those too that it alone has brought before the takeover", () => {
    exported.next("frame", trade(1));
    exported.next("standby-frame", trade(1));
    exported.next("standby-frame", partial());
    exported.next("standby-frame", trade(2));
    exported.next("frame", trade(2));
    exported.next("standby-frame", trade(3));
    exported.open("takeover");
    exported.next("frame", trade(4));
    exported.next("frame", trade(3));
    expect(exported.tradesAfter).toEqual([400, 700, 900, 1_100]);
  });

  it("has the quotes of the connection that the book is of", () => {
    exported.next("frame", quote(100));
    exported.next("standby-frame", quote(100));
    exported.next("standby-frame", partial());
    exported.next("standby-frame", update(200));
    exported.next("standby-frame", quote(200));
    exported.next("frame", quote(300));
    const bids = exported.records.flatMap((record) => (record.kind === "quote" ? [record.bid] : []));
    expect(bids).toEqual([
      [200, 1],
      [200, 2],
    ]);
  });

  it("has one book anew where the next one is further on", () => {
    exported.next("frame", update(200));
    exported.next("standby-frame", partial(200));
    exported.open("takeover");
    exported.open("standby-open");
    // Its partial is of a moment that the present connection hasn't brought yet; then both meet.
    exported.next("standby-frame", partial(300));
    exported.next("standby-frame", update(400));
    exported.next("frame", update(300));
    expect(exported.kinds).toEqual(["snapshot", "depth", "depth", "snapshot"]);
    expect(exported.records.at(-1)).toMatchObject({ bids: [[200, 4]], asks: [[202, 1]] });
  });

  it("has the gap, and behind it one book anew, where the next one shows that the one held was wrong", () => {
    exported.next("standby-frame", partial(700));
    exported.take({ kind: "takeover", receivedAt: START + 40_000, connection: "2" });
    exported.next("frame", update(800));
    expect(exported.records.slice(1)).toMatchObject([
      { kind: "gap", from: START + 200, to: START + 40_000, reason: "snapshot-differs" },
      { kind: "snapshot", bids: [[200, 7]], asks: [[202, 1]] },
      { kind: "depth", bids: [[200, 8]], asks: [] },
    ]);
  });
});

function barFrame(): string {
  const prices = { o: "10.00", c: "10.00", h: "10.00", l: "10.00", v: "1.000", q: "10.00", V: "1.000", Q: "10.00" };
  const k = { t: START - 70_000, T: START - 10_001, s: "AAAUSDT", i: "1m", f: 1, L: 1, n: 1, x: true, ...prices, B: "0" };
  return JSON.stringify({ stream: "aaausdt@kline_1m", data: { e: "kline", E: START, s: "AAAUSDT", k } });
}

describe("an export of a Binance tape with a next connection", () => {
  it("has each change, trade, quote and bar once, whichever brought it first", () => {
    const exported = new Exported(instrument("AAAUSDT"));
    const both = (text: string): void => {
      exported.next("standby-frame", text);
      exported.next("frame", text);
    };
    exported.open("open");
    exported.next("frame", depthFrame({ from: 100, to: 101, time: START, bids: [["9.99", "2"]] }));
    exported.take({ kind: "snapshot", receivedAt: START + 250, symbol: "AAAUSDT", body: snapshotBody(100) });
    exported.open("standby-open");
    both(depthFrame({ from: 102, time: START, bids: [["9.98", "4"]] }));
    both(tradeFrame(7, START));
    both(quoteFrame(102, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }));
    both(barFrame());
    exported.next("standby-frame", depthFrame({ from: 103, time: START, bids: [["9.97", "4"]] }));
    exported.next("standby-frame", tradeFrame(8, START));
    exported.open("takeover");
    exported.next("frame", depthFrame({ from: 104, time: START, bids: [["9.96", "4"]] }));
    expect(exported.kinds).toEqual(["snapshot", "depth", "trade", "quote", "bar", "depth", "trade", "depth"]);
    expect(exported.records.map((record) => ("sequence" in record ? record.sequence : null))).toEqual([
      101,
      102,
      null,
      102,
      null,
      103,
      null,
      104,
    ]);
  });
});

describe("a record of a tape that does two things", () => {
  const depth = (after: number, sequence: number): TapeRecord => ({
    kind: "frame",
    receivedAt: START + after,
    text: depthFrame({ from: sequence, time: START }),
  });
  const snapshot: TapeRecord = { kind: "snapshot", receivedAt: START + 300, symbol: "AAAUSDT", body: snapshotBody(100) };

  function kindsOf(tape: readonly TapeRecord[]): string[] {
    const replay = new TapeReplay("binance-spot", [instrument("AAAUSDT")], 1_000);
    const opened: TapeRecord = { kind: "open", receivedAt: START, connection: "1" };
    return [opened, ...tape].flatMap((record) =>
      replay.take(record, { file: "", line: 0 }).map((item) => ("record" in item ? item.record.kind : item.refused)),
    );
  }

  it("has a silence before the change that ended it, which vouches for the book again", () => {
    expect(kindsOf([depth(100, 101), snapshot, depth(400, 102), depth(9_000, 103)])).toEqual(["snapshot", "depth", "gap", "depth"]);
  });

  it("has no book, rather than an empty one, where a change that was kept for it breaks it at once", () => {
    expect(kindsOf([depth(100, 101), depth(200, 103), snapshot])).toEqual([]);
  });
});

/** As many bids as the venue gives at most, a cent apart, the best first. */
function bidsFrom(cents: number): [string, string][] {
  return Array.from({ length: 1_000 }, (_, index) => [((cents - index) / 100).toFixed(2), "1.000"]);
}

describe("a book that is known only so far", () => {
  it("is a book anew where another window of it is known, at the same number too", () => {
    const exported = new Exported(instrument("AAAUSDT"));
    const snapshot = (second: number, sequence: number, bids: [string, string][]): TapeRecord => {
      const body = snapshotBody(sequence, bids, [["20.02", "1.000"]]);
      return { kind: "snapshot", receivedAt: START + second * 1_000, symbol: "AAAUSDT", body };
    };
    exported.open("open");
    exported.next("frame", depthFrame({ from: 101, time: START }));
    exported.take(snapshot(1, 100, bidsFrom(2_000)));
    const fallen = bidsFrom(2_000).slice(0, 100);
    exported.take({
      kind: "frame",
      receivedAt: START + 2_000,
      text: depthFrame({ from: 102, time: START, bids: fallen.map(([price]) => [price, "0.000"]) }),
    });
    exported.take({ kind: "asked", receivedAt: START + 2_100, symbol: "AAAUSDT" });
    exported.take(snapshot(3, 102, bidsFrom(1_900)));
    expect(exported.kinds).toEqual(["snapshot", "depth", "snapshot"]);
    const [last] = exported.records.slice(-1);
    if (last?.kind !== "snapshot") throw new Error("no snapshot");
    expect([last.sequence, last.bids.length, last.bids[0], last.bids.at(-1)]).toEqual([102, 1_000, [1_900, 1_000], [901, 1_000]]);
  });

  it("is exported that far: beyond, it holds what happens to have changed", () => {
    // Bids from 20.00 down to 10.01. Two changes are kept for it, one of them far below.
    const replay = new TapeReplay("binance-spot", [instrument("AAAUSDT")]);
    const changed = depthFrame({
      from: 101,
      time: START,
      bids: [
        ["20.00", "2.000"],
        ["5.00", "9.000"],
      ],
    });
    const tape: TapeRecord[] = [
      { kind: "open", receivedAt: START, connection: "1" },
      { kind: "frame", receivedAt: START + 100, text: changed },
      { kind: "snapshot", receivedAt: START + 200, symbol: "AAAUSDT", body: snapshotBody(100, bidsFrom(2_000), [["20.02", "1.000"]]) },
    ];
    const [item, ...others] = tape.flatMap((record) => replay.take(record, { file: "", line: 0 }));
    if (item === undefined || !("record" in item) || item.record.kind !== "snapshot") throw new Error("no snapshot");
    expect(others).toEqual([]);
    expect(item.record.bids).toHaveLength(1_000);
    expect([item.record.bids[0], item.record.bids.at(-1)]).toEqual([
      [2_000, 2_000],
      [1_001, 1_000],
    ]);
    expect(item.record.asks).toEqual([[2_002, 1_000]]);
  });
});
