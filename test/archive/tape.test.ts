/** A tape as events: the book of the records is the reducer's, and what the reducer would not believe is not given out as a change. */

import { describe, expect, it } from "vitest";
import { eventSources } from "../../archive/export/event-sources.ts";
import { runExport } from "../../archive/export/run-export.ts";
import { TapeReplay } from "../../archive/tape-events.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { depthFrame, instrument, marketOf, quoteFrame, START, scriptedFeed, tradeFrame } from "../feed/scripted-venue.ts";
import { apply } from "./books.ts";
import { exportFiles, freshFolder, linesOf, put, silent } from "./workplace.ts";

const SNAPSHOT = '{"lastUpdateId":100,"bids":[["10.00","1.000"],["9.99","2.000"]],"asks":[["10.01","3.000"]]}';

const TAPE: readonly TapeRecord[] = [
  { kind: "instrument", receivedAt: START, ...instrument("AAAUSDT") },
  { kind: "open", receivedAt: START, connection: "1" },
  // Within the snapshot; then the one that joins it.
  frame(100, depthFrame({ from: 99, to: 100, time: START, bids: [["9.98", "9"]] })),
  frame(200, depthFrame({ from: 101, to: 102, time: START, bids: [["9.98", "4"]] })),
  { kind: "snapshot", receivedAt: START + 300, symbol: "AAAUSDT", body: SNAPSHOT },
  frame(
    400,
    depthFrame({
      from: 103,
      time: START,
      asks: [
        ["10.01", "0"],
        ["10.02", "5"],
      ],
    }),
  ),
  frame(
    450,
    depthFrame({
      from: 103,
      time: START,
      asks: [
        ["10.01", "0"],
        ["10.02", "5"],
      ],
    }),
  ),
  frame(500, tradeFrame(7, START)),
  frame(510, tradeFrame(7, START)),
  frame(600, quoteFrame(103, { bid: ["10.00", "1.000"], ask: ["10.02", "5.000"] })),
  // 104 is missing.
  frame(700, depthFrame({ from: 105, time: START, bids: [["10.00", "0"]] })),
  frame(800, "{"),
  frame(900, depthFrame({ from: 106, time: START, bids: [["9.97", "1"]] })),
  { kind: "snapshot", receivedAt: START + 1_000, symbol: "AAAUSDT", body: SNAPSHOT.replace("100", "105") },
  frame(1_100, depthFrame({ from: 107, time: START, bids: [["9.96", "1"]] })),
  { kind: "down", receivedAt: START + 5_000, reason: "connection-down: 1006" },
];

function frame(after: number, text: string): TapeRecord {
  return { kind: "frame", receivedAt: START + after, text };
}

describe("a tape", () => {
  it("gives a snapshot where a book becomes live, changes that were applied, trades once, and the gap before the book that ends it", async () => {
    const report = await exportFiles([put("x.tape.gz", TAPE.map(encodeTapeRecord).join(""))], { form: "ndjson" });
    const lines = linesOf(report.markets[0]?.files[0]?.path ?? "").slice(1);
    const at = (after: number): number => START + after;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        kind: "snapshot",
        receivedAt: at(300),
        venueTime: null,
        sequence: 102,
        bids: [
          ["10.00", "1.000"],
          ["9.99", "2.000"],
          ["9.98", "4.000"],
        ],
        asks: [["10.01", "3.000"]],
      },
      {
        kind: "depth",
        receivedAt: at(400),
        venueTime: START,
        sequence: 103,
        bids: [],
        asks: [
          ["10.01", "0.000"],
          ["10.02", "5.000"],
        ],
      },
      { kind: "trade", receivedAt: at(500), venueTime: START, tradeId: "7", price: "10.00", size: "1.000", takerSide: "buy" },
      { kind: "quote", receivedAt: at(600), venueTime: null, sequence: 103, bid: ["10.00", "1.000"], ask: ["10.02", "5.000"] },
      {
        kind: "gap",
        receivedAt: at(1_000),
        from: at(400),
        to: at(1_000),
        reason: "sequence-gap",
        detail: "message 105-105 does not follow 103",
      },
      {
        kind: "snapshot",
        receivedAt: at(1_000),
        venueTime: null,
        sequence: 106,
        bids: [
          ["10.00", "1.000"],
          ["9.99", "2.000"],
          ["9.97", "1.000"],
        ],
        asks: [["10.01", "3.000"]],
      },
      { kind: "depth", receivedAt: at(1_100), venueTime: START, sequence: 107, bids: [["9.96", "1.000"]], asks: [] },
      { kind: "gap", receivedAt: at(5_000), from: at(1_100), to: null, reason: "connection-down", detail: "1006" },
    ]);
    expect(report).toMatchObject({ refused: 1, refusedSamples: [expect.stringMatching(/line 12: a malformed frame/)] });
  });

  it("gives records whose book is the reducer's after every one", () => {
    const feed = scriptedFeed();
    const replay = new TapeReplay("binance-spot", [instrument("AAAUSDT")]);
    const book = new OrderBook();
    let compared = 0;
    for (const record of TAPE) {
      feed.record(record);
      for (const item of replay.take(record, { file: "", line: 0 })) if ("record" in item) apply(book, item.record);
      const market = marketOf(feed);
      if (market.state !== "live") continue;
      expect(book.contentHash()).toBe(market.book.contentHash());
      compared++;
    }
    expect(compared).toBe(8);
  });

  it("under keys of the store is its market's, minute after minute", async () => {
    const text = TAPE.map(encodeTapeRecord);
    const first = put("tape/v1/binance-spot/AAAUSDT/2026-01-05/1200.tape.gz", text.slice(0, 6).join(""));
    const second = put("tape/v1/binance-spot/AAAUSDT/2026-01-05/1201.tape.gz", text.slice(6).join(""));
    const report = await exportFiles([first, second], { form: "ndjson", market: "binance-spot:AAAUSDT" });
    expect(report.markets).toHaveLength(1);
    expect(report.markets[0]?.byKind).toEqual({ snapshot: 2, depth: 2, trade: 1, quote: 1, gap: 2 });
  });

  it("of a capture has its venue in its name, which is asked for where there is none", async () => {
    const text = TAPE.map(encodeTapeRecord).join("");
    const options = { form: "ndjson", market: null, intervalMs: 60_000, levels: 20, progress: silent } as const;
    const [named] = await eventSources([put("binance-spot.tape", text)], { venue: null });
    expect((await runExport(named === undefined ? [] : [named], { ...options, out: freshFolder() })).markets[0]?.market).toBe(
      "binance-spot:AAAUSDT",
    );
    await expect(eventSources([put("x.tape", text)], { venue: null })).rejects.toThrow(/name it with --venue/);
  });

  it("without a declaration of its market is refused: its numbers would mean nothing", async () => {
    await expect(exportFiles([put("x.tape", TAPE.slice(1).map(encodeTapeRecord).join(""))], {})).rejects.toThrow(/declares no market/);
  });
});
