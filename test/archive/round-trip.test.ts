/** What goes out comes in again: whatever a form can hold is, line for line, what it was. */

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { type EventsHeader, encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { eventLines, exportFiles, importFiles, linesOf, put } from "./workplace.ts";

const HEADER: EventsHeader = {
  market: "standx:BTC-USD",
  tick: { decimals: 2, mantissa: 5 },
  lot: { decimals: 4, mantissa: 1 },
  source: 'of a test, with "quotes", and commas',
  bookLevels: 20,
  sideInferred: "a rule",
};

const time = fc.integer({ min: 0, max: 2_000_000_000_000 });
const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const ticks = fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.constant(900_719_925_474_099));
const lots = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.constant(9_007_199_254_740_991));
const times = { receivedAt: time, venueTime: orNull(time) };
const sequence = orNull(fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)));
const text = fc.oneof(
  fc.constantFrom('say "x"', "a,b", "", "é ☃"),
  fc.string({ maxLength: 12 }).map((s) => s.replace(/[\r\n]/g, " ")),
);
/** A name: null and an empty text are one in CSV. */
const name = orNull(fc.constantFrom("1", "a-1", "x,y", '"'));
const side = (sign: 1 | -1): fc.Arbitrary<[number, number][]> =>
  fc
    .uniqueArray(fc.tuple(ticks, lots), { maxLength: 4, selector: ([price]) => price })
    .map((levels) => levels.sort(([a], [b]) => sign * (b - a)));
const change = fc.array(fc.tuple(ticks, fc.oneof(fc.constant(0), lots)), { maxLength: 3 });
const quoted = orNull(fc.tuple(ticks, orNull(lots)));
const record: fc.Arbitrary<MarketRecord> = fc.oneof(
  fc.record({ kind: fc.constant("snapshot" as const), ...times, sequence, bids: side(1), asks: side(-1) }),
  fc.record({ kind: fc.constant("depth" as const), ...times, sequence, bids: change, asks: change }),
  fc.record({
    kind: fc.constant("trade" as const),
    ...times,
    tradeId: name,
    priceTicks: ticks,
    sizeLots: lots,
    takerSide: orNull(fc.constantFrom("buy" as const, "sell" as const)),
  }),
  fc.record({ kind: fc.constant("quote" as const), ...times, sequence, bid: quoted, ask: quoted }),
  fc.record({
    kind: fc.constant("bar" as const),
    ...times,
    openTime: fc.constant(60_000),
    closeTime: fc.constant(120_000),
    openTicks: ticks,
    highTicks: ticks,
    lowTicks: ticks,
    closeTicks: ticks,
    volumeLots: lots,
    turnover: orNull(fc.constantFrom("0", "95236.83880000", "23327821911")),
    takerBuyLots: orNull(lots),
    trades: orNull(fc.nat()),
  }),
  fc.record({ kind: fc.constant("gap" as const), receivedAt: time, from: time, to: orNull(time), reason: text, detail: text }),
);

function eventsFile(records: readonly MarketRecord[]): { path: string; lines: string[] } {
  const lines = [encodeEventsHeader(HEADER), ...records.map((each) => encodeMarketRecord(each, HEADER))];
  return { path: put("x.events.ndjson.gz", lines.map((line) => `${line}\n`).join("")), lines };
}

async function outAndIn(path: string, form: "ndjson" | "csv" | "parquet"): Promise<string[]> {
  const exported = await exportFiles([path], { form });
  const folder = dirname(exported.markets[0]?.files[0]?.path ?? "");
  return eventLines(await importFiles(form === "ndjson" ? "events" : form, [folder]));
}

describe("events", () => {
  it.each(["ndjson", "csv", "parquet"] as const)("come back from %s as they went, each record in its place", async (form) => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (records) => {
        const { path, lines } = eventsFile(records);
        expect(await outAndIn(path, form)).toEqual(lines);
      }),
      { numRuns: 60 },
    );
  });

  it("that fill more than one row group come back in order", async () => {
    const records = Array.from({ length: 30_000 }, (_, index): MarketRecord => {
      const at = { receivedAt: 1_000 + index, venueTime: null };
      if (index % 3 === 0) return { kind: "trade", ...at, tradeId: null, priceTicks: index, sizeLots: 1, takerSide: "buy" };
      const bids = Array.from({ length: 6 }, (_, depth): [number, number] => [1_000 + depth, index % 7]);
      return { kind: "depth", ...at, sequence: index, bids, asks: [] };
    });
    const { path, lines } = eventsFile(records);
    expect(await outAndIn(path, "parquet")).toEqual(lines);
  });
});

describe("the recorder's form", () => {
  it("holds the book at each interval's end, and comes back as those snapshots", async () => {
    const at = (receivedAt: number): { receivedAt: number; venueTime: null; sequence: null } => ({
      receivedAt,
      venueTime: null,
      sequence: null,
    });
    const records: MarketRecord[] = [
      {
        kind: "snapshot",
        ...at(1_600_000_050_000),
        bids: [
          [200, 10_000],
          [199, 5_000],
        ],
        asks: [
          [201, 25_000],
          [202, 1],
        ],
      },
      // 1,600,000,080,000 is a whole minute: what comes at it is of the next.
      {
        kind: "depth",
        ...at(1_600_000_080_000),
        bids: [
          [200, 0],
          [198, 7],
        ],
        asks: [],
      },
      { kind: "trade", receivedAt: 1_600_000_150_000, venueTime: null, tradeId: null, priceTicks: 1, sizeLots: 1, takerSide: null },
      { kind: "gap", receivedAt: 1_600_000_210_000, from: 1_600_000_190_000, to: 1_600_000_210_000, reason: "silence", detail: "" },
      { kind: "snapshot", ...at(1_600_000_210_000), bids: [[200, 1]], asks: [[201, 1]] },
      { kind: "depth", ...at(1_600_000_270_000), bids: [], asks: [] },
    ];
    const report = await exportFiles([eventsFile(records).path], { form: "recorder", levels: 2 });
    const [file] = report.markets[0]?.files ?? [];
    // 12:28:00 and 12:29:00; 12:30:00 lies in the gap; at 12:31:00 the book had one level a side.
    expect(linesOf(file?.path ?? "")).toEqual([
      '{"date":"2020-09-13","time":"12:28:00","prices":[9.95,10,10.05,10.1],"volumes":[0.5,1,2.5,0.0001]}',
      '{"date":"2020-09-13","time":"12:29:00","prices":[9.9,9.95,10.05,10.1],"volumes":[0.0007,0.5,2.5,0.0001]}',
    ]);
    expect(report.markets[0]?.tooShallow).toBe(1);
    const back = await importFiles("recorder", [file?.path ?? ""], { market: "standx:BTC-USD" });
    expect(eventLines(back).slice(1)).toEqual([
      '{"kind":"snapshot","receivedAt":1600000080000,"venueTime":null,"sequence":null,"bids":[["10.00","1.0000"],["9.95","0.5000"]],"asks":[["10.05","2.5000"],["10.10","0.0001"]]}',
      '{"kind":"snapshot","receivedAt":1600000140000,"venueTime":null,"sequence":null,"bids":[["9.95","0.5000"],["9.90","0.0007"]],"asks":[["10.05","2.5000"],["10.10","0.0001"]]}',
    ]);
  });

  it("keeps milliseconds of shorter intervals", async () => {
    const at = (receivedAt: number): { receivedAt: number; venueTime: null; sequence: null } => ({
      receivedAt,
      venueTime: null,
      sequence: null,
    });
    const records: MarketRecord[] = [
      { kind: "snapshot", ...at(1_600_000_050_100), bids: [[200, 1]], asks: [[201, 1]] },
      { kind: "depth", ...at(1_600_000_050_300), bids: [], asks: [] },
    ];
    const report = await exportFiles([eventsFile(records).path], { form: "recorder", levels: 1, intervalMs: 250 });
    expect(linesOf(report.markets[0]?.files[0]?.path ?? "")).toEqual([
      '{"date":"2020-09-13","time":"12:27:30.250","prices":[10,10.05],"volumes":[0.0001,0.0001]}',
    ]);
  });
});

describe("minutes", () => {
  it("have no row before the first snapshot nor while a gap is open, and one for each interval of a quiet book", async () => {
    const at = (receivedAt: number): { receivedAt: number; venueTime: null; sequence: null } => ({
      receivedAt,
      venueTime: null,
      sequence: null,
    });
    const records: MarketRecord[] = [
      { kind: "depth", ...at(10_000), bids: [[1, 1]], asks: [] },
      { kind: "snapshot", ...at(130_000), bids: [[200, 1]], asks: [] },
      { kind: "depth", ...at(250_000), bids: [[200, 2]], asks: [[201, 3]] },
      { kind: "gap", receivedAt: 310_000, from: 305_000, to: null, reason: "x", detail: "" },
      { kind: "depth", ...at(400_000), bids: [], asks: [] },
    ];
    const report = await exportFiles([eventsFile(records).path], { form: "csv", levels: 1 });
    const file = report.markets[0]?.files.find(({ path }) => path.includes("minutes"));
    expect(linesOf(file?.path ?? "")).toEqual([
      "market,time,bid_price_0,bid_size_0,ask_price_0,ask_size_0",
      "standx:BTC-USD,180000,10.00,0.0001,,",
      "standx:BTC-USD,240000,10.00,0.0001,,",
      "standx:BTC-USD,300000,10.00,0.0002,10.05,0.0003",
    ]);
  });
});

describe("CSV", () => {
  it("is as documented: names, exact decimals, epoch ms, empty where nothing is, texts quoted where they must be", async () => {
    const records: MarketRecord[] = [
      { kind: "snapshot", receivedAt: 1000, venueTime: 990, sequence: 7, bids: [[200, 10_000]], asks: [] },
      { kind: "depth", receivedAt: 1001, venueTime: null, sequence: null, bids: [], asks: [] },
      { kind: "trade", receivedAt: 1002, venueTime: 1001, tradeId: "a,1", priceTicks: 201, sizeLots: 3, takerSide: null },
      { kind: "gap", receivedAt: 1010, from: 1003, to: null, reason: "silence", detail: 'of "7" s\nand more' },
    ];
    const report = await exportFiles([eventsFile(records).path], { form: "csv" });
    const files = Object.fromEntries((report.markets[0]?.files ?? []).map(({ path }) => [path.split("/").at(-1), linesOf(path)]));
    expect(files).toEqual({
      "book.csv.gz": [
        "market,event,received_at,venue_time,sequence,kind,side,price,size",
        "standx:BTC-USD,0,1000,990,7,snapshot,bid,10.00,1.0000",
        "standx:BTC-USD,1,1001,,,depth,,,",
      ],
      "trades.csv.gz": [
        "market,event,received_at,venue_time,trade_id,price,size,taker_side",
        'standx:BTC-USD,2,1002,1001,"a,1",10.05,0.0003,',
      ],
      "gaps.csv.gz": [
        "market,event,received_at,from_time,to_time,reason,detail",
        'standx:BTC-USD,3,1010,1003,,silence,"of ""7"" s and more"',
      ],
    });
  });
});

describe("tables", () => {
  it("of several markets are told apart by their rows, and each has its gaps, also where it had none", async () => {
    const files = ["BTC-USD", "ETH-USD"].map((symbol) => {
      const trade = { kind: "trade", receivedAt: 1, venueTime: null, tradeId: null, priceTicks: 1, sizeLots: 1, takerSide: null } as const;
      const header = { ...HEADER, market: `standx:${symbol}` };
      return put(`${symbol}.events.ndjson`, `${encodeEventsHeader(header)}\n${encodeMarketRecord(trade, header)}\n`);
    });
    const csv = await exportFiles(files, { form: "csv" });
    expect(csv.markets.map(({ files: written }) => written.map(({ path, rows }) => [path.split("/").at(-1), rows]))).toEqual([
      [
        ["gaps.csv.gz", 0],
        ["trades.csv.gz", 1],
      ],
      [
        ["gaps.csv.gz", 0],
        ["trades.csv.gz", 1],
      ],
    ]);
    expect(csv.markets.map(({ files: written }) => linesOf(written[1]?.path ?? "")[1])).toEqual([
      "standx:BTC-USD,0,1,,,0.05,0.0001,",
      "standx:ETH-USD,0,1,,,0.05,0.0001,",
    ]);
    const parquet = await exportFiles(files, { form: "parquet" });
    for (const { files: written, market } of parquet.markets) {
      const [gaps, trades] = await Promise.all(
        written.map(async ({ path }) => parquetReadObjects({ file: await asyncBufferFromFile(path), columns: ["market"] })),
      );
      expect([gaps, trades]).toEqual([[], [{ market }]]);
    }
  });

  it("without the column, as they were written before, are read as they are with it", async () => {
    const head = encodeEventsHeader(HEADER);
    const file = put("old/trades.csv.gz", "event,received_at,venue_time,trade_id,price,size,taker_side\n0,1002,1001,7,10.05,0.0003,buy\n");
    writeFileSync(join(dirname(file), "header.json"), head);
    expect(eventLines(await importFiles("csv", [dirname(file)]))).toEqual([
      head,
      '{"kind":"trade","receivedAt":1002,"venueTime":1001,"tradeId":"7","price":"10.05","size":"0.0003","takerSide":"buy"}',
    ]);
  });
});

describe("an export", () => {
  it("refuses to put files of one market on two grids, whose integers mean different prices", async () => {
    const { path } = eventsFile([{ kind: "gap", receivedAt: 1, from: 1, to: 1, reason: "", detail: "" }]);
    const other = `${encodeEventsHeader({ ...HEADER, tick: { decimals: 1, mantissa: 1 } })}\n{"kind":"gap","receivedAt":1,"from":1,"to":1,"reason":"","detail":""}\n`;
    const report = await exportFiles([path, put("y.ndjson", other)], { form: "parquet" });
    expect(report.failure).toMatch(/y\.ndjson: other grids than x\.events\.ndjson\.gz/);
  });
});
